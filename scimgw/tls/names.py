"""By which names may a client be known that shows a certificate?

RFC 8705 section 2.1.2: the subject, or a subject alternative name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import NameOID

Name = tuple[str, object]
"""Which kind of name, and the name itself, spelled so that two that are the same are equal."""

SUBJECT: Final = "subjectDn"
DNS: Final = "sanDns"
URI: Final = "sanUri"
IP: Final = "sanIp"
EMAIL: Final = "sanEmail"

_TYPES: Final = {
    "C": NameOID.COUNTRY_NAME,
    "CN": NameOID.COMMON_NAME,
    "DC": NameOID.DOMAIN_COMPONENT,
    "E": NameOID.EMAIL_ADDRESS,
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "GN": NameOID.GIVEN_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "SN": NameOID.SURNAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "STREET": NameOID.STREET_ADDRESS,
    "title": NameOID.TITLE,
    "UID": NameOID.USER_ID,
}
"""Types of attributes as openssl writes them; RFC 4514 section 3 tells how any other is."""
_UNREADABLE: Final = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
_SPELLED: Final = {
    spelling: oid for name, oid in _TYPES.items() for spelling in (name, name.lower(), name.upper())
}


def subject(text: str) -> Name:
    """Read a distinguished name of RFC 4514; values are compared letter by letter.

    Raises: ValueError.
    """
    try:
        name = x509.Name.from_rfc4514_string(text, _SPELLED)
    except ValueError:
        name = x509.Name([])
    if not name.rdns:
        raise ValueError("must be a DN of RFC 4514, such as CN=client,O=Example")
    return _subject(name)


def dns(text: str) -> Name:
    """Read the name of a host."""
    return DNS, text.lower()


def uri(text: str) -> Name:
    """Read a URI, which is compared letter by letter."""
    return URI, text


def ip(text: str) -> Name:
    """Read an address of IP.

    Raises: ValueError.
    """
    return IP, ip_address(text)


def email(text: str) -> Name:
    """Read an address of mail; the case of what is before the @ matters."""
    local, at, domain = text.rpartition("@")
    return EMAIL, f"{local}{at}{domain.lower()}"


def names(certificate: x509.Certificate) -> frozenset[Name]:
    """Give all the names that a certificate has; none if they can't be read."""
    try:
        return frozenset(_names(certificate))
    except _UNREADABLE:
        return frozenset()


def spelled(names: Iterable[Name]) -> str:
    """Repeat, on one line for a log, the names of a certificate as they would be configured."""
    shown = (f"{kind} {_dn(value) if kind == SUBJECT else str(value)!a}" for kind, value in names)
    return f"the certificate has {', '.join(sorted(shown)) or 'no name, or has ended'}"


def _dn(steps: Any) -> str:
    try:
        return x509.Name(
            x509.RelativeDistinguishedName(
                x509.NameAttribute(x509.ObjectIdentifier(oid), value) for oid, value in step
            )
            for step in steps
        ).rfc4514_string()
    except (ValueError, TypeError):  # a certificate can say more than a DN may be made of
        return "-"


def _names(certificate: x509.Certificate) -> Iterator[Name]:
    if certificate.subject.rdns:
        yield _subject(certificate.subject)
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return
    for each in found.value:
        match each:
            case x509.DNSName(value=str(value)):
                yield dns(value)
            case x509.UniformResourceIdentifier(value=str(value)):
                yield uri(value)
            case x509.IPAddress(value=value):
                yield IP, value
            case x509.RFC822Name(value=str(value)):
                yield email(value)


def _subject(name: x509.Name) -> Name:
    """Spell a DN without the order in which the parts of one step happen to stand."""
    steps = (frozenset((each.oid.dotted_string, each.value) for each in rdn) for rdn in name.rdns)
    return SUBJECT, tuple(steps)
