"""How does a signed assertion stand for a secret?

RFC 7523: a JWT signed with a private key, which authenticates the client (section 2.2) or is the
grant itself (section 2.1).  The certificate's thumbprint tells the issuer which key it is.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any, Final

import jwt
from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

LIFETIME: Final = 300
"""Seconds for which an assertion is good."""
CLIENT: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@frozen
class Signer:
    """A private key, and what identifies it."""

    key: RSAPrivateKey | EllipticCurvePrivateKey
    headers: dict[str, str]

    @classmethod
    def load(cls, key: bytes, certificate: bytes | None) -> Signer:
        """Read PEM.

        Raises: ValueError.
        """
        private = load_pem_private_key(key, None)
        if not isinstance(private, RSAPrivateKey | EllipticCurvePrivateKey):
            raise ValueError("neither RSA nor EC")  # noqa: TRY004 - one kind of fault
        headers: dict[str, str] = {}
        if certificate is not None:
            parsed = x509.load_pem_x509_certificate(certificate)
            # Entra ID knows certificates by the older thumbprint
            headers["x5t"] = _encoded(parsed.fingerprint(hashes.SHA1()))  # noqa: S303
            headers["x5t#S256"] = _encoded(parsed.fingerprint(hashes.SHA256()))
        return cls(private, headers)

    def sign(self, *, issuer: str, subject: str, audience: str, now: float, id: str) -> str:
        """Make an assertion; `now` is in seconds since 1970, `id` is never used twice."""
        claims: dict[str, Any] = {
            "iss": issuer,
            "sub": subject,
            "aud": audience,
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now) + LIFETIME,
            "jti": id,
        }
        algorithm = "RS256" if isinstance(self.key, RSAPrivateKey) else "ES256"
        return jwt.encode(claims, self.key, algorithm=algorithm, headers=self.headers)


def _encoded(fingerprint: bytes) -> str:
    return urlsafe_b64encode(fingerprint).decode().rstrip("=")
