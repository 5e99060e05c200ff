"""Who waits until it is decided what others have presented?

Whatever is being verified has a place under each key that it concerns, and as long as there is no
place under a key, whoever needs one waits in line there: for a time, and no more than so many.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Final

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime

from scimgw.errors import TooManyRequests

ROOM: Final = 256
"""How many may wait in all; in one line no more than there is room left for other lines."""
LONGEST: Final = 30.0
"""Seconds for which somebody waits in a line."""
_LATER: Final = 1.0
"""Seconds after which it may be tried again."""


class Undecided:
    """The places, and the lines of those who wait for one."""

    def __init__(self, full: Callable[[bytes], bool], clock: IReactorTime, room: int) -> None:
        """Begin with nobody; `full` tells whether there is no place under a key at the moment."""
        self._full = full
        self._clock = clock
        self._room = room
        self._places: Counter[bytes] = Counter()
        self._lines: dict[bytes, deque[Deferred[None]]] = {}
        self._changed: deque[bytes] = deque()
        self._calling = False

    @property
    def size(self) -> int:
        """How much is remembered."""
        return len(self._places) + len(self._lines)

    def count(self, key: bytes) -> int:
        """Give how many places are taken."""
        return self._places.get(key, 0)

    def begin(self, keys: Iterable[bytes]) -> None:
        """Take a place under each key."""
        for key in keys:
            self._places[key] += 1

    def end(self, keys: Iterable[bytes]) -> None:
        """Leave them, and let on who waits for them."""
        for key in keys:
            self._places[key] -= 1
            if not self._places[key]:
                del self._places[key]
            if key in self._lines:
                self._changed.append(key)
        if not self._calling:
            self._call()

    async def wait(self, key: bytes) -> None:
        """Wait until there may be a place.

        Raises: TooManyRequests, if too many wait already, or it takes too long.
        """
        if len(self._lines.get(key, ())) >= self._room:
            raise TooManyRequests("too many logins are being verified at a time", _LATER)
        mine: Deferred[None] = Deferred(lambda given_up: self._leave(key, given_up))
        self._lines.setdefault(key, deque()).append(mine)
        self._room -= 1
        try:
            await mine.addTimeout(LONGEST, self._clock)
        except TimeoutError:
            raise TooManyRequests("it took too long to verify other logins", _LATER) from None

    def _call(self) -> None:
        """Call the first of each line, one after the other: who is called may end at once."""
        self._calling = True
        while self._changed:
            key = self._changed[0]
            line = self._lines.get(key)
            if line is None or self._full(key):
                self._changed.popleft()
            else:
                first = line[0]
                self._leave(key, first)
                first.callback(None)
        self._calling = False

    def _leave(self, key: bytes, who: Deferred[None]) -> None:
        line = self._lines[key]
        line.remove(who)
        self._room += 1
        if not line:
            del self._lines[key]
