"""Which keys does an issuer publish now?

They are asked for when first needed, kept for a while, and asked for anew when a token names one
that isn't known, but not oftener than now and then, whatever tokens come.  While the issuer is down
those that are known go on being trusted, for a day.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from attrs import frozen
from twisted.logger import Logger

from scimgw.auth.keys import Key
from scimgw.deferred import Joined
from scimgw.errors import ScimError, Unavailable

log = Logger()

FRESH: Final = 600.0
"""Seconds after which keys are asked for again."""
APART: Final = 30.0
"""Seconds between two questions for a key that isn't known, or to an issuer that is down."""
STALE: Final = 24 * 3600.0
"""Seconds for which keys are trusted whose issuer is down."""


@frozen
class Published:
    """Keys, and the name of their issuer if it is told with them."""

    keys: tuple[Key, ...]
    issuer: str | None = None

    def knows(self, id: str | None) -> bool:
        """Whether a key of that name is among them; whoever names none means those that are."""
        return id is None or any(key.id == id for key in self.keys)


Ask = Callable[[], Coroutine[Any, Any, Published]]
"""Asks an issuer.  Raises: ScimError."""


class PublishedKeys:
    """The keys of one issuer."""

    def __init__(self, ask: Ask, now: Callable[[], float], name: str) -> None:
        """Begin without keys; nothing is asked for yet.  The name is for the log."""
        self._now = now
        self._name = name
        self._held: Published | None = None
        self._held_since = 0.0
        self._asked_at: float | None = None
        self._down = False
        self._asking = Joined(lambda: self._renew(ask))

    @property
    def issuer(self) -> str | None:
        """The issuer's name, if it comes with the keys and they are there."""
        return None if self._held is None else self._held.issuer

    async def get(self, id: str | None) -> Published:
        """Give the keys, as new as one that is named may need.

        Raises: Unavailable, if there are none, or the one that is named may be newer.
        """
        if not self._serves(id) and self._may_ask():
            await self._asking()
        held = self._held
        if held is None or self._age() > STALE or (self._down and not held.knows(id)):
            raise Unavailable("the issuer's keys can't be fetched", self._wait())
        return held

    def _serves(self, id: str | None) -> bool:
        return self._held is not None and self._age() < FRESH and self._held.knows(id)

    def _age(self) -> float:
        return self._now() - self._held_since

    def _may_ask(self) -> bool:
        return self._wait() <= 0 or self._asking.under_way

    def _wait(self) -> float:
        return 0.0 if self._asked_at is None else self._asked_at + APART - self._now()

    async def _renew(self, ask: Ask) -> None:
        self._asked_at = self._now()
        try:
            held = await ask()
        except ScimError as error:
            self._down = True
            log.warn(
                "{issuer}: its keys can't be fetched, {kept}: {why}",
                issuer=self._name,
                kept="there are none" if self._held is None else "those that are known are kept",
                why=error.detail,
            )
            return
        if self._down or self._held is None:
            log.info("{issuer}: {count} keys", issuer=self._name, count=len(held.keys))
        self._held, self._held_since, self._down = held, self._now(), False
