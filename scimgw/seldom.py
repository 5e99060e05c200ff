"""When is what happens often told?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

PAUSE: Final = 60.0
"""Seconds between two lines in the log."""


class Seldom:
    """Lets something be told once in a while, with how often it has happened since."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """Let it be told at once the first time."""
        self._seconds = seconds
        self._next = 0.0
        self._times = 0

    def happened(self) -> int:
        """Give how often it has happened if that is to be told now, else 0."""
        self._times += 1
        now = self._seconds()
        if now < self._next:
            return 0
        times, self._times, self._next = self._times, 0, now + PAUSE
        return times
