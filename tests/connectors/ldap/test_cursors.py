"""Paged searches that are under way."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from connectors.ldap.cursors import IDLE, Cursors, Open
from connectors.ldap.pool import Lease, Pool
from connectors.ldap.request import Search
from scimgw.errors import BadRequest


class Discarding:
    """A pool that only counts what was discarded."""

    def __init__(self) -> None:
        self.discarded: list[Any] = []

    def discard(self, lease: Any) -> None:
        """Note the lease."""
        self.discarded.append(lease)


class CursorTests(SynchronousTestCase):
    """Names of searches."""

    def setUp(self) -> None:
        """Begin one search."""
        self.clock = Clock()
        self.pool = Discarding()
        self.cursors = Cursors(self.clock)
        lease = cast("Lease", object())
        self.search = Open(cast("Pool", self.pool), lease, Search(base="dc=x"))
        self.name = self.cursors.keep(self.search)

    def test_taken_once(self) -> None:
        """A search is gone on with by its name, once; then the clock is left alone."""
        self.assertIs(self.search, self.cursors.take(self.name))
        self.assertRaises(BadRequest, self.cursors.take, self.name)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_given_back(self) -> None:
        """One that isn't there can be given back."""
        self.assertIs(self.search, self.cursors.pop(self.name))
        self.assertIsNone(self.cursors.pop(self.name))

    def test_given_up(self) -> None:
        """A search that nobody goes on with doesn't keep its connection."""
        self.clock.advance(IDLE + 1)
        self.assertEqual([self.search.lease], self.pool.discarded)
        self.assertRaises(BadRequest, self.cursors.take, self.name)

    def test_closed(self) -> None:
        """Nor does any when all ends."""
        self.cursors.close()
        self.assertEqual([self.search.lease], self.pool.discarded)
        self.assertEqual([], self.clock.getDelayedCalls())
