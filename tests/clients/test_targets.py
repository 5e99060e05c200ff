"""Which address is tried."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from scimgw.clients.http.targets import COOL_DOWN, THRESHOLD, Target, Targets


class TargetsTests(SynchronousTestCase):
    """Two addresses."""

    def setUp(self) -> None:
        """Both are well."""
        self.targets = Targets.of(["http://a/", "http://b"])
        self.first, self.second = self.targets.all

    def pick(self, now: float, *tried: Target) -> str | None:
        """Name the one that is tried."""
        found = self.targets.pick(now, tried)
        return None if found is None else found.url

    def test_first(self) -> None:
        """The first is preferred, then one that this call hasn't tried."""
        self.assertEqual("http://a", self.pick(0))
        self.assertEqual("http://b", self.pick(0, self.first))
        self.assertEqual("http://a", self.pick(0, self.first, self.second))

    def test_failed_is_passed_over(self) -> None:
        """One that failed comes last for a while."""
        self.first.failed(100)
        self.assertEqual("http://b", self.pick(100 + COOL_DOWN - 1))
        self.assertEqual("http://a", self.pick(100 + COOL_DOWN))

    def test_one_tries_again(self) -> None:
        """Whether it is back is tried by one request; the others go elsewhere meanwhile."""
        self.first.failed(100)
        now = 100 + COOL_DOWN
        self.assertTrue(self.first.begin(now))
        self.assertEqual("http://b", self.pick(now))
        self.first.abandoned(probe=True)
        self.assertEqual("http://a", self.pick(now))
        self.first.begin(now)
        self.first.succeeded()
        self.assertFalse(self.first.begin(now))
        self.assertEqual("http://a", self.pick(now))

    def test_open(self) -> None:
        """One that keeps failing isn't tried at all for a while, be there no other."""
        for each in self.targets.all:
            for _ in range(THRESHOLD):
                each.failed(100)
        self.assertIsNone(self.pick(101))
        self.assertEqual(COOL_DOWN - 1, self.targets.until(101))
        self.assertEqual("http://a", self.pick(100 + COOL_DOWN))
        self.first.begin(100 + COOL_DOWN)
        self.second.begin(100 + COOL_DOWN)
        self.assertIsNone(self.pick(100 + COOL_DOWN))
        self.assertEqual(1.0, self.targets.until(100 + COOL_DOWN))
