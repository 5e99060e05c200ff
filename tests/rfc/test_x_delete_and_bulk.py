"""X and K: deletion, bulk."""

from __future__ import annotations

from typing import Any

from scimgw.scim.bulk import BULK_REQUEST, BULK_RESPONSE
from scimgw.web.root import Limits
from tests.rfc.case import MUST, SHOULD, RfcCase, add, replace, row
from tests.web.world import BASE, ERROR, Json


class DeleteTests(RfcCase):
    """RFC 7644 section 3.6."""

    @row(MUST, "7644 3.6")
    def test_X01_deleted(self) -> None:
        """A deletion is 204 without a body."""
        self.empty(204, self.client.delete("/Users/bjensen"))
        self.empty(204, self.client.delete("/Groups/Admins"))

    @row(MUST, "7644 3.6")
    def test_X02_gone(self) -> None:
        """What was deleted is 404 for whatever is asked."""
        self.client.delete("/Users/bjensen")
        for response in (
            self.client.get("/Users/bjensen"),
            self.client.put("/Users/bjensen", {"userName": "bjensen"}),
            self.client.patch("/Users/bjensen", add("title", "t")),
            self.client.delete("/Users/bjensen"),
        ):
            self.error(404, response)

    @row(MUST, "7644 3.6")
    def test_X03_not_found(self) -> None:
        """What was deleted isn't found, and its userName is free."""
        self.client.delete("/Users/bjensen")
        self.assertEqual([], self.ids('userName eq "bjensen"'))
        self.assertNotEqual("bjensen", self.user("bjensen")["id"])

    @row(SHOULD, "7643 4.2")
    def test_X04_memberships(self) -> None:
        """Who was deleted is a member of nothing."""
        user = self.user()
        group = self.group("g", user["id"], "bjensen")
        self.client.delete(f"/Users/{user['id']}")
        self.assertEqual(["bjensen"], self.members(group))


def user(bulk_id: str, name: str) -> Json:
    """Write the creation of a user."""
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": {"userName": name}}


def group(bulk_id: str, *members: str) -> Json:
    """Write the creation of a group."""
    data = {"displayName": bulk_id, "members": [{"value": f"bulkId:{each}"} for each in members]}
    return {"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data}


class BulkTests(RfcCase):
    """RFC 7644 section 3.7."""

    def bulk(self, *operations: Json, **members: Any) -> list[Json]:
        """Post a bulk request."""
        message = {"schemas": [BULK_REQUEST], "Operations": list(operations), **members}
        body = self.json(200, self.client.post("/Bulk", message))
        self.assertEqual([BULK_RESPONSE], body["schemas"])
        results: list[Json] = body["Operations"]
        return results

    def statuses(self, results: list[Json]) -> list[str]:
        """Give the statuses."""
        return [each["status"] for each in results]

    def at(self, result: Json) -> Json:
        """Read what a result is about."""
        return self.read(result["location"].removeprefix(BASE))

    @row(MUST, "7644 3.7")
    def test_K01_results(self) -> None:
        """There is a result for each operation, in order, with method, address and bulkId."""
        message = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [replace("title", "t")],
        }
        results = self.bulk(
            user("u", "x"),
            {"method": "PATCH", "path": "/Users/bjensen", "data": message},
            {"method": "DELETE", "path": "/Groups/Admins"},
        )
        self.assertEqual(["201", "200", "204"], self.statuses(results))
        self.assertEqual(["POST", "PATCH", "DELETE"], [each["method"] for each in results])
        self.assertEqual("u", results[0]["bulkId"])
        self.assertEqual("x", self.at(results[0])["userName"])

    @row(MUST, "7644 3.7.2")
    def test_K02_references(self) -> None:
        """A bulkId refers also to what comes later."""
        results = self.bulk(group("g", "q"), user("q", "x"))
        self.assertEqual(["201", "201"], self.statuses(results))
        self.assertEqual(self.at(results[1])["id"], self.at(results[0])["members"][0]["value"])

    @row(MUST, "7644 3.7.1")
    def test_K03_circle(self) -> None:
        """Who refer to each other are both made."""
        results = self.bulk(group("a", "b"), group("b", "a"))
        self.assertEqual(["201", "201"], self.statuses(results))
        a, b = map(self.at, results)
        self.assertEqual((b["id"], a["id"]), (a["members"][0]["value"], b["members"][0]["value"]))

    @row(MUST, "7644 3.7, 3.7.3")
    def test_K04_one_fails(self) -> None:
        """An operation that fails stops no other, and tells its error."""
        results = self.bulk(user("a", "bjensen"), user("b", "new"))
        self.assertEqual(["409", "201"], self.statuses(results))
        self.assertEqual([ERROR], results[0]["response"]["schemas"])

    @row(MUST, "7644 3.7")
    def test_K05_fail_on_errors(self) -> None:
        """failOnErrors ends it after so many errors."""
        self.assertEqual(
            ["409"],
            self.statuses(self.bulk(user("a", "bjensen"), user("b", "new"), failOnErrors=1)),
        )
        self.assertEqual([], self.ids('userName eq "new"'))
        operations = [user("a", "bjensen"), user("b", "x"), user("c", "jsmith"), user("d", "y")]
        results = self.bulk(*operations, failOnErrors=2)
        self.assertEqual(["409", "201", "409"], self.statuses(results))
        self.assertEqual(["bjensen", "jsmith", "x"], self.names("/Users"))
        results = self.bulk(*operations)
        self.assertEqual(["409", "409", "409", "201"], self.statuses(results))

    @row(MUST, "7644 3.7.3")
    def test_K06_status(self) -> None:
        """A status is a string."""
        self.assertRegex(self.bulk(user("a", "new"))[0]["status"], r"\A\d{3}\Z")

    @row(MUST, "7644 3.7.4")
    def test_K07_too_much(self) -> None:
        """Too many operations, or too many bytes, are 413."""
        self.serve(self.loki(), Limits(max_operations=2, max_body=2000))
        message = {"schemas": [BULK_REQUEST], "Operations": [user(n, n) for n in "abc"]}
        self.error(413, self.client.post("/Bulk", message))
        message["Operations"] = [user("a", "a" * 2000)]
        self.error(413, self.client.post("/Bulk", message))
        self.assertEqual(["bjensen", "jsmith"], self.names("/Users"))

    @row(MUST, "7644 3.7")
    def test_K08_malformed(self) -> None:
        """What isn't a bulk request is 400, as is an operation that isn't one."""
        faulty: list[Any] = [None, [], ["x"], {}]
        for operations in faulty:
            message = {"schemas": [BULK_REQUEST], "Operations": operations}
            self.error(400, self.client.post("/Bulk", message), "invalidSyntax")
        results = self.bulk(
            {"method": "JUMP", "path": "/Users"},
            {"method": "POST", "path": "/Users", "data": {"userName": "x"}},
        )
        self.assertEqual(["400", "400"], self.statuses(results))

    @row(SHOULD, "7644 3.7")
    def test_K09_announced(self) -> None:
        """Bulk is announced, and so is how much of it."""
        announced = self.read("/ServiceProviderConfig")["bulk"]
        self.assertEqual(
            {"supported": True, "maxOperations": 1000, "maxPayloadSize": 1024**2}, announced
        )

    @row(MUST, "7644 3.7.3")
    def test_K10_bare_operations(self) -> None:
        """A PATCH may have its operations alone as data, as in the example of the RFC."""
        before = self.read("/Users/bjensen")
        operations = [{"op": "remove", "path": "nickName"}, add("title", "T")]
        entry = {"method": "PATCH", "path": "/Users/bjensen", "data": operations}
        results = self.bulk({**entry, "version": before["meta"]["version"]})
        self.assertEqual(["200"], self.statuses(results))
        after = self.at(results[0])
        self.assertEqual(after["meta"]["version"], results[0]["version"])
        self.assertEqual((False, "T"), ("nickName" in after, after["title"]))
        results = self.bulk({**entry, "version": before["meta"]["version"]})
        self.assertEqual(["412"], self.statuses(results))
