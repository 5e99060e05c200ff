"""How often somebody may be wrong, and who isn't kept out by it."""

from __future__ import annotations

import contextlib
from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from scimgw.auth.chain import Credentials
from scimgw.auth.throttle import (
    CAPACITY,
    FORGIVEN,
    FREE,
    Presented,
    Throttle,
    network,
    pause,
)
from scimgw.errors import TooManyRequests, Unauthorized, Unavailable

HOME, ELSEWHERE = "192.0.2.7", "198.51.100.9"
SHORT = "word"
TOKEN = Presented("a token of some length")
SLACK = FREE + 10
"""Failures that may come at once, or nearly."""


class World:
    """A throttle, and those who try their luck."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.clock = Clock()
        self.throttle = Throttle(self.clock, capacity)

    def right(self, address: str, account: str | None = "me", secret: str = SHORT) -> float:
        """Present what is right; give how long to wait before it is looked at, 0 if it was."""
        return self.present(address, Presented(secret, account), None)

    def wrong(self, address: str, account: str | None, secret: str) -> float:
        """Present what is wrong."""
        return self.present(address, Presented(secret, account), Unauthorized("wrong"))

    def present(self, address: str, presented: Presented, outcome: Exception | None) -> float:
        """Present something, with some outcome if it is looked at."""
        try:
            attempt = self.throttle.attempt(address, presented)
        except TooManyRequests as error:
            return error.retry_after
        assert attempt is not None, "it has to wait"
        with contextlib.suppress(Exception), attempt:
            if outcome is not None:
                raise outcome
        return 0.0

    def guess(self, times: int, address: str = ELSEWHERE, account: str | None = "me") -> float:
        """Guess another secret each time; give how long to wait after the last."""
        return [self.wrong(address, account, f"guess {each}") for each in range(times)][-1]


class PauseTests(SynchronousTestCase):
    """Those who are wrong."""

    def test_free(self) -> None:
        """A few failures are answered as such, then comes a pause, within which nothing is."""
        world = World()
        self.assertEqual(0, world.guess(FREE))
        self.assertEqual(1, world.wrong(ELSEWHERE, "me", "another"))
        self.assertEqual(1, world.right(ELSEWHERE))

    def test_doubled(self) -> None:
        """Each further failure doubles it, up to a bound; what is refused meanwhile doesn't."""
        world, waits = World(), []
        world.guess(FREE)
        for each in range(12):
            self.assertEqual(
                world.wrong(ELSEWHERE, "me", "?"), wait := world.wrong(ELSEWHERE, "me", "!")
            )
            waits.append(wait)
            world.clock.advance(wait)
            self.assertEqual(0, world.wrong(ELSEWHERE, "me", f"x{each}"))
        self.assertEqual([1, 2, 4, 8], [round(each) for each in waits[:4]])
        self.assertTrue(all(FORGIVEN * 0.8 < each <= FORGIVEN for each in waits[10:]), waits)
        self.assertEqual(FORGIVEN, pause(1e9))

    def test_forgiven(self) -> None:
        """In time all is forgiven."""
        world = World()
        world.guess(FREE)
        world.clock.advance(FORGIVEN * FREE)
        self.assertEqual(0, world.guess(FREE, account="you"))

    def test_account(self) -> None:
        """An account is guarded wherever guesses come from, however its name is spelled."""
        world = World()
        for each in range(FREE):
            name = ("me", "ME", " me", "Me ", "mE")[each % 5]
            self.assertEqual(0, world.wrong(f"198.51.100.{each}", name, f"{each}"))
        self.assertEqual(1, world.wrong("203.0.113.1", "me", "?"))
        self.assertEqual(0, world.wrong("203.0.113.1", "you", "?"))

    def test_unknown(self) -> None:
        """A name that there is and one that there isn't are the same."""
        known, unknown = World(), World()
        known.right(HOME)
        for each in range(20):
            for world in (known, unknown):
                world.clock.advance(1)
            self.assertEqual(
                unknown.wrong(ELSEWHERE, "nobody", f"{each}"),
                known.wrong(ELSEWHERE, "me", f"{each}"),
            )

    def test_names(self) -> None:
        """An address that tries one name after another is slowed down; so is one with tokens."""
        world = World()
        for each in range(FREE):
            self.assertEqual(0, world.wrong(ELSEWHERE, f"name {each}", "?"))
        self.assertEqual(1, world.wrong(ELSEWHERE, "another", "?"))
        self.assertEqual(1, world.wrong(ELSEWHERE, None, "?"))
        self.assertEqual(0, world.wrong(HOME, None, "?"))

    def test_left(self) -> None:
        """Who leaves before the answer has made an attempt; what couldn't be verified is none."""
        for error, wait in ((CancelledError(), 1.0), (Unavailable("later"), 0.0)):
            world = World()
            for each in range(FREE):
                world.present(HOME, Presented(f"{each}", "me"), error)
            self.assertEqual(wait, world.right(HOME))
            self.assertEqual(0, world.throttle._undecided.size)

    @given(st.lists(st.floats(0, 2 * FORGIVEN), max_size=60), st.integers(1, 4))
    def test_bounded(self, waits: list[float], addresses: int) -> None:
        """However they are spaced, guesses of one account that are looked at are few."""
        world, tried = World(), 0
        for number, wait in enumerate(waits):
            world.clock.advance(wait)
            for each in range(4):
                address = f"198.51.100.{(number + each) % addresses}"
                tried += not world.wrong(address, "me", f"{number} {each}")
        self.assertLessEqual(tried, SLACK + world.clock.seconds() / FORGIVEN)

    def test_greedy(self) -> None:
        """Who comes back the moment that a pause ends gets little more than a guess in each."""
        world, tried = World(), 0
        while world.clock.seconds() < 24 * 3600:
            wait = world.wrong(ELSEWHERE, "me", f"{tried}")
            tried += not wait
            world.clock.advance(wait)
        self.assertLessEqual(tried, SLACK + 24 * 3600 / FORGIVEN)
        self.assertGreater(tried, 24 * 3600 / FORGIVEN)


class OthersTests(SynchronousTestCase):
    """Those who are right, whatever others do."""

    def test_elsewhere(self) -> None:
        """Who has got in before gets in from there, whatever is guessed elsewhere."""
        for secret in ("word", "a word of some length"):
            world = World()
            world.right(HOME, secret=secret)
            world.guess(1000)
            self.assertEqual(0, world.right(HOME, secret=secret))
            self.assertEqual(1, world.right(ELSEWHERE, secret=secret))

    def test_changed(self) -> None:
        """So they do with another secret, and after a few failures of their own."""
        world = World()
        world.right(HOME)
        world.guess(1000)
        world.guess(FREE - 1, HOME)
        self.assertEqual(0, world.right(HOME, secret="new"))

    def test_same_address(self) -> None:
        """What others at the same address guess of other accounts is no obstacle."""
        world = World()
        world.right(HOME)
        world.guess(1000, HOME, "you")
        self.assertEqual(0, world.right(HOME))
        self.assertEqual(1, world.right(HOME, "new"))

    def test_long(self) -> None:
        """A long secret gets in again, even if its own account is guessed at its own address."""
        for account in ("me", None):
            world = World()
            world.right(HOME, account, TOKEN.secret)
            world.guess(1000, HOME, account)
            self.assertEqual(0, world.right(HOME, account, TOKEN.secret))

    def test_short(self) -> None:
        """A short one doesn't: to let it in would tell it to whoever guesses from there."""
        for account in ("me", None):
            world = World()
            world.right(HOME, account)
            world.right(HOME, account)
            self.assertEqual(0, world.guess(FREE, HOME, account))
            self.assertEqual(1, world.right(HOME, account))
            world.clock.advance(1)
            self.assertEqual(0, world.right(HOME, account))
            self.assertEqual(0, world.right(HOME, account))

    def test_own_account(self) -> None:
        """An account of one's own doesn't end a pause."""
        world = World()
        for each in range(FREE):
            world.right(ELSEWHERE, "mine")
            self.assertEqual(0, world.wrong(ELSEWHERE, "me", f"{each}"))
        world.right(ELSEWHERE, "mine")
        self.assertEqual(1, world.wrong(ELSEWHERE, "me", "?"))

    def test_stale(self) -> None:
        """A job with an old password slows itself down, and nobody else."""
        world = World()
        waits = [world.wrong(HOME, "job", "old") for _ in range(100)]
        self.assertEqual(FREE, waits.count(0))
        self.assertEqual(0, world.right(HOME, "new"))
        self.assertEqual(0, world.right(HOME, "job"))

    def test_expired(self) -> None:
        """A token that was right and isn't any more was no guess."""
        world = World()
        world.right(HOME, None, TOKEN.secret)
        for _ in range(100):
            world.wrong(HOME, None, TOKEN.secret)
        self.assertEqual(1, world.wrong(HOME, None, TOKEN.secret))
        self.assertEqual(0, world.right(HOME, None, "new"))

    def test_unavailable(self) -> None:
        """A right one that can't be verified now stays right."""
        world = World()
        world.right(HOME, None, TOKEN.secret)
        world.present(HOME, TOKEN, Unavailable("later"))
        world.guess(1000, HOME, None)
        self.assertEqual(0, world.right(HOME, None, TOKEN.secret))

    @given(
        st.lists(
            st.tuples(
                st.floats(0, 100),
                st.sampled_from([HOME, ELSEWHERE, "2001:db8::1", "2001:db8:0:1::1"]),
                st.sampled_from(["me", "you", None]),
                st.sampled_from(["a", "b", "a word of some length, wrong"]),
            ),
            max_size=80,
        )
    )
    def test_always(self, tries: list[tuple[float, str, str | None, str]]) -> None:
        """Whatever anybody tries, from there too, a long secret that got in gets in."""
        world = World()
        world.right("2001:db8::2", "me", "a word of some length")
        for wait, address, account, secret in tries:
            world.clock.advance(wait)
            world.wrong(address, account, secret)
            self.assertEqual(0, world.right("2001:db8::3", "me", "a word of some length"))


class BoundTests(SynchronousTestCase):
    """What is remembered."""

    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 99), st.integers(0, 99)), max_size=100))
    def test_never_more(self, tries: list[tuple[bool, int, int]]) -> None:
        """However many addresses and names there are, so much is remembered and no more."""
        world = World(10)
        for right, address, name in tries:
            (world.right if right else world.wrong)(f"192.0.2.{address}", f"{name}", f"{name}")
            self.assertLessEqual(world.throttle.size, 30)

    def test_oldest_first(self) -> None:
        """What is guessed again and again isn't forgotten for what is guessed once."""
        world = World(100)
        for each in range(FREE):
            world.wrong(f"2001:db8:{each}::", "me", f"{each}")
            for other in range(20):
                world.wrong(f"2001:db8:ffff:{each * 20 + other:x}::", f"{each} {other}", "?")
        self.assertLess(0, world.wrong("203.0.113.1", "me", "?"))


class ReadingTests(SynchronousTestCase):
    """Addresses and headers."""

    def test_networks(self) -> None:
        """IPv6 addresses are counted by the /64, IPv4 ones by themselves however spelled."""
        self.assertEqual(network("2001:db8::1"), network("2001:db8::ffff:1"))
        self.assertNotEqual(network("2001:db8::1"), network("2001:db8:0:1::1"))
        self.assertEqual(network("fe80::1%eth0"), network("fe80::2"))
        self.assertEqual("192.0.2.7", network("::ffff:192.0.2.7"))
        self.assertEqual("192.0.2.7", network("192.0.2.7"))
        for odd in ("-", "", "a:b", "/run/socket"):
            self.assertEqual(odd, network(odd))

    def test_hidden(self) -> None:
        """No secret stands in what a log or a debugger shows of what is presented."""
        header = "Bearer hunter2"
        for shown in (Presented.in_header(header), Credentials.parse(header)):
            self.assertNotIn("hunter2", repr(shown))

    def test_headers(self) -> None:
        """A Basic header has an account; what can't be read has none."""

        def basic(text: bytes) -> str:
            return "bAsic  " + b64encode(text).decode()

        for header, expected in {
            basic(b"me:wo:rd"): Presented("wo:rd", "me"),
            basic(b":"): Presented("", ""),
            basic(b"m\xff\x00:\x1b"): Presented("\x1b", "m\udcff\x00"),
            basic(b"me"): Presented(b64encode(b"me").decode()),
            "Basic !": Presented("!"),
            "Basic \u00e9": Presented("\u00e9"),
            "Bearer token ": Presented("token"),
            "nonsense": Presented(""),
            "": Presented(""),
        }.items():
            self.assertEqual(expected, Presented.in_header(header), header)

    def test_hostile(self) -> None:
        """Any text can be presented, and none passes for another."""
        world = World()
        for each in range(FREE):
            world.wrong("a", "\ud800\x00", f"{each}")
        self.assertEqual(1, world.wrong("b", "\ud800\x00", "?"))

    def test_not_utf8(self) -> None:
        """Nor do octets that are no text pass for others: each is a guess."""
        world = World()
        headers = [
            f"Basic {b64encode(b'me:p' + bytes([each])).decode()}" for each in range(200, 206)
        ]
        for each in headers[:FREE]:
            world.present("a", Presented.in_header(each), Unauthorized("wrong"))
        self.assertEqual(1, world.present("b", Presented.in_header(headers[FREE]), None))
