"""Certificates of tests."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from twisted.trial.unittest import SynchronousTestCase

from tests.live.certificates import authority


class CertificateTests(SynchronousTestCase):
    """What servers show."""

    def test_key(self) -> None:
        """A key is for its owner's eyes only, and stands beside the authority's file."""
        ca = authority(Path(self.mktemp()))
        pair = ca.issue("server", "localhost")
        self.assertEqual(0o600, pair.key.stat().st_mode & 0o777)
        self.assertEqual({ca.file.parent}, {pair.key.parent, pair.certificate.parent})

    def test_hosts(self) -> None:
        """Names are certified as names, addresses as addresses."""
        pair = authority(Path(self.mktemp())).issue("server", "dc1.ad.test", "127.0.0.42")
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(["dc1.ad.test"], names.get_values_for_type(x509.DNSName))
        self.assertEqual([IPv4Address("127.0.0.42")], names.get_values_for_type(x509.IPAddress))

    def test_signed(self) -> None:
        """A certificate is signed by its authority, and by no other of the same name."""
        one, other = authority(Path(self.mktemp())), authority(Path(self.mktemp()))
        pair = one.issue("server", "localhost")
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        certificate.verify_directly_issued_by(one.certificate)
        with self.assertRaises(InvalidSignature):
            certificate.verify_directly_issued_by(other.certificate)
