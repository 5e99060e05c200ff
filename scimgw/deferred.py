"""How do coroutines and the reactor share the time?

Shielding a write from its caller, taking turns during long work in memory, and one writer at a
time: all the Deferred plumbing that there is.
"""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable, Iterable, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any, Final, Generic, TypeVar

from twisted.internet.defer import Deferred, DeferredLock, FirstError, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

log = Logger()
T = TypeVar("T")


async def finish(write: Coroutine[Any, Any, T], what: str) -> T:
    """Wait for a write; if the wait is cancelled the write goes on, and its end is logged."""
    running: Deferred[T] = Deferred.fromCoroutine(write)
    if running.called:  # an endpoint in memory, say, has let nobody wait
        return await running
    waiting: Deferred[T] = Deferred()

    def relay(result: T | Failure) -> None:
        if not waiting.called:
            waiting.callback(result)
        elif isinstance(result, Failure):
            log.failure("{what} failed after its caller had gone", result, what=what)
        else:
            log.info("{what} was done after its caller had gone", what=what)

    running.addBoth(relay)
    return await waiting


async def gather(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Do reads at the same time; the first that fails ends the others, and is raised as it is."""
    running = [Deferred.fromCoroutine(each) for each in works]
    try:
        return list(await gatherResults(running, consumeErrors=True))
    except FirstError as first:
        for each in running:
            each.cancel()
        first.subFailure.raiseException()


class Joined(Generic[T]):
    """Does one thing at a time, for whoever waits; who gives up doesn't disturb the others."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        """Begin idle."""
        self._work = work
        self._waiting: list[Deferred[T]] | None = None

    @property
    def under_way(self) -> bool:
        """Whether it is being done."""
        return self._waiting is not None

    def __call__(self) -> Deferred[T]:
        """Join whoever waits for it, or begin it."""
        mine: Deferred[T] = Deferred()
        if self._waiting is not None:
            self._waiting.append(mine)
            return mine
        self._waiting = [mine]
        Deferred.fromCoroutine(self._work()).addBoth(self._tell)
        return mine

    def _tell(self, result: T | Failure) -> None:
        waiting, self._waiting = self._waiting or [], None
        for each in waiting:
            if not each.called:
                each.callback(result)


_SLICE: Final = 0.004
"""Seconds."""
_STRIDE: Final = 64
"""Items between two looks at the clock."""
_RUN: Final = 2048
"""Items sorted at once: about a millisecond."""


class Turns:
    """Shares the reactor during work in memory: a slice of time, then everybody else's turn."""

    def __init__(self, clock: IReactorTime) -> None:
        """Begin the first slice."""
        self._clock = clock
        self._end = clock.seconds() + _SLICE

    async def breathe(self) -> None:
        """Let others run if the slice is over."""
        if self._clock.seconds() >= self._end:
            await deferLater(self._clock, 0)
            self._end = self._clock.seconds() + _SLICE

    async def select(self, items: Iterable[T], wanted: Callable[[T], bool]) -> list[T]:
        """Give the items that are wanted."""
        found: list[T] = []
        for few in _strides(items):
            found.extend(filter(wanted, few))
            await self.breathe()
        return found

    async def sort(
        self, items: Iterable[T], key: Callable[[T], Any], *, descending: bool
    ) -> list[T]:
        """Give the items in order; those with the same key stay as they were, descending too."""
        keyed: list[tuple[Any, T]] = []
        for few in _strides(items):
            keyed.extend((key(item), item) for item in few)
            await self.breathe()
        runs: list[list[tuple[Any, T]]] = []
        for start in range(0, len(keyed), _RUN):
            runs.append(sorted(keyed[start : start + _RUN], key=_first, reverse=descending))
            await self.breathe()
        result: list[T] = []
        for pairs in _strides(heapq.merge(*runs, key=_first, reverse=descending)):
            result.extend(item for _, item in pairs)
            await self.breathe()
        return result


def _strides(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while few := list(islice(iterator, _STRIDE)):
        yield few


def _first(pair: tuple[Any, object]) -> Any:
    return pair[0]


class Pending:
    """Counts what is under way, each one in a `with`, so that a shutdown can wait for it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._count = 0
        self._waiting: list[Deferred[None]] = []

    @property
    def count(self) -> int:
        """How much is under way."""
        return self._count

    def __enter__(self) -> None:
        """Count one more, until it is done."""
        self._count += 1

    def __exit__(self, *_: object) -> None:
        """Count it no more."""
        self._count -= 1
        if not self._count:
            waiting, self._waiting = self._waiting, []
            for deferred in waiting:
                deferred.callback(None)

    def none(self) -> Deferred[None]:
        """Wait until nothing is under way."""
        deferred: Deferred[None] = Deferred()
        if self._count:
            self._waiting.append(deferred)
        else:
            deferred.callback(None)
        return deferred


class Locks:
    """One lock for each key, kept only while somebody holds or awaits it."""

    def __init__(self) -> None:
        """Begin without any."""
        self._locks: dict[Hashable, DeferredLock] = {}

    @asynccontextmanager
    async def holding(self, key: Hashable) -> AsyncIterator[None]:
        """Hold the lock of a key."""
        lock = self._locks.setdefault(key, DeferredLock())
        await lock.acquire()
        try:
            yield
        finally:
            lock.release()
            if not lock.locked:
                self._locks.pop(key, None)
