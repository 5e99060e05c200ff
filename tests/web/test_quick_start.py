"""The quick start of the original's document, as it is typed into a browser."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

from tests.web.world import BASE, ENTERPRISE, WebCase

DATA = Path(__file__).parent.parent.parent / "connectors" / "loki" / "test-resources.json"
PREFIXES = ("", "/scim", "/v2", "/scim/v2", "/clientA", "/clientA/scim", "/clientA/scim/v2")


class QuickStartTests(WebCase):
    """Below every prefix the same."""

    def test_ping(self) -> None:
        """The health check says hello to everybody."""
        response = self.client.request("GET", "/ping", headers={"Authorization": None})
        self.assertEqual((200, b"hello"), (response.status, response.body))
        self.assertEqual("text/plain; charset=utf-8", response.headers["Content-Type"])

    def test_lists(self) -> None:
        """Two users and two groups are listed, whole, as the data have them."""
        documents = json.loads(DATA.read_text("utf-8"))
        for prefix in PREFIXES:
            for kind in ("Users", "Groups"):
                found = self.resources(f"{prefix}/{kind}")
                for document, resource in zip(documents[kind], found, strict=True):
                    meta = resource.pop("meta")
                    resource.pop("groups", None)
                    manager = resource.get(ENTERPRISE, {}).get("manager")
                    for reference in (*resource.get("members", ()), *filter(None, [manager])):
                        address = f"{BASE}{prefix}/Users/{reference['value']}"
                        self.assertEqual(address, reference.pop("$ref"))
                    document.pop("password", None)
                    self.assertEqual(document, resource)
                    self.assertEqual(f"{BASE}{prefix}/{kind}/{document['id']}", meta["location"])
                documents = json.loads(DATA.read_text("utf-8"))

    def test_one(self) -> None:
        """One user, or group, is read by its id, a user with its groups."""
        for prefix in PREFIXES:
            user = self.json(200, self.client.get(f"{prefix}/Users/bjensen"))
            group = {"value": "Admins", "type": "direct", "display": "Admins"}
            address = f"{BASE}{prefix}/Groups/Admins"
            self.assertEqual([{**group, "$ref": address}], user["groups"])
            self.assertEqual(
                "Employees",
                self.json(200, self.client.get(f"{prefix}/Groups/Employees"))["displayName"],
            )

    def test_filters(self) -> None:
        """The document's filters and attributes work, escaped by browsers or by hand."""
        name = quote('userName eq "bjensen"')
        mail = quote('emails.value eq "bjensen@example.com"')
        for prefix in PREFIXES:
            (user,) = self.resources(
                f"{prefix}/Users?filter={name}&attributes=userName,id,name.givenName"
            )
            self.assertEqual(
                ("bjensen", "bjensen", {"givenName": "Barbara"}),
                (user["id"], user["userName"], user["name"]),
            )
            self.assertEqual({"schemas", "id", "userName", "name"}, set(user))
            (user,) = self.resources(
                f"{prefix}/Users?filter={mail}&attributes=userName,phoneNumbers"
            )
            self.assertEqual({"schemas", "id", "userName", "phoneNumbers"}, set(user))
        self.assertEqual(["bjensen"], self.names("/Users?filter=userName+eq+%22bjensen%22"))
        self.assertEqual(["bjensen"], self.names("/Users/?filter=userName%20eq%20bjensen"))

    def test_own_store(self) -> None:
        """A second base entity has a store of its own."""
        self.empty(204, self.client.delete("/clientA/Users/jsmith"))
        self.assertEqual(["bjensen"], self.names("/clientA/Users"))
        self.assertEqual(["bjensen", "jsmith"], self.names("/Users"))
