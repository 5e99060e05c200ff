"""Sharing the reactor: shielded writes, turns in long work, locks."""

from __future__ import annotations

import random
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from scimgw.deferred import Joined, Locks, Pending, Turns, finish, gather


class FinishTests(SynchronousTestCase):
    """Shielding a write from whoever waits for it."""

    def shielded(self) -> tuple[Deferred[int], Deferred[int]]:
        """Begin a write; give it, and the wait for it."""
        write: Deferred[int] = Deferred()

        async def writing() -> int:
            return await write

        return write, Deferred.fromCoroutine(finish(writing(), "a write"))

    def test_result(self) -> None:
        """The result, or the failure, is the write's."""
        write, wait = self.shielded()
        self.assertNoResult(wait)
        write.callback(5)
        self.assertEqual(5, self.successResultOf(wait))
        write, wait = self.shielded()
        write.errback(ValueError())
        self.failureResultOf(wait, ValueError)

    def test_cancelled_wait(self) -> None:
        """A cancelled wait leaves the write alone; its late failure is logged."""
        for late in (5, ValueError("late")):
            write, wait = self.shielded()
            wait.cancel()
            self.failureResultOf(wait, CancelledError)
            self.assertFalse(write.called)
            write.errback(late) if isinstance(late, Exception) else write.callback(late)
        (failure,) = self.flushLoggedErrors(ValueError)
        self.assertEqual("late", failure.getErrorMessage())


class GatherTests(SynchronousTestCase):
    """Reads at the same time."""

    def reading(self) -> tuple[list[Deferred[int]], Deferred[list[int]]]:
        """Begin two reads; give them, and the wait for both."""
        reads: list[Deferred[int]] = [Deferred(), Deferred()]

        async def read(each: Deferred[int]) -> int:
            return await each

        return reads, Deferred.fromCoroutine(gather(read(each) for each in reads))

    def test_results(self) -> None:
        """Results come in the order of the reads."""
        reads, both = self.reading()
        reads[1].callback(2)
        reads[0].callback(1)
        self.assertEqual([1, 2], self.successResultOf(both))

    def test_failure(self) -> None:
        """A failure is raised as it is, and ends the other reads."""
        reads, both = self.reading()
        reads[1].errback(KeyError("x"))
        self.failureResultOf(both, KeyError)
        self.assertTrue(reads[0].called)

    def test_cancelled(self) -> None:
        """Who gives up ends them all."""
        reads, both = self.reading()
        both.cancel()
        self.failureResultOf(both, CancelledError)
        self.assertTrue(all(each.called for each in reads))


class JoinedTests(SynchronousTestCase):
    """One thing at a time, for all who wait."""

    def setUp(self) -> None:
        """Have something to do that takes as long as it does."""
        self.begun: list[Deferred[int]] = []

        async def work() -> int:
            self.begun.append(Deferred())
            return await self.begun[-1]

        self.joined = Joined(work)

    def test_joined(self) -> None:
        """Whoever comes meanwhile gets the same; whoever comes later has it done anew."""
        first, second = self.joined(), self.joined()
        self.assertEqual((1, True), (len(self.begun), self.joined.under_way))
        self.begun[0].callback(5)
        self.assertEqual([5, 5], [self.successResultOf(each) for each in (first, second)])
        self.assertFalse(self.joined.under_way)
        third = self.joined()
        self.begun[1].callback(6)
        self.assertEqual(6, self.successResultOf(third))

    def test_failure(self) -> None:
        """A failure is everybody's."""
        waiting = [self.joined(), self.joined()]
        self.begun[0].errback(ValueError())
        for each in waiting:
            self.failureResultOf(each, ValueError)

    def test_giving_up(self) -> None:
        """One who gives up doesn't disturb the others, nor what is done."""
        first, second = self.joined(), self.joined()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.begun[0].callback(5)
        self.assertEqual(5, self.successResultOf(second))


class TickingClock(Clock):
    """A clock on which looking takes time."""

    TICK = 0.003
    waits = 0

    def callLater(self, *args: Any, **kwargs: Any) -> IDelayedCall:
        """Count who lets others run."""
        self.waits += 1
        return super().callLater(*args, **kwargs)

    def seconds(self) -> float:
        """Give the time, and let some pass."""
        self.rightNow += self.TICK
        return self.rightNow


class TurnsTests(SynchronousTestCase):
    """Long work in memory."""

    ITEMS = tuple(range(5000))

    def test_short_work_is_done_at_once(self) -> None:
        """Work within its slice of time doesn't wait for anybody."""
        turns = Turns(Clock())
        selecting = Deferred.fromCoroutine(turns.select(self.ITEMS, lambda item: item % 2 == 0))
        self.assertEqual(list(self.ITEMS[::2]), self.successResultOf(selecting))

    def test_long_work_takes_turns(self) -> None:
        """Work beyond its slice lets the reactor run, again and again."""
        clock = TickingClock()
        selecting = Deferred.fromCoroutine(
            Turns(clock).select(self.ITEMS, lambda item: item > 4990)
        )
        while not selecting.called:
            clock.advance(0)
        self.assertEqual(list(range(4991, 5000)), self.successResultOf(selecting))
        self.assertGreater(clock.waits, 20)

    def test_cancelled(self) -> None:
        """Work that waits for its turn can be cancelled."""
        selecting = Deferred.fromCoroutine(Turns(TickingClock()).select(self.ITEMS, bool))
        selecting.cancel()
        self.failureResultOf(selecting, CancelledError)

    def test_sort(self) -> None:
        """A long list is sorted in turns, and what compares as equal stays in order."""
        shuffled = list(self.ITEMS)
        random.Random(7).shuffle(shuffled)  # noqa: S311 - any order will do
        for descending in (False, True):
            clock = TickingClock()
            sorting = Deferred.fromCoroutine(
                Turns(clock).sort(shuffled, lambda item: item // 10, descending=descending)
            )
            while not sorting.called:
                clock.advance(0)
            expected = sorted(shuffled, key=lambda item: item // 10, reverse=descending)
            self.assertEqual(expected, self.successResultOf(sorting))

    def test_sort_nothing(self) -> None:
        """Nothing is in order."""
        nothing: list[int] = []
        sorting = Deferred.fromCoroutine(Turns(Clock()).sort(nothing, int, descending=False))
        self.assertEqual([], self.successResultOf(sorting))


class PendingTests(SynchronousTestCase):
    """Counting what is under way."""

    def test_waits_for_all(self) -> None:
        """A shutdown waits until everything has ended."""
        pending = Pending()
        self.successResultOf(pending.none())
        with pending:
            with pending:
                idle = pending.none()
            self.assertNoResult(idle)
        self.successResultOf(idle)


class LocksTests(SynchronousTestCase):
    """One at a time for each key."""

    def test_one_at_a_time(self) -> None:
        """Who comes second waits, for the same key only; a lock that nobody holds is forgotten."""
        locks = Locks()
        gates: list[Deferred[None]] = [Deferred(), Deferred(), Deferred()]

        async def hold(key: str, gate: Deferred[None]) -> str:
            async with locks.holding(key):
                await gate
            return key

        first, second, other = (
            Deferred.fromCoroutine(hold(key, gate)) for key, gate in zip("aab", gates, strict=True)
        )
        gates[1].callback(None)
        gates[2].callback(None)
        self.assertNoResult(second)
        self.assertEqual("b", self.successResultOf(other))
        gates[0].callback(None)
        self.assertEqual(["a", "a"], [self.successResultOf(each) for each in (first, second)])
        self.assertEqual({}, locks._locks)

    def test_released_after_failure(self) -> None:
        """A lock is given back whatever happens while it is held."""
        locks = Locks()

        async def fail() -> None:
            async with locks.holding("a"):
                raise ValueError

        for _ in range(2):
            self.failureResultOf(Deferred.fromCoroutine(fail()), ValueError)
