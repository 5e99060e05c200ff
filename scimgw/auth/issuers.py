"""Is a bearer token signed by an issuer that is trusted, and who is it then?

RFC 7519, with the rules of RFC 8725: an issuer's keys are for that issuer's tokens only, and each
issuer has its own algorithms.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from secrets import token_bytes
from typing import Final, Protocol

from attrs import evolve, frozen

from scimgw.auth.basic import REALM
from scimgw.auth.chain import Authenticator, Credentials, Unguessable
from scimgw.auth.claims import Claims, Rules
from scimgw.auth.keys import Key
from scimgw.auth.published import Published
from scimgw.auth.signed import Presented, WrongKey, check_signature, fitting, read
from scimgw.connector import Principal
from scimgw.errors import InvalidToken, Unavailable

REMEMBERED: Final = 60.0
"""Seconds for which a token that was verified isn't verified again."""
_MOST: Final = 4096
"""Tokens that are remembered."""
JWT: Final[Mapping[str, str]] = {
    "type": "oauthbearertoken",
    "name": "Signed bearer token",
    "description": "JSON Web Token of a trusted issuer in the Authorization header",
    "specUri": "https://www.rfc-editor.org/info/rfc7519",
}


class Keys(Protocol):
    """Where an issuer's keys come from."""

    @property
    def issuer(self) -> str | None:
        """The issuer's name, if it comes with the keys and they are there."""

    def get(self, id: str | None) -> Awaitable[Published]:
        """Give the keys; a token names one of them.

        Raises: Unavailable.
        """


@frozen
class FixedKey:
    """A key that was agreed upon."""

    key: Key
    issuer: None = None

    async def get(self, _id: str | None) -> Published:
        """Give it, whatever it is called."""
        return Published((self.key,))


@frozen(kw_only=True)
class Issuer:
    """One who is trusted, and whom its tokens let in.

    Without `rules.issuers`, the name is the one that comes with the keys.
    """

    keys: Keys
    algorithms: frozenset[str]
    rules: Rules
    principal: Callable[[Claims], Principal]
    """Raises: InvalidToken."""

    def expects(self, claims: Claims) -> bool:
        """Whether a token says that it is of this issuer, or may be."""
        named, told = claims.get("iss"), self.keys.issuer
        names = self.rules.issuers or (None if told is None else {told})
        return isinstance(named, str) and (names is None or named in names)

    async def verify(
        self, presented: Presented, now: Callable[[], float]
    ) -> tuple[Principal, float] | None:
        """Tell who it is, and until when; None if the token turns out to be another issuer's.

        Raises: InvalidToken, Unavailable.
        """
        published = await self.keys.get(presented.key_id)
        if not self.expects(presented.claims):
            return None
        check_signature(presented, fitting(published.keys, presented, self.algorithms))
        until = self._rules().check(presented.claims, now())
        return self.principal(presented.claims), until

    def _rules(self) -> Rules:
        if self.rules.issuers or self.keys.issuer is None:
            return self.rules
        return evolve(self.rules, issuers=frozenset({self.keys.issuer}))


class SignedTokens:
    """Knows several issuers."""

    challenge = f'Bearer realm="{REALM}"'

    def __init__(
        self,
        issuers: Sequence[Issuer],
        now: Callable[[], float],
        description: Mapping[str, str] = JWT,
        remembered: Remembered | None = None,
    ) -> None:
        """Trust some issuers; `now` gives seconds since 1970, what is remembered may be shared."""
        self.description = description
        self._issuers = issuers
        self._now = now
        self._remembered = remembered or Remembered(now)

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        """Ask each issuer that the token may be of.

        Raises: InvalidToken, Unavailable (keys are needed that can't be fetched).
        """
        if credentials.scheme != "bearer":
            return None
        known = self._remembered.find(credentials.value)
        return known or await self._verify(credentials.value)

    async def proven(self, credentials: Credentials) -> Principal | None:
        """Ask the same; None if it lets nobody in, or that can't be told."""
        with suppress(InvalidToken, Unavailable):
            return await self.authenticate(credentials)
        return None

    async def _verify(self, token: str) -> Principal | None:
        presented = read(token)
        if presented is None:
            return None
        failures: list[InvalidToken | Unavailable] = []
        for each in self._issuers:
            if not each.expects(presented.claims):
                continue
            try:
                found = await each.verify(presented, self._now)
            except (InvalidToken, Unavailable) as error:
                failures.append(error)
                continue
            if found is not None:
                self._remembered.keep(token, *found)
                return found[0]
        if failures:
            raise min(failures, key=_distance)
        return None


def _distance(failure: InvalidToken | Unavailable) -> int:
    """Tell how far a token is from letting in: the least says most of what it lacks."""
    if isinstance(failure, WrongKey):
        return 2
    return 1 if isinstance(failure, Unavailable) else 0


class Remembered:
    """The tokens that were verified lately, as digests under a key of this process."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Begin without any."""
        self._now = now
        self._key = token_bytes(32)
        self._held: dict[bytes, tuple[Principal, float]] = {}

    def find(self, token: str) -> Principal | None:
        """Tell whose token it is, None if that isn't known, or not any more."""
        digest = self._digest(token)
        principal, until = self._held.get(digest, (None, 0.0))
        if principal is None or self._now() < until:
            return principal
        del self._held[digest]
        return None

    def keep(self, token: str, principal: Principal, until: float) -> None:
        """Remember a token, for a while, but no longer than it is good; the oldest is forgotten."""
        self._held[self._digest(token)] = principal, min(until, self._now() + REMEMBERED)
        if len(self._held) > _MOST:
            del self._held[next(iter(self._held))]

    def _digest(self, token: str) -> bytes:
        return hashlib.blake2b(token.encode(), key=self._key, digest_size=32).digest()


_conforms: tuple[type[Authenticator], type[Unguessable]] = (SignedTokens, SignedTokens)
