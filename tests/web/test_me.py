"""Who one is: RFC 7644 section 3.11; and what no schema has."""

from __future__ import annotations

from scimgw.scim.bulk import BULK_REQUEST
from scimgw.scim.schema import GROUP
from scimgw.web.root import Limits
from tests.fakes.memory import MemoryConnector
from tests.web.world import BASE, ENTERPRISE, WebCase


class MeTests(WebCase):
    """/Me."""

    def be(self, name: str) -> None:
        """Serve the document store to somebody who is one of its users."""
        self.serve(self.loki(), Limits(me={"gwadmin": name}))

    def test_nobody(self) -> None:
        """Without a user for the identity, or without users, /Me is 501."""
        self.error(501, self.client.get("/Me"))
        self.serve(MemoryConnector(resource_types=(GROUP,)), Limits(me={"gwadmin": "x"}))
        self.error(501, self.client.get("/Me"))

    def test_read(self) -> None:
        """/Me is the user, whose own address is told."""
        self.be("BJensen")
        response = self.client.get("/scim/v2/Me?attributes=userName,meta")
        user = self.json(200, response)
        self.assertEqual("bjensen", user["userName"])
        address = f"{BASE}/scim/v2/Users/bjensen"
        self.assertEqual(
            (address, address), (user["meta"]["location"], response.headers["Location"])
        )

    def test_written(self) -> None:
        """/Me is changed, replaced and deleted as the user is."""
        self.be("bjensen")
        self.json(200, self.client.patch("/Me", {"op": "replace", "path": "title", "value": "x"}))
        self.assertEqual("x", self.json(200, self.client.get("/Users/bjensen"))["title"])
        response = self.client.put("/Me", {"userName": "bjensen", "title": "y"})
        self.assertEqual("y", self.json(200, response)["title"])
        self.empty(204, self.client.delete("/Me"))
        self.error(404, self.client.get("/Users/bjensen"))
        self.error(404, self.client.get("/Me"))

    def test_methods(self) -> None:
        """Nobody is made at /Me, and nothing is below it."""
        self.be("bjensen")
        self.error(405, self.client.post("/Me", {"userName": "x"}))
        self.error(404, self.client.get("/Me/x"))
        self.assertIn("PATCH", self.empty(204, self.client.request("OPTIONS", "/Me"))["Allow"])

    def test_credentials(self) -> None:
        """Who hasn't said who it is isn't anybody."""
        self.be("bjensen")
        self.error(401, self.client.request("GET", "/Me", headers={"Authorization": None}))


class UnknownAttributeTests(WebCase):
    """What no schema has."""

    def strict(self) -> None:
        """Refuse it."""
        self.serve(self.loki(), Limits(reject_unknown=True))

    def test_refused(self) -> None:
        """Where it is to be refused, it is told by its name."""
        self.strict()
        for body, name in (
            ({"userName": "x", "nope": 1}, "nope"),
            ({"userName": "x", "name": {"nope": 1}}, "name.nope"),
            ({"userName": "x", ENTERPRISE: {"nope": 1}}, "nope"),
            ({"userName": "x", "schemas": ["urn:x:nope"]}, "urn:x:nope"),
        ):
            detail = self.error(400, self.client.post("/Users", body), "invalidSyntax")
            self.assertIn(name, detail)
            self.error(400, self.client.put("/Users/bjensen", body), "invalidSyntax")
        self.assertEqual(2, len(self.names("/Users")))

    def test_refused_in_patch(self) -> None:
        """A PATCH that names it is refused whole."""
        self.strict()
        good = {"op": "replace", "path": "title", "value": "x"}
        for bad in (
            {"op": "add", "path": "nope", "value": 1},
            {"op": "add", "value": {"nope": 1}},
            {"op": "add", "path": "emails", "value": [{"value": "x", "nope": 1}]},
        ):
            response = self.client.patch("/Users/bjensen", good, bad)
            self.assertIn("nope", self.error(400, response, "invalidPath"))
        self.assertEqual("Tour Guide", self.json(200, self.client.get("/Users/bjensen"))["title"])

    def test_refused_in_bulk(self) -> None:
        """In bulk, the operation that names it is refused alone."""
        self.strict()
        operations = [
            {
                "method": "POST",
                "path": "/Users",
                "bulkId": name,
                "data": {"userName": name, name: 1},
            }
            for name in ("nope", "title")
        ]
        operations[1]["data"] = {"userName": "fine"}
        message = {"schemas": [BULK_REQUEST], "Operations": operations}
        body = self.json(200, self.client.post("/Bulk", message))
        self.assertEqual(["400", "201"], [each["status"] for each in body["Operations"]])

    def test_known(self) -> None:
        """What schemas have is taken as ever."""
        self.strict()
        user = self.json(200, self.client.get("/Users/bjensen"))
        self.json(200, self.client.put("/Users/bjensen", user))
