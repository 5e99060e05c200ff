"""Authorities of every kind, and what they sign: for whom, for what, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from scimgw.tls.files import Key, Material

DAY = timedelta(days=1)
CLIENTS = ExtendedKeyUsageOID.CLIENT_AUTH
SERVERS = ExtendedKeyUsageOID.SERVER_AUTH
LOCALHOST = x509.DNSName("localhost")


@frozen(kw_only=True)
class Papers:
    """A certificate and its key, and the certificates between it and its root."""

    certificate: x509.Certificate
    key: Key
    between: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        """The certificate, and what leads to the root."""
        return pem(self.certificate, *self.between)

    def key_pem(self, password: bytes | None = None) -> bytes:
        """Write the key."""
        encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)

    def pfx(self, password: bytes | None = None) -> bytes:
        """Write everything as PKCS#12."""
        encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
        return pkcs12.serialize_key_and_certificates(
            b"x", self.key, self.certificate, self.between, encryption
        )

    def material(self, *client_ca: x509.Certificate) -> Material:
        """Give it to the gateway."""
        return Material(
            key=self.key, certificate=self.certificate, chain=self.between, client_ca=client_ca
        )

    def write(self, folder: Path, name: str) -> None:
        """Write `name.pem` and `name.key`, each at once."""
        for file, content in ((f"{name}.pem", self.pem), (f"{name}.key", self.key_pem())):
            new = folder / f"{file}.new"
            new.write_bytes(content)
            new.chmod(0o600)
            new.replace(folder / file)

    def authority(self, name: str) -> Papers:
        """Found an authority below this one."""
        return self._signed(name, (), None, (-DAY, 365 * DAY), None)

    def issue(
        self,
        name: str = "localhost",
        *names: x509.GeneralName,
        use: ObjectIdentifier | None = None,
        life: tuple[timedelta, timedelta] = (-DAY, 365 * DAY),
        key: Key | None = None,
        extra: x509.ExtensionType | None = None,
    ) -> Papers:
        """Certify somebody, with a key of its own."""
        return self._signed(name, names, use, life, key or _key(), extra)

    def sign(self, unsigned: x509.CertificateBuilder) -> x509.Certificate:
        """Sign whatever it is."""
        assert isinstance(self.key, ec.EllipticCurvePrivateKey)
        return unsigned.sign(self.key, hashes.SHA256())

    def _signed(  # noqa: PLR0913, PLR0917 - all that can be said of a certificate
        self,
        name: str,
        names: tuple[x509.GeneralName, ...],
        use: ObjectIdentifier | None,
        life: tuple[timedelta, timedelta],
        of: Key | None,
        extra: x509.ExtensionType | None = None,
    ) -> Papers:
        """Sign for a key, or for an authority with a new one."""
        key = of or _key()
        unsigned = _unsigned(subject(name), self.certificate.subject, key, life, ca=of is None)
        if names:
            unsigned = unsigned.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if use is not None:
            unsigned = unsigned.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        if extra is not None:
            unsigned = unsigned.add_extension(extra, critical=False)
        root = self.certificate.issuer == self.certificate.subject
        between = () if root else (self.certificate, *self.between)
        return Papers(certificate=self.sign(unsigned), key=key, between=between)


def root(name: str = "root") -> Papers:
    """Found an authority that nobody vouches for."""
    key = _key()
    unsigned = _unsigned(subject(name), subject(name), key, (-DAY, 365 * DAY), ca=True)
    return Papers(certificate=unsigned.sign(key, hashes.SHA256()), key=key)


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def pem(*certificates: x509.Certificate) -> bytes:
    """Write certificates."""
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def subject(name: str) -> x509.Name:
    """Spell a subject."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _unsigned(
    subject: x509.Name,
    issuer: x509.Name,
    key: Key,
    life: tuple[timedelta, timedelta],
    *,
    ca: bool,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC).replace(microsecond=0)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now + life[0],
        not_valid_after=now + life[1],
    ).add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
