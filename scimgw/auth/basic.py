"""Does a user name go with a password?

RFC 7617.  All entries are compared, in constant time, so that an unknown user and a wrong password
take as long.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from secrets import token_bytes
from typing import Final

from scimgw.auth.chain import Authenticator, Credentials
from scimgw.connector import Principal
from scimgw.errors import Unauthorized
from scimgw.secret import Secret

REALM: Final = "scimgw"


class BasicAuthenticator:
    """Knows several users and their passwords, as digests under a key of this process."""

    challenge = f'Basic realm="{REALM}", charset="UTF-8"'
    description: Mapping[str, str] = {
        "type": "httpbasic",
        "name": "HTTP Basic",
        "description": "User name and password in the Authorization header",
        "specUri": "https://www.rfc-editor.org/info/rfc7617",
    }

    def __init__(self, users: Iterable[tuple[str, Secret]]) -> None:
        """Accept some users."""
        self._key = token_bytes(32)
        self._known = [
            (self._digest(f"{name}:{password.reveal()}".encode()), Principal(name))
            for name, password in users
        ]

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        """Compare with every user; a password may hold colons, a user name can't."""
        if credentials.scheme != "basic":
            return None
        presented = self._digest(_decoded(credentials.value))
        found = None
        for digest, principal in self._known:
            if hmac.compare_digest(digest, presented):
                found = principal
        if found is None:
            raise Unauthorized("wrong user name or password")
        return found

    def _digest(self, pair: bytes) -> bytes:
        return hashlib.blake2b(pair, key=self._key, digest_size=32).digest()


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        raise Unauthorized("basic credentials must be base64") from None


_conforms: type[Authenticator] = BasicAuthenticator
