"""What the restful connector makes of requests and answers."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from connectors.restful import Config, RestfulConnector, ask, failure, write
from connectors.restful.learn import ASSUMED, read
from connectors.restful.read import listed, to_resource, to_version
from connectors.restful.remote import Remote
from scimgw.clients.http import HttpClient, Request, Response
from scimgw.config.structure import Misfits, structure
from scimgw.connector import NO_ENTITY, Call, Principal, Support
from scimgw.errors import (
    BadGateway,
    Conflict,
    Forbidden,
    InvalidFilter,
    InvalidValue,
    Mutability,
    NotFound,
    ScimError,
    Unauthorized,
    Uniqueness,
)
from scimgw.scim import filter as filters
from scimgw.scim.changes import Changes
from scimgw.scim.filter import Operator, parse_path
from scimgw.scim.path import resolve
from scimgw.scim.project import projection
from scimgw.scim.query import Query, Sort
from scimgw.scim.schema import GROUP, USER
from scimgw.secret import Secret
from tests.fakes.services import in_memory

HOSTILE = 'a/../b?c=d&e#f%2F"\\ü\r\n'
CALL = Call(entity=NO_ENTITY, principal=Principal("x"), request_id="r-1", deadline=1e9)


def response(status: int, body: Any = None, **headers: str) -> Response:
    """Make an answer of the other side."""
    content = b"" if body is None else json.dumps(body).encode()
    return Response(status=status, headers=headers, body=content)


class AskTests(SynchronousTestCase):
    """Queries on the wire."""

    def sent(self, query: Query) -> Mapping[str, list[str]]:
        """Give the parameters as a server reads them."""
        url = urlsplit(ask.with_parameters("/Users", ask.parameters(query)))
        self.assertEqual("/Users", url.path)
        return parse_qs(url.query, strict_parsing=True, keep_blank_values=True)

    def test_filter(self) -> None:
        """A value of a filter stays one value, whatever it holds."""
        text = f"userName eq {json.dumps(HOSTILE)}"
        query = Query(type=USER, filter=filters.parse(text, USER), start_index=3, count=2)
        sent = self.sent(query)
        self.assertEqual({"filter", "startIndex", "count"}, set(sent))
        self.assertEqual(query.filter, filters.parse(sent["filter"][0], USER))
        self.assertEqual((["3"], ["2"]), (sent["startIndex"], sent["count"]))

    def test_id(self) -> None:
        """An id stays one segment of the path."""
        path = ask.item("/Users", HOSTILE)
        self.assertEqual(2, path.count("/"))
        self.assertEqual(HOSTILE, unquote(path.rpartition("/")[2]))
        self.assertTrue(path.isascii())

    def test_sort(self) -> None:
        """The order is asked for by path and direction."""
        query = Query(type=USER, sort=Sort(resolve(USER, "name.familyName"), descending=True))
        expected = {"sortBy": ["name.familyName"], "sortOrder": ["descending"]}
        self.assertEqual(expected, self.sent(query))

    def test_projection(self) -> None:
        """Attributes are named, or those left out, whichever is shorter."""
        for attributes, excluded, expected in (
            ("userName", "", {"attributes": ["id,meta,userName"]}),
            ("", "groups", {"excludedAttributes": ["groups"]}),
            ("name.givenName", "", {"attributes": ["id,meta,name.givenName"]}),
        ):
            wanted = projection(USER, attributes, excluded).fetching(frozenset())
            self.assertEqual(expected, self.sent(Query(type=USER, attributes=wanted)))

    def test_many_ids(self) -> None:
        """Many ids are asked for in parts that fit into URLs."""
        ids = [f"{HOSTILE}{number}" for number in range(500)]
        parts = list(ask.by_ids(USER, ids, 200))
        self.assertEqual(500, sum(count for _, count in parts))
        longest = max(len(ask.with_parameters("", {"filter": str(each)})) for each, _ in parts)
        self.assertLess(longest, 8000)
        self.assertEqual([3, 3, 1], [count for _, count in ask.by_ids(USER, "abcdefg", 3)])


class ReadTests(SynchronousTestCase):
    """Resources of the other side."""

    def setUp(self) -> None:
        """Begin without anything left out."""
        self.told: list[str] = []

    def test_names(self) -> None:
        """Names become canonical; what no schema of ours has is left out."""
        found = to_resource(
            USER,
            {
                "ID": "no",
                "id": "1",
                "USERNAME": "a",
                "name": {"GIVENNAME": "b", "x": 1},
                "urn:x": {},
                "emails": {"value": "one"},
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user": {"department": "d"},
                "meta": {
                    "version": 'W/"1"',
                    "location": "http://elsewhere",
                    "resourceType": "User",
                },
            },
            self.told.append,
        )
        enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
        self.assertEqual("a", found.data["userName"])
        self.assertEqual({"givenName": "b"}, found.data["name"])
        self.assertEqual([{"value": "one"}], found.data["emails"])
        self.assertEqual({"department": "d"}, found.data[enterprise])
        self.assertEqual({"version": 'W/"1"', "resourceType": "User"}, found.data["meta"])
        self.assertEqual([USER.schema.id, enterprise], found.data["schemas"])
        self.assertEqual([], self.told)

    def test_misfits(self) -> None:
        """A value of the wrong type is left out, and told."""
        document = {
            "id": "1",
            "active": 7,
            "name": "x",
            "emails": [{"value": 1}, None],
            "title": "",
        }
        found = to_resource(USER, document, self.told.append)
        self.assertEqual({"id", "schemas"}, set(found.data))
        self.assertEqual(["active", "name", "emails.value"], self.told)

    def test_no_resource(self) -> None:
        """What has no id is none."""
        documents: list[Any] = [None, [], "x", {}, {"id": 1}, {"id": ""}]
        for document in documents:
            with self.assertRaises(BadGateway):
                to_resource(USER, document, self.told.append)

    def test_no_list(self) -> None:
        """What has no resources or no total is no list."""
        self.assertEqual(([], 0), listed({"totalResults": 0}))
        answers: list[Any] = [
            None,
            [],
            {},
            {"totalResults": "1"},
            {"totalResults": 1, "Resources": 1},
        ]
        for answer in answers:
            with self.assertRaises(BadGateway):
                listed(answer)

    def test_version(self) -> None:
        """Versions are weak, whatever the other side's are."""
        for tag, expected in (('W/"a"', 'W/"a"'), ('"a"', 'W/"a"'), ("a", 'W/"a"'), ("", None)):
            self.assertEqual(expected, to_version(tag))


class LearnTests(SynchronousTestCase):
    """What a server says of itself."""

    def test_nothing(self) -> None:
        """One that says nothing filters and patches, as the standard has it."""
        answers: list[tuple[Any, Any, Any]] = [(None, None, None), ([], 1, "x"), ({}, {}, {})]
        for said in answers:
            learnt = read(*said)
            self.assertTrue(learnt.patch and learnt.filter)
            self.assertFalse(learnt.sort or learnt.etag)
            self.assertIs(Support.EXACT, learnt.support(USER, resolve(USER, "userName")))

    def test_odd(self) -> None:
        """What doesn't look as it should is ignored."""
        config = {"patch": True, "filter": {"supported": "yes", "maxResults": "9"}, "sort": None}
        types = [
            {"name": "User", "endpoint": "//evil.example/x", "schema": "s"},
            {"name": "Group", "endpoint": "/Groups/../../admin", "schema": 1},
            {"name": 1},
            7,
        ]
        learnt = read(config, {"Resources": types}, [{"id": "s", "attributes": "x"}])
        self.assertIsNone(learnt.max_results)
        self.assertEqual("/evil.example/x", learnt.endpoint(USER))
        self.assertEqual("/Groups", learnt.endpoint(GROUP))

    def test_case(self) -> None:
        """Where the other side compares otherwise than we do, it finds too much, or isn't asked."""
        attributes = [
            {"name": "userName", "caseExact": True},
            {"name": "externalId", "caseExact": False},
            {"name": "title"},
            {"name": "active", "type": "boolean"},
            {"name": "emails", "subAttributes": [{"name": "value"}]},
        ]
        types = [{"name": "User", "schema": "S"}]
        learnt = read(None, types, [{"id": "s", "attributes": attributes}])
        for path, expected in (
            ("userName", Support.NO),
            ("externalId", Support.SUPERSET),
            ("title", Support.EXACT),
            ("active", Support.EXACT),
            ("emails.value", Support.EXACT),
            ("nickName", Support.NO),
            ("meta.created", Support.EXACT),
        ):
            self.assertIs(expected, learnt.support(USER, resolve(USER, path)), path)

    def test_capabilities(self) -> None:
        """What was learnt is declared."""
        path = resolve(USER, "userName")
        full = ASSUMED.capabilities(USER)
        self.assertTrue(full.versions and full.sort(path) and full.value_paths)
        poor = read({"filter": {"supported": False, "maxResults": 7}}, None, None).capabilities(
            USER
        )
        self.assertEqual((False, False, 7), (poor.versions, poor.sort(path), poor.max_count))
        self.assertIs(Support.NO, poor.filter(path, Operator.EQ))


class WriteTests(SynchronousTestCase):
    """Changes on the wire."""

    def operations(self, changes: Changes) -> list[Any]:
        """Give the operations of a PATCH."""
        found: list[Any] = write.to_patch(changes)["Operations"]
        return found

    def test_order(self) -> None:
        """What goes, goes first; a reference comes before what describes it."""
        title, nick = resolve(USER, "title"), resolve(USER, "nickName")
        urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
        value, ref = resolve(USER, f"{urn}:manager.value"), resolve(USER, f"{urn}:manager.$ref")
        changes = Changes(set={ref: "r", title: "t", value: "v"}, clear=frozenset({nick}))
        self.assertEqual(
            [("remove", "nickName"), ("replace", f"{urn}:manager.value")],
            [(each["op"], each["path"]) for each in self.operations(changes)][:2],
        )

    def test_members(self) -> None:
        """Members go by id, one operation each, whatever the id holds."""
        members = resolve(GROUP, "members")
        (operation,) = self.operations(Changes(remove={members: [{"value": HOSTILE}]}))
        self.assertEqual("remove", operation["op"])
        path = parse_path(operation["path"], GROUP)
        compared = filters.parse(f"members.value eq {json.dumps(HOSTILE)}", GROUP)
        self.assertEqual(str(compared).partition(" ")[2], str(path.filter).partition(" ")[2])

    def test_values(self) -> None:
        """A value is told from others by value and type, also by having none."""
        emails = resolve(USER, "emails")
        gone = [{"value": "a", "type": "work"}, {"value": "b"}]
        self.assertEqual(
            ['emails[value eq "a" and type eq "work"]', 'emails[value eq "b" and not (type pr)]'],
            [each["path"] for each in self.operations(Changes(remove={emails: gone}))],
        )

    def test_without_value(self) -> None:
        """Values that no filter tells apart are written whole."""
        addresses = resolve(USER, "addresses")
        home, work = {"type": "home", "country": "NO"}, {"type": "work"}
        changes = Changes(remove={addresses: [home]}, add={addresses: [{"type": "other"}]})
        self.assertEqual({addresses}, write.without_address(changes))
        current = to_resource(USER, {"id": "1", "addresses": [home, work]}, self.fail)
        (operation,) = write.to_patch(changes, current)["Operations"]
        self.assertEqual(
            {"op": "replace", "path": "addresses", "value": [work, {"type": "other"}]}, operation
        )
        alone = Changes(remove={addresses: [home, work]})
        (operation,) = write.to_patch(alone, current)["Operations"]
        self.assertEqual({"op": "remove", "path": "addresses"}, operation)

    def test_put_keeps(self) -> None:
        """What only the other side knows stays; what is readOnly isn't sent."""
        document = {"id": "1", "userName": "a", "groups": [{"value": "g"}], "urn:x": {"y": 1}}
        current = to_resource(USER, document, self.fail)
        body = write.to_put(current, document, Changes(set={resolve(USER, "title"): "t"}))
        self.assertEqual(
            {"userName": "a", "title": "t", "urn:x": {"y": 1}, "schemas": [USER.schema.id]}, body
        )


class FailureTests(SynchronousTestCase):
    """What the other side's failures mean."""

    def failure(self, answer: Response, **how: bool) -> ScimError:
        """Give what is raised."""
        with self.assertRaises(ScimError) as raised:
            failure.check(answer, **how)
        found: ScimError = raised.exception
        return found

    def test_translated(self) -> None:
        """Status and scimType tell; a scimType that doesn't fit its status doesn't."""
        rows: list[tuple[int, str | None, type[ScimError]]] = [
            (400, "invalidFilter", InvalidFilter),
            (400, "MUTABILITY", Mutability),
            (409, "uniqueness", Uniqueness),
            (409, None, Conflict),
            (412, None, Conflict),
            (404, None, NotFound),
            (404, "uniqueness", NotFound),
            (500, "invalidFilter", BadGateway),
            (500, None, BadGateway),
            (418, None, BadGateway),
        ]
        for status, scim_type, expected in rows:
            found = self.failure(response(status, {"scimType": scim_type, "detail": "why"}))
            self.assertIs(expected, type(found))
            self.assertIn("why", found.detail)

    def test_creating(self) -> None:
        """A conflict at a creation is one of uniqueness."""
        self.assertIs(Uniqueness, type(self.failure(response(409), creating=True)))

    def test_credentials(self) -> None:
        """The gateway's own credentials are its own business, a client's own the client's."""
        for status, expected in ((401, Unauthorized), (403, Forbidden)):
            answer = response(status, {"detail": "user gateway has a wrong password"})
            found = self.failure(answer)
            self.assertIs(BadGateway, type(found))
            self.assertNotIn("gateway has", found.detail)
            self.assertIs(expected, type(self.failure(answer, passed=True)))

    def test_detail(self) -> None:
        """What the other side says stays on one line, and is short."""
        found = self.failure(response(404, {"detail": "a\r\nb\x1b" + "x" * 1000}))
        self.assertTrue(found.detail.isprintable())
        self.assertLess(len(found.detail), 400)
        bodies: list[Any] = [None, [], {"detail": 1, "scimType": 1}]
        for body in bodies:
            self.assertIn("404", self.failure(response(404, body)).detail)

    def test_good(self) -> None:
        """A good answer passes."""
        failure.check(response(204))


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


class ConfigTests(SynchronousTestCase):
    """The plugin file."""

    def test_shipped(self) -> None:
        """The shipped file makes a connector, without a connection."""
        root = FilePath(__file__).parent.parent.parent
        document = json.loads((root / "etc/plugin-restful.json").read_text())
        config = structure(document["endpoint"], Config, "$")
        self.assertEqual({NO_ENTITY, "clientA"}, set(config.entity))
        services = evolve(in_memory(Clock()), reactor=Clock(), random=os.urandom)
        connector = RestfulConnector(config, services)
        elsewhere = evolve(CALL, entity="nobody")
        self.failureResultOf(Deferred.fromCoroutine(connector.learn(elsewhere)), NotFound)

    def test_version(self) -> None:
        """SCIM 1.1 isn't spoken yet."""
        for version, expected in (("1.1", "1.1 isn't supported yet"), ("3", "must be '2.0'")):
            said = {"entity": {"undefined": {"baseUrls": ["http://x"], "scimVersion": version}}}
            with self.assertRaises(Misfits) as raised:
                structure(said, Config, "$")
            (fault,) = raised.exception.found
            self.assertEqual(
                ("$.entity.undefined.scimVersion", expected), (fault.path, fault.fault)
            )
