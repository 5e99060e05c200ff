"""Whose secret is presented, where only hashes of the secrets are known?

Every verification computes the same, be the name known or not: of each cost as many hashes as
whoever has most of them, filled up with decoys.  It runs beside the reactor.  What was right is
remembered under a digest, and so costs no more than a secret in clear; what was wrong isn't.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

from scimgw.scrypt import Scrypt, rounds

LIFETIME: Final = 3600.0
"""Seconds after its last use for which a verified secret is remembered."""
T = TypeVar("T")
W = TypeVar("W")


class Beside(Protocol):
    """Does work beside the reactor: `scimgw.threads.Threads`."""

    def run(self, key: Hashable, work: Callable[[], W]) -> Awaitable[W]:
        """Do some work, once for all who ask for the same key at a time.

        Raises: Unavailable, if too much waits already.
        """

    def seconds(self) -> float:
        """Tell the time."""


class Hashed(Generic[T]):
    """Knows hashes of secrets, by the name that is presented with each."""

    def __init__(self, known: Sequence[tuple[bytes, T, Scrypt]], beside: Beside) -> None:
        """Know hashes."""
        self._beside = beside
        self._right: dict[bytes, tuple[float, T]] = {}  # never more than there are hashes
        needed = rounds((name, each) for name, _, each in known)
        decoys = [
            (None, Scrypt.decoy(cost, os.urandom))
            for cost, number in needed.items()
            for _ in range(number)
        ]
        self._unknown: Sequence[tuple[T | None, Scrypt]] = decoys
        self._known = {
            name: _filled([(whose, each) for other, whose, each in known if other == name], decoys)
            for name, _, _ in known
        }

    async def find(self, digest: bytes, name: bytes, secret: bytes) -> T | None:
        """Tell whose secret it is, None if it is nobody's; the digest is of both.

        Raises: Unavailable.
        """
        now = self._beside.seconds()
        until, found = self._right.get(digest, (now, None))
        if until <= now:
            work = partial(self._verified, name, secret)
            found = await self._beside.run(digest, work)
        if found is not None:
            self._right[digest] = (now + LIFETIME, found)
        return found

    def _verified(self, name: bytes, secret: bytes) -> T | None:
        """Compare with all, though one may have matched."""
        found = None
        for whose, each in self._known.get(name, self._unknown):
            if each.matches(secret):
                found = whose
        return found


def _filled(
    own: Sequence[tuple[T | None, Scrypt]], decoys: Sequence[tuple[T | None, Scrypt]]
) -> Sequence[tuple[T | None, Scrypt]]:
    """Put in a decoy wherever somebody else has one hash more of its cost."""
    left = [each.cost for _, each in own]
    filled = list(own)
    for each in decoys:
        if each[1].cost in left:
            left.remove(each[1].cost)
        else:
            filled.append(each)
    return filled
