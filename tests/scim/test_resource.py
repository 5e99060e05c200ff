"""Resources out of JSON: RFC 7643 sections 2 and 3."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from hypothesis import given, settings
from twisted.trial.unittest import SynchronousTestCase

from scimgw.errors import InvalidSyntax, InvalidValue
from scimgw.errors import Mutability as NotMutable
from scimgw.scim.changes import changed, replacement
from scimgw.scim.resource import Resource, parse, schemas_of, writable
from scimgw.scim.schema import (
    GROUP,
    USER,
    Attribute,
    AttributeType,
    Extension,
    Mutability,
    ResourceType,
    Schema,
)
from scimgw.testing import strategies
from tests.scim.samples import BABS, CORE, ENTERPRISE, refuse

Json = dict[str, Any]


def data(body: object, type: ResourceType = USER, unknown: list[str] | None = None) -> Json:
    """Read a resource."""
    return dict(parse(type, body, refuse if unknown is None else unknown.append).data)


class ParseTests(SynchronousTestCase):
    """Reading what a client sends."""

    def test_as_sent(self) -> None:
        """Values come through as they were sent."""
        body = {
            "userName": "x",
            "externalId": "aB-1",
            "displayName": ' "quoted" \\ tab\t日本 😀 ',
            "emails": [
                {"value": "a@b", "type": "work", "primary": True},
                {"value": "b@c", "type": "work"},
            ],
            "x509Certificates": [{"value": "YQ=="}],
            "password": "secret",
            ENTERPRISE: {"manager": {"value": "1"}, "costCenter": "4130"},
        }
        self.assertEqual({"schemas": [CORE, ENTERPRISE], **body}, data(body))

    def test_canonical_names(self) -> None:
        """Names are read in whatever case, and kept as the schema has them."""
        body = {
            "USERNAME": "x",
            "Emails": [{"VALUE": "a", "Type": "work"}],
            ENTERPRISE.upper(): {"Division": "d"},
        }
        expected = {
            "userName": "x",
            "emails": [{"value": "a", "type": "work"}],
            ENTERPRISE: {"division": "d"},
        }
        self.assertEqual({"schemas": [CORE, ENTERPRISE], **expected}, data(body))

    def test_schemas_follow_the_data(self) -> None:
        """Whatever a client lists, schemas tells where there are data."""
        for schemas in ([], [CORE], [CORE, ENTERPRISE], None):
            body = {"schemas": schemas, "userName": "x", ENTERPRISE: None}
            self.assertEqual([CORE], data(body)["schemas"])
        self.assertEqual([CORE], schemas_of(USER, {ENTERPRISE: {}}))

    def test_unassigned(self) -> None:
        """Null and what is empty is no value, at every depth."""
        body = {
            "userName": "x",
            "title": None,
            "nickName": "",
            "emails": [],
            "roles": [None, {}, {"value": ""}],
            "name": {"familyName": None},
            ENTERPRISE: {"manager": {"value": None}},
        }
        self.assertEqual({"schemas": [CORE], "userName": "x"}, data(body))

    def test_read_only_is_dropped(self) -> None:
        """What is readOnly is left out, whatever its value."""
        body = {
            "userName": "x",
            "id": 5,
            "meta": "x",
            "groups": [{"value": "g"}],
            ENTERPRISE: {"manager": {"value": "1", "displayName": "J"}},
        }
        self.assertEqual({"value": "1"}, data(body)[ENTERPRISE]["manager"])
        self.assertEqual({"schemas", "userName", ENTERPRISE}, set(data(body)))

    def test_unknown_is_told(self) -> None:
        """What no schema has is told and dropped."""
        unknown: list[str] = []
        body = {
            "schemas": [CORE, "urn:x"],
            "userName": "x",
            "nope": {"a": 1},
            "name": {"nope": 1, "givenName": "g"},
            "urn:y": {},
            ENTERPRISE: {"nope": None},
        }
        self.assertEqual({"givenName": "g"}, data(body, unknown=unknown)["name"])
        self.assertEqual(["urn:x", "nope", "name.nope", "urn:y", f"{ENTERPRISE}.nope"], unknown)

    def test_strings_for_complex_values(self) -> None:
        """A string stands for a complex value that has a value."""
        body = {"userName": "x", "emails": ["a@b"], ENTERPRISE: {"manager": "1"}}
        self.assertEqual([{"value": "a@b"}], data(body)["emails"])
        self.assertEqual({"value": "1"}, data(body)[ENTERPRISE]["manager"])

    def test_same_value_once(self) -> None:
        """The same value, of the same type, is kept once, with all that is said of it."""
        twice = [
            {"value": "a", "type": "work"},
            {"value": "A", "type": "WORK", "primary": True},
            {"value": "a"},
        ]
        expected = [{"value": "A", "type": "WORK", "primary": True}, {"value": "a"}]
        self.assertEqual(expected, data({"userName": "x", "emails": twice})["emails"])
        members = [{"value": "a"}, {"value": "a", "type": "User"}]
        self.assertEqual(
            [{"value": "a"}], data({"displayName": "g", "members": members}, GROUP)["members"]
        )

    def test_refused(self) -> None:
        """What isn't a resource is refused, naming the attribute."""
        user = {"userName": "x"}
        for body, error, reason in (
            ([], InvalidSyntax, "the body must be a JSON object"),
            ("x", InvalidSyntax, "the body must be a JSON object"),
            (None, InvalidSyntax, "the body must be a JSON object"),
            ({**user, "USERNAME": "y"}, InvalidSyntax, "the body has one attribute twice"),
            ({**user, "schemas": CORE}, InvalidSyntax, "schemas must be an array"),
            ({**user, "schemas": [5]}, InvalidSyntax, "schemas must be an array"),
            ({}, InvalidValue, "userName is required"),
            ({"userName": ""}, InvalidValue, "userName is required"),
            ({"userName": None}, InvalidValue, "userName is required"),
            ({"userName": 5}, InvalidValue, "userName must be a string, not 5"),
            ({**user, "active": "banana"}, InvalidValue, "active must be true or false"),
            ({**user, "name": "text"}, InvalidValue, "name must be a JSON object"),
            (
                {**user, "name": {"givenName": ["x"]}},
                InvalidValue,
                "name.givenName must be a string",
            ),
            ({**user, "name": {"a": 1, "A": 2}}, InvalidSyntax, "name has one attribute twice"),
            ({**user, "emails": "x@y"}, InvalidValue, "emails must be an array"),
            ({**user, "emails": {"value": "x"}}, InvalidValue, "emails must be an array"),
            ({**user, "emails": [5]}, InvalidValue, "emails must be a JSON object"),
            ({**user, "addresses": ["x"]}, InvalidValue, "addresses must be a JSON object"),
            ({**user, "title": ["x"]}, InvalidValue, "title must be a string"),
            (
                {**user, "x509Certificates": [{"value": "***"}]},
                InvalidValue,
                "x509Certificates.value must be base64",
            ),
            ({**user, ENTERPRISE: "x"}, InvalidValue, f"{ENTERPRISE} must be a JSON object"),
            (
                {
                    **user,
                    "emails": [{"value": "a", "primary": True}, {"value": "b", "primary": True}],
                },
                InvalidValue,
                "emails has more than one primary value",
            ),
        ):
            found = self.assertRaises(error, parse, USER, body, lambda _: None)
            self.assertIn(reason, found.detail)

    def test_required_parts(self) -> None:
        """A member has an id; a required extension has data."""
        self.assertRaises(
            InvalidValue, data, {"displayName": "g", "members": [{"type": "User"}]}, GROUP
        )
        required = evolve(
            USER, extensions=tuple(evolve(each, required=True) for each in USER.extensions)
        )
        self.assertRaises(InvalidValue, data, {"userName": "x"}, required)
        self.assertEqual(
            [CORE, ENTERPRISE],
            data({"userName": "x", ENTERPRISE: {"division": "d"}}, required)["schemas"],
        )

    def test_generated(self) -> None:
        """Whatever fits the schema is read as it is."""

        @settings(max_examples=150, deadline=None)
        @given(strategies.bodies(USER))
        def check(body: Json) -> None:
            read = data({"userName": "x", **body})
            self.assertEqual({"schemas": read["schemas"], "userName": "x", **body}, read)

        check()


class ResourceTests(SynchronousTestCase):
    """A resource as a value."""

    def test_id_and_version(self) -> None:
        """The id and the version are at hand."""
        babs = Resource(USER, BABS)
        self.assertEqual(("2819c223", 'W/"a330bc54f0671c9"'), (babs.id, babs.version))
        self.assertIsNone(Resource(USER, {"id": "x"}).version)

    def test_writable(self) -> None:
        """What clients may write and see again is all that a PUT compares."""
        names = {str(path) for path in writable(USER)}
        self.assertLessEqual({"userName", "emails", f"{ENTERPRISE}:manager"}, names)
        self.assertFalse(names & {"id", "meta", "schemas", "groups", "password"})


SUBS = (
    Attribute(name="value"),
    Attribute(name="note", mutability=Mutability.READ_ONLY),
    Attribute(name="seal", mutability=Mutability.IMMUTABLE),
)
THING = ResourceType(
    name="Thing",
    endpoint="/Things",
    schema=Schema(
        id="urn:test:Thing",
        name="Thing",
        attributes=(
            Attribute(name="name"),
            Attribute(name="secret", mutability=Mutability.WRITE_ONLY),
            Attribute(name="serial", mutability=Mutability.IMMUTABLE),
            Attribute(name="marks", multi_valued=True, mutability=Mutability.IMMUTABLE),
            Attribute(name="state", mutability=Mutability.READ_ONLY),
            Attribute(name="owner", type=AttributeType.COMPLEX, sub_attributes=SUBS),
            Attribute(
                name="origin",
                type=AttributeType.COMPLEX,
                mutability=Mutability.IMMUTABLE,
                sub_attributes=SUBS[:1],
            ),
        ),
    ),
    extensions=(
        Extension(Schema(id="urn:test:Label", name="Label", attributes=(Attribute(name="label"),))),
    ),
)


class ReplacementTests(SynchronousTestCase):
    """PUT: RFC 7644 section 3.5.1."""

    HELD: Json = {  # noqa: RUF012 - never changed
        "name": "n",
        "serial": "1",
        "marks": ["m"],
        "state": "s",
        "owner": {"value": "o", "note": "N", "seal": "S"},
        "origin": {"value": "here"},
        "urn:test:Label": {"label": "l"},
    }

    def replaced(self, held: Json, body: Json) -> Json:
        """Replace what is held."""
        changes = replacement(Resource(THING, held), parse(THING, body, refuse))
        after = changed(THING, held, changes)
        return {name: value for name, value in after.items() if name != "schemas"}

    def test_left_out(self) -> None:
        """What is left out is cleared, but not what is readOnly, writeOnly or immutable."""
        kept = {name: self.HELD[name] for name in ("serial", "marks", "state", "origin")}
        self.assertEqual({**kept, "owner": {"seal": "S"}}, self.replaced(self.HELD, {}))

    def test_same_again(self) -> None:
        """What was read may be put back, and changes nothing."""
        changes = replacement(Resource(THING, self.HELD), parse(THING, self.HELD, refuse))
        self.assertFalse(changes)

    def test_derived_part(self) -> None:
        """What describes a value stays with the value, and goes with it."""
        same = self.replaced(self.HELD, {"owner": {"value": "o"}})
        self.assertEqual({"value": "o", "note": "N", "seal": "S"}, same["owner"])
        other = self.replaced(self.HELD, {"owner": {"value": "p"}})
        self.assertEqual({"value": "p", "seal": "S"}, other["owner"])

    def test_secret_is_set(self) -> None:
        """What is writeOnly is set when it is given."""
        self.assertEqual("x", self.replaced(self.HELD, {"secret": "x"})["secret"])

    def test_immutable(self) -> None:
        """What is immutable is set once, may be repeated, and isn't changed."""
        self.assertEqual("1", self.replaced({}, {"serial": "1"})["serial"])
        self.assertEqual("1", self.replaced(self.HELD, {"serial": "1"})["serial"])
        for body in (
            {"serial": "2"},
            {"marks": ["n"]},
            {"owner": {"value": "o", "seal": "T"}},
            {"origin": {"value": "there"}},
        ):
            self.assertRaises(NotMutable, self.replaced, self.HELD, body)
