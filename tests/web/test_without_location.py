"""scim.skipMetaLocation: resources that are shown without their address."""

from __future__ import annotations

from scimgw.scim.bulk import BULK_REQUEST
from scimgw.web.root import Limits
from tests.web.world import BASE, WebCase


class WithoutLocationTests(WebCase):
    """Users, groups, and what isn't either."""

    def setUp(self) -> None:
        """Show no addresses."""
        super().setUp()
        self.serve(self.loki(), Limits(skip_meta_location=True))

    def test_resources(self) -> None:
        """No resource has its address in meta, which is otherwise as it is."""
        created = self.client.post("/Users", {"userName": "x"})
        user = self.json(201, created)
        self.assertEqual(f"{BASE}/Users/{user['id']}", created.headers["Location"])
        patched = self.client.patch(
            f"/Users/{user['id']}", {"op": "add", "path": "title", "value": "x"}
        )
        shown = [
            user,
            self.json(200, self.client.get(f"/Users/{user['id']}")),
            self.json(200, patched),
            self.json(200, self.client.put(f"/Users/{user['id']}", {"userName": "y"})),
            *self.resources("/Users"),
            *self.resources("/Groups"),
            *self.resources("/"),
            *self.json(200, self.client.get("/Users?cursor"))["Resources"],
        ]
        for each in shown:
            self.assertNotIn("location", each["meta"])
            self.assertIn("resourceType", each["meta"])
        for response in (created, patched, self.client.get("/Users/bjensen")):
            self.assertNotIn("Content-Location", response.headers)

    def test_asked(self) -> None:
        """It isn't there for who asks for it either."""
        user = self.json(200, self.client.get("/Users/bjensen?attributes=meta.location"))
        self.assertEqual({"schemas", "id"}, set(user))

    def test_others(self) -> None:
        """What finds resources keeps its addresses: discovery, the results of a bulk request."""
        for path in ("/ServiceProviderConfig", "/ResourceTypes/User"):
            self.assertIn("location", self.json(200, self.client.get(path))["meta"])
        operation = {"method": "POST", "path": "/Users", "bulkId": "1", "data": {"userName": "b"}}
        message = {"schemas": [BULK_REQUEST], "Operations": [operation]}
        (result,) = self.json(200, self.client.post("/Bulk", message))["Operations"]
        self.assertTrue(result["location"].startswith(f"{BASE}/Users/"))
