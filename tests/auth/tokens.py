"""Tokens made by another library than the gateway's, and what no library makes."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final
from warnings import catch_warnings

from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

SECRET: Final = "s" * 64
"""A secret for all of HS256, HS384 and HS512."""
OCT: Final = OctKey.import_key(SECRET)
RSA: Final = RSAKey.generate_key(2048)
OTHER_RSA: Final = RSAKey.generate_key(2048)
with catch_warnings(action="ignore"):  # that it is weak is what it is for
    WEAK_RSA: Final = RSAKey.generate_key(1024)
CURVES: Final = {
    "ES256": ECKey.generate_key("P-256"),
    "ES384": ECKey.generate_key("P-384"),
    "ES512": ECKey.generate_key("P-521"),
}
ED25519: Final = OKPKey.generate_key("Ed25519")
_JOSE: Final = JWSRegistry()


def signature(key: Any, algorithm: str, content: bytes) -> bytes:
    """Sign."""
    named = "Ed25519" if algorithm == "EdDSA" else algorithm  # the same, by its newer name
    return _JOSE.algorithms[named].sign(content, key)


def token(
    key: Any, claims: Mapping[str, Any] | bytes, algorithm: str = "RS256", /, **header: Any
) -> str:
    """Sign claims, with whatever is said in the header."""
    return compact(json.dumps({"alg": algorithm, **header}), claims, key, algorithm)


def compact(
    header: str, claims: Mapping[str, Any] | bytes, key: Any, algorithm: str = "RS256"
) -> str:
    """Sign claims below a header that is spelled out."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    content = f"{encoded(header.encode())}.{encoded(payload)}"
    return f"{content}.{encoded(signature(key, algorithm, content.encode()))}"


def encoded(part: bytes) -> str:
    """Encode a part of a token."""
    return urlsafe_b64encode(part).decode().rstrip("=")


def public(key: Any, **more: Any) -> dict[str, Any]:
    """Give what an issuer publishes of a key."""
    return {**key.as_dict(private=False), **more}


def pem(key: Any) -> bytes:
    """Give the public key in PEM."""
    found: bytes = key.as_pem(private=False)
    return found
