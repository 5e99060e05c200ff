"""What the restful connector keeps for whom."""

from __future__ import annotations

import os
from typing import Any, cast

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from connectors.restful.callers import MOST, PerCaller
from connectors.restful.remote import Remote
from scimgw.clients.http import HttpClient
from scimgw.errors import Forbidden, Unauthorized
from scimgw.scim.path import resolve
from scimgw.scim.query import Query
from scimgw.scim.schema import GROUP, USER
from scimgw.secret import Secret
from tests.connectors.test_restful import response
from tests.connectors.test_restful_remote import CALL, Scripted
from tests.fakes.services import in_memory

ONE, OTHER = (evolve(CALL, credentials=Secret(f"Bearer {name}")) for name in ("one", "other"))


class PerCallerTests(SynchronousTestCase):
    """One value for each caller."""

    def test_apart(self) -> None:
        """Callers are told apart by what they show, which isn't kept."""
        kept: PerCaller[str] = PerCaller(os.urandom)
        for call, value in ((ONE, "1"), (OTHER, "2"), (CALL, "3")):
            kept.keep(kept.caller(call), value)
        found = [kept.get(kept.caller(call)) for call in (ONE, OTHER, CALL)]
        self.assertEqual(["1", "2", "3"], found)
        self.assertNotIn(b"one", b"".join(kept._kept))

    def test_bounded(self) -> None:
        """Who hasn't come for longest is forgotten."""
        kept: PerCaller[int] = PerCaller(os.urandom)
        for number in range(MOST):
            kept.keep(b"%d" % number, number)
        self.assertEqual(0, kept.get(b"0"))
        kept.keep(b"new", -1)
        self.assertEqual((0, None, -1), (kept.get(b"0"), kept.get(b"1"), kept.get(b"new")))


class KnowledgeTests(SynchronousTestCase):
    """What the other side says it can do."""

    def setUp(self) -> None:
        """Begin without answers."""
        self.client = Scripted()
        self.client.answers = []
        client = cast("HttpClient", self.client)
        self.remote = Remote(client, (USER, GROUP), in_memory(Clock()), passed=True)

    def sorts(self, call: Any, *statuses: int) -> bool:
        """Ask whether it sorts, for a caller who is answered so at discovery."""
        config = {"sort": {"supported": True}}
        self.client.answers += [
            response(status, config if status == 200 else None) for status in statuses
        ]
        learning = Deferred.fromCoroutine(self.remote.knowledge(call))
        capabilities = self.successResultOf(learning).capabilities[USER]
        found: bool = capabilities.sort(resolve(USER, "userName"))
        return found

    def test_each_its_own(self) -> None:
        """Who may not see what it can do doesn't decide for others what it can."""
        self.assertFalse(self.sorts(ONE, 403, 403, 403))
        self.assertTrue(self.sorts(OTHER, 200, 404, 404))
        self.assertFalse(self.sorts(ONE))
        self.assertTrue(self.sorts(OTHER))
        self.assertEqual(6, len(self.client.requests))

    def test_refused(self) -> None:
        """Wrong credentials are the client's to mend, and nothing is kept of them."""
        for _ in range(2):
            self.client.answers = [response(401)]
            learning = Deferred.fromCoroutine(self.remote.knowledge(ONE))
            self.failureResultOf(learning, Unauthorized)
        self.assertTrue(self.sorts(ONE, 200, 404, 404))
        self.client.answers = [response(403)]
        searching = Deferred.fromCoroutine(self.remote.search(ONE, Query(type=USER)))
        self.failureResultOf(searching, Forbidden)

    def test_at_once(self) -> None:
        """One caller who waits for an answer keeps no other waiting."""
        waiting: Deferred[Any] = Deferred()
        request = self.client.request

        async def slow(asked: Any) -> Any:
            if asked.credentials == ONE.credentials:
                return await waiting
            return await request(asked)

        self.patch(self.client, "request", slow)
        first = Deferred.fromCoroutine(self.remote.knowledge(ONE))
        self.assertTrue(self.sorts(OTHER, 200, 404, 404))
        self.assertNoResult(first)
        first.cancel()
        first.addErrback(lambda _: None)
