"""Does a user name go with a password?

RFC 7617.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Final

from scimgw.auth.chain import Authenticator, Credentials
from scimgw.auth.hashed import Beside
from scimgw.auth.known import Known
from scimgw.connector import Principal
from scimgw.errors import Unauthorized
from scimgw.secret import Secret

REALM: Final = "scimgw"


class BasicAuthenticator:
    """Knows several users and their passwords."""

    challenge = f'Basic realm="{REALM}", charset="UTF-8"'
    description: Mapping[str, str] = {
        "type": "httpbasic",
        "name": "HTTP Basic",
        "description": "User name and password in the Authorization header",
        "specUri": "https://www.rfc-editor.org/info/rfc7617",
    }

    def __init__(
        self, users: Iterable[tuple[Principal, Secret]], beside: Beside | None = None
    ) -> None:
        """Accept some users, each by its name; passwords that are hashes are verified beside.

        Raises: BadHash.
        """
        self._known = Known(((each.name, each, password) for each, password in users), beside)

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        """Compare with every user; a password may hold colons, a user name can't."""
        if credentials.scheme != "basic":
            return None
        name, _, password = decoded(credentials.value).partition(b":")
        found = await self._known.find(name, password)
        if found is None:
            raise Unauthorized("wrong user name or password")
        return found


def decoded(value: str) -> bytes:
    """Give name, colon and password out of what follows the scheme.

    Raises: Unauthorized.
    """
    try:
        return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        raise Unauthorized("basic credentials must be base64") from None


_conforms: type[Authenticator] = BasicAuthenticator
