"""V: other clients."""

from __future__ import annotations

from scimgw.testing.client import Connection
from tests.rfc.case import IOP, RfcCase, add, remove, replace, row
from tests.web.world import BASE, CORE, Json

PLAIN = {"Content-Type": "application/json"}


class OtherClientTests(RfcCase):
    """What OneLogin, Google, Ping, Keycloak, authentik, SailPoint and others send."""

    @row(IOP, "OneLogin")
    def test_V01_empty_values(self) -> None:
        """Empty strings and lists are no values."""
        body = {"userName": "x", "active": True, "phoneNumbers": [], "title": "", "addresses": []}
        user = self.json(201, self.client.request("POST", "/Users", body, PLAIN))
        self.assertEqual({"schemas", "id", "userName", "active", "meta"}, set(user))

    @row(IOP, "OneLogin")
    def test_V02_custom_schema(self) -> None:
        """A schema that isn't known is ignored."""
        urn = "urn:scim:schemas:extension:custom:1.0"
        self.assertNotIn(urn, self.user(schemas=[CORE, urn], **{urn: {"a": "b"}}))

    @row(IOP, "OneLogin")
    def test_V03_groups(self) -> None:
        """Groups are listed, and members added as objects."""
        group = self.group()
        self.assertIn(group, self.resources("/Groups?startIndex=1&count=50"))
        self.patch(group, add("members", [{"value": "bjensen"}]))
        self.assertEqual(["bjensen"], self.members(group))

    @row(IOP, "Google Workspace")
    def test_V04_both_urns(self) -> None:
        """URNs of SCIM 1.1 and 2.0 may come together."""
        body = {"schemas": ["urn:scim:schemas:core:1.0", CORE], "userName": "x"}
        headers = {**PLAIN, "User-Agent": "Google-Auto-Provisioning"}
        user = self.json(201, self.client.request("POST", "/Users", body, headers))
        self.assertEqual([CORE], user["schemas"])

    @row(IOP, "Google Workspace")
    def test_V05_suspend(self) -> None:
        """A user is suspended by PUT."""
        user = self.user(active=True)
        body = {"userName": "x", "active": False}
        found = self.json(200, self.client.request("PUT", f"/Users/{user['id']}", body, PLAIN))
        self.assertIs(False, found["active"])

    @row(IOP, "Ping")
    def test_V06_match(self) -> None:
        """Users are matched by name and by e-mail, also without quotes."""
        for text in (
            'userName eq "bjensen"',
            "userName eq bjensen",
            'emails eq "babs@jensen.org"',
            'emails.value eq "babs@jensen.org"',
        ):
            self.assertEqual(["bjensen"], self.ids(text))

    @row(IOP, "Ping")
    def test_V07_remove(self) -> None:
        """To remove a user is to disable or to delete it."""
        user = self.user(active=True)
        path = f"/Users/{user['id']}"
        body = {"userName": "x", "active": False}
        self.assertIs(False, self.json(200, self.client.put(path, body))["active"])
        self.empty(204, self.client.delete(path))

    @row(IOP, "Keycloak")
    def test_V08_typed(self) -> None:
        """Every answer tells its type, address and schemas; id and externalId may be put back."""
        user = self.user(externalId="e")
        for each in (user, self.again(user), *self.resources("/Users")):
            self.assertTrue(each["schemas"])
            self.assertEqual("User", each["meta"]["resourceType"])
            self.assertIn(each["id"], each["meta"]["location"])
        body = {"id": user["id"], "externalId": "e", "userName": "x"}
        self.json(200, self.client.put(f"/Users/{user['id']}", body))

    @row(IOP, "Keycloak")
    def test_V09_import(self) -> None:
        """Without parameters everything is listed."""
        for path in ("/Users", "/Groups"):
            body = self.read(path)
            self.assertEqual(body["totalResults"], len(body["Resources"]))
            self.assertTrue(all(each["id"] for each in body["Resources"]))

    @row(IOP, "authentik")
    def test_V10_group(self) -> None:
        """A whole group replaces without a path; members come one by one."""
        group = self.group()
        value = {
            "schemas": group["schemas"],
            "displayName": "n",
            "externalId": "e",
            "id": group["id"],
        }
        found = self.patch(group, {"op": "replace", "value": value})
        self.assertEqual(("n", "e"), (found["displayName"], found["externalId"]))
        self.patch(group, *(add("members", [{"value": each}]) for each in "ab"))
        self.assertEqual(["a", "b"], self.members(group))

    @row(IOP, "authentik")
    def test_V11_conflict(self) -> None:
        """Who is there already is 409, and found."""
        user = self.user()
        self.error(409, self.client.post("/Users", {"userName": "x"}), "uniqueness")
        self.assertEqual([user["id"]], self.ids('userName eq "x"'))

    @row(IOP, "SailPoint")
    def test_V12_discovery(self) -> None:
        """Discovery is read at the start."""
        for path in (
            "/ServiceProviderConfig",
            "/ResourceTypes",
            "/Schemas",
            "/ResourceTypes/User",
            "/ResourceTypes/Group",
        ):
            self.read(path)

    @row(IOP, "SailPoint")
    def test_V13_last_page(self) -> None:
        """Pages are read until one is empty."""
        self.assertEqual([], self.resources("/Users?startIndex=3&count=100"))

    @row(IOP, "SailPoint")
    def test_V14_entitlements(self) -> None:
        """A role is added and removed by its value."""
        user = self.user()
        self.assertEqual(
            [{"value": "r"}], self.patch(user, add("roles", [{"value": "r"}]))["roles"]
        )
        self.assertNotIn("roles", self.patch(user, remove('roles[value eq "r"]')))

    @row(IOP, "authentik, AWS")
    def test_V15_one_by_one(self) -> None:
        """Attributes are replaced one by one; members may be one object."""
        group = self.group()
        found = self.patch(
            group,
            replace("displayName", "n"),
            replace("externalId", "e"),
            add("members", {"value": "bjensen"}),
        )
        self.assertEqual(("n", "e"), (found["displayName"], found["externalId"]))
        self.assertEqual(["bjensen"], self.members(group))

    @row(IOP, "various")
    def test_V16_members(self) -> None:
        """What isn't known of a member is ignored."""
        group = self.group()
        member = {"value": "bjensen", "type": "User", "$ref": "https://x/Users/bjensen"}
        found = self.patch(group, add("members", [{**member, "displayName": "x"}]))
        address = f"{BASE}/Users/bjensen"
        self.assertEqual([{**member, "$ref": address}], found["members"])

    @row(IOP, "many")
    def test_V17_at_once(self) -> None:
        """Members that come at once are all there."""
        group = self.group()
        connections = [Connection(self.site) for _ in range(8)]
        for n, connection in enumerate(connections):
            body: Json = {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [add("members", [{"value": f"u{n}"}])],
            }
            connection.send(self.client.encoded("PATCH", f"/Groups/{group['id']}", body))
        for connection in connections:
            self.empty(204, connection.response("PATCH"))
        self.assertEqual(8, len(self.members(group)))

    @row(IOP, "many")
    def test_V18_same_name(self) -> None:
        """Of two who are made at once with one name, one is."""
        connections = [Connection(self.site) for _ in range(2)]
        for connection in connections:
            connection.send(self.client.encoded("POST", "/Users", {"userName": "x"}))
        self.assertEqual([201, 409], sorted(each.response().status for each in connections))
