"""Who waits while others are being verified, and who is let on then."""

from __future__ import annotations

import traceback
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from scimgw.auth.throttle import CAPACITY, FREE, Attempt, Presented, Throttle, Verdict
from scimgw.auth.undecided import LONGEST, ROOM
from scimgw.errors import TooManyRequests, Unauthorized
from tests.auth import test_throttle
from tests.auth.test_throttle import ELSEWHERE, HOME, SHORT, TOKEN


class Verifying:
    """Credentials that wait, or are being verified, or have been refused."""

    def __init__(self, throttle: Throttle, address: str, presented: Presented) -> None:
        self.begun = False
        self.refused: float | None = None
        self._outcome: Deferred[None] = Deferred()
        self._whole = Deferred.fromCoroutine(self._run(throttle, address, presented))
        self._whole.addErrback(lambda failure: failure.trap(Unauthorized, CancelledError))

    async def _run(self, throttle: Throttle, address: str, presented: Presented) -> None:
        try:
            attempt = await throttle.turn(address, presented)
        except TooManyRequests as error:
            self.refused = error.retry_after
            return
        with attempt:
            self.begun = True
            await self._outcome

    @property
    def waits(self) -> bool:
        """Whether it neither goes on nor is refused."""
        return not self.begun and self.refused is None

    def right(self) -> None:
        """Turn out to be right."""
        self._outcome.callback(None)

    def wrong(self) -> None:
        """Turn out to be wrong."""
        self._outcome.errback(Unauthorized("wrong"))

    def leave(self) -> None:
        """Go away before anything is told."""
        self._whole.cancel()


class World(test_throttle.World):
    """Verifying takes time here."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        super().__init__(capacity)
        self.begun: list[Verifying] = []

    def begin(self, account: str | None, secret: str, address: str = HOME) -> Verifying:
        """Present something that takes time to verify."""
        self.begun.append(Verifying(self.throttle, address, Presented(secret, account)))
        return self.begun[-1]

    def leave(self) -> None:
        """Have everybody leave, so that nothing is under way when all is forgotten."""
        for each in reversed(self.begun):
            each.leave()


class UndecidedTests(SynchronousTestCase):
    """Those who come while others are being verified."""

    def world(self, capacity: int = CAPACITY) -> World:
        """Make a world that ends with the test."""
        world = World(capacity)
        self.addCleanup(world.leave)
        return world

    def test_burst(self) -> None:
        """Many who log in for the first time at the same moment get in, a few at a time."""
        world = self.world()
        users = [world.begin(f"user {each}", SHORT) for each in range(20)]
        for number, each in enumerate(users):
            begun = [other.begun for other in users]
            self.assertEqual(min(number + FREE, 20), begun.count(True))
            self.assertEqual(sorted(begun, reverse=True), begun)
            each.right()
        self.assertTrue(all(each.begun for each in users))
        self.assertEqual(0, world.throttle._undecided.size)
        self.assertEqual([], world.clock.getDelayedCalls())

    def test_guesses(self) -> None:
        """Of guesses at the same time so many are verified as one after the other, and no more."""
        for accounts in (["me"] * 50, [f"{each}" for each in range(50)], [None] * 50):
            world = self.world()
            guesses = [
                world.begin(account, f"{each}", ELSEWHERE) for each, account in enumerate(accounts)
            ]
            for each in guesses[: FREE - 1]:
                each.wrong()
            self.assertEqual(FREE, [each.begun for each in guesses].count(True))
            self.assertTrue(all(each.waits for each in guesses[FREE:]))
            guesses[FREE - 1].wrong()
            self.assertEqual([1.0] * 45, [each.refused for each in guesses[FREE:]])

    def test_after_a_failure(self) -> None:
        """Each failure leaves a place less, and no fewer."""
        for failures in range(FREE):
            world = self.world()
            for each in range(failures):
                world.wrong(HOME, f"{each}", "?")
            users = [world.begin(f"user {each}", SHORT) for each in range(FREE)]
            self.assertEqual(FREE - failures, [each.begun for each in users].count(True))

    def test_after_a_pause(self) -> None:
        """After a pause one is verified, and while it is, the others wait."""
        world = self.world()
        world.guess(FREE)
        world.clock.advance(1)
        first, *others = (world.begin("me", f"{each}", ELSEWHERE) for each in range(9))
        self.assertTrue(first.begun)
        self.assertTrue(all(each.waits for each in others))
        first.wrong()
        self.assertEqual([2] * 8, [round(each.refused or 0) for each in others])

    def test_longer_than_a_pause(self) -> None:
        """What takes longer to verify than the pause that others cause still has its place."""
        world = self.world()
        slow, *guesses = (world.begin(f"user {each}", SHORT) for each in range(FREE))
        for each in guesses:
            each.wrong()
        next, after = world.begin("me", SHORT), world.begin("you", SHORT)
        self.assertTrue(next.waits)
        slow.right()
        self.assertTrue(next.begun)
        self.assertTrue(after.waits)

    def test_among_others(self) -> None:
        """Those who are right get in between those who are wrong, as long as these are few."""
        world = self.world()
        everybody = [world.begin(f"user {each}", SHORT) for each in range(20)]
        for number, each in enumerate(everybody):
            each.wrong() if number % 5 == 3 else each.right()
        self.assertEqual([None] * 20, [each.refused for each in everybody])

    def test_two_lines(self) -> None:
        """Who waits for the address, and then finds the account taken, waits for that one."""
        world = self.world()
        elsewhere = [world.begin("me", f"{each}", f"198.51.100.{each}") for each in range(FREE)]
        here = [world.begin(f"user {each}", SHORT) for each in range(FREE)]
        me, you = world.begin("me", SHORT), world.begin("you", SHORT)
        here[0].right()
        self.assertTrue(me.waits)
        self.assertTrue(you.begun)
        elsewhere[0].right()
        self.assertTrue(me.waits)
        here[1].right()
        self.assertTrue(me.begun)

    def test_known(self) -> None:
        """Who has got in from there before waits for nobody else."""
        world = self.world()
        world.right(HOME, "me")
        world.right(HOME, None, TOKEN.secret)
        undecided = [world.begin(f"user {each}", SHORT) for each in range(FREE + 1)]
        self.assertTrue(undecided[-1].waits)
        self.assertEqual(0, world.right(HOME, "me"))
        self.assertEqual(0, world.right(HOME, "me", "new"))
        self.assertEqual(0, world.right(HOME, None, TOKEN.secret))

    def test_short(self) -> None:
        """A short password that is known takes its turn among guesses, and isn't told by that."""
        world = self.world()
        world.right(HOME, "me")
        guesses = [world.begin("me", f"{each}") for each in range(FREE)]
        known = world.begin("me", SHORT)
        self.assertTrue(known.waits)
        for each in guesses:
            each.wrong()
        self.assertEqual(1.0, known.refused)

    def test_the_same(self) -> None:
        """The same credentials many times at once are one attempt, and wait for nobody else."""
        world = self.world()
        several = [world.begin("me", SHORT) for _ in range(50)]
        self.assertTrue(all(each.begun for each in several))
        for each in several:
            each.right()
        self.assertEqual(0, world.guess(FREE, HOME, "you"))

    def test_the_same_in_line(self) -> None:
        """Those who wait with the same credentials go on together once these are known."""
        world = self.world()
        first, *_ = [world.begin(f"user {each}", SHORT) for each in range(FREE)]
        several = [world.begin(None, TOKEN.secret) for _ in range(20)]
        first.right()
        self.assertEqual([True] + [False] * 19, [each.begun for each in several])
        several[0].right()
        self.assertTrue(all(each.begun for each in several))

    def test_many_at_once(self) -> None:
        """However many wait, they are let on one after the other, not one within the other."""
        world = self.world()
        first = [world.begin(f"user {each}", SHORT) for each in range(FREE)]
        told: list[int] = []

        async def log_in(number: int) -> None:
            with await world.throttle.turn(HOME, Presented(SHORT, f"other {number}")):
                told.append(len(traceback.extract_stack()))

        for each in range(100):
            Deferred.fromCoroutine(log_in(each))
        first[0].right()
        self.assertEqual(100, len(told))
        self.assertEqual(1, len(set(told)))

    def test_leaves_the_line(self) -> None:
        """Who leaves the line gives up the place, and has made no attempt."""
        world = self.world()
        users = [world.begin(f"user {each}", SHORT) for each in range(FREE + 3)]
        users[FREE].leave()
        users[0].right()
        self.assertFalse(users[FREE].begun)
        self.assertTrue(users[FREE + 1].begun)
        users[FREE + 1].leave()
        self.assertTrue(users[FREE + 2].waits, "who leaves while it is verified has failed")

    def test_line_is_bounded(self) -> None:
        """More than so many don't wait, and one line leaves room for others."""
        world = self.world()
        verified = [world.begin(f"user {each}", SHORT) for each in range(ROOM)]
        refused = [each for each in verified if each.refused is not None]
        waiting = [each for each in verified if each.waits]
        self.assertEqual(ROOM // 2, len(waiting))
        self.assertEqual({1.0}, {each.refused for each in refused})
        others = [world.begin(f"user {each}", SHORT, ELSEWHERE) for each in range(ROOM)]
        self.assertEqual(ROOM // 4, len([each for each in others if each.waits]))

    def test_no_room(self) -> None:
        """Who finds no room in any line leaves nothing behind, and the lines go on."""
        world = self.world()
        for place in range(12):
            for each in range(ROOM):
                world.begin(f"user {place} {each}", SHORT, f"198.51.100.{place}")
        waiting = [each for each in world.begun if each.waits]
        self.assertEqual(ROOM, len(waiting))
        for one in world.begun:
            if one.begun:
                one.right()
        self.assertTrue(all(each.begun for each in waiting))
        self.assertEqual(0, world.throttle._undecided.size)

    def test_room_comes_back(self) -> None:
        """However many have waited, others may."""
        world = self.world()
        verified = [world.begin(f"user {each}", SHORT) for each in range(FREE)]
        for each in range(ROOM):
            verified.append(world.begin(f"other {each}", SHORT))
            self.assertTrue(verified[-1].waits)
            verified.pop(0).right()
            self.assertTrue(verified[-1].begun)

    def test_not_for_ever(self) -> None:
        """Who has waited for long is told to come later, and gives the place up."""
        world = self.world()
        users = [world.begin(f"user {each}", SHORT) for each in range(FREE + 1)]
        world.clock.advance(LONGEST)
        self.assertEqual(1.0, users[-1].refused)
        self.assertEqual(0, len(world.throttle._undecided._lines))

    @given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=80), st.integers(0, 99))
    def test_always(self, events: list[tuple[int, bool]], seed: int) -> None:
        """In whatever order it is decided, nobody waits for nothing, and few are wrong."""
        world, random = World(), Random(seed)  # noqa: S311 - any order will do
        right: list[Verifying] = []
        wrong: list[Verifying] = []
        decided: list[Verifying] = []

        def decide() -> bool:
            begun = [each for each in (*right, *wrong) if each.begun and each not in decided]
            if begun:
                decided.append(random.choice(begun))
                (decided[-1].right if decided[-1] in right else decided[-1].wrong)()
            return bool(begun)

        for number, (account, knows) in enumerate(events):
            name = f"right {number}" if knows else f"user {account}"
            begun = world.begin(name, f"{number}", f"192.0.2.{account % 2}")
            (right if knows else wrong).append(begun)
            if number % 3:
                decide()
        while decide():
            pass
        self.assertFalse(any(each.waits for each in (*right, *wrong)))
        self.assertLessEqual([each.begun for each in wrong].count(True), 2 * FREE)
        self.assertEqual(0, world.throttle._undecided.size)

    def test_evicted_meanwhile(self) -> None:
        """What was forgotten while it was verified is no matter."""
        world = self.world(4)
        me = world.begin("me", "word")
        for each in range(10):
            world.wrong(f"198.51.100.{each}", f"{each}", "?")
        me.right()
        world.right(HOME, "b", "a word of some length")
        again = world.begin("b", "a word of some length")
        for each in range(10):
            world.right(f"198.51.100.{each}", f"{each}")
        again.right()
        self.assertEqual(0, world.right(HOME, "b", "a word of some length"))


class ElsewhereTests(SynchronousTestCase):
    """Those whom somebody else judges."""

    def setUp(self) -> None:
        """Know nobody."""
        self.world = World()

    def passing(self, account: str, secret: str = SHORT) -> Deferred[Attempt]:
        """Let somebody on."""

        async def begun() -> Attempt:
            attempt = await self.world.throttle.passing(HOME, Presented(secret, account))
            attempt.begin()
            return attempt

        return Deferred.fromCoroutine(begun())

    def test_at_once(self) -> None:
        """Of guesses at the same time no more go on than may fail."""
        guesses = [self.passing("me", f"{each}") for each in range(20)]
        for each in guesses[:FREE]:
            self.successResultOf(each).decide(Verdict.WRONG)
        for each in guesses[FREE:]:
            self.failureResultOf(each, TooManyRequests)

    def test_burst(self) -> None:
        """Whom the other side knows goes on, be there ever so many."""
        for each in [self.passing(f"user {each}") for each in range(20)]:
            self.successResultOf(each).decide(Verdict.RIGHT)

    def test_known(self) -> None:
        """Whom it has let in waits for nobody, and keeps nobody waiting, however long it takes."""
        known = [self.passing(f"user {each}") for each in range(20)]
        for each in known:
            self.successResultOf(each).decide(Verdict.RIGHT)
        again = [self.passing(f"user {each}") for each in range(20)]
        new = [self.passing(f"new {each}") for each in range(FREE + 1)]
        for each in again:
            self.successResultOf(each)
        self.assertNoResult(new[-1])
        self.successResultOf(self.passing("user 1"))

    def test_no_longer(self) -> None:
        """Nobody is certain here: failures count as before, and who is refused isn't known."""
        for each in range(FREE):
            self.successResultOf(self.passing("me", f"{each}")).decide(Verdict.RIGHT)
        for again in [self.passing("me", f"{each}") for each in range(FREE)]:
            self.successResultOf(again).decide(Verdict.WRONG)
        self.failureResultOf(self.passing("me", "right"), TooManyRequests)
        self.world.clock.advance(1)
        self.successResultOf(self.passing("me", "0"))
        self.successResultOf(self.passing("me", "0"))

    def test_same(self) -> None:
        """Of the same at a time one failure counts, whichever is told, and told first."""
        for each in range(FREE):
            one, other = self.passing("me", f"{each}"), self.passing("me", f"{each}")
            attempts = [self.successResultOf(one), self.successResultOf(other)]
            verdicts = [Verdict.UNTOLD if each % 2 else Verdict.WRONG, Verdict.WRONG]
            for attempt, verdict in zip(attempts[:: each % 2 or -1], verdicts, strict=True):
                attempt.decide(verdict)
        self.failureResultOf(self.passing("me", "right"), TooManyRequests)
        self.world.clock.advance(1)
        self.successResultOf(self.passing("me", "right"))

    def test_left(self) -> None:
        """Who leaves has failed, also beside another that tells nothing; not if it was let in."""
        self.successResultOf(self.passing("me")).decide(Verdict.RIGHT)
        for _ in range(FREE):
            self.successResultOf(self.passing("me")).decide(Verdict.LEFT)
        for each in range(FREE):
            first = self.successResultOf(self.passing("you", f"{each}"))
            self.successResultOf(self.passing("you", f"{each}")).decide(Verdict.LEFT)
            first.decide(Verdict.UNTOLD)
        self.failureResultOf(self.passing("you", "right"), TooManyRequests)

    def test_expired(self) -> None:
        """Whoever is refused after having been let in has failed once, be it in many requests."""
        self.successResultOf(self.passing("me")).decide(Verdict.RIGHT)
        for each in [self.passing("me") for _ in range(20)]:
            self.successResultOf(each).decide(Verdict.WRONG)
        self.successResultOf(self.passing("you"))

    def test_once(self) -> None:
        """The first verdict counts."""
        attempt = self.successResultOf(self.passing("me"))
        attempt.decide(Verdict.UNTOLD)
        attempt.decide(Verdict.WRONG)
        self.assertEqual(0, self.world.throttle.size)
