"""Schemas and resource types that somebody else has written."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from scimgw.scim.custom import STANDARD, extended, own_types
from scimgw.scim.schema import GROUP, USER, AttributeType, Mutability
from scimgw.scim.words import Unfit

Json = dict[str, Any]
URN = "urn:example:params:scim:schemas:Device"


def attribute(name: str = "x", **more: Any) -> Json:
    """Describe an attribute."""
    return {"name": name, **more}


def schema(*attributes: Json, **more: Any) -> Json:
    """Describe a schema."""
    return {"id": URN, "attributes": list(attributes), **more}


def kind(**more: Any) -> Json:
    """Describe a resource type."""
    return {"name": "Device", "endpoint": "/Devices", "schema": URN, **more}


class ExtendedTests(SynchronousTestCase):
    """Attributes that join users and groups."""

    def test_core(self) -> None:
        """An entry without a URN joins the core schema, in the words of SCIM 1.1 or 2.0."""
        user, group = extended(
            [
                {
                    "name": "User",
                    "attributes": [
                        attribute("musicPreference", type="string", readOnly=True),
                        attribute(
                            "populations",
                            type="complex",
                            multiValued=True,
                            multiValuedAttributeChildName="population",
                            readOnly=False,
                            subAttributes=[attribute("value", required=True)],
                        ),
                    ],
                },
                {"name": "Group", "attributes": [attribute("size", type="integer")]},
            ]
        )
        music, populations = user.find("MUSICpreference"), user.find("populations")
        assert music is not None
        assert populations is not None
        self.assertIs(Mutability.READ_ONLY, music.mutability)
        self.assertIs(Mutability.READ_WRITE, populations.mutability)
        self.assertTrue(populations.multi_valued)
        self.assertEqual((USER.name, USER.extensions), (user.name, user.extensions))
        size = group.find("size")
        assert size is not None
        self.assertIs(AttributeType.INTEGER, size.type)

    def test_one_entry(self) -> None:
        """A file may hold one entry; the other type is left as it is."""
        user, group = extended({"name": "User", "attributes": [attribute()]})
        self.assertIsNotNone(user.find("x"))
        self.assertIs(GROUP, group)

    def test_extension(self) -> None:
        """An entry with a URN of its own is an extension."""
        user, _ = extended(
            {"name": "User", "id": URN, "required": True, "attributes": [attribute("userName")]}
        )
        self.assertEqual((URN, True), (user.extensions[-1].schema.id, user.extensions[-1].required))

    def test_conflicts(self) -> None:
        """What is there already is told by its name."""
        for entry, name in (
            ({"name": "User", "attributes": [attribute("USERNAME")]}, "USERNAME"),
            ({"name": "Group", "attributes": [attribute("id")]}, "id"),
            ({"name": "User", "attributes": [attribute(), attribute("X")]}, "X"),
            (
                {"name": "User", "id": USER.extensions[0].schema.id, "attributes": [attribute()]},
                USER.extensions[0].schema.id,
            ),
        ):
            self.assertIn(name, str(self.assertRaises(Unfit, extended, entry)))
        twice = [{"name": "User", "attributes": [attribute("twice")]}] * 2
        self.assertIn("twice", str(self.assertRaises(Unfit, extended, twice)))

    def test_unfit(self) -> None:
        """What can't be an attribute is told with its place and its reason."""
        faulty: list[tuple[Any, str]] = [
            ({}, "attributes must be an array"),
            ([], "no attributes"),
            (["x"], "must be an object"),
            ([{}], "needs name"),
            ([attribute("a b")], "name must be a letter, and then letters"),
            ([attribute("größe")], "digits, - and _ (ASCII), not 'größe'"),
            ([attribute("$ref")], "name must be a letter"),
            ([{"name": 1}], "name must be a letter"),
            ([attribute(type="text")], "type must be one of string"),
            ([attribute(required="yes")], "required must be true or false"),
            ([attribute(mutability="never")], "mutability must be one of"),
            ([attribute(canonicalValues=[1])], "canonicalValues must be an array of strings"),
            ([attribute(colour="red")], "'colour' isn't known"),
            ([attribute(type="complex")], "complex attributes have subAttributes"),
            ([attribute(subAttributes=[attribute()])], "complex attributes have subAttributes"),
            (
                [
                    attribute(
                        type="complex",
                        subAttributes=[attribute(type="complex", subAttributes=[attribute()])],
                    )
                ],
                "can't be inside",
            ),
        ]
        for attributes, reason in faulty:
            entry: Json = {"name": "User", "attributes": attributes}
            self.assertIn(reason, str(self.assertRaises(Unfit, extended, entry)))
        for entries, reason in (
            ([], "no attributes"),
            (1, "must be an object"),
            ({"attributes": []}, "needs name"),
            ({"name": "Device", "attributes": [attribute()]}, "name must be one of User, Group"),
            ({"name": "User", "id": "x", "attributes": [attribute()]}, "id must be a URN"),
        ):
            self.assertIn(reason, str(self.assertRaises(Unfit, extended, entries)))

    def test_contradictions(self) -> None:
        """Characteristics that can't hold together are told with the attribute."""
        part = attribute("y")
        faulty: tuple[tuple[Json, str], ...] = (
            (attribute(mutability="readWrite", readOnly=True), "readOnly says otherwise"),
            (attribute(mutability="writeOnly", returned="default"), "writeOnly is never returned"),
            (attribute(returned="never", uniqueness="server"), "never returned can't be unique"),
            (
                attribute(type="complex", uniqueness="server", subAttributes=[part]),
                "a complex attribute can't be unique",
            ),
            (attribute(referenceTypes=["User"]), "those of a reference, not of type string"),
            (
                attribute(type="complex", subAttributes=[attribute("Type", multiValued=True)]),
                "Type tells of one value what it is, and can't be several",
            ),
            (attribute(multivalued=True), "'multivalued' isn't known; it is spelled multiValued"),
        )
        for each, reason in faulty:
            fault = self.assertRaises(Unfit, extended, {"name": "User", "attributes": [each]})
            self.assertIn("User", str(fault))
            self.assertIn("x", str(fault))
            self.assertIn(reason, str(fault))

    def test_all_at_once(self) -> None:
        """All that is wrong is told, of every entry."""
        entries = [
            {"name": "User", "attributes": [attribute("a b"), attribute(type="text", colour=1)]},
            {"name": "Device", "attributes": []},
            {"name": "Group", "attributes": [attribute("displayName"), attribute("members")]},
        ]
        fault = self.assertRaises(Unfit, extended, entries)
        self.assertEqual(6, len(fault.faults), fault.faults)

    def test_urns(self) -> None:
        """A URN is that of one schema, and none of SCIM's own."""
        core = USER.schema.id
        for entries, reason in (
            ([(GROUP.schema.id, "x")], "is another schema of"),
            ([("urn:ietf:params:scim:api:messages:2.0:Acme", "x")], "is SCIM's own"),
            ([("urn:ietf:params:scim:schemas:core:2.0:schema", "x")], "is SCIM's own"),
            ([(URN, "x"), (f"{URN}:x", "y")], f"{URN}:x is an attribute and a schema"),
            ([("urn:acme:(x)", "x")], "id must be a URN"),
            ([("urn:acme:x,y", "x")], "id must be a URN"),
            ([("urn:acme:ä", "x")], "id must be a URN"),
            ([(core.upper().replace("URN", "urn"), "title")], "there is an attribute title"),
        ):
            made = [{"name": "User", "id": u, "attributes": [attribute(n)]} for u, n in entries]
            self.assertIn(reason, str(self.assertRaises(Unfit, extended, made)))
        both = [{"name": n, "id": URN, "attributes": [attribute(n)]} for n in ("User", "Group")]
        fault = self.assertRaises(Unfit, extended, both)
        self.assertIn(f"Group: {URN} is another schema of User", str(fault))

    def test_shared(self) -> None:
        """Users and groups may have an extension in common, if it is one."""
        shared = [{"name": n, "id": URN, "attributes": [attribute()]} for n in ("User", "Group")]
        user, group = extended(shared)
        self.assertIs(user.extensions[-1].schema, group.extensions[-1].schema)

    def test_required_core(self) -> None:
        """Whether an extension is required isn't said of the core schema."""
        entry = {"name": "User", "required": True, "attributes": [attribute()]}
        self.assertIn("required", str(self.assertRaises(Unfit, extended, entry)))


class OwnTypeTests(SynchronousTestCase):
    """Resource types of one's own."""

    def test_made(self) -> None:
        """A resource type is made with its schemas, whichever comes first."""
        extension = {**schema(attribute("y")), "id": f"{URN}:more"}
        extensions = [{"schema": f"{URN}:MORE", "required": True}]
        documents = [kind(schemaExtensions=extensions), schema(attribute()), extension]
        for each in (documents, documents[::-1]):
            (type,) = own_types(each, STANDARD)
            self.assertEqual(
                ("Device", "/Devices", URN), (type.name, type.endpoint, type.schema.id)
            )
            self.assertTrue(type.extensions[0].required)
            found = type.extension(f"{URN}:more")
            assert found is not None
            self.assertIsNotNone(found.find("y"))

    def test_known_schemas(self) -> None:
        """A schema that is known may be used again."""
        urn = USER.extensions[0].schema.id
        (type,) = own_types(
            [kind(schema=GROUP.schema.id, schemaExtensions=[{"schema": urn}])], STANDARD
        )
        self.assertIs(GROUP.schema, type.schema)

    def test_unfit(self) -> None:
        """What can't be a resource type is told with its reason."""
        good = schema(attribute())
        for documents, reason in (
            ([1], "must be an object"),
            ([kind()], f"there is no schema {URN}"),
            ([kind(endpoint="Devices"), good], "endpoint must be a slash and a name"),
            ([kind(endpoint="/a/b"), good], "endpoint must be a slash and a name"),
            ([kind(name="user"), good], "there is a resource type user already"),
            ([kind(endpoint="/users"), good], "/users is the endpoint of User too"),
            ([kind(), {**kind(), "name": "Other"}, good], "is the endpoint of Device too"),
            ([kind(), good, good], f"there is a schema {URN} already"),
            ([kind(schemaExtensions=[{"required": True}]), good], "needs schema"),
            ([kind(), schema(attribute("externalId"))], "externalId is an attribute of every"),
            ([{**good, "id": "a b"}], "id must be a URN"),
            ([kind(colour="red"), good], "'colour' isn't known"),
            ([good], f"no resource type has the schema {URN}"),
            ([kind(), {**good, "required": True}], "'required' isn't known"),
            ([kind(schemaExtensions=[{"schema": URN}]), good], "stands there twice"),
        ):
            fault = self.assertRaises(Unfit, own_types, documents, STANDARD)
            self.assertIn(reason, str(fault))
