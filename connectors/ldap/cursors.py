"""Which paged searches are under way, and on whose connections?

What a directory says of the next page holds only on the connection that the page came by, so that
a search which isn't over keeps its connection.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Final

from attrs import frozen
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from connectors.ldap.pool import Lease, Pool
from connectors.ldap.request import Search
from scimgw.errors import BadRequest

IDLE: Final = 60.0
"""Seconds after which a search that nobody goes on with is given up."""


@frozen(eq=False)
class Open:
    """A search that isn't over: its next page can be asked for on its connection."""

    pool: Pool
    lease: Lease
    next: Search


class Cursors:
    """Searches by the names that the gateway knows them by."""

    def __init__(self, clock: IReactorTime) -> None:
        """Begin without any."""
        self._clock = clock
        self._open: dict[str, tuple[Open, IDelayedCall]] = {}
        self._numbers = count(1)

    def keep(self, search: Open) -> str:
        """Keep a search for a while, and name it."""
        name = str(next(self._numbers))
        late: Callable[[], None] = lambda: self._give_up(name)  # noqa: E731 - names what it is
        self._open[name] = (search, self._clock.callLater(IDLE, late))
        return name

    def take(self, name: str) -> Open:
        """Take a search to go on with.

        Raises: BadRequest, if it isn't there any more.
        """
        found = self.pop(name)
        if found is None:
            raise BadRequest("that search is over, or was given up: begin it anew")
        return found

    def pop(self, name: str) -> Open | None:
        """Take a search, if it is there."""
        search, late = self._open.pop(name, (None, None))
        if late is not None and late.active():
            late.cancel()
        return search

    def close(self) -> None:
        """Give all up."""
        for name in list(self._open):
            self._give_up(name)

    def _give_up(self, name: str) -> None:
        search = self.pop(name)
        if search is not None:
            search.pool.discard(search.lease)
