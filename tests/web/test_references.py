"""Addresses of what resources refer to."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from scimgw.connector import GroupRef
from scimgw.scim.query import Page
from scimgw.scim.resource import Resource
from scimgw.scim.schema import GROUP, USER
from tests.fakes.memory import MemoryConnector
from tests.web.world import BASE, ENTERPRISE, Json, WebCase


class ReferenceTests(WebCase):
    """RFC 7643 section 2.4: `$ref` in answers, and what becomes of it when it is sent back."""

    def setUp(self) -> None:
        """Make who is referred to."""
        super().setUp()
        self.boss = self.create(userName="boss")
        manager = {"manager": {"value": self.boss["id"]}}
        self.user = self.create(userName="jane", **{ENTERPRISE: manager})

    def group(self, *members: Json) -> Json:
        """Make a group."""
        body = {"displayName": "g", "members": [*members]}
        made: Json = self.json(201, self.client.post("/Groups", body))
        return made

    def read(self, path: str) -> Any:
        """Read a resource."""
        return self.json(200, self.client.get(path))

    def test_manager(self) -> None:
        """A manager is a user."""
        manager = self.user[ENTERPRISE]["manager"]
        self.assertEqual(self.boss["meta"]["location"], manager["$ref"])

    def test_members(self) -> None:
        """A member's type is what it says, else what there is of its id; it isn't guessed."""
        inner = self.group()
        members = self.group(
            {"value": self.user["id"], "type": "user"},
            {"value": inner["id"]},
            {"value": self.boss["id"]},
            {"value": "nobody"},
            {"value": "x", "type": "Device"},
        )["members"]
        found = [each["meta"]["location"] for each in (self.user, inner, self.boss)]
        self.assertEqual([*found, None, None], [each.get("$ref") for each in members])

    def test_hostile(self) -> None:
        """An id stays one segment of the address."""
        hostile = {"value": "../a?b#c/d\r\nx: y", "type": "User"}
        for others in ((), ({"value": "x"},)):
            member = self.group(hostile, *others)["members"][0]
            self.assertEqual(f"{BASE}/Users/..%2Fa%3Fb%23c%2Fd%0D%0Ax%3A%20y", member["$ref"])

    def test_base(self) -> None:
        """The address is below the URL by which the client came."""
        body = {"displayName": "g", "members": [{"value": "x", "type": "User"}]}
        headers = {"Host": "other.example"}
        group = self.json(
            201, self.client.request("POST", "/clientA/scim/v2/Groups", body, headers)
        )
        address = "http://other.example/clientA/scim/v2/Users/x"
        self.assertEqual(address, group["members"][0]["$ref"])

    def test_projection(self) -> None:
        """It is shown where it is asked for, by itself too, and not where it isn't."""
        group = self.group({"value": "x", "type": "User"})
        path = f"/Groups/{group['id']}"
        value, address = {"value": "x", "type": "User"}, {"$ref": f"{BASE}/Users/x"}
        for query, expected in {
            "": {**value, **address},
            "?attributes=members": {**value, **address},
            "?attributes=members.$ref": address,
            "?attributes=members.value": {"value": "x"},
            "?excludedAttributes=members.$ref": value,
        }.items():
            self.assertEqual([expected], self.read(path + query)["members"], query)

    def test_everywhere(self) -> None:
        """Lists, searches, pages by cursor and searches of all types tell it."""
        group = self.group({"value": self.user["id"]})
        query = "filter=" + quote('userName eq "jane"')
        for path in ("/Users?", "/?", "/Users?cursor&"):
            (found,) = self.resources(path + query)
            self.assertEqual(group["meta"]["location"], found["groups"][0]["$ref"], path)
            self.assertEqual(
                self.boss["meta"]["location"], found[ENTERPRISE]["manager"]["$ref"], path
            )

    def test_put_back(self) -> None:
        """What was read can be put back, and changes nothing, not even the version."""
        group = self.group({"value": self.user["id"]}, {"value": "x", "type": "User"})
        for made in (self.user, group):
            path = made["meta"]["location"].removeprefix(BASE)
            resource = self.read(path)
            self.assertEqual(resource, self.json(200, self.client.put(path, resource)))

    def test_not_stored(self) -> None:
        """An address that is sent isn't kept, whatever it says and however it comes."""
        sent = {"value": self.boss["id"], "$ref": "https://x.example/Groups/y"}
        path, address = f"/Users/{self.user['id']}", self.boss["meta"]["location"]
        where = f"{ENTERPRISE}:manager"
        bulk = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "PUT", "path": path, "data": {"userName": "jane"}}],
        }
        bulk["Operations"][0]["data"][ENTERPRISE] = {"manager": sent}  # type: ignore[index]  # JSON
        for write in (
            lambda: self.client.put(path, {"userName": "jane", ENTERPRISE: {"manager": sent}}),
            lambda: self.client.patch(path, {"op": "replace", "path": where, "value": sent}),
            lambda: self.client.post("/Bulk", bulk),
        ):
            self.assertEqual(200, write().status)
            self.assertEqual(address, self.read(path)[ENTERPRISE]["manager"]["$ref"])
        group = self.group(sent)
        add = {"op": "add", "path": "members", "value": [{**sent, "value": self.user["id"]}]}
        self.client.patch(f"/Groups/{group['id']}", add)
        self.assertEqual(
            [address, self.user["meta"]["location"]],
            [each["$ref"] for each in self.read(f"/Groups/{group['id']}")["members"]],
        )

    def test_nothing_else(self) -> None:
        """An address alone names who is meant."""
        address = self.user["meta"]["location"]
        manager = {"manager": {"$ref": address}}
        user = self.create(userName="joe", **{ENTERPRISE: manager})
        self.assertEqual(self.user["id"], user[ENTERPRISE]["manager"]["value"])
        (member,) = self.group({"$ref": address})["members"]
        self.assertEqual({"value": self.user["id"], "$ref": address}, member)
        nobody = {"displayName": "g", "members": [{"$ref": "//", "type": "User"}]}
        detail = self.error(400, self.client.post("/Groups", nobody), "invalidValue")
        self.assertIn("members.value is required", detail)

    def test_not_searched(self) -> None:
        """What is made for each answer can't be searched for, nor sorted by."""
        for path, ref in {
            "/Groups": "members.$ref",
            "/Users": f"{ENTERPRISE}:manager.$ref",
        }.items():
            for filter in (f'{ref} eq "{BASE}/Users/x"', f"{ref} pr"):
                answer = self.client.get(f"{path}?filter={quote(filter)}")
                self.assertIn(ref, self.error(400, answer, "invalidFilter"))
            sorted = self.client.get(f"{path}?sortBy={quote(ref)}")
            self.assertIn(ref, self.error(400, sorted, "invalidValue"))
        group = self.group({"value": "x"})
        removal = {"op": "remove", "path": 'members[$ref eq "x"]'}
        answer = self.client.patch(f"/Groups/{group['id']}", removal)
        self.error(400, answer, "invalidPath")


class OtherConnectorTests(WebCase):
    """Connectors that know less, or tell more."""

    def test_uninformed(self) -> None:
        """Where nobody knows of what type a member is, there is no address."""
        self.serve(MemoryConnector())
        self.assertIsNone(self.endpoint.informed)
        body = {"displayName": "g", "members": [{"value": "x"}, {"value": "y", "type": "Group"}]}
        members = self.json(201, self.client.post("/Groups", body))["members"]
        self.assertEqual([None, f"{BASE}/Groups/y"], [each.get("$ref") for each in members])

    def test_brought(self) -> None:
        """Groups that a connector brings, and addresses that it gives, are told as of here."""

        class Bringing(MemoryConnector):
            async def search(self, call: Any, query: Any) -> Page:
                group = {"value": "g/h", "$ref": "https://other.example/g"}
                data = {"id": "1", "userName": "x", "groups": [group, {"display": "?"}]}
                return Page(resources=[Resource(USER, data)], total=1)

        self.serve(Bringing())
        user = self.json(200, self.client.get("/Users/1"))
        told = {"value": "g/h", "$ref": f"{BASE}/Groups/g%2Fh"}
        self.assertEqual([told, {"display": "?"}], user["groups"])

    def test_hinted(self) -> None:
        """An address that a connector gives tells of what type a member is, and no more."""

        class Hinting(MemoryConnector):
            async def search(self, call: Any, query: Any) -> Page:
                addresses = ["https://other.example/Users/1", "../Groups/1/", "Users/1"]
                members = [{"value": "1", "$ref": each} for each in addresses]
                data = {"id": "g", "displayName": "g", "members": [*members, {"value": "1"}]}
                return Page(resources=[Resource(GROUP, data)], total=1)

        self.serve(Hinting())
        members = self.json(200, self.client.get("/Groups/g"))["members"]
        kinds = ["Users", "Groups", "Users"]
        self.assertEqual(
            [*(f"{BASE}/{kind}/1" for kind in kinds), None], [each.get("$ref") for each in members]
        )

    def test_without_groups(self) -> None:
        """There is no address of what isn't served."""

        class UsersOnly(MemoryConnector):
            async def memberships(self, call: Any, user_ids: Any) -> Any:
                return {id: [GroupRef(value="g")] for id in user_ids}

        self.serve(UsersOnly(resource_types=(USER,)))
        user = self.create(userName="x")
        self.assertEqual([{"value": "g", "type": "direct"}], user["groups"])
