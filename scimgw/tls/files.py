"""Which key and certificates are in the files, and what is wrong with them?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from attrs import field, frozen
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

from scimgw.connector import Misconfigured
from scimgw.secret import Secret
from scimgw.tls.chain import chain
from scimgw.tls.settings import FOLDER, Certificate, Pfx

Key = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey | Ed448PrivateKey
"""Kinds of keys that can sign a handshake of TLS 1.2 and later."""
P = ParamSpec("P")
T = TypeVar("T")
_UNREADABLE: Final = (ValueError, TypeError, UnsupportedAlgorithm)


@frozen(kw_only=True)
class Material:
    """What a port shows to all, and whose certificates it takes."""

    key: Key = field(repr=False)
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()
    """What leads from the certificate to its root, which isn't there itself."""
    client_ca: tuple[x509.Certificate, ...] = ()


def read(settings: Certificate, folder: Path) -> Material:
    """Read the files that are named, below a configuration folder.

    Raises: Misconfigured, with all that is wrong; paths are below `certificate`.
    """
    collected, place = _Faults(), folder / FOLDER
    bundled = collected.of(_bundled, place, settings.pfx)
    key = collected.of(_key, place, settings)
    certificates = collected.of(_certificates, ".cert", place, (settings.cert,))
    others = collected.of(_certificates, ".ca", place, settings.ca)
    clients = collected.of(_certificates, ".clientCa", place, settings.client_ca)
    if key is not None and certificates:
        pair = collected.of(_matched, ".key", str(settings.key), key, certificates)
        if bundled is not None and pair is not None and bundled.certificate != pair.certificate:
            fault = "holds another certificate than cert: one of them is too many"
            collected.found.append((".pfx.bundle", fault))
    else:
        pair = bundled
    if collected.found or pair is None:
        raise Misconfigured(collected.found)
    return Material(
        key=pair.key,
        certificate=pair.certificate,
        chain=chain(pair.certificate, (*pair.chain, *(others or ()))),
        client_ca=clients or (),
    )


@frozen
class _Faults:
    """Goes on after a fault, to find the others."""

    found: list[tuple[str, str]] = field(init=False, factory=list)

    def of(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Read something; nothing if it can't be."""
        try:
            return read(*args, **kwargs)
        except Misconfigured as misconfigured:
            self.found.extend(misconfigured.faults)
            return None


def _bundled(folder: Path, pfx: Pfx | None) -> Material | None:
    if pfx is None or pfx.bundle is None:
        return None
    path, name = ".pfx.bundle", pfx.bundle
    content = _content(path, folder, name)
    try:
        key, first, others = pkcs12.load_key_and_certificates(content, _revealed(pfx.password))
    except _UNREADABLE as error:
        fault = f"{name} isn't PKCS#12, or pfx.password isn't its password"
        raise Misconfigured([(path, fault)]) from error
    if key is None or first is None:
        raise Misconfigured([(path, f"{name} must hold a key and its certificate")])
    return _matched(path, name, _usable(path, name, key), (first, *others))


def _key(folder: Path, settings: Certificate) -> Key | None:
    name, password = settings.key, settings.key_password
    if name is None:
        return None
    content = _content(".key", folder, name)
    try:
        key = load_pem_private_key(content, _revealed(password))
    except TypeError as error:  # one is encrypted, or there is a password, without the other
        fault = f"{name} is encrypted" if password is None else f"{name} isn't encrypted"
        raise Misconfigured([(".keyPassword", fault)]) from error
    except _UNREADABLE as error:
        wrong = "" if password is None else ", or keyPassword isn't its password"
        raise Misconfigured([(".key", f"{name} isn't a private key in PEM{wrong}")]) from error
    return _usable(".key", name, key)


def _usable(path: str, name: str, key: object) -> Key:
    if not isinstance(key, Key):
        raise Misconfigured([(path, f"{name} holds a key of a kind that isn't used in TLS")])
    return key


def _certificates(
    path: str, folder: Path, names: Iterable[str | None]
) -> tuple[x509.Certificate, ...]:
    found: list[x509.Certificate] = []
    for name in names:
        if name is None:
            continue
        content = _content(path, folder, name)
        try:
            found += x509.load_pem_x509_certificates(content)
        except _UNREADABLE as error:
            fault = f"{name} doesn't hold certificates in PEM"
            raise Misconfigured([(path, fault)]) from error
    return tuple(found)


def _content(path: str, folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        fault = f"{(folder / name).absolute()} can't be read: {error.strerror}"
        raise Misconfigured([(path, fault)]) from error
    except ValueError as error:
        raise Misconfigured([(path, f"{name!r} can't be the name of a file")]) from error


def _matched(path: str, name: str, key: Key, found: Sequence[x509.Certificate]) -> Material:
    """Find the certificate that a key is of; the others are what leads to its root."""
    public = key.public_key()
    for each in found:
        if _public_key(each) == public:
            return Material(key=key, certificate=each, chain=tuple(found))
    raise Misconfigured([(path, f"{name} isn't the key of the certificate")])


def _public_key(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except _UNREADABLE:  # of a kind that nobody could have asked for
        return None


def _revealed(password: Secret | None) -> bytes | None:
    return None if password is None else password.reveal().encode()
