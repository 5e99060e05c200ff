"""Which keys verify signed tokens, and by which algorithms?

A key is bound to its algorithms when it is read, so that no token can choose one that the key isn't
for (RFC 8725 section 3.1).  The algorithms are those of RFC 7518 section 3, RFC 8037 and RFC 9864.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import jwt.algorithms
from attrs import field, frozen
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

HMAC: Final[Mapping[str, int]] = {"HS256": 32, "HS384": 48, "HS512": 64}
"""Algorithms of secrets, and the bytes that a secret must have for each (RFC 7518 section 3.2)."""
_RSA: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_RSA_BITS: Final = 2048
"""Bits of an RSA key at least (RFC 7518 section 3.3)."""
_CURVES: Final[Mapping[str, str]] = {
    "secp256r1": "ES256",
    "secp384r1": "ES384",
    "secp521r1": "ES512",
}
_EDDSA: Final = "EdDSA"
ED25519: Final = "Ed25519"
ASYMMETRIC: Final = frozenset({*_RSA, *_CURVES.values(), _EDDSA, ED25519})
_READERS: Final[Mapping[str, Any]] = {
    "RSA": jwt.algorithms.RSAAlgorithm.from_jwk,
    "EC": jwt.algorithms.ECAlgorithm.from_jwk,
    "OKP": jwt.algorithms.OKPAlgorithm.from_jwk,
}
_PUBLIC: Final = frozenset({"kty", "n", "e", "crv", "x", "y"})
"""Members of a JWK that are read: whoever publishes a private key must not make it one of ours."""


@frozen
class Key:
    """A key, the algorithms that it is for, and its name in a set of keys."""

    value: Any = field(repr=False)
    algorithms: frozenset[str]
    id: str | None = None


def of_secret(secret: bytes) -> Key:
    """Make a key of a secret, for the algorithms that it is long enough for.

    Raises: ValueError, if it is for none, or is a public key, which everybody knows.
    """
    algorithms = frozenset(name for name, least in HMAC.items() if len(secret) >= least)
    if not algorithms:
        raise ValueError(f"must have at least {min(HMAC.values())} bytes")
    if b"-----BEGIN" in secret or secret.startswith(b"ssh-"):
        raise ValueError("is a key in PEM, not a secret")
    return Key(secret, algorithms)


def of_pem(content: bytes) -> Key:
    """Read a public key, or that of a certificate.

    Raises: ValueError.
    """
    try:
        if b"-----BEGIN CERTIFICATE-----" in content:
            public: Any = x509.load_pem_x509_certificate(content).public_key()
        else:
            public = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("isn't a public key or a certificate in PEM") from error
    return Key(public, _suited(public))


def of_set(document: Any) -> tuple[Key, ...]:
    """Read the keys of a JWK Set (RFC 7517 section 5); those that verify nothing are left out.

    Raises: ValueError, if it isn't one.
    """
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise ValueError("isn't a set of keys")  # noqa: TRY004 - one kind of fault
    return tuple(key for each in members if isinstance(each, dict) for key in _of_member(each))


def _of_member(member: Mapping[str, Any]) -> Iterator[Key]:
    try:
        if member.get("use", "sig") != "sig" or "verify" not in member.get("key_ops", ["verify"]):
            return
        read = _READERS[member["kty"]]
        public = read({name: member[name] for name in _PUBLIC & member.keys()})
        algorithms = _suited(public)
    except (jwt.PyJWTError, KeyError, ValueError, TypeError, UnsupportedAlgorithm):
        return  # of a kind that isn't known here, or malformed: no token can be verified by it
    if "alg" in member:
        algorithms &= {member["alg"]} if isinstance(member["alg"], str) else frozenset()
    id = member.get("kid")
    if algorithms:
        yield Key(public, algorithms, id if isinstance(id, str) else None)


def _suited(public: Any) -> frozenset[str]:
    """Name the algorithms of a public key.

    Raises: ValueError, if there is none, or it is too weak.
    """
    match public:
        case RSAPublicKey() if public.key_size < _RSA_BITS:
            raise ValueError(f"is an RSA key of less than {_RSA_BITS} bits")
        case RSAPublicKey():
            return _RSA
        case EllipticCurvePublicKey() if public.curve.name in _CURVES:
            return frozenset({_CURVES[public.curve.name]})
        case Ed25519PublicKey():
            return frozenset({_EDDSA, ED25519})
        case Ed448PublicKey():
            return frozenset({_EDDSA})
        case _:
            raise ValueError("is a key of a kind that signs no tokens")
