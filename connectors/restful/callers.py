"""What is kept for whom?

Where the callers' own credentials are shown, what one was told is kept from all others: the other
side may tell each something else.  The credentials themselves aren't kept.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from scimgw.connector import Call

MOST: Final = 256
"""Callers for whom something is kept; who hasn't come for longest is forgotten."""
T = TypeVar("T")


class PerCaller(Generic[T]):
    """One value for each caller, or one for all where nothing is passed through."""

    def __init__(self, random: Callable[[int], bytes]) -> None:
        """Begin without any."""
        self._key = random(32)
        self._kept: OrderedDict[bytes, T] = OrderedDict()

    def caller(self, call: Call) -> bytes:
        """Tell callers apart by what they show."""
        if call.credentials is None:
            return b""
        shown = call.credentials.reveal().encode()
        return hashlib.blake2b(shown, key=self._key, digest_size=32).digest()

    def get(self, caller: bytes) -> T | None:
        """Give what is kept for a caller."""
        if caller in self._kept:
            self._kept.move_to_end(caller)
        return self._kept.get(caller)

    def keep(self, caller: bytes, value: T) -> None:
        """Keep something for a caller."""
        self._kept[caller] = value
        self._kept.move_to_end(caller)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
