"""What the restful connector makes of requests and answers."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from connectors.restful import Config, RestfulConnector, ask, failure, write
from connectors.restful.learn import ASSUMED, read
from connectors.restful.read import listed, to_resource, to_version
from scimgw.clients.http import Response
from scimgw.config.structure import Misfits, structure
from scimgw.connector import NO_ENTITY, Call, Principal, Support
from scimgw.errors import (
    BadGateway,
    Conflict,
    Forbidden,
    InvalidFilter,
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

    def test_addresses(self) -> None:
        """The other side's addresses are kept only where they tell of what type a member is."""
        members = [
            {"value": "1", "$ref": "https://elsewhere/v2/Users/1"},
            {"value": "2", "$ref": "../Groups/2/"},
            {"value": "3", "type": "User", "$ref": "../Groups/3"},
            {"value": "4", "$ref": "https://elsewhere/Devices/4"},
            {"value": "5", "$ref": 5},
            {"$ref": "5"},
        ]
        found = to_resource(GROUP, {"id": "g", "members": members}, self.told.append)
        self.assertEqual(
            [
                {"value": "1", "$ref": "https://elsewhere/v2/Users/1"},
                {"value": "2", "$ref": "../Groups/2/"},
                {"value": "3", "type": "User"},
                {"value": "4"},
                {"value": "5"},
            ],
            found.data["members"],
        )
        group = {"value": "g", "$ref": "https://elsewhere/Groups/g"}
        user = to_resource(USER, {"id": "1", "groups": [group]}, self.told.append)
        self.assertEqual([{"value": "g"}], user.data["groups"])

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
