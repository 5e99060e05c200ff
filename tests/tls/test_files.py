"""What is in the files, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from twisted.trial.unittest import SynchronousTestCase

from scimgw.connector import Misconfigured
from scimgw.secret import Secret
from scimgw.tls.context import ready
from scimgw.tls.files import Material, read
from scimgw.tls.settings import Certificate, Pfx
from tests.tls.papers import Papers, pem, root

PASSWORD = "hunter2"


class FilesCase(SynchronousTestCase):
    """Has files."""

    def setUp(self) -> None:
        """Certify somebody, by way of an authority below a root."""
        self.folder = Path(self.mktemp())
        self.top = root()
        self.below = self.top.authority("below")
        self.papers = self.below.issue()
        self.files(
            key=self.papers.key_pem(),
            locked=self.papers.key_pem(PASSWORD.encode()),
            cert=pem(self.papers.certificate),
            whole=self.papers.pem,
            ca=pem(self.top.certificate, self.below.certificate),
            below=pem(self.below.certificate),
            bundle=self.papers.pfx(PASSWORD.encode()),
            bare=self.papers.pfx(),
            rubbish=b"\x00rubbish",
            empty=b"",
        )

    def files(self, **files: bytes) -> None:
        """Write files."""
        (self.folder / "certs").mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (self.folder / "certs" / name).write_bytes(content)

    def read(self, **settings: Any) -> Material:
        """Read them."""
        return read(Certificate(**settings), self.folder)

    def bundle(self, name: str, password: str | None = PASSWORD) -> Material:
        """Read a bundle."""
        secret = None if password is None else Secret(password)
        return self.read(pfx=Pfx(bundle=name, password=secret))


class GoodTests(FilesCase):
    """Ways to say the same."""

    def test_pem(self) -> None:
        """The certificates that lead to the root are in one file with the first, or elsewhere."""
        expected = self.papers.material()
        for settings in (
            {"cert": "whole"},
            {"cert": "cert", "ca": ("ca",)},
            {"cert": "cert", "ca": ("empty.pem", "below")},
            {"cert": "whole", "ca": ("ca", "below")},
        ):
            self.files(**{"empty.pem": pem(self.top.certificate)})
            found = self.read(key="key", **settings)
            self.assertEqual(expected.chain, found.chain)
            self.assertEqual(expected.certificate, found.certificate)
            self.assertEqual(expected.key.public_key(), found.key.public_key())

    def test_order(self) -> None:
        """The certificate is the one that the key is of, wherever it stands in its file."""
        self.files(reverse=pem(self.top.certificate, self.below.certificate) + self.papers.pem)
        found = self.read(key="key", cert="reverse")
        self.assertEqual(self.papers.certificate, found.certificate)
        self.assertEqual((self.below.certificate,), found.chain)

    def test_unknown_kind(self) -> None:
        """A certificate of a key that nobody knows is none of the key's, and in nobody's way."""
        der = self.papers.certificate.public_bytes(Encoding.DER)
        of_ec, of_nothing = bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a8648ce3d0209")
        strange = x509.load_der_x509_certificate(der.replace(of_ec, of_nothing))
        self.assertRaises(UnsupportedAlgorithm, strange.public_key)
        self.files(strange=pem(strange, self.papers.certificate))
        self.assertEqual(self.papers.certificate, self.read(key="key", cert="strange").certificate)

    def test_one_file(self) -> None:
        """A key and its certificates may be in one file."""
        self.files(both=self.papers.pem + self.papers.key_pem())
        self.assertEqual((self.below.certificate,), self.read(key="both", cert="both").chain)

    def test_absolute(self) -> None:
        """A file may be anywhere."""
        elsewhere = Path(self.mktemp()).absolute()
        elsewhere.write_bytes(self.papers.key_pem())
        self.assertTrue(self.read(key=str(elsewhere), cert="cert"))

    def test_encrypted(self) -> None:
        """A key that is encrypted is opened by its password."""
        found = self.read(key="locked", cert="cert", key_password=Secret(PASSWORD))
        self.assertEqual(self.papers.key.public_key(), found.key.public_key())

    def test_pfx(self) -> None:
        """A bundle holds all of it, with a password or without."""
        for found in (self.bundle("bundle"), self.bundle("bare", None)):
            self.assertEqual(self.papers.certificate, found.certificate)
            self.assertEqual((self.below.certificate,), found.chain)

    def test_both(self) -> None:
        """A bundle may be there beside the same as PEM."""
        pfx = Pfx(bundle="bundle", password=Secret(PASSWORD))
        self.assertTrue(self.read(key="key", cert="cert", pfx=pfx))

    def test_client_ca(self) -> None:
        """Authorities of clients aren't sent to anybody."""
        found = self.read(key="key", cert="cert", client_ca=("ca", "below"))
        self.assertEqual((), found.chain)
        self.assertEqual(3, len(found.client_ca))

    def test_key_is_not_shown(self) -> None:
        """What was read doesn't show the key."""
        self.assertNotIn("key=", repr(self.read(key="key", cert="cert")))


class FaultTests(FilesCase):
    """Whatever may be wrong."""

    def faults(self, **settings: Any) -> list[tuple[str, str]]:
        """Check that files can't be used, and tell why."""
        with self.assertRaises(Misconfigured) as raised:
            ready(Certificate(**settings), self.folder)
        self.assertNotIn(PASSWORD, str(raised.exception))
        return list(raised.exception.faults)

    def test_pem(self) -> None:
        """Each fault has its key."""
        other = root("other")
        short = dsa.generate_private_key(2048)
        self.files(
            other=other.key_pem(),
            dsa=short.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )
        certs = (self.folder / "certs").absolute()
        gone = f"{certs}/no can't be read: No such file or directory"
        rows: list[tuple[dict[str, Any], str, str]] = [
            ({"key": "no"}, ".key", gone),
            ({"key": "."}, ".key", f"{certs} can't be read: Is a directory"),
            ({"key": "a\0b"}, ".key", "'a\\x00b' can't be the name of a file"),
            ({"key": "rubbish"}, ".key", "rubbish isn't a private key in PEM"),
            ({"key": "cert"}, ".key", "cert isn't a private key in PEM"),
            ({"key": "other"}, ".key", "other isn't the key of the certificate"),
            ({"key": "dsa"}, ".key", "dsa holds a key of a kind that isn't used in TLS"),
            ({"key": "locked"}, ".keyPassword", "locked is encrypted"),
            (
                {"key_password": Secret(PASSWORD)},
                ".keyPassword",
                "key isn't encrypted",
            ),
            (
                {"key": "locked", "key_password": Secret("x")},
                ".key",
                "locked isn't a private key in PEM, or keyPassword isn't its password",
            ),
            ({"cert": "no"}, ".cert", gone),
            ({"cert": "key"}, ".cert", "key doesn't hold certificates in PEM"),
            ({"cert": "empty"}, ".cert", "empty doesn't hold certificates in PEM"),
            ({"ca": ("ca", "rubbish")}, ".ca", "rubbish doesn't hold certificates in PEM"),
            ({"client_ca": ("no",)}, ".clientCa", gone),
        ]
        for settings, path, fault in rows:
            found = self.faults(**{"key": "key", "cert": "cert", **settings})
            self.assertEqual([(path, fault)], found)

    def test_pfx(self) -> None:
        """A bundle must be one, be opened by its password, and hold a key and its certificate."""
        gone = (self.folder / "certs/no").absolute()
        wrong = "isn't PKCS#12, or pfx.password isn't its password"
        self.files(keyless=_without_key(self.papers), other=root("other").pfx())
        for name, password, fault in (
            ("no", None, f"{gone} can't be read: No such file or directory"),
            ("rubbish", None, f"rubbish {wrong}"),
            ("bundle", "x", f"bundle {wrong}"),
            ("bundle", None, f"bundle {wrong}"),
            ("keyless", None, "keyless must hold a key and its certificate"),
        ):
            secret = None if password is None else Secret(password)
            found = self.faults(pfx=Pfx(bundle=name, password=secret))
            self.assertEqual([(".pfx.bundle", fault)], found)
        found = self.faults(key="key", cert="cert", pfx=Pfx(bundle="other"))
        fault = "holds another certificate than cert: one of them is too many"
        self.assertEqual([(".pfx.bundle", fault)], found)

    def test_all_at_once(self) -> None:
        """Whatever is wrong is told at once."""
        found = self.faults(key="a", cert="b", ca=("c",), client_ca=("d",), pfx=Pfx(bundle="e"))
        paths = [path for path, _ in found]
        self.assertEqual([".pfx.bundle", ".key", ".cert", ".ca", ".clientCa"], paths)

    def test_refused_by_openssl(self) -> None:
        """A key that OpenSSL takes for too short is a fault, not a surprise."""
        short = self.top.issue(key=rsa.generate_private_key(65537, 1024))  # noqa: S505 - the point
        self.files(key=short.key_pem(), cert=short.pem, bundle=short.pfx())
        fault = "OpenSSL refuses it: ee key too small"
        self.assertEqual([(".cert", fault)], self.faults(key="key", cert="cert"))
        self.assertEqual([(".pfx.bundle", fault)], self.faults(pfx=Pfx(bundle="bundle")))


def _without_key(papers: Papers) -> bytes:
    return pkcs12.serialize_key_and_certificates(
        None, None, None, [papers.certificate], NoEncryption()
    )
