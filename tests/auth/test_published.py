"""Keys that an issuer publishes: fetched, kept, renewed, and kept on while the issuer is down."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from scimgw.auth import keys
from scimgw.auth.published import APART, FRESH, STALE, Published, PublishedKeys
from scimgw.errors import BadGateway, Unavailable
from tests.auth.tokens import RSA, public


def published(*ids: str) -> Published:
    """Make what an issuer publishes."""
    return Published(keys.of_set({"keys": [public(RSA, kid=id) for id in ids]}), "issuer")


class PublishedTests(SynchronousTestCase):
    """An issuer that answers when it is told to."""

    def setUp(self) -> None:
        """Know nothing yet."""
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.asked: list[Deferred[Published]] = []
        self.keys = PublishedKeys(self.ask, self.clock.seconds, "test")

    async def ask(self) -> Published:
        """Wait for the answer."""
        self.asked.append(Deferred())
        return await self.asked[-1]

    def get(self, id: str | None) -> Deferred[Published]:
        """Want a key."""
        return Deferred.fromCoroutine(self.keys.get(id))

    def found(self, id: str | None) -> list[str | None]:
        """Want a key that is to be had at once, and name those that there are."""
        return [each.id for each in self.successResultOf(self.get(id)).keys]

    def begin(self) -> None:
        """Have one key."""
        first = self.get("a")
        self.asked[-1].callback(published("a"))
        self.successResultOf(first)

    def fail(self, msg: object = None) -> None:  # type: ignore[override]  # the issuer does
        """Fail to answer."""
        self.asked[-1].errback(BadGateway(str(msg)))

    def test_lazy(self) -> None:
        """Nothing is asked before it is needed, and once for all who wait."""
        self.assertEqual(([], None), (self.asked, self.keys.issuer))
        waiting = [self.get(id) for id in ("a", "a", None)]
        self.assertEqual(1, len(self.asked))
        self.asked[0].callback(published("a"))
        for each in waiting:
            self.assertEqual(published("a"), self.successResultOf(each))
        self.assertEqual(["a"], self.found(None))
        self.assertEqual((1, "issuer"), (len(self.asked), self.keys.issuer))

    def test_giving_up(self) -> None:
        """One who gives up doesn't disturb the others."""
        first, second = self.get("a"), self.get("a")
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.asked[0].callback(published("a"))
        self.successResultOf(second)

    def test_renewed(self) -> None:
        """Keys are asked for again after a while; one that is withdrawn is trusted no more."""
        self.begin()
        self.clock.advance(FRESH - 1)
        self.assertEqual(["a"], self.found("a"))
        self.clock.advance(1)
        again = self.get("a")
        self.asked[1].callback(published("b"))
        self.successResultOf(again)
        self.assertEqual(["b"], self.found("b"))

    def test_unknown(self) -> None:
        """A key that isn't known is asked for at once, but not oftener than now and then."""
        self.begin()
        self.clock.advance(APART)
        new = self.get("b")
        joined = self.get("c")
        self.asked[1].callback(published("a", "b"))
        self.successResultOf(new)
        self.successResultOf(joined)
        for _ in range(100):
            self.assertEqual(["a", "b"], self.found("forged"))
            self.clock.advance(APART / 101)
        self.assertEqual(2, len(self.asked))
        self.clock.advance(APART)
        self.get("forged").addErrback(lambda _: None)
        self.assertEqual(3, len(self.asked))

    def test_never_there(self) -> None:
        """Without any key nobody can be told right from wrong, which passes."""
        first = self.get("a")
        self.fail("down")
        error = self.failureResultOf(first, Unavailable).value
        self.assertEqual(APART, error.retry_after)
        self.clock.advance(10)
        error = self.failureResultOf(self.get("a"), Unavailable).value
        self.assertEqual((APART - 10, 1), (error.retry_after, len(self.asked)))
        self.clock.advance(APART - 10)
        again = self.get("a")
        self.asked[1].callback(published("a"))
        self.successResultOf(again)

    def test_stale(self) -> None:
        """While the issuer is down the keys that are known are trusted, for a day."""
        self.begin()
        self.clock.advance(FRESH)
        late = self.get("a")
        self.fail("down")
        self.successResultOf(late)
        self.assertEqual(["a"], self.found("a"))
        self.failureResultOf(self.get("b"), Unavailable)
        self.assertEqual(2, len(self.asked))
        self.clock.advance(STALE - FRESH)
        late = self.get("a")
        self.fail("down")
        self.successResultOf(late)
        self.clock.advance(1)
        self.failureResultOf(self.get("a"), Unavailable)
        self.clock.advance(APART)
        back = self.get("b")
        self.asked[-1].callback(published("b"))
        self.successResultOf(back)
        self.assertEqual(["b"], self.found("unknown"))
