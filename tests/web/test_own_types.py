"""Resource types of one's own that are made otherwise than users and groups are."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from connectors.loki import Config, LokiConnector
from scimgw.scim.custom import STANDARD, own_types
from scimgw.testing.client import Response
from tests.fakes.services import in_memory
from tests.web.world import Json, WebCase

URN = "urn:example:params:scim:schemas:Thing"
MORE = "urn:example:params:scim:schemas:extension:Thing"


def attribute(name: str, **more: Any) -> Json:
    """Describe an attribute."""
    return {"name": name, **more}


def complex(name: str, *subs: Json, **more: Any) -> Json:
    """Describe a complex attribute."""
    return {"name": name, "type": "complex", "subAttributes": list(subs), **more}


class OwnTypeCase(WebCase):
    """Serves /Things."""

    def things(self, *attributes: Json, **extensions: Json) -> None:
        """Serve things with some attributes and extensions, which are named by how URNs end."""
        documents: list[Json] = [
            {
                "name": "Thing",
                "endpoint": "/Things",
                "schema": URN,
                "schemaExtensions": [
                    {"schema": f"{MORE}:{name}", "required": extension.pop("required", False)}
                    for name, extension in extensions.items()
                ],
            },
            {"id": URN, "attributes": list(attributes)},
        ]
        documents += [{"id": f"{MORE}:{name}", **each} for name, each in extensions.items()]
        types = (*STANDARD, *own_types(documents, STANDARD))
        services = evolve(in_memory(self.clock), resource_types=types)
        self.serve(LokiConnector(Config(), services))

    def made(self, **data: Any) -> Json:
        """Make a thing."""
        found: Json = self.json(201, self.client.post("/Things", data))
        return found

    def again(self, thing: Json, query: str = "") -> Json:
        """Read a thing."""
        found: Json = self.json(200, self.client.get(f"/Things/{thing['id']}{query}"))
        return found

    def patched(self, thing: Json, *operations: Json) -> Response:
        """Patch a thing."""
        return self.client.patch(f"/Things/{thing['id']}", *operations)

    def found(self, filter: str) -> list[Json]:
        """Search."""
        query = filter.replace(" ", "%20").replace('"', "%22")
        return self.resources(f"/Things?filter={query}")


class NamesakeTests(OwnTypeCase):
    """Attributes whose names mean something of users and groups."""

    def test_complex_names(self) -> None:
        """What is text elsewhere may be complex here."""
        self.things(
            complex("displayName", attribute("en"), attribute("de")),
            complex("emails", attribute("x")),
        )
        thing = self.made(displayName={"en": "a"}, emails={"x": "y"})
        self.assertEqual({"en": "a"}, thing["displayName"])
        self.assertEqual([thing], self.found('displayName.en eq "A"'))

    def test_groups(self) -> None:
        """What is called groups is found as it was written."""
        self.things(attribute("groups", multiValued=True))
        thing = self.made(groups=["g", "h"])
        self.made(groups=["i"])
        self.assertEqual([thing], self.found('groups eq "G"'))
        self.assertEqual(2, len(self.found("groups pr")))
        self.assertEqual(2, len(self.resources("/Things?sortBy=groups&sortOrder=descending")))

    def test_members(self) -> None:
        """What is called members is what its schema says, and a change is answered."""
        several = {"multiValued": True}
        value = attribute("value", mutability="immutable", required=True)
        for made, first, second in (
            (attribute("members", **several), "a", "b"),
            (complex("members", attribute("nr", type="integer"), **several), {"nr": 1}, {"nr": 2}),
            (complex("members", value, **several), {"value": "a"}, {"value": "b"}),
        ):
            self.things(made, attribute("size", type="integer"))
            thing = self.made(members=[first], size=1)
            self.assertEqual([first], thing["members"])
            response = self.patched(thing, {"op": "add", "path": "members", "value": [second]})
            self.assertIn(response.status, {200, 204})
            self.assertEqual([first, second], self.again(thing)["members"])
        self.assertEqual(1, len(self.found('members.value eq "A"')))
        self.things(attribute("members"))
        thing = self.made(members="x")
        operation = {"op": "replace", "path": "members", "value": "y"}
        self.assertEqual("y", self.json(200, self.patched(thing, operation))["members"])

    def test_immutable_value(self) -> None:
        """A value that is immutable needn't be there."""
        self.things(
            complex(
                "parts",
                attribute("value", mutability="immutable"),
                attribute("x"),
                multiValued=True,
            )
        )
        thing = self.made(parts=[{"x": "1"}, {"x": "2"}, {"value": "v"}])
        self.assertEqual([{"x": "1"}, {"x": "2"}, {"value": "v"}], thing["parts"])
