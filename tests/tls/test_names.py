"""The names that a certificate has, and those that a file gives."""

from __future__ import annotations

from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from twisted.trial.unittest import SynchronousTestCase

from scimgw.tls.names import dns, email, ip, names, spelled, subject, uri
from tests.tls.papers import root

EDI_PARTY, X400 = bytes.fromhex("3006a504a1020c00"), bytes.fromhex("3004a3020500")
"""Alternative names of kinds that hardly anybody knows."""
HOSTILE = 'a,b+c="d"\\e;<f>\n#'


class GivenTests(SynchronousTestCase):
    """What stands in a file."""

    def test_subject(self) -> None:
        """A DN is read whatever the case of its types, and the order within a step."""
        expected = subject("CN=x+UID=7,O=Example")
        for same in ("cn=x+uid=7,o=Example", "UID=7+CN=x,O=Example", "2.5.4.3=x+UID=7,O=Example"):
            self.assertEqual(expected, subject(same))
        for other in ("CN=X+UID=7,O=Example", "O=Example,CN=x+UID=7", "CN=x,UID=7,O=Example"):
            self.assertNotEqual(expected, subject(other))

    def test_openssl_spelling(self) -> None:
        """Types are known as openssl writes them."""
        self.assertEqual(
            subject("1.2.840.113549.1.9.1=a@b.example,2.5.4.5=7"),
            subject("emailAddress=a@b.example,serialNumber=7"),
        )

    def test_no_subject(self) -> None:
        """What isn't a DN is refused."""
        for text in ("", "x", "CN=x, O=y", "CN=x,", "FOO=x", "CN", "/CN=x"):
            self.assertRaises(ValueError, subject, text)

    def test_other_names(self) -> None:
        """Hosts have no case, nor the domain of an address; a URI has."""
        self.assertEqual(dns("a.example"), dns("A.Example"))
        self.assertEqual(email("a@b.example"), email("a@B.Example"))
        self.assertNotEqual(email("a@b.example"), email("A@b.example"))
        self.assertNotEqual(uri("urn:a"), uri("urn:A"))
        self.assertEqual(ip("2001:db8::1"), ip("2001:0db8:0:0::1"))
        self.assertRaises(ValueError, ip, "10.0.0.0/8")


class ShownTests(SynchronousTestCase):
    """What stands in a certificate."""

    def test_all(self) -> None:
        """A certificate has its subject and each of its alternative names."""
        certificate = (
            root()
            .issue(
                "x",
                x509.DNSName("A.example"),
                x509.UniformResourceIdentifier("spiffe://example/scim"),
                x509.IPAddress(ip_address("192.0.2.1")),
                x509.RFC822Name("a@B.example"),
                x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
            )
            .certificate
        )
        self.assertEqual(
            {
                subject("CN=x,O=Example"),
                dns("a.example"),
                uri("spiffe://example/scim"),
                ip("192.0.2.1"),
                email("a@b.example"),
            },
            names(certificate),
        )

    def test_kinds_are_apart(self) -> None:
        """A name of one kind isn't that of another, though it is spelled the same."""
        found = names(root().issue("a.example").certificate)
        self.assertNotIn(dns("a.example"), found)
        self.assertNotIn(email("a.example"), found)
        found = names(root().issue("x", x509.DNSName("*.a.example")).certificate)
        self.assertNotIn(dns("b.a.example"), found)

    def test_hostile_subject(self) -> None:
        """A value can't be read as several."""
        found = names(root().issue(HOSTILE).certificate)
        self.assertNotIn(subject("CN=a"), found)
        escaped = "".join(f"\\{octet:02x}" for octet in HOSTILE.encode())
        self.assertEqual({subject(f"CN={escaped},O=Example")}, found)

    def test_spelled(self) -> None:
        """A log shows them as they would be configured, on one line."""
        certificate = root().issue("a", x509.DNSName("a.example")).certificate
        expected = "the certificate has sanDns 'a.example', subjectDn 'CN=a,O=Example'"
        self.assertEqual(expected, spelled(names(certificate)))
        others = frozenset({uri("urn:a"), ip("192.0.2.7"), email("a@x.example")})
        expected = "sanEmail 'a@x.example', sanIp '192.0.2.7', sanUri 'urn:a'"
        self.assertEqual(f"the certificate has {expected}", spelled(others))
        hostile = names(root().issue("a\n\x1b,O=b").certificate)
        shown = "the certificate has subjectDn 'CN=a\\n\\x1b\\\\,O=b,O=Example'"
        self.assertEqual(shown, spelled(hostile))
        self.assertEqual("the certificate has no name, or has ended", spelled(frozenset()))
        unheard = frozenset({("subjectDn", (frozenset({("2.5.4.6", "Utopia")}),))})
        self.assertEqual("the certificate has subjectDn '-'", spelled(unheard))

    def test_nameless(self) -> None:
        """Without subject there is no name of that kind, so that no entry fits it."""
        ours = root()
        built = x509.CertificateBuilder(
            issuer_name=ours.certificate.subject,
            subject_name=x509.Name([]),
            public_key=ours.key.public_key(),
            serial_number=1,
            not_valid_before=ours.certificate.not_valid_before_utc,
            not_valid_after=ours.certificate.not_valid_after_utc,
        )
        self.assertEqual(frozenset(), names(ours.sign(built)))

    def test_unreadable(self) -> None:
        """An extension that can't be read gives no names at all."""
        kind = x509.OID_SUBJECT_ALTERNATIVE_NAME
        for broken in (b"\x30\x03\x82\x01", EDI_PARTY, X400):
            extra = x509.UnrecognizedExtension(kind, broken)
            self.assertEqual(frozenset(), names(root().issue("x", extra=extra).certificate))

    def test_twice(self) -> None:
        """Nor does one that stands there twice."""
        other = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.99"), b"\x30\x00")
        once = root().issue("x", x509.DNSName("a.example"), extra=other).certificate
        twice = once.public_bytes(Encoding.DER).replace(b"\x55\x1d\x63", b"\x55\x1d\x11")
        self.assertEqual(frozenset(), names(x509.load_der_x509_certificate(twice)))
