"""Which clients get a token of the gateway's own, and what are those tokens?

The client credentials grant of RFC 6749 section 4.4.  A token is signed with a key that all
replicas have, and names the client only: what the client may do is what the configuration says when
the token is used, and a client that is removed, or has another secret, has no token any more.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import jwt
from attrs import frozen

from scimgw.auth import keys
from scimgw.auth.claims import Claims, Rules
from scimgw.auth.hashed import Beside
from scimgw.auth.issuers import FixedKey, Issuer
from scimgw.auth.known import Known
from scimgw.connector import Principal
from scimgw.errors import InvalidToken, Unauthorized
from scimgw.secret import Secret

DESCRIPTION: Final[Mapping[str, str]] = {
    "type": "oauth2",
    "name": "OAuth 2.0 client credentials",
    "description": "Token of POST /oauth/token in the Authorization header",
    "specUri": "https://www.rfc-editor.org/info/rfc6749",
}
_ISSUER: Final = "scimgw"
_ALGORITHM: Final = "HS256"
_SKEW: Final = 30.0
"""Seconds by which the clocks of replicas may differ."""


@frozen(kw_only=True)
class OAuthClient:
    """A client, whose id is its principal's name; `lifetime` of its tokens is in seconds."""

    principal: Principal
    secret: Secret
    lifetime: int


class TokenIssuer:
    """Gives tokens to clients, and knows them again."""

    def __init__(  # noqa: PLR0913 - all that tokens are made of, and clients known by
        self,
        clients: Iterable[OAuthClient],
        key: bytes,
        plugin: str,
        now: Callable[[], float],
        random: Callable[[int], bytes],
        *,
        beside: Beside | None = None,
    ) -> None:
        """Sign with a key of 32 bytes, for one plugin.

        Hashes of secrets are verified beside the reactor.

        Raises: BadHash.
        """
        self._key = key
        self._plugin = plugin
        self._now = now
        self._random = random
        given = tuple(clients)
        self._clients = {
            self._mark(each.principal.name, each.secret.reveal()): each for each in given
        }
        self._known = Known(((each.principal.name, each, each.secret) for each in given), beside)

    async def login(self, shown: Sequence[tuple[str, str]]) -> OAuthClient:
        """Tell whose id and secret are shown, be they meant in one way or another.

        Raises: Unauthorized, Unavailable (too many secrets are being verified).
        """
        for id, secret in dict.fromkeys(shown):
            found = await self._known.find(_octets(id), _octets(secret))
            if found is not None:
                return found
        raise Unauthorized("wrong client id or client secret")

    def issue(self, client: OAuthClient) -> Secret:
        """Make a token (RFC 9068)."""
        now, name = int(self._now()), client.principal.name
        claims: dict[str, Any] = {
            "iss": _ISSUER,
            "aud": self._plugin,
            "sub": name,
            "client_id": name,
            "iat": now,
            "exp": now + client.lifetime,
            "jti": self._random(16).hex(),
            "mark": self._mark(name, client.secret.reveal()),
        }
        return Secret(
            jwt.encode(claims, self._key, algorithm=_ALGORITHM, headers={"typ": "at+jwt"})
        )

    @property
    def issuer(self) -> Issuer:
        """What the tokens are known by."""
        return Issuer(
            keys=FixedKey(keys.of_secret(self._key)),
            algorithms=frozenset({_ALGORITHM}),
            rules=Rules(
                issuers=frozenset({_ISSUER}),
                audiences=frozenset({self._plugin}),
                tolerance=_SKEW,
            ),
            principal=self._principal,
        )

    def _principal(self, claims: Claims) -> Principal:
        client = self._clients.get(str(claims.get("mark")))
        if client is None:
            raise InvalidToken("the client of the token isn't known any more")
        return client.principal

    def _mark(self, id: str, secret: str) -> str:
        """Tell a client with its secret from all others, without telling either.

        What is signed of tokens holds no NUL, so that one key is enough for both.
        """
        said = _octets(f"client\0{id}\0{secret}")
        return urlsafe_b64encode(hmac.digest(self._key, said, "sha256")).decode()


def _octets(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
