"""Is a bearer token one of those that were agreed upon?

RFC 6750 section 2.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scimgw.auth.basic import REALM
from scimgw.auth.chain import Authenticator, Credentials
from scimgw.auth.hashed import Beside
from scimgw.auth.known import Known
from scimgw.connector import Principal
from scimgw.errors import InvalidToken
from scimgw.secret import Secret


class TokenAuthenticator:
    """Knows several tokens, each with whose it is."""

    challenge = f'Bearer realm="{REALM}"'
    description: Mapping[str, str] = {
        "type": "oauthbearertoken",
        "name": "Bearer token",
        "description": "Token in the Authorization header",
        "specUri": "https://www.rfc-editor.org/info/rfc6750",
    }

    def __init__(
        self, tokens: Iterable[tuple[Principal, Secret]], beside: Beside | None = None
    ) -> None:
        """Accept some tokens; those that are hashes are verified beside.

        Raises: BadHash.
        """
        self._known = Known((("", principal, token) for principal, token in tokens), beside)

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        """Compare with every token."""
        if credentials.scheme != "bearer":
            return None
        found = await self._known.find(b"", credentials.value.encode())
        if found is None:
            raise InvalidToken("wrong bearer token")
        return found


_conforms: type[Authenticator] = TokenAuthenticator
