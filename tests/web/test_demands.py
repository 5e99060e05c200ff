"""PATCH of what resource types of one's own may hold: parts of several values, or immutable."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve

from connectors.loki import Config, LokiConnector
from scimgw.scim.custom import STANDARD, own_types
from tests.fakes.services import in_memory
from tests.rfc.case import add, remove, replace
from tests.web.world import Json, WebCase

EXTENSION: Final = "urn:example:params:scim:schemas:extension:2.0:Device"
_DOCUMENTS: Final[list[Any]] = [
    {
        "name": "Device",
        "endpoint": "/Devices",
        "schema": "urn:example:params:scim:schemas:2.0:Device",
        "schemaExtensions": [{"schema": EXTENSION}],
    },
    {
        "id": "urn:example:params:scim:schemas:2.0:Device",
        "attributes": [
            {"name": "labels", "multiValued": True, "required": True},
            {
                "name": "owner",
                "type": "complex",
                "required": True,
                "subAttributes": [
                    {"name": "id", "required": True},
                    {"name": "note"},
                    {"name": "phones", "multiValued": True},
                ],
            },
            {
                "name": "site",
                "type": "complex",
                "required": True,
                "subAttributes": [{"name": "city"}, {"name": "room"}],
            },
            {
                "name": "ports",
                "type": "complex",
                "multiValued": True,
                "subAttributes": [
                    {"name": "name", "required": True},
                    {"name": "speed", "type": "integer", "mutability": "immutable"},
                    {"name": "networks", "multiValued": True},
                ],
            },
            {
                "name": "keys",
                "type": "complex",
                "multiValued": True,
                "subAttributes": [
                    {"name": "value", "required": True, "mutability": "immutable"},
                    {"name": "note"},
                ],
            },
        ],
    },
    {
        "id": EXTENSION,
        "attributes": [
            {"name": "tag", "required": True},
            {"name": "shelf"},
            {"name": "notes", "multiValued": True},
            {"name": "vendor", "type": "complex", "subAttributes": [{"name": "name"}]},
        ],
    },
]


class DemandCase(WebCase):
    """Serves /Devices."""

    def setUp(self) -> None:
        """Begin with one device."""
        super().setUp()
        types = (*STANDARD, *own_types(_DOCUMENTS, STANDARD))
        services = evolve(in_memory(self.clock), resource_types=types)
        self.serve(LokiConnector(Config(), services))
        self.device: Json = {
            "labels": ["a", "b"],
            "owner": {"id": "o", "phones": ["1"]},
            "site": {"city": "c"},
            "ports": [{"name": "x", "networks": ["n", "m"]}, {"name": "y", "speed": 1}],
            "keys": [{"value": "k"}],
        }
        self.path = "/Devices/" + self.json(201, self.client.post("/Devices", self.device))["id"]

    def now(self) -> Json:
        """Read the device, without what every resource holds."""
        found: Json = self.json(200, self.client.get(self.path))
        return {name: value for name, value in found.items() if name not in {"id", "meta"}}

    def patch(self, *operations: Json) -> Json:
        """Change the device."""
        self.json(200, self.client.patch(self.path, *operations))
        return self.now()

    def refused(self, scim_type: str, *operations: Json) -> None:
        """Check that a change is refused, and that nothing is changed."""
        before = self.now()
        self.error(400, self.client.patch(self.path, *operations), scim_type)
        self.assertEqual(before, self.now())

    def found(self, filter: str) -> int:
        """Count what a filter selects."""
        query = filter.replace(" ", "%20").replace('"', "%22")
        return len(self.resources(f"/Devices?filter={query}"))


class RequiredTests(DemandCase):
    """RFC 7644 section 3.5.2.2: what is required isn't removed, however that is said."""

    def test_last_part(self) -> None:
        """A required complex attribute can't be removed, be it part by part, or by null."""
        for operations in (
            [remove("owner")],
            [replace("owner", None)],
            [{"op": "replace", "value": {"owner": None}}],
            [replace("owner", {"id": ""})],
            [remove("owner.id")],
            [remove("site.city")],
            [replace("site", {"city": None})],
        ):
            self.refused("mutability", *operations)
        found = self.patch(add("site.room", "r"), remove("site.city"))
        self.assertEqual({"room": "r"}, found["site"])


class ExtensionTests(DemandCase):
    """RFC 7643 section 3.3: an extension is there whole, or not."""

    def test_removed(self) -> None:
        """An extension that isn't required is removed whole, also by null."""
        whole = {"tag": "t", "notes": ["n"], "vendor": {"name": "v"}}
        for operation in (
            remove(EXTENSION),
            replace(EXTENSION, None),
            {"op": "replace", "value": {EXTENSION: None}},
        ):
            self.assertEqual(whole, self.patch(add(EXTENSION, whole))[EXTENSION])
            self.assertEqual(whole, self.patch(add(EXTENSION, {}))[EXTENSION])
            found = self.patch(operation)
            self.assertNotIn(EXTENSION, found)
            self.assertNotIn(EXTENSION, found["schemas"])


class ImmutableTests(DemandCase):
    """RFC 7644 section 3.5.2: a value may be added to what is immutable and has none."""

    def test_once(self) -> None:
        """What is immutable within a value is set once."""
        ports = self.patch(add('ports[name eq "x"].speed', 5))["ports"]
        self.assertEqual([5, 1], [each["speed"] for each in ports])
        for operation in (replace('ports[name eq "x"].speed', 6), remove("ports.speed")):
            self.refused("mutability", operation)
        self.patch(replace('ports[name eq "x"].speed', 5))

    def test_beside(self) -> None:
        """What stands beside an immutable value may change."""
        path = 'keys[value eq "k"]'
        for operation in (add(f"{path}.note", "n"), replace(path, {"value": "k", "note": "n"})):
            self.assertEqual([{"value": "k", "note": "n"}], self.patch(operation)["keys"])
            self.assertEqual([{"value": "k"}], self.patch(remove("keys.note"))["keys"])
        self.refused("mutability", replace(f"{path}.value", "l"))
        self.refused("invalidValue", replace(path, {"unknown": 1}))


class SeveralTests(DemandCase):
    """RFC 7643 section 2.3.8: a sub-attribute is simple, and may have several values."""

    def test_found(self) -> None:
        """Any of them may match, and the first counts for the order."""
        for text in (
            'owner.phones eq "1"',
            'ports.networks eq "m"',
            'ports[networks eq "m" and name eq "x"]',
            "ports.networks pr",
        ):
            self.assertEqual(1, self.found(text), text)
        self.assertEqual(0, self.found('ports[networks eq "m" and name eq "y"]'))
        self.assertEqual(1, len(self.resources("/Devices?sortBy=ports.networks")))

    def test_changed(self) -> None:
        """They are added to, replaced and removed."""
        phones = self.patch(add("owner.phones", ["2", "1"]), add("owner.phones", "3"))["owner"]
        self.assertEqual(["1", "2", "3"], phones["phones"])
        self.assertEqual(phones, self.patch(add("owner.phones", []))["owner"])
        self.assertEqual(["4"], self.patch(replace("owner.phones", "4"))["owner"]["phones"])
        self.assertEqual({"id": "o"}, self.patch(remove("owner.phones"))["owner"])
        self.assertEqual(["5"], self.patch(add("owner.phones", ["5"]))["owner"]["phones"])

    def test_changed_in_values(self) -> None:
        """They are so within the values that a filter selects, too."""
        ports = self.patch(add('ports[name eq "x"].networks', ["o", "n"]))["ports"]
        self.assertEqual(["n", "m", "o"], ports[0]["networks"])
        ports = self.patch(
            {"op": "remove", "path": "ports", "value": [{"networks": ["o", "m", "n"]}]}
        )
        self.assertEqual([{"name": "y", "speed": 1}], ports["ports"])
        ports = self.patch(add('ports[name eq "z"].networks', "n"))
        self.assertEqual({"name": "z", "networks": ["n"]}, ports["ports"][1])

    def test_same_value(self) -> None:
        """Values that hold the same are one."""
        again = add("ports", [{"name": "x", "networks": ["n", "m"]}])
        self.assertEqual(self.now(), self.patch(again))
