"""Do the claims of a token hold, and until when?

RFC 7519 section 4.1, as strictly as RFC 8725 asks for.  Whether they are signed is asked elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, Final
from urllib.parse import quote

from attrs import frozen

from scimgw.errors import InvalidToken

Claims = Mapping[str, Any]
TOLERANCE: Final = 60.0
"""Seconds by which clocks may differ."""
_LONGEST: Final = 255
"""Characters of a subject (OpenID Connect Core section 2)."""
_SUBJECTS: Final = ("sub", "azp", "appid", "client_id")
_PLAIN: Final = "@:/|+=!*(),;"
"""What stands for itself in a name, beside what URLs reserve nothing of."""


@frozen
class Demand:
    """Of these claims there is at least one, and each that there is has one of these values."""

    claims: tuple[str, ...]
    values: frozenset[str]


@frozen(kw_only=True)
class Rules:
    """What a token must say; `max_age` and `tolerance` are in seconds."""

    issuers: frozenset[str]
    audiences: frozenset[str] = frozenset()
    demands: tuple[Demand, ...] = ()
    max_age: float | None = None
    tolerance: float = TOLERANCE

    def check(self, claims: Claims, now: float) -> float:
        """Give the time until which the claims hold, in seconds since 1970, as `now` is.

        Raises: InvalidToken.
        """
        if not _one_of(self.issuers, claims.get("iss")):
            raise InvalidToken("the token is of another issuer")
        self._check_audience(claims)
        for each in self.demands:
            _check_demand(each, claims)
        return self._until(claims, now)

    def _check_audience(self, claims: Claims) -> None:
        """Want to be meant, if somebody is (RFC 7519 section 4.1.3)."""
        named = claims.get("aud")
        named = [named] if isinstance(named, str) else named
        if named is None and not self.audiences:
            return
        if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
            raise InvalidToken("the token names no audience")
        if self.audiences.isdisjoint(named):
            raise InvalidToken("the token is for another audience")

    def _until(self, claims: Claims, now: float) -> float:
        issued, begins, ends = (_time(claims, name) for name in ("iat", "nbf", "exp"))
        if now + self.tolerance < max(issued or 0, begins or 0):
            raise InvalidToken("the token isn't valid yet")
        until = inf if ends is None else ends
        if self.max_age is not None:
            if issued is None:
                raise InvalidToken("the token doesn't say when it was issued")
            until = min(until, issued + self.max_age)
        if until == inf:
            raise InvalidToken("the token doesn't say when it expires")
        if now >= until + self.tolerance:
            raise InvalidToken("the token has expired")
        return until + self.tolerance


def _one_of(values: frozenset[str], value: Any) -> bool:
    return isinstance(value, str) and value in values


def _check_demand(demand: Demand, claims: Claims) -> None:
    found = [claims[name] for name in demand.claims if name in claims]
    if not found or not all(_one_of(demand.values, value) for value in found):
        raise InvalidToken(f"the token isn't for this, as {' or '.join(demand.claims)} tells")


def _time(claims: Claims, name: str) -> float | None:
    """Read a NumericDate (RFC 7519 section 2)."""
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _FOREVER:
        raise InvalidToken(f"{name} of the token isn't a time")
    return value


_FOREVER: Final = 2**53
"""Seconds since 1970 that a double still tells apart."""


def subject(claims: Claims) -> str:
    """Name whom a token is about, on one line without blanks; empty if it doesn't say.

    No two subjects get one name: whatever isn't plain is encoded as in URLs.

    Raises: InvalidToken, if it is too long.
    """
    found = next((claims[name] for name in _SUBJECTS if claims.get(name)), "")
    if not isinstance(found, str) or len(found) > _LONGEST:
        raise InvalidToken("the token's subject isn't text, or is too long")
    return quote(found, safe=_PLAIN, errors="surrogatepass")
