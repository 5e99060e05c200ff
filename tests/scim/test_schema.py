"""Schemas and resource types: RFC 7643 sections 4, 6 and 7."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from scimgw.scim.schema import (
    COMMON,
    GROUP,
    USER,
    Attribute,
    AttributeType,
    Mutability,
    Returned,
    Schema,
    Uniqueness,
)

CHARACTERISTICS = {"name", "type", "multiValued", "required", "mutability", "returned"}
TYPES = {kind.value for kind in AttributeType}


class DocumentTests(SynchronousTestCase):
    """The documents that /Schemas and /ResourceTypes give."""

    def test_round_trip(self) -> None:
        """A document is read back as the same schema."""
        for schema in (*USER.schemas, *GROUP.schemas, COMMON):
            self.assertEqual(schema.to_json(), Schema.from_json(schema.to_json()).to_json())

    def test_every_characteristic(self) -> None:
        """Every attribute tells its characteristics; none is complex within a complex one."""
        for schema in (*USER.schemas, *GROUP.schemas):
            for attribute in schema.to_json()["attributes"]:
                for each in (attribute, *attribute.get("subAttributes", ())):
                    self.assertLessEqual(
                        {"name", "type", "multiValued", "required", "mutability", "returned"},
                        set(each),
                    )
                    self.assertIn(each["type"], TYPES)
                    self.assertTrue(each["description"])
                for sub in attribute.get("subAttributes", ()):
                    self.assertNotEqual("complex", sub["type"])

    def test_defaults(self) -> None:
        """What a document leaves out has the default of RFC 7643 section 2.2."""
        expected = Attribute(name="x")
        self.assertEqual(expected.to_json(), Attribute.from_json({"name": "x"}).to_json())
        self.assertEqual("readWrite", expected.to_json()["mutability"])

    def test_case_of_references(self) -> None:
        """The case of references and of binary values counts (RFC 7643 sections 2.3.6, 2.3.7)."""
        for kind, exact in (("reference", True), ("binary", True), ("string", False)):
            self.assertIs(exact, Attribute.from_json({"name": "x", "type": kind}).case_exact)
        said = {"name": "x", "type": "reference", "caseExact": False}
        self.assertFalse(Attribute.from_json(said).case_exact)

    def test_key_characteristics(self) -> None:
        """Names are unique in any case, passwords only go in, groups only come out."""
        user_name, password, groups = (
            USER.find(name) for name in ("userName", "password", "groups")
        )
        assert user_name is not None
        assert password is not None
        assert groups is not None
        self.assertEqual(
            (True, False, Uniqueness.SERVER),
            (user_name.required, user_name.case_exact, user_name.uniqueness),
        )
        self.assertEqual(
            (Mutability.WRITE_ONLY, Returned.NEVER), (password.mutability, password.returned)
        )
        self.assertTrue(groups.read_only)

    def test_resource_type(self) -> None:
        """A resource type names its schemas."""
        self.assertEqual(
            {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
                "id": "User",
                "name": "User",
                "endpoint": "/Users",
                "description": "User accounts",
                "schema": "urn:ietf:params:scim:schemas:core:2.0:User",
                "schemaExtensions": [
                    {
                        "schema": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
                        "required": False,
                    }
                ],
            },
            USER.to_json(),
        )


class LookupTests(SynchronousTestCase):
    """Finding attributes by name."""

    def test_names_have_no_case(self) -> None:
        """Names are found in whatever case (RFC 7643 section 2.1)."""
        self.assertIs(USER.find("userName"), USER.find("USERNAME"))
        self.assertIsNone(USER.find("nope"))
        self.assertIsNotNone(
            USER.extension("URN:IETF:PARAMS:SCIM:SCHEMAS:EXTENSION:ENTERPRISE:2.0:USER")
        )
        self.assertIsNone(USER.extension("urn:x"))

    def test_plain(self) -> None:
        """Members are added and removed, never changed; e-mail addresses are changed."""
        members, emails = GROUP.find("members"), USER.find("emails")
        assert members is not None
        assert emails is not None
        self.assertTrue(members.plain)
        self.assertFalse(emails.plain)
        self.assertTrue(Attribute(name="tags", multi_valued=True).plain)
        self.assertFalse(Attribute(name="x", type=AttributeType.COMPLEX).plain)
