"""Bulk over HTTP: RFC 7644 section 3.7."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock, deferLater

from scimgw.connector import Call
from scimgw.errors import PartialWrite, Unavailable
from scimgw.scim.bulk import BULK_REQUEST, BULK_RESPONSE
from scimgw.scim.patch import PATCH_OP
from scimgw.scim.resource import Resource
from scimgw.scim.schema import ResourceType
from scimgw.testing.client import Connection
from scimgw.web.root import Limits
from tests.fakes.memory import POOR, MemoryConnector
from tests.web.world import BASE, ENTERPRISE, WebCase

Json = dict[str, Any]


def user(bulk_id: str, name: str, **data: Any) -> Json:
    """Write the creation of a user."""
    return {
        "method": "POST",
        "path": "/Users",
        "bulkId": bulk_id,
        "data": {"userName": name, **data},
    }


def group(bulk_id: str, *members: str, **data: Any) -> Json:
    """Write the creation of a group."""
    return {
        "method": "POST",
        "path": "/Groups",
        "bulkId": bulk_id,
        "data": {"displayName": bulk_id, "members": [{"value": each} for each in members], **data},
    }


class BulkCase(WebCase):
    """Posts bulk requests."""

    def bulk(self, *operations: Json, path: str = "/Bulk", **members: Any) -> list[Json]:
        """Post a bulk request, and give the results."""
        message = {"schemas": [BULK_REQUEST], "Operations": list(operations), **members}
        body = self.json(200, self.client.post(path, message))
        self.assertEqual([BULK_RESPONSE], body["schemas"])
        found: list[Json] = body["Operations"]
        return found

    def at(self, result: Json) -> Json:
        """Read what a result is about."""
        found: Json = self.json(200, self.client.get(result["location"].removeprefix(BASE)))
        return found

    def statuses(self, results: list[Json]) -> list[str]:
        """Give the statuses of results."""
        return [each["status"] for each in results]

    def members(self, result: Json) -> set[str]:
        """Give the ids of a group's members."""
        return {each["value"] for each in self.at(result).get("members", ())}


class BulkTests(BulkCase):
    """What becomes of operations."""

    def test_every_method(self) -> None:
        """Each method works on each type; results come in order, with address and version."""
        results = self.bulk(
            user("u", "new", title="t"),
            {"method": "PUT", "path": "/Users/jsmith", "data": {"userName": "js"}},
            {
                "method": "PATCH",
                "path": "/Groups/Employees",
                "data": {
                    "schemas": [PATCH_OP],
                    "Operations": [{"op": "replace", "path": "displayName", "value": "A"}],
                },
            },
            {"method": "DELETE", "path": "/Users/bjensen"},
        )
        self.assertEqual(["201", "200", "200", "204"], self.statuses(results))
        self.assertEqual(["POST", "PUT", "PATCH", "DELETE"], [each["method"] for each in results])
        self.assertEqual("u", results[0]["bulkId"])
        for result in results[:3]:
            self.assertEqual(self.at(result)["meta"]["version"], result["version"])
            self.assertNotIn("response", result)
        self.assertEqual("t", self.at(results[0])["title"])
        self.assertEqual("js", self.at(results[1])["userName"])
        self.assertEqual("A", self.at(results[2])["displayName"])
        self.assertEqual(f"{BASE}/Users/bjensen", results[3]["location"])
        self.error(404, self.client.get("/Users/bjensen"))

    def test_below_a_prefix(self) -> None:
        """A base entity has bulk of its own."""
        (result,) = self.bulk(user("u", "new"), path="/clientA/scim/v2/Bulk")
        self.assertTrue(result["location"].startswith(f"{BASE}/clientA/scim/v2/Users/"))
        self.assertEqual([], self.names('/Users?filter=userName%20eq%20"new"'))

    def test_one_by_one(self) -> None:
        """A faulty operation takes no other down, and is told with its error."""
        results = self.bulk(
            user("a", "bjensen"),
            {"method": "GET", "path": "/Users"},
            {"method": "DELETE", "path": "/Users/nobody"},
            user("b", "b", active="banana"),
            user("c", "c"),
        )
        self.assertEqual(["409", "400", "404", "400", "201"], self.statuses(results))
        self.assertEqual("uniqueness", results[0]["response"]["scimType"])
        self.assertNotIn("location", results[0])
        self.assertEqual(f"{BASE}/Users/nobody", results[2]["location"])
        self.assertIn("active", results[3]["response"]["detail"])
        self.assertEqual("c", self.at(results[4])["userName"])

    def test_fail_on_errors(self) -> None:
        """After so many errors no more operations are run, nor told of."""
        operations = [user("a", "bjensen"), user("b", "b"), user("c", "jsmith"), user("d", "d")]
        self.assertEqual(["409"], self.statuses(self.bulk(*operations, failOnErrors=1)))
        results = self.bulk(*operations, failOnErrors=2)
        self.assertEqual(["409", "201", "409"], self.statuses(results))
        self.assertEqual(
            2, len([each for each in self.names("/Users") if each in {"b", "bjensen"}])
        )

    def test_versions(self) -> None:
        """An operation may demand a version."""
        version = self.json(200, self.client.get("/Users/bjensen"))["meta"]["version"]
        change = {"method": "PUT", "path": "/Users/bjensen", "data": {"userName": "bjensen"}}
        results = self.bulk(
            {**change, "version": 'W/"other"'},
            {**change, "version": version},
            {**change, "version": version},
        )
        self.assertEqual(["412", "200", "412"], self.statuses(results))

    def test_unknown_attributes(self) -> None:
        """What no schema has is ignored, as it is elsewhere."""
        (result,) = self.bulk(user("a", "a", nope=1))
        self.assertEqual("201", result["status"])

    def test_methods(self) -> None:
        """A bulk request is posted, and there is nothing below it."""
        self.error(405, self.client.get("/Bulk"))
        self.error(404, self.client.post("/Bulk/x", {}))

    def test_unexpected(self) -> None:
        """A bug of one operation is told of by number only, and takes no other down."""
        self.serve(Broken(POOR))
        results = self.bulk(user("a", "bug"), user("b", "b"))
        self.assertEqual(["500", "201"], self.statuses(results))
        self.assertNotIn("secret", str(results))
        self.assertEqual(1, len(self.flushLoggedErrors(RuntimeError)))

    def test_partial(self) -> None:
        """What was applied half-way is told."""
        self.serve(Broken(POOR))
        (result,) = self.bulk(user("a", "half"))
        self.assertIn("not applied: y", result["response"]["detail"])

    def test_client_leaves(self) -> None:
        """A bulk request is carried out whole when its client leaves."""
        connector = Slow(POOR)
        connector.clock = self.clock
        self.serve(connector)
        connection = Connection(self.site)
        body = {"schemas": [BULK_REQUEST], "Operations": [user("a", "a"), user("b", "b")]}
        connection.send(self.client.encoded("POST", "/Bulk", body))
        connection.lose()
        self.assertEqual([], self.names("/Users"))
        self.clock.pump([1] * 5)
        self.assertEqual(["a", "b"], self.names("/Users"))


class Slow(MemoryConnector):
    """Takes a second to create."""

    clock: Clock

    async def create(self, call: Call, type: ResourceType, resource: Resource) -> Any:
        """Wait."""
        await deferLater(self.clock, 1)
        return await MemoryConnector.create(self, call, type, resource)


class Broken(MemoryConnector):
    """Fails in the ways in which an endpoint can."""

    async def create(self, call: Call, type: ResourceType, resource: Resource) -> Any:
        """Fail by name."""
        name = resource.data.get("userName")
        if name == "bug":
            raise RuntimeError("secret")
        if name == "half":
            raise PartialWrite("half-way", ["x"], ["y"])
        return await MemoryConnector.create(self, call, type, resource)

    async def modify(self, *arguments: Any) -> Any:
        """Fail."""
        raise Unavailable("the endpoint is away")


class LimitTests(BulkCase):
    """How much is too much."""

    def test_operations(self) -> None:
        """More operations than announced are 413, and none is run."""
        self.serve(self.loki(), Limits(max_operations=2))
        announced = self.json(200, self.client.get("/ServiceProviderConfig"))["bulk"]
        self.assertEqual((True, 2), (announced["supported"], announced["maxOperations"]))
        operations = [user(str(n), str(n)) for n in range(3)]
        message = {"schemas": [BULK_REQUEST], "Operations": operations}
        self.assertIn("2", self.error(413, self.client.post("/Bulk", message)))
        self.assertNotIn("0", self.names("/Users"))

    def test_size(self) -> None:
        """A larger body than announced is 413."""
        self.serve(self.loki(), Limits(max_body=2000))
        announced = self.json(200, self.client.get("/ServiceProviderConfig"))["bulk"]
        self.assertEqual(2000, announced["maxPayloadSize"])
        message = {"schemas": [BULK_REQUEST], "Operations": [user("a", "a" * 2000)]}
        self.error(413, self.client.post("/Bulk", message))

    def test_not_a_bulk_request(self) -> None:
        """Another message is refused as a whole."""
        for body in ({}, {"schemas": [BULK_REQUEST]}, b"[1]"):
            self.error(400, self.client.post("/Bulk", body), "invalidSyntax")


class ReferenceTests(BulkCase):
    """What refers to what is made in the same request."""

    def test_backward_and_forward(self) -> None:
        """A group may stand before and behind its members."""
        results = self.bulk(
            group("g", "bulkId:a", "bulkId:b", "bjensen"),
            user("a", "a"),
            user("b", "b", **{ENTERPRISE: {"manager": {"value": "bulkId:a"}}}),
            group("h", "bulkId:b"),
        )
        self.assertEqual(["201"] * 4, self.statuses(results))
        ids = [self.at(each)["id"] for each in results]
        self.assertEqual({ids[1], ids[2], "bjensen"}, self.members(results[0]))
        self.assertEqual({ids[2]}, self.members(results[3]))
        self.assertEqual(ids[1], self.at(results[2])[ENTERPRISE]["manager"]["value"])

    def test_in_paths(self) -> None:
        """What has just been made can be changed and deleted, and named in a value filter."""
        remove = {"op": "remove", "path": 'members[value eq "bulkId:a"]'}
        results = self.bulk(
            user("a", "a"),
            group("g", "bulkId:a", "bjensen"),
            {
                "method": "PATCH",
                "path": "/Groups/bulkId:g",
                "data": {"schemas": [PATCH_OP], "Operations": [remove]},
            },
            {"method": "DELETE", "path": "/Users/bulkId:a"},
        )
        self.assertEqual(["201", "201", "200", "204"], self.statuses(results))
        self.assertEqual({"bjensen"}, self.members(results[1]))
        self.assertEqual(results[0]["location"], results[3]["location"])

    def test_circle(self) -> None:
        """Groups that are members of each other are both made, whole."""
        results = self.bulk(group("g", "bulkId:h", "bjensen"), group("h", "bulkId:g"))
        self.assertEqual(["201", "201"], self.statuses(results))
        ids = [self.at(each)["id"] for each in results]
        self.assertEqual({ids[1], "bjensen"}, self.members(results[0]))
        self.assertEqual({ids[0]}, self.members(results[1]))
        self.assertEqual(
            [each["version"] for each in results],
            [self.at(each)["meta"]["version"] for each in results],
        )

    def test_broken_circle(self) -> None:
        """Who was made without a reference is told so if what it refers to failed."""
        results = self.bulk(
            group("g", "bulkId:h", displayName=""), group("h", "bulkId:g", "bjensen")
        )
        self.assertEqual(["400", "409"], self.statuses(results))
        self.assertIn("'g'", results[1]["response"]["detail"])
        self.assertEqual({"bjensen"}, self.members(results[1]))

    def test_circle_that_cant_be_closed(self) -> None:
        """A reference that can't be added afterwards is told as that operation's error."""
        self.serve(Broken(POOR))
        results = self.bulk(group("g", "bulkId:h"), group("h", "bulkId:g"))
        self.assertEqual(["201", "503"], self.statuses(results))
        self.assertEqual(set(), self.members(results[1]))

    def test_circle_of_changes(self) -> None:
        """Only what is made can be made whole later; a change in a circle is 409."""
        change = {
            "method": "PUT",
            "path": "/Groups/Admins",
            "bulkId": "p",
            "data": {"displayName": "A", "members": [{"value": "bulkId:g"}]},
        }
        results = self.bulk(group("g", "bulkId:p"), change)
        self.assertEqual(["409", "409"], self.statuses(results))
        self.assertEqual(f"{BASE}/Groups/Admins", results[1]["location"])

    def test_failed(self) -> None:
        """What refers to what failed is 409, and to what isn't there 400."""
        results = self.bulk(
            user("a", "bjensen"),
            group("g", "bulkId:a"),
            group("h", "bulkId:nobody"),
            {"method": "DELETE", "path": "/Users/bulkId:a"},
        )
        self.assertEqual(["409", "409", "400", "409"], self.statuses(results))
        self.assertIn("'a'", results[1]["response"]["detail"])
        self.assertIn("'nobody'", results[2]["response"]["detail"])
        self.assertNotIn("location", results[3])
