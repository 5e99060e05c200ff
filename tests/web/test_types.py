"""Resource types of one's own, with every characteristic; custom attributes of users."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import evolve

from connectors.loki import Config, LokiConnector
from scimgw.scim.custom import STANDARD, extended, own_types
from scimgw.testing.client import Response
from tests.fakes.memory import MemoryConnector
from tests.fakes.services import in_memory
from tests.web.world import BASE, CORE, ENTERPRISE, Json, WebCase

FILE = Path(__file__).parent.parent / "rfc" / "test-resource.json"
URN = "urn:ietf:params:scim:schemas:test:2.0:TestResource"
EXTENSION = "urn:ietf:params:scim:schemas:extension:test:2.0:TestResource"


class TypeCase(WebCase):
    """Serves /TestResources."""

    def setUp(self) -> None:
        """Begin without any."""
        super().setUp()
        types = (*STANDARD, *own_types(json.loads(FILE.read_text("utf-8")), STANDARD))
        services = evolve(in_memory(self.clock), resource_types=types)
        self.serve(LokiConnector(Config(), services))

    def post(self, name: str = "one", /, **data: Any) -> Response:
        """Post a test resource."""
        return self.client.post("/TestResources", {"name": name, EXTENSION: {"owner": "o"}, **data})

    def made(self, name: str = "one", /, **data: Any) -> Json:
        """Create a test resource."""
        found: Json = self.json(201, self.post(name, **data))
        return found

    def again(self, resource: Json, query: str = "") -> Json:
        """Read a test resource."""
        found: Json = self.json(200, self.client.get(f"/TestResources/{resource['id']}{query}"))
        return found

    def patched(self, resource: Json, *operations: Json) -> Response:
        """Patch a test resource."""
        return self.client.patch(f"/TestResources/{resource['id']}", *operations)

    def found(self, filter: str) -> list[str]:
        """Search, and give names."""
        query = filter.replace(" ", "%20").replace('"', "%22")
        return [each["name"] for each in self.resources(f"/TestResources?filter={query}")]


class CharacteristicTests(TypeCase):
    """RFC 7643 section 2.2."""

    def test_announced(self) -> None:
        """The resource type and its schemas are announced as they were written."""
        type = self.json(200, self.client.get("/ResourceTypes/TestResource"))
        self.assertEqual(("/TestResources", URN), (type["endpoint"], type["schema"]))
        self.assertEqual([{"schema": EXTENSION, "required": True}], type["schemaExtensions"])
        schema = self.json(200, self.client.get(f"/Schemas/{URN}"))
        told = {each["name"]: each for each in schema["attributes"]}
        for each in json.loads(FILE.read_text("utf-8"))[1]["attributes"]:
            self.assertLessEqual(
                {k: v for k, v in each.items() if k != "subAttributes"}.items(),
                {k: v for k, v in told[each["name"]].items() if k != "subAttributes"}.items(),
            )

    def test_types(self) -> None:
        """Values of every type are kept as they are, and refused where they're of another."""
        data = {
            "exact": "Ab",
            "count": 9_007_199_254_740_993,
            "weight": 1.5,
            "enabled": False,
            "moment": "2024-02-29T12:00:00+01:00",
            "key": "AAEC",
            "link": "https://x.example/",
            "tags": ["a", "b"],
            "place": {"building": "B", "floor": 0},
            "contacts": [{"value": "v", "type": "day", "primary": True}],
        }
        found = self.again(self.made(**data))
        self.assertEqual(data, {name: found[name] for name in data})
        for name, value in (
            ("count", 1.5),
            ("count", "1"),
            ("weight", "heavy"),
            ("enabled", 1),
            ("moment", "yesterday"),
            ("key", "?"),
            ("link", 1),
            ("tags", "a"),
            ("tags", [1]),
            ("place", "here"),
            ("place", {"floor": 1}),
            ("contacts", [{"primary": True}, {"primary": True, "value": "v"}]),
        ):
            self.assertIn(name, self.error(400, self.post("two", **{name: value}), "invalidValue"))

    def test_required(self) -> None:
        """What is required must be there, extensions too, and stays."""
        self.error(
            400, self.client.post("/TestResources", {EXTENSION: {"owner": "o"}}), "invalidValue"
        )
        detail = self.error(400, self.client.post("/TestResources", {"name": "x"}), "invalidValue")
        self.assertIn(EXTENSION, detail)
        body = {"name": "x", EXTENSION: {"badge": "b"}}
        self.assertIn(
            "owner", self.error(400, self.client.post("/TestResources", body), "invalidValue")
        )
        resource = self.made()
        for path in ("name", EXTENSION, f"{EXTENSION}:owner"):
            self.error(400, self.patched(resource, {"op": "remove", "path": path}), "mutability")

    def test_unique(self) -> None:
        """Unique values are so, in extensions too, with case where it counts."""
        self.made("one", serial="s", **{EXTENSION: {"owner": "o", "badge": "b"}})
        self.error(409, self.post("ONE"), "uniqueness")
        self.error(409, self.post("two", serial="s"), "uniqueness")
        extension = {EXTENSION: {"owner": "o", "badge": "B"}}
        self.assertIn("badge", self.error(409, self.post("two", **extension), "uniqueness"))
        other = self.made("two", serial="S")
        replace = {"op": "replace", "path": "serial", "value": "s"}
        self.error(409, self.patched(other, replace), "uniqueness")
        self.json(200, self.patched(other, {**replace, "value": "S"}))

    def test_mutability(self) -> None:
        """What is readOnly can't be written, immutable once, writeOnly is never seen."""
        resource = self.made(state="s", born="b", pin="1234")
        self.assertFalse({"state", "pin"} & set(resource))
        self.assertEqual("b", resource["born"])
        for path in ("state", "born"):
            operation = {"op": "replace", "path": path, "value": "x"}
            self.error(400, self.patched(resource, operation), "mutability")
        self.json(200, self.patched(resource, {"op": "replace", "path": "born", "value": "b"}))
        body = {"name": "one", EXTENSION: {"owner": "o"}}
        path = f"/TestResources/{resource['id']}"
        self.error(400, self.client.put(path, {**body, "born": "x"}), "mutability")
        self.assertEqual("b", self.json(200, self.client.put(path, body))["born"])
        fresh = self.made("two")
        found = self.json(200, self.patched(fresh, {"op": "add", "path": "born", "value": "x"}))
        self.assertEqual("x", found["born"])

    def test_returned(self) -> None:
        """What is shown always, by default, on request and never is shown so."""
        resource = self.made(notes="n", label="l", loose="x", pin="1234")
        self.assertEqual("n", resource["notes"])
        self.assertNotIn("notes", self.again(resource))
        self.assertEqual("n", self.again(resource, "?attributes=notes")["notes"])
        shown = self.again(resource, "?attributes=loose,pin")
        self.assertEqual({"schemas", "id", "loose", "label"}, set(shown))
        self.assertIn("label", self.again(resource, "?excludedAttributes=label"))
        self.assertEqual(["one"], self.found('notes eq "n"'))
        self.error(403, self.client.get("/TestResources?filter=pin%20pr"), "sensitive")
        self.error(403, self.client.get("/TestResources?sortBy=pin"), "sensitive")

    def test_written(self) -> None:
        """What is shown on request is shown to who writes it, unless another thing is asked for."""
        resource = self.made()
        path = f"/TestResources/{resource['id']}"
        body = {"name": "one", "notes": "n", EXTENSION: {"owner": "o"}}
        replace = {"op": "replace", "path": "notes", "value": "m"}
        other = {"op": "replace", "path": "loose", "value": "x"}
        self.assertEqual("n", self.json(200, self.client.put(path, body))["notes"])
        self.assertEqual("m", self.json(200, self.patched(resource, replace))["notes"])
        self.assertNotIn("notes", self.json(200, self.patched(resource, other)))
        for query in ("?attributes=name", "?excludedAttributes=notes"):
            self.assertNotIn("notes", self.json(200, self.client.put(path + query, body)))

    def test_compared(self) -> None:
        """Values are compared as their types want it, with case where it counts."""
        self.made("a", exact="Ab", loose="Ab", count=9, weight=1.5, moment="2024-01-01T00:00:00Z")
        self.made(
            "b", exact="ab", loose="xy", count=10, weight=1, moment="2024-01-01T00:30:00+01:00"
        )
        for text, names in {
            'exact eq "ab"': ["b"],
            'loose eq "aB"': ["a"],
            "count gt 9": ["b"],
            "weight ge 1.5": ["a"],
            'moment lt "2024-01-01T00:00:00Z"': ["b"],
            f'{EXTENSION}:owner eq "O"': ["a", "b"],
            f'schemas eq "{EXTENSION}"': ["a", "b"],
        }.items():
            self.assertEqual(names, self.found(text), text)
        for by, names in {"count": ["a", "b"], "moment": ["b", "a"], "loose": ["a", "b"]}.items():
            found = self.resources(f"/TestResources?sortBy={by}")
            self.assertEqual(names, [each["name"] for each in found], by)

    def test_patched(self) -> None:
        """PATCH reaches simple values, parts and selected values."""
        resource = self.made(tags=["a", "b"], contacts=[{"value": "v", "type": "day"}])
        found = self.json(
            200,
            self.patched(
                resource,
                {"op": "remove", "path": 'tags[value eq "A"]'},
                {"op": "add", "path": "tags", "value": ["c"]},
                {"op": "replace", "path": 'contacts[type eq "day"].display', "value": "d"},
                {"op": "add", "path": "place", "value": {"building": "B"}},
                {"op": "add", "path": "place.floor", "value": 3},
                {"op": "replace", "path": f"{EXTENSION}:badge", "value": "x"},
            ),
        )
        self.assertEqual(["b", "c"], found["tags"])
        self.assertEqual([{"value": "v", "type": "day", "display": "d"}], found["contacts"])
        self.assertEqual({"building": "B", "floor": 3}, found["place"])
        self.assertEqual({"owner": "o", "badge": "x"}, found[EXTENSION])

    def test_among_others(self) -> None:
        """Queries over all types, cursors and bulk know it."""
        resource = self.made()
        body = self.json(200, self.client.get("/?filter=name%20eq%20%22one%22&cursor"))
        self.assertEqual([resource["id"]], [each["id"] for each in body["Resources"]])
        self.assertEqual([URN, EXTENSION], resource["schemas"])
        operation = {"method": "DELETE", "path": f"/TestResources/{resource['id']}"}
        message = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [operation],
        }
        body = self.json(200, self.client.post("/Bulk", message))
        self.assertEqual(["204"], [each["status"] for each in body["Operations"]])


class CustomAttributeTests(WebCase):
    """Attributes that join users."""

    def setUp(self) -> None:
        """Give users two attributes and an extension more."""
        super().setUp()
        types = extended(
            [
                {
                    "name": "User",
                    "attributes": [
                        {"name": "musicPreference", "readOnly": False, "caseExact": False},
                        {"name": "points", "type": "integer", "readOnly": True},
                    ],
                },
                {"name": "User", "id": "urn:acme:User", "attributes": [{"name": "desk"}]},
            ]
        )
        services = evolve(in_memory(self.clock), resource_types=types)
        self.serve(LokiConnector(Config(), services))

    def test_core(self) -> None:
        """A custom attribute is one of the core: written, found, shown, announced."""
        user = self.create(userName="x", musicPreference="Jazz", points=7)
        self.assertEqual("Jazz", user["musicPreference"])
        self.assertNotIn("points", user)
        self.assertEqual([CORE], user["schemas"])
        query = "filter=musicpreference%20eq%20%22jazz%22&attributes=musicPreference"
        self.assertEqual([user["id"]], [each["id"] for each in self.resources(f"/Users?{query}")])
        names = [
            each["name"]
            for each in self.json(200, self.client.get(f"/Schemas/{CORE}"))["attributes"]
        ]
        self.assertIn("points", names)

    def test_extension(self) -> None:
        """An extension of one's own stands beside the others."""
        user = self.create(
            userName="x", **{"urn:acme:User": {"desk": "d"}, ENTERPRISE: {"department": "D"}}
        )
        self.assertEqual([CORE, ENTERPRISE, "urn:acme:User"], user["schemas"])
        operation = {"op": "replace", "path": "urn:acme:User:desk", "value": "e"}
        found = self.json(200, self.client.patch(f"/Users/{user['id']}", operation))
        self.assertEqual({"desk": "e"}, found["urn:acme:User"])
        type = self.json(200, self.client.get("/ResourceTypes/User"))
        self.assertIn({"schema": "urn:acme:User", "required": False}, type["schemaExtensions"])

    def test_groups_as_ever(self) -> None:
        """Membership works as it does without custom attributes."""
        user = self.create(userName="x")
        group = {"displayName": "g", "members": [{"value": user["id"]}]}
        id = self.json(201, self.client.post("/Groups", group))["id"]
        found = self.json(200, self.client.get(f"/Users/{user['id']}"))["groups"]
        self.assertEqual([id], [each["value"] for each in found])
        self.client.delete(f"/Users/{user['id']}")
        self.assertNotIn("members", self.json(200, self.client.get(f"/Groups/{id}")))


class OfferedTests(WebCase):
    """Types that a connector offers by itself, as roles and entitlements."""

    def setUp(self) -> None:
        """Serve a connector that holds roles and entitlements beside users and groups."""
        super().setUp()
        documents = [document for name in ("Role", "Entitlement") for document in offered(name)]
        types = (*STANDARD, *own_types(documents, STANDARD))
        self.serve(MemoryConnector(resource_types=types))

    def test_discovered(self) -> None:
        """They are announced, with their schemas."""
        for path in ("/ResourceTypes", "/Schemas"):
            names = [each["name"] for each in self.resources(path)]
            self.assertEqual(["Role", "Entitlement"], [each for each in names if each in OFFERED])
        role = self.json(200, self.client.get("/ResourceTypes/Role"))
        self.assertEqual(("/Roles", OFFERED["Role"]), (role["endpoint"], role["schema"]))

    def test_served(self) -> None:
        """They are made, read, found, changed and deleted, below base entities too."""
        for path in ("/Roles", "/clientA/scim/v2/Entitlements"):
            made = self.json(201, self.client.post(path, {"value": "admin", "display": "Admin"}))
            own = made["meta"]["location"].removeprefix(BASE)
            self.assertEqual(made, self.json(200, self.client.get(own)))
            (found,) = self.resources(f"{path}?filter=value%20eq%20%22ADMIN%22")
            self.assertEqual(made["id"], found["id"])
            change = {"op": "replace", "path": "display", "value": "A"}
            self.assertEqual("A", self.json(200, self.client.patch(own, change))["display"])
            self.empty(204, self.client.delete(own))
            self.error(404, self.client.get(own))

    def test_several(self) -> None:
        """A search of all types finds them beside users."""
        self.create(userName="x", displayName="same")
        self.client.post("/Roles", {"value": "x", "display": "same"})
        found = self.resources("/?filter=display%20eq%20%22same%22")
        self.assertEqual(["Role"], [each["meta"]["resourceType"] for each in found])


OFFERED = {
    name: f"urn:ietf:params:scim:schemas:core:2.0:{name}" for name in ("Role", "Entitlement")
}


def offered(name: str) -> list[Json]:
    """Describe a resource type whose values users are given."""
    attributes = [
        {"name": "value", "required": True, "uniqueness": "server"},
        {"name": "display"},
        {"name": "type"},
        {"name": "supported", "type": "boolean", "mutability": "readOnly"},
    ]
    return [
        {"name": name, "endpoint": f"/{name}s", "schema": OFFERED[name]},
        {"id": OFFERED[name], "name": name, "attributes": attributes},
    ]
