"""Queries over several resource types: RFC 7644 sections 3.4.2.1 and 3.4.3."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from scimgw.errors import InvalidFilter, InvalidSyntax, InvalidValue, Sensitive
from scimgw.scim.schema import GROUP, USER, Attribute, AttributeType
from scimgw.scim.several import SEARCH_REQUEST, Several, parse_search_request, parse_several

TYPES = [USER, GROUP]


def several(**parameters: str) -> Several:
    """Read parameters for users and groups."""
    return parse_several(TYPES, parameters, 100)


def asked(text: str) -> dict[str, str | None]:
    """Read what a filter asks of each type that can hold a match."""
    return {
        each.type.name: None if each.filter is None else str(each.filter)
        for each in several(filter=text).searches
    }


class FilterTests(SynchronousTestCase):
    """What of a filter concerns which type."""

    def test_none(self) -> None:
        """Without a filter every type is asked for everything."""
        self.assertEqual([None, None], [each.filter for each in several().searches])

    def test_resource_type(self) -> None:
        """meta.resourceType decides which types are asked."""
        self.assertEqual({"User": None}, asked('meta.resourceType eq "User"'))
        self.assertEqual({"Group": None}, asked('meta.resourceType ne "User"'))
        self.assertEqual({}, asked('meta.resourceType eq "Device"'))
        self.assertEqual(
            {"User": 'userName eq "x"', "Group": None},
            asked('userName eq "x" or meta.resourceType eq "Group"'),
        )
        self.assertEqual(
            {"User": 'displayName eq "x"'},
            asked('meta.resourceType eq "User" and displayName eq "x"'),
        )

    def test_attributes_of_one_type(self) -> None:
        """What a type hasn't has no value there: only `ne` and `not` hold of it."""
        for text, expected in {
            'userName eq "x"': {"User": 'userName eq "x"'},
            "userName pr": {"User": "userName pr"},
            'emails[type eq "work"]': {"User": 'emails[type eq "work"]'},
            'userName ne "x"': {"User": 'userName ne "x"', "Group": None},
            'not (userName eq "x")': {"User": 'not (userName eq "x")', "Group": None},
            'userName eq "x" and members pr': {},
            'userName eq "x" or members pr': {"User": 'userName eq "x"', "Group": "members pr"},
            f'{USER.extensions[0].schema.id}:department eq "x"': {
                "User": f'{USER.extensions[0].schema.id}:department eq "x"'
            },
        }.items():
            self.assertEqual(expected, asked(text), text)

    def test_other_kind(self) -> None:
        """Where an attribute of the name is of another kind, nothing matches."""
        other = evolve(GROUP, schema=evolve(GROUP.schema, attributes=(Attribute(name="name"),)))
        found = parse_several([USER, other], {"filter": 'name eq "x"'}, 1)
        self.assertEqual([other], [each.type for each in found.searches])

    def test_faults(self) -> None:
        """What no type has is refused, and so is what is never returned."""
        self.assertIn("no resource type", str(self.assertRaises(InvalidFilter, asked, "nope pr")))
        self.assertRaises(Sensitive, asked, 'password eq "x"')
        self.assertRaises(InvalidFilter, asked, "userName eq")


class SortTests(SynchronousTestCase):
    """What the types are sorted by."""

    def test_where_it_is(self) -> None:
        """A type that hasn't the attribute isn't sorted by it."""
        found = several(sortBy="userName", sortOrder="descending")
        self.assertTrue(found.sorted)
        self.assertTrue(found.descending)
        self.assertEqual("userName", str(getattr(found.searches[0].sort, "path", None)))
        self.assertIsNone(found.searches[1].sort)

    def test_faults(self) -> None:
        """What can't be sorted by is refused."""
        for by in ("nope", "name", "a..b"):
            self.assertRaises(InvalidValue, several, sortBy=by)
        self.assertRaises(InvalidValue, several, sortOrder="sideways")

    def test_mixed_types(self) -> None:
        """Values of different types aren't put in one order; numbers of both kinds are."""

        def typed(kind: AttributeType) -> Any:
            return evolve(
                GROUP,
                schema=evolve(GROUP.schema, attributes=(Attribute(name="title", type=kind),)),
            )

        types = [USER, typed(AttributeType.BOOLEAN)]
        self.assertRaises(InvalidValue, parse_several, types, {"sortBy": "title"}, 1)
        numbers = [typed(AttributeType.INTEGER), typed(AttributeType.DECIMAL)]
        self.assertTrue(parse_several(numbers, {"sortBy": "title"}, 1).sorted)


class SearchRequestTests(SynchronousTestCase):
    """The message."""

    def test_read(self) -> None:
        """Members become the parameters that a URL would have, whatever the case of their names."""
        message = {
            "schemas": [SEARCH_REQUEST],
            "attributes": ["userName", "name.givenName"],
            "excludedattributes": "title",
            "FILTER": "title pr",
            "startIndex": 2,
            "count": 0,
            "sortBy": None,
            "other": {},
        }
        self.assertEqual(
            {
                "attributes": "userName,name.givenName",
                "excludedAttributes": "title",
                "filter": "title pr",
                "startIndex": "2",
                "count": "0",
            },
            parse_search_request(message),
        )

    def test_faults(self) -> None:
        """Another message, or a member of the wrong type, is refused."""
        bodies: list[Any] = [[], "x", {}, {"schemas": SEARCH_REQUEST}, {"schemas": ["urn:x"]}]
        for body in bodies:
            self.assertRaises(InvalidSyntax, parse_search_request, body)
        for name, value in (
            ("filter", ["a"]),
            ("attributes", [1]),
            ("count", True),
            ("startIndex", 1.5),
            ("sortBy", {}),
        ):
            message: Any = {"schemas": [SEARCH_REQUEST], name: value}
            fault = self.assertRaises(InvalidValue, parse_search_request, message)
            self.assertIn(name, str(fault))
