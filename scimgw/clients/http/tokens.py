"""How is a token come by, and kept while it is good?

One request for a token at a time, whoever waits for it; a new one before the old one expires.  A
`TokenCredential` belongs to one base entity, so that tenants never share one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from math import inf
from typing import Any, Final

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from scimgw.deferred import Joined
from scimgw.errors import BadGateway
from scimgw.secret import Secret

LIFETIME: Final = 3600.0
"""Seconds that a token is taken to be good for if its issuer doesn't say."""
_MARGIN: Final = 60.0
"""Seconds before its expiry at which a token is replaced, but a tenth of its life at most."""
_NAMES: Final = ("access_token", "accessToken", "token")


@frozen
class Token:
    """A token, and the seconds for which it is good."""

    value: Secret
    lifetime: float


Ask = Callable[[], Awaitable[Token]]
"""Asks the issuer for a token.  Raises: Unavailable, BadGateway."""


class TokenCredential:
    """A bearer token that is replaced in time."""

    def __init__(self, ask: Ask, clock: IReactorTime, close: Callable[[], Awaitable[None]]) -> None:
        """Begin without a token; nothing is asked for yet."""
        self._ask = ask
        self._clock = clock
        self._close = close
        self._header: Secret | None = None
        self._stale_at = 0.0
        self._renewed = Joined(self._asked)

    async def authorization(self, _passed: Secret | None) -> Secret | None:
        """Give the token that there is, or wait for a new one.

        Raises: Unavailable, BadGateway.
        """
        if self._header is not None and self._clock.seconds() < self._stale_at:
            return self._header
        return await self._renewed()

    def refused(self, authorization: Secret) -> bool:
        """Forget a token that the endpoint refused, unless it was replaced meanwhile."""
        if self._header == authorization:
            self._header = None
        return True

    async def close(self) -> None:
        """Give back connections to the issuer."""
        await self._close()

    async def _asked(self) -> Secret:
        token = await self._ask()
        self._header = Secret(f"Bearer {token.value.reveal()}")
        margin = min(_MARGIN, token.lifetime / 10)
        self._stale_at = self._clock.seconds() + token.lifetime - margin
        return self._header


def read(answer: Any) -> Token:
    """Read a token endpoint's answer (RFC 6749 section 5.1), and those of simpler ones.

    Raises: BadGateway.
    """
    members: Mapping[str, Any] = answer if isinstance(answer, dict) else {}
    value = next((members[name] for name in _NAMES if members.get(name)), None)
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise BadGateway("the token endpoint gave no token")
    try:
        lifetime = float(members.get("expires_in") or LIFETIME)
    except (TypeError, ValueError, OverflowError):
        lifetime = LIFETIME
    return Token(Secret(value), lifetime if 0 < lifetime < inf else LIFETIME)


def refusal(status: int, answer: Any) -> BadGateway:
    """Tell why a token endpoint gave no token (RFC 6749 section 5.2)."""
    code = answer.get("error") if isinstance(answer, dict) else None
    why = code if isinstance(code, str) and code.replace("_", "").isalnum() else f"status {status}"
    return BadGateway(f"the token endpoint refuses the gateway: {why[:60]}")
