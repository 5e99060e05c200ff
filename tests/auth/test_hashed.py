"""Secrets of which only hashes are known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from scimgw.auth.basic import BasicAuthenticator
from scimgw.auth.chain import Chain
from scimgw.auth.hashed import LIFETIME, Hashed
from scimgw.auth.known import Known
from scimgw.auth.token import TokenAuthenticator
from scimgw.connector import Principal
from scimgw.errors import Unauthorized, Unavailable
from scimgw.scrypt import Cost, Scrypt
from scimgw.secret import Secret
from tests.auth.test_basic import basic

W = TypeVar("W")
CHEAP, DEAR = Cost(1, 1, 1), Cost(2, 1, 1)


def hashed(secret: str, cost: Cost = CHEAP) -> Scrypt:
    """Hash a secret."""
    return Scrypt.made(secret.encode(), bytes, cost)


class Beside:
    """Does work at once or, if it is held, when it is told to; keeps what was asked."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked: list[Hashable] = []
        self.held: list[Callable[[], None]] | None = None
        self.error: Exception | None = None

    def run(self, key: Hashable, work: Callable[[], W]) -> Awaitable[W]:
        """Do some work."""
        if self.error is not None:
            raise self.error
        self.asked.append(key)
        done: Deferred[W] = Deferred()
        if self.held is None:
            done.callback(work())
        else:
            self.held.append(lambda: done.callback(work()))
        return done

    def seconds(self) -> float:
        """Tell the time."""
        return self.now


class HashedCase(SynchronousTestCase):
    """Counts what is computed."""

    def setUp(self) -> None:
        """Begin with nothing computed."""
        self.beside = Beside()
        self.computed: list[Cost] = []
        matches = Scrypt.matches

        def counting(one: Scrypt, secret: bytes) -> bool:
            self.computed.append(one.cost)
            return matches(one, secret)

        self.patch(Scrypt, "matches", counting)

    def result(self, work: Any) -> Any:
        """Give what comes of a coroutine."""
        return self.successResultOf(Deferred.fromCoroutine(work))


class FindTests(HashedCase):
    """Whose secret it is."""

    def setUp(self) -> None:
        """Know four hashes of three names, of two costs."""
        super().setUp()
        known = (
            (b"a", "A", hashed("one")),
            (b"a", "A", hashed("two")),  # as while a secret is replaced
            (b"b", "B", hashed("one", DEAR)),
            (b"c", "C", hashed("three")),
        )
        self.hashed = Hashed(known, self.beside)

    def find(self, name: str, secret: str) -> str | None:
        """Present a secret."""
        digest = f"{name}:{secret}".encode()
        found: str | None = self.result(self.hashed.find(digest, name.encode(), secret.encode()))
        return found

    def test_found(self) -> None:
        """Each name goes with its own secrets, of which it may have several, and no others."""
        for name, secret, expected in (
            ("a", "one", "A"),
            ("a", "two", "A"),
            ("b", "one", "B"),
            ("c", "three", "C"),
            ("a", "three", None),
            ("b", "two", None),
            ("b", "", None),
            ("nobody", "one", None),
            ("", "", None),
        ):
            self.assertEqual(expected, self.find(name, secret), (name, secret))

    def test_the_same_for_all(self) -> None:
        """Known and unknown names, right and wrong secrets: the same is computed for each."""
        for name, secret in (
            ("a", "one"),
            ("a", "two"),
            ("a", "wrong"),
            ("b", "one"),
            ("b", "wrong"),
            ("c", "wrong"),
            ("nobody", "wrong"),
            ("", ""),
        ):
            self.computed.clear()
            self.find(name, secret)
            self.assertEqual([CHEAP, CHEAP, DEAR], sorted(self.computed, key=lambda each: each.ln))

    def test_remembered(self) -> None:
        """What was right is computed once, until it isn't used for an hour."""
        for _ in range(3):
            self.assertEqual("A", self.find("a", "one"))
            self.beside.now += LIFETIME - 1
        self.assertEqual(1, len(self.beside.asked))
        self.beside.now += 2
        self.assertEqual("A", self.find("a", "one"))
        self.assertEqual(2, len(self.beside.asked))

    def test_wrong_is_not_remembered(self) -> None:
        """Each wrong guess is computed, and nothing is kept of it."""
        for number in range(5):
            self.assertIsNone(self.find("a", "wrong"))
            self.assertIsNone(self.find("a", f"wrong{number}"))
        self.assertEqual(10, len(self.beside.asked))
        self.assertEqual({}, self.hashed._right)

    def test_shared(self) -> None:
        """Two who show the same are one piece of work, by the name that it is asked under."""
        self.find("nobody", "x")
        self.find("nobody", "x")
        self.find("nobody", "y")
        first, second, third = self.beside.asked
        self.assertEqual(first, second)
        self.assertNotEqual(first, third)

    def test_gone(self) -> None:
        """Of who has left before the end nothing is remembered."""
        self.beside.held = []
        waiting = Deferred.fromCoroutine(self.hashed.find(b"d", b"a", b"one"))
        self.assertNoResult(waiting)
        waiting.cancel()
        self.failureResultOf(waiting)
        self.assertEqual({}, self.hashed._right)


class WaysTests(HashedCase):
    """Hashes among secrets in clear."""

    def setUp(self) -> None:
        """Know users and tokens."""
        super().setUp()
        one, two = (str(Scrypt.made(each, bytes, Cost(14, 8, 1))) for each in (b"p:w", b"t0ken"))
        self.users = [
            (Principal("clear"), Secret("password")),
            (Principal("hashed"), Secret(one)),
            (Principal("hashed"), Secret("new")),
        ]
        self.tokens = [(Principal("a"), Secret("t0ken-1")), (Principal("b"), Secret(two))]
        self.chain = Chain(
            [
                BasicAuthenticator(self.users, self.beside),
                TokenAuthenticator(self.tokens, self.beside),
            ]
        )
        self.hash = one

    def authenticate(self, header: str) -> Deferred[Principal]:
        """Present a header."""
        return Deferred.fromCoroutine(self.chain.authenticate(header))

    def test_right(self) -> None:
        """Each gets in with its own; while a password is replaced, with the old and the new."""
        for header, name in (
            (basic("clear:password"), "clear"),
            (basic("hashed:p:w"), "hashed"),
            (basic("hashed:new"), "hashed"),
            ("Bearer t0ken-1", "a"),
            ("Bearer t0ken", "b"),
        ):
            for _ in range(2):
                self.assertEqual(name, self.successResultOf(self.authenticate(header)).name)
        self.assertEqual(2, len(self.beside.asked))

    def test_wrong(self) -> None:
        """Of a wrong login the same is computed, whether the name has a hash, or isn't known."""
        for header in (
            basic("clear:wrong"),
            basic("hashed:wrong"),
            basic("nobody:wrong"),
            basic(f"hashed:{self.hash}"),
            basic("p:w"),
            basic(b"\xff\xfe:\x00"),
            "Bearer t0ken-2",
            "Bearer é\ud7ff",
        ):
            self.computed.clear()
            self.failureResultOf(self.authenticate(header), Unauthorized)
            self.assertEqual(1, len(self.computed), header)

    def test_clear_costs_nothing(self) -> None:
        """Where all are in clear, or who comes is, no thread is asked."""
        self.successResultOf(self.authenticate(basic("clear:password")))
        only = Chain([BasicAuthenticator([(Principal("a"), Secret("b"))], self.beside)])
        self.failureResultOf(Deferred.fromCoroutine(only.authenticate(basic("x:y"))), Unauthorized)
        self.assertEqual([], self.beside.asked)

    def test_too_many(self) -> None:
        """That too much is being verified isn't told as a wrong password."""
        self.beside.error = Unavailable("too many", 1.0)
        self.failureResultOf(self.authenticate(basic("hashed:wrong")), Unavailable)
        self.successResultOf(self.authenticate(basic("clear:password")))

    def test_nobody_to_verify(self) -> None:
        """Hashes aren't verified where the reactor runs."""
        self.assertRaises(AssertionError, BasicAuthenticator, self.users)

    def test_names_with_colons(self) -> None:
        """A name that ends where another begins is another, as clients of OAuth may have them."""
        known = Known([("a:b", "one", Secret("c"))])
        self.assertEqual("one", self.result(known.find(b"a:b", b"c")))
        self.assertIsNone(self.result(known.find(b"a", b"b:c")))
