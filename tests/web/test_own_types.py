"""Resource types of one's own that are made otherwise than users and groups are."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from connectors.loki import Config, LokiConnector
from scimgw.connector import NO_ENTITY
from scimgw.scim.custom import STANDARD, own_types
from scimgw.testing.client import Response
from tests.fakes.services import in_memory
from tests.web.world import BASE, Json, WebCase

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

    store: LokiConnector

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
        self.store = LokiConnector(Config(), services)
        self.serve(self.store)

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
        value = attribute("value", mutability="immutable", required=True)
        self.things(complex("grants", value, attribute("level"), multiValued=True))
        granted = self.made(grants=[{"value": "a", "level": "1"}, {"value": "b"}])
        raised = {"op": "replace", "path": 'grants[value eq "a"].level', "value": "2"}
        found = self.json(200, self.patched(granted, raised))["grants"]
        self.assertCountEqual([{"value": "a", "level": "2"}, {"value": "b"}], found)
        self.assertEqual([{"x": "1"}, {"x": "2"}, {"value": "v"}], thing["parts"])


class RequiredTests(OwnTypeCase):
    """RFC 7643 section 2.2: what is required is there, whatever is changed."""

    def test_several_values(self) -> None:
        """The last of several values can't be removed in any way, nor replaced by none."""
        self.things(attribute("tags", multiValued=True, required=True), attribute("x"))
        thing = self.made(tags=["a", "b"])
        path = {"path": "tags"}
        emptying: tuple[Json, ...] = (
            {"op": "remove", **path},
            {"op": "remove", "path": 'tags[value sw ""]'},
            {"op": "remove", **path, "value": ["a", "b"]},
            {"op": "replace", **path, "value": []},
        )
        for operation in emptying:
            detail = self.error(400, self.patched(thing, operation), "mutability")
            self.assertIn("tags", detail)
        operations: list[Json] = [
            {"op": "remove", "path": 'tags[value eq "a"]'},
            {"op": "add", "path": "x", "value": "y"},
        ]
        self.assertEqual(["b"], self.json(200, self.patched(thing, *operations))["tags"])
        last: Json = {"op": "remove", "path": 'tags[value eq "b"]'}
        self.error(400, self.patched(thing, last), "mutability")
        response = self.patched(thing, last, {"op": "add", **path, "value": ["c"]})
        self.assertEqual(["c"], self.json(200, response)["tags"])

    def test_parts(self) -> None:
        """A part that is required needn't be repeated, and must be there afterwards."""
        building = attribute("building", required=True)
        self.things(complex("place", building, attribute("floor", type="integer")))
        empty = self.made()
        lacking: tuple[Json, ...] = (
            {"op": "add", "path": "place.floor", "value": 1},
            {"op": "add", "path": "place", "value": {"floor": 1}},
            {"op": "add", "value": {"place": {"floor": 1}}},
        )
        for operation in lacking:
            detail = self.error(400, self.patched(empty, operation), "invalidValue")
            self.assertIn("place.building", detail)
        thing = self.made(place={"building": "B", "floor": 1})
        partial: tuple[Json, ...] = (
            {"op": "replace", "path": "place.floor", "value": 0},
            {"op": "replace", "path": "place", "value": {"floor": 1}},
            {"op": "add", "value": {"place": {"floor": 2}}},
        )
        for number, operation in enumerate(partial):
            found = self.json(200, self.patched(thing, operation))["place"]
            self.assertEqual({"building": "B", "floor": number}, found)
        self.error(
            400, self.patched(thing, {"op": "remove", "path": "place.building"}), "mutability"
        )
        found = self.json(200, self.patched(thing, {"op": "remove", "path": "place"}))
        self.assertNotIn("place", found)

    def test_whole(self) -> None:
        """A complex attribute that is required keeps one part at least."""
        self.things(complex("place", attribute("a"), attribute("b"), required=True))
        thing = self.made(place={"a": "1", "b": "2"})
        self.json(200, self.patched(thing, {"op": "remove", "path": "place.a"}))
        for path in ("place.b", "place"):
            self.error(400, self.patched(thing, {"op": "remove", "path": path}), "mutability")

    def test_extension(self) -> None:
        """What an extension requires is there as soon as there is anything of the extension."""
        self.things(more={"attributes": [attribute("must", required=True), attribute("may")]})
        urn = f"{MORE}:more"
        thing = self.made()
        for operation in (
            {"op": "add", "path": f"{urn}:may", "value": "x"},
            {"op": "add", "path": urn, "value": {"may": "x"}},
            {"op": "add", "value": {urn: {"may": "x"}}},
        ):
            detail = self.error(400, self.patched(thing, operation), "invalidValue")
            self.assertIn(f"{urn}:must", detail)
        whole = {"op": "add", "path": urn, "value": {"must": "x", "may": "y"}}
        self.assertIn(urn, self.json(200, self.patched(thing, whole)))
        self.json(200, self.patched(thing, {"op": "remove", "path": f"{urn}:may"}))
        self.assertNotIn(urn, self.json(200, self.patched(thing, {"op": "remove", "path": urn})))

    def test_required_extension(self) -> None:
        """An extension that is required can't be emptied."""
        subs = [attribute("a"), attribute("b")]
        self.things(more={"attributes": subs, "required": True})
        urn = f"{MORE}:more"
        thing = self.made(**{urn: {"a": "1", "b": "2"}})
        self.json(200, self.patched(thing, {"op": "remove", "path": f"{urn}:a"}))
        detail = self.error(
            400, self.patched(thing, {"op": "remove", "path": f"{urn}:b"}), "mutability"
        )
        self.assertIn(urn, detail)

    def test_read_only(self) -> None:
        """What only the endpoint can write no client must."""
        part = attribute("part", required=True, mutability="readOnly")
        self.things(
            attribute("state", required=True, mutability="readOnly"),
            complex("place", part, attribute("floor")),
            complex("tags", part, attribute("value"), multiValued=True),
        )
        thing = self.made(state="x", place={"floor": "1"}, tags=[{"value": "t"}])
        self.assertEqual(({"floor": "1"}, [{"value": "t"}]), (thing["place"], thing["tags"]))
        added = {"op": "add", "path": "tags", "value": [{"value": "u"}]}
        self.assertEqual(2, len(self.json(200, self.patched(thing, added))["tags"]))

    def test_selected_value(self) -> None:
        """What the filter says of a value needn't be repeated in it."""
        parts = attribute("value", required=True), attribute("type", required=True), attribute("x")
        self.things(complex("tags", *parts, multiValued=True))
        thing = self.made(tags=[{"value": "v", "type": "t"}])
        operation = {
            "op": "replace",
            "path": 'tags[type eq "t"]',
            "value": {"value": "w", "x": "y"},
        }
        found = self.json(200, self.patched(thing, operation))["tags"]
        self.assertEqual([{"value": "w", "type": "t", "x": "y"}], found)
        for value in ({"x": "y"}, [None], [{"value": "a"}, {"value": "b"}]):
            self.error(400, self.patched(thing, {**operation, "value": value}), "invalidValue")


class ImmutableTests(OwnTypeCase):
    """RFC 7643 section 2.2: what is immutable is set once."""

    def test_complex(self) -> None:
        """A complex attribute that is immutable gets no part more."""
        self.things(complex("born", attribute("day"), attribute("month"), mutability="immutable"))
        thing = self.made()
        whole = {"op": "add", "path": "born", "value": {"day": "1", "month": "2"}}
        self.json(200, self.patched(thing, whole))
        self.json(200, self.patched(thing, whole))
        thing = self.made(born={"day": "1"})
        part = {"op": "add", "path": "born.month", "value": "2"}
        self.assertIn("born", self.error(400, self.patched(thing, part), "mutability"))
        path = f"/Things/{thing['id']}"
        self.error(400, self.client.put(path, {"born": {"month": "2"}}), "mutability")
        for body in ({}, {"born": {"day": "1"}}):
            self.assertEqual({"day": "1"}, self.json(200, self.client.put(path, body))["born"])

    def test_added(self) -> None:
        """To add to a value that is there doesn't change what of it is immutable."""
        subs = attribute("value"), attribute("serial", mutability="immutable"), attribute("x")
        self.things(complex("cards", *subs, multiValued=True))
        thing = self.made(cards=[{"value": "v", "serial": "1"}])
        other = {"value": "v", "serial": "2"}
        for operation in (
            {"op": "add", "path": "cards", "value": [other]},
            {"op": "add", "path": 'cards[value eq "v"]', "value": other},
        ):
            detail = self.error(400, self.patched(thing, operation), "mutability")
            self.assertIn("cards.serial", detail.replace('[value eq "v"]', ""))
        operation = {"op": "add", "path": "cards", "value": [{"value": "v", "x": "y"}]}
        found = self.json(200, self.patched(thing, operation))["cards"]
        self.assertEqual([{"value": "v", "serial": "1", "x": "y"}], found)


class NeverReturnedTests(OwnTypeCase):
    """What is never returned isn't kept either."""

    def test_not_kept(self) -> None:
        """Neither attributes nor parts, in extensions or with several values, at any change."""
        secret = attribute("pin", returned="never")
        self.things(
            attribute("pins", returned="never", multiValued=True),
            complex("card", secret, attribute("nr")),
            complex("cards", secret, attribute("nr"), multiValued=True),
            more={"attributes": [secret, attribute("nr")]},
        )
        self.assertEqual({"nr": "1"}, self.made(card={"nr": "1", "pin": "s3cret"})["card"])
        urn = f"{MORE}:more"
        hidden = {"pins": ["s3cret"], "card": {"pin": "s3cret"}, "cards": [{"pin": "s3cret"}]}
        thing = self.made(**hidden, **{urn: {"pin": "s3cret"}})
        self.assertEqual({"schemas", "id", "meta"}, set(thing))
        self.assertEqual([URN], thing["schemas"])
        thing = self.json(200, self.client.put(f"/Things/{thing['id']}", hidden))
        self.assertEqual({"schemas", "id", "meta"}, set(thing))
        cards = [{"pin": "s3cret", "nr": "1"}, {"pin": "s3cret"}]
        operations: list[Json] = [
            {"op": "add", "path": "pins", "value": ["s3cret"]},
            {"op": "add", "path": "cards", "value": cards},
            {"op": "replace", "path": "card", "value": cards[0]},
            {"op": "add", "path": urn, "value": cards[0]},
        ]
        found = self.json(200, self.patched(thing, *operations))
        held = ({"nr": "1"}, [{"nr": "1"}], {"nr": "1"})
        self.assertEqual(held, (found["card"], found["cards"], found[urn]))
        replaced: Json = {"op": "replace", "path": "cards", "value": [{"pin": "s3cret"}]}
        self.assertNotIn("cards", self.json(200, self.patched(thing, replaced)))
        (table,) = [
            each for each in self.store._stores[NO_ENTITY].values() if each.type.name == "Thing"
        ]
        self.assertNotIn("s3cret", str(table.all()))

    def test_namesake(self) -> None:
        """What an extension has under the name of something that is never returned is kept."""
        self.things(
            attribute("pin", returned="never"),
            more={"attributes": [attribute("pin"), attribute("x")]},
        )
        urn = f"{MORE}:more"
        thing = self.made(pin="1", **{urn: {"x": "y"}})
        operation = {"op": "add", "path": f"{urn}:pin", "value": "2"}
        found = self.json(200, self.patched(thing, operation))
        self.assertEqual({"pin": "2", "x": "y"}, found[urn])
        cleared = self.json(200, self.patched(thing, {"op": "remove", "path": f"{urn}:pin"}))
        self.assertEqual({"x": "y"}, cleared[urn])

    def test_not_searched(self) -> None:
        """A value that is never returned can't be found by the attribute that it stands for."""
        self.things(complex("card", attribute("value", returned="never"), attribute("nr")))
        for query in ("filter=card%20eq%20%22x%22", "sortBy=card"):
            self.error(403, self.client.get(f"/Things?{query}"), "sensitive")


class ReferenceTests(OwnTypeCase):
    """RFC 7643 sections 2.3.7 and 2.4: references to resources have addresses."""

    def reference(self, *kinds: str, **more: Any) -> Json:
        """Describe an attribute that refers to resources of some types."""
        address = attribute("$ref", type="reference", referenceTypes=list(kinds), required=True)
        return complex("owner", attribute("value"), address, attribute("type"), **more)

    def test_one_type(self) -> None:
        """The address is told of what value names, and tells value."""
        self.things(self.reference("User"))
        owner = {"value": "bjensen", "$ref": f"{BASE}/Users/bjensen"}
        thing = self.made(owner={"value": "bjensen"})
        self.assertEqual(owner, thing["owner"])
        self.assertEqual(owner, self.made(owner={"$ref": "../Users/bjensen"})["owner"])
        other = {"op": "replace", "path": "owner.$ref", "value": "../Users/jsmith"}
        self.assertEqual("jsmith", self.json(200, self.patched(thing, other))["owner"]["value"])

    def test_several_types(self) -> None:
        """The type is what `type` says, if that is one, else that of who has the id."""
        self.things(self.reference("Thing", "User"))
        thing = self.made(owner={"value": "bjensen", "type": "main"})
        self.assertEqual(f"{BASE}/Users/bjensen", thing["owner"]["$ref"])
        part = self.made(owner={"value": thing["id"]})
        self.assertEqual(f"{BASE}/Things/{thing['id']}", part["owner"]["$ref"])
        told = self.made(owner={"value": "x", "type": "thing"})
        self.assertEqual(f"{BASE}/Things/x", told["owner"]["$ref"])
        self.assertNotIn("$ref", self.made(owner={"value": "nobody"})["owner"])

    def test_several_values(self) -> None:
        """Each value has its address, which isn't changed by itself."""
        self.things(self.reference("User", multiValued=True))
        thing = self.made(owner=[{"value": "a"}, {"value": "b/c"}])
        addresses = [each["$ref"] for each in thing["owner"]]
        self.assertEqual([f"{BASE}/Users/a", f"{BASE}/Users/b%2Fc"], addresses)
        operation = {"op": "replace", "path": 'owner[value eq "a"].$ref', "value": "x"}
        self.error(400, self.patched(thing, operation), "mutability")

    def test_elsewhere(self) -> None:
        """Where something else is referred to, the address is kept as it was written."""
        self.things(self.reference("external"))
        owner = {"$ref": "https://x.example/owner"}
        self.assertEqual(owner, self.made(owner=owner)["owner"])


class ValueTests(OwnTypeCase):
    """RFC 7643 sections 2.3 and 2.4."""

    def test_exact(self) -> None:
        """The case of what is binary counts, whatever its schema says, and that of a reference."""
        self.things(
            attribute("key", type="binary", caseExact=False),
            attribute("link", type="reference", referenceTypes=["external"]),
        )
        schema = self.json(200, self.client.get(f"/Schemas/{URN}"))
        self.assertEqual([True, True], [each["caseExact"] for each in schema["attributes"]])
        thing = self.made(key="AAEC", link="https://x.example/A")
        for name, value in (("key", "AAEC"), ("link", "https://x.example/A")):
            self.assertEqual([thing], self.found(f'{name} eq "{value}"'))
            self.assertEqual([], self.found(f'{name} eq "{value.lower()}"'))

    def test_type_of_another_type(self) -> None:
        """What is called type may be a number."""
        parts = attribute("value"), attribute("type", type="integer")
        self.things(complex("tags", *parts, multiValued=True))
        tags = [{"value": "a", "type": 1}, {"value": "a", "type": 2}, {"value": "a"}]
        self.assertEqual(tags, self.made(tags=[*tags, tags[0]])["tags"])

    def test_write_only(self) -> None:
        """What is writeOnly isn't returned, though its schema doesn't say so."""
        self.things(attribute("pin", mutability="writeOnly"))
        thing = self.made(pin="1")
        self.assertNotIn("pin", thing)
        self.assertNotIn("pin", self.again(thing, "?attributes=pin"))
        (told,) = self.json(200, self.client.get(f"/Schemas/{URN}"))["attributes"]
        self.assertEqual("never", told["returned"])

    def test_long_urns(self) -> None:
        """Of schemas whose URNs begin alike the longest is meant."""
        self.things(
            more={"attributes": [attribute("x")]}, **{"more:2.0": {"attributes": [attribute("y")]}}
        )
        urn = f"{MORE}:more:2.0"
        thing = self.made(**{urn: {"y": "a"}})
        self.assertEqual([thing], self.found(f'{urn}:y eq "A"'))
        operation = {"op": "replace", "path": f"{urn.upper()}:Y", "value": "b"}
        self.assertEqual({"y": "b"}, self.json(200, self.patched(thing, operation))[urn])
        shown = self.again(thing, f"?attributes={urn}:y")
        self.assertEqual({"schemas", "id", urn}, set(shown))
