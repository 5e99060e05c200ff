"""The conversation of the restful connector with the other side."""

from __future__ import annotations

import json
from typing import Any, cast

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from connectors.restful.remote import Remote
from scimgw.clients.http import HttpClient, Request, Response
from scimgw.connector import NO_ENTITY, Call, Principal
from scimgw.errors import (
    BadGateway,
    InvalidFilter,
    InvalidValue,
    NotFound,
)
from scimgw.scim import filter as filters
from scimgw.scim.changes import Changes
from scimgw.scim.path import resolve
from scimgw.scim.query import Query
from scimgw.scim.resource import Resource
from scimgw.scim.schema import GROUP, USER
from scimgw.secret import Secret
from tests.connectors.test_restful import response
from tests.fakes.services import in_memory

CALL = Call(entity=NO_ENTITY, principal=Principal("x"), request_id="r-1", deadline=1e9)


class Scripted:
    """Stands for the HTTP client: gives prepared answers, and keeps the requests."""

    def __init__(self, *answers: Response) -> None:
        """Prepare answers, after those to discovery."""
        config = {"etag": {"supported": True}}
        self.answers = [response(200, config), response(404), response(404), *answers]
        self.requests: list[Request] = []

    async def request(self, request: Request) -> Response:
        """Answer."""
        self.requests.append(request)
        return self.answers.pop(0)


class RemoteTests(SynchronousTestCase):
    """The conversation."""

    def remote(self, *answers: Response) -> Remote:
        """Speak with a server that gives these answers."""
        self.client = Scripted(*answers)
        client = cast("HttpClient", self.client)
        return Remote(client, (USER, GROUP), in_memory(Clock()), passed=False)

    def done(self, work: Any) -> Any:
        """Give a result."""
        return self.successResultOf(Deferred.fromCoroutine(work))

    def test_request(self) -> None:
        """A request carries its id, its deadline, and the caller's credentials if they are his."""
        remote = self.remote(response(404))
        call = evolve(CALL, credentials=Secret("x"))
        self.done(remote.search(call, Query(type=USER, ids=("a",))))
        last = self.client.requests[-1]
        self.assertEqual(
            ("r-1", 1e9, Secret("x")), (last.request_id, last.deadline, last.credentials)
        )
        self.assertEqual("/Users/a", last.path)

    def test_created_without_body(self) -> None:
        """Whoever doesn't show what it has created tells where it is."""
        new = Resource(type=USER, data={"userName": "x"})
        where = "https://scim.example/v2/Users/a%2Fb/?x=/y"
        remote = self.remote(response(201, location=where, etag='W/"7"'))
        stored = self.done(remote.create(CALL, new))
        self.assertEqual(("a/b", 'W/"7"', None), (stored.id, stored.version, stored.resource))
        for answer in (response(201), response(201, location=""), response(201, location="?a/b")):
            remote = self.remote(answer)
            self.failureResultOf(Deferred.fromCoroutine(remote.create(CALL, new)), BadGateway)

    def test_not_there(self) -> None:
        """That there are no users at all is a wrong address, and no news of any user."""
        new = Resource(type=USER, data={"userName": "x"})
        for ask in (
            lambda remote: remote.search(CALL, Query(type=USER)),
            lambda remote: remote.create(CALL, new),
        ):
            asking = Deferred.fromCoroutine(ask(self.remote(response(404))))
            fault = self.failureResultOf(asking, BadGateway).value
            self.assertIn("the endpoint has no /Users", fault.detail)

    def test_learnt_once(self) -> None:
        """The other side is asked what it can do once in an hour."""
        remote = self.remote(*[response(404)] * 9)
        first = self.done(remote.knowledge(CALL))
        self.assertIs(first, self.done(remote.knowledge(CALL)))
        cast("Clock", remote._clock).advance(3601)
        self.assertIsNot(first, self.done(remote.knowledge(CALL)))
        self.assertEqual(6, len(self.client.requests))

    def test_discovery_fails(self) -> None:
        """A server that doesn't let the gateway in isn't taken for one that says nothing."""
        remote = self.remote()
        self.client.answers = [response(401)]
        self.failureResultOf(Deferred.fromCoroutine(remote.knowledge(CALL)), BadGateway)

    def test_strong_versions(self) -> None:
        """Strong versions are sent back as such."""
        user = {"id": "1", "userName": "a", "meta": {"version": '"7"'}}
        remote = self.remote(response(200, user), response(204))
        found = self.done(remote.search(CALL, Query(type=USER, ids=("1",)))).resources[0]
        self.assertEqual('W/"7"', found.version)
        self.done(remote.delete(CALL, USER, "1", found.version))
        self.assertEqual('"7"', self.client.requests[-1].headers["If-Match"])

    def test_deleted_at_the_first_attempt(self) -> None:
        """What an attempt had removed before its answer was lost isn't missed by the next."""
        gone = evolve(response(404), repeated=True)
        self.done(self.remote(gone).delete(CALL, USER, "1", None))
        again = self.remote(response(404)).delete(CALL, USER, "1", None)
        self.failureResultOf(Deferred.fromCoroutine(again), NotFound)

    def test_another_resource(self) -> None:
        """What has another id than was asked for isn't it; and dots lead nowhere."""
        remote = self.remote(response(200, {"id": "2"}))
        self.assertEqual([], self.done(remote.search(CALL, Query(type=USER, ids=("1",)))).resources)
        self.assertEqual(
            [], self.done(remote.search(CALL, Query(type=USER, ids=("..",)))).resources
        )

    def test_dots(self) -> None:
        """An id that a server could take for another path is changed and removed nowhere."""
        changes = Changes(set={resolve(USER, "title"): "t"})
        for id in ("", ".", ".."):
            for patch in (True, False):
                remote = self.remote()
                self.client.answers[0] = response(200, {"patch": {"supported": patch}})
                for work in (
                    remote.delete(CALL, USER, id, None),
                    remote.modify(CALL, USER, id, changes, None),
                ):
                    self.failureResultOf(Deferred.fromCoroutine(work), NotFound)
                self.assertLessEqual(len(self.client.requests), 3)

    def test_failing_by_id(self) -> None:
        """What a read by id fails with is told as such, of one id or of several."""
        for ids in (("1",), ("1", "2")):
            remote = self.remote(*[response(400, {"scimType": "invalidValue"})] * 2)
            self.client.answers[0] = response(200, {"filter": {"supported": False}})
            work = remote.search(CALL, Query(type=USER, ids=ids))
            self.failureResultOf(Deferred.fromCoroutine(work), InvalidValue)

    def test_odd_meta(self) -> None:
        """A meta that is no object says nothing."""
        odd: list[Any] = ["x", None, [], 7]
        for meta in odd:
            remote = self.remote(response(200, {"id": "1", "meta": meta}))
            (found,) = self.done(remote.search(CALL, Query(type=USER, ids=("1",)))).resources
            self.assertIsNone(found.version)

    def test_long(self) -> None:
        """A query too long for a URL is posted, and may be again; the other side's word counts."""
        title = resolve(USER, "title")
        long = Query(
            type=USER,
            filter=filters.parse(f'title eq "{"x" * 9000}"', USER),
            attributes=frozenset({title}),
            start_index=2,
            count=3,
        )
        short = evolve(long, filter=filters.parse('title eq "x"', USER))
        found = response(200, {"totalResults": 0})
        for query, answers in ((long, [found]), (short, [response(414), found])):
            self.done(self.remote(*answers).search(CALL, query))
            last = self.client.requests[-1]
            self.assertEqual(
                ("POST", "/Users/.search", True), (last.method, last.path, last.repeatable)
            )
            sent = json.loads(last.body or b"")
            self.assertEqual(
                {
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                    "attributes": ["id", "meta", "title"],
                    "filter": str(query.filter),
                    "startIndex": 2,
                    "count": 3,
                },
                sent,
            )

    def test_too_long(self) -> None:
        """Where queries can't be posted, one that is too long for a URL is refused."""
        query = Query(type=USER, filter=filters.parse(f'title eq "{"x" * 9000}"', USER))
        for status in (404, 405, 501):
            work = self.remote(response(status)).search(CALL, query)
            error = self.failureResultOf(Deferred.fromCoroutine(work), InvalidFilter).value
            self.assertIn("too long", str(error))

    def test_empty_patch(self) -> None:
        """Changes that leave nothing to say aren't sent."""
        remote = self.remote()
        urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
        display = resolve(USER, f"{urn}:manager.displayName")
        stored = self.done(
            remote.modify(CALL, USER, "1", Changes(clear=frozenset({display})), None)
        )
        self.assertEqual("1", stored.id)
