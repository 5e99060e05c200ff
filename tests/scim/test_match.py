"""What filters select, and in what order resources come: RFC 7644 sections 3.4.2.2 and 3.4.2.3."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from scimgw.errors import InvalidValue, Sensitive
from scimgw.scim.filter import Filter, Not, parse, parse_path
from scimgw.scim.match import paths, predicate, reader, sort_key, sort_path
from scimgw.scim.path import resolve
from scimgw.scim.schema import USER
from scimgw.testing import reference, strategies
from tests.scim.samples import BABS, ENTERPRISE

SELECTED = (
    'userName eq "BJENSEN@example.com"',
    'userName ne "x"',
    'userName co "Jensen"',
    'userName sw "BJ"',
    'userName ew ".COM"',
    'userName gt "b"',
    'userName ge "bjensen@example.com"',
    'userName lt "c"',
    'userName le "bjensen@example.com"',
    'externalId eq "Ext-1"',
    'id eq "2819c223"',
    "active eq true",
    "active ne false",
    'name.familyName eq "jensen"',
    "name pr",
    'emails.type eq "work"',
    'emails.value ne "babs@jensen.org"',
    'emails co "org"',
    'emails[type eq "home" and value ew "org"]',
    'emails[not (primary pr) and type eq "home"]',
    'emails[type eq "work"].primary eq true',
    'title ne "x"',
    "title eq null",
    "not (title pr)",
    'title pr or displayName sw "babs"',
    f'{ENTERPRISE}:employeeNumber eq "701984"',
    f'{ENTERPRISE}:manager eq "26118915"',
    f'schemas eq "{ENTERPRISE.upper()}"',
    'meta.lastModified eq "2011-05-13T06:42:34+02:00"',
    'meta.lastModified gt "2011-05-13T04:42:33.9999999Z"',
    'meta.lastModified ge "0001-01-03T00:00:00.0000000Z"',
    'meta.created lt "2010-01-23T04:56:22.1"',
    'meta.resourceType eq "User"',
)
LEFT_OUT = (
    'externalId eq "ext-1"',
    'id eq "2819C223"',
    'emails[type eq "home" and value eq "bjensen@example.com"]',
    'emails[type eq "home"].primary pr',
    'title eq "x"',
    'title co ""',
    "title pr",
    f"{ENTERPRISE}:department pr",
    "phoneNumbers pr",
    'phoneNumbers.value co ""',
    'meta.created gt "2100-01-01T00:00:00Z"',
    'userName gt "bjensen@example.com"',
    "not (active eq true)",
    'userName eq "STRAẞE"',
)


def selects(text: str, data: dict[str, Any]) -> bool:
    """Tell whether a filter selects a user."""
    return predicate(parse(text, USER))(data)


class PredicateTests(SynchronousTestCase):
    """What a filter selects."""

    def test_selected(self) -> None:
        """Each operator, on each kind of attribute, selects what it should."""
        for text in SELECTED:
            self.assertTrue(selects(text, BABS), text)

    def test_left_out(self) -> None:
        """Each leaves out what it should."""
        for text in LEFT_OUT:
            self.assertFalse(selects(text, BABS), text)

    def test_case_folding(self) -> None:
        """Case is folded letter by letter, not just in ASCII."""
        self.assertTrue(selects('userName eq "ÉTÉ ÅÖ"', {"userName": "été åö"}))
        self.assertFalse(selects('userName eq "STRASSE"', {"userName": "straße"}))

    def test_reference(self) -> None:
        """Whatever the filter and the user, the answer is that of the plain evaluation."""

        @settings(max_examples=400, deadline=None)
        @given(strategies.filters(USER), strategies.bodies(USER))
        def check(filter: Filter, data: dict[str, Any]) -> None:
            matches = predicate(filter)
            self.assertEqual(reference.matches(filter, data), matches(data))
            self.assertNotEqual(matches(data), predicate(Not(filter))(data))

        check()

    def test_paths(self) -> None:
        """The attributes that a filter looks at are named whole."""
        parsed = parse('not (name.givenName eq "x") or emails[type eq "x"] and title pr', USER)
        self.assertEqual({"name", "emails", "title"}, {str(path) for path in paths(parsed)})


class ReaderTests(SynchronousTestCase):
    """Finding the values at a path."""

    def test_values(self) -> None:
        """The values of selected elements, of sub-attributes and of extensions are found."""
        for text, values in {
            "emails.value": ["babs@jensen.org", "bjensen@example.com"],
            'emails[type eq "work"].value': ["bjensen@example.com"],
            'emails[type eq "home"]': [BABS["emails"][0]],
            "emails.primary": [True],
            "title": [],
            "name.givenName": ["Barbara"],
            f"{ENTERPRISE}:employeeNumber": ["701984"],
            f"{ENTERPRISE}:department": [],
        }.items():
            self.assertEqual(values, list(reader(parse_path(text, USER))(BABS)), text)


class SortTests(SynchronousTestCase):
    """The order of resources."""

    def test_primary_counts(self) -> None:
        """Of several values the primary one counts, else the first that has the sub-attribute."""
        key = sort_key(sort_path(resolve(USER, "emails")))
        self.assertEqual((False, "bjensen@example.com"), key(BABS))
        self.assertEqual(
            (False, "a"), key({"emails": [{"type": "x"}, {"value": "A"}, {"value": "0"}]})
        )
        self.assertEqual((True, 0), key({"emails": [{"type": "x"}]}))
        self.assertEqual((True, 0), key({}))

    def test_no_order(self) -> None:
        """What is complex without a value, or secret, gives no order."""
        self.assertRaises(InvalidValue, sort_path, resolve(USER, "name"))
        self.assertRaises(Sensitive, sort_path, resolve(USER, "password"))

    def test_reference(self) -> None:
        """Whatever is sorted by, the order is that of the plain evaluation."""

        @settings(max_examples=200, deadline=None)
        @given(
            strategies.sort_paths(USER),
            st.lists(strategies.bodies(USER), max_size=5),
            st.booleans(),
        )
        def check(path: Any, users: list[dict[str, Any]], descending: Any) -> None:
            wanted = reference.ordered(users, path, descending=descending)
            self.assertEqual(wanted, sorted(users, key=sort_key(path), reverse=descending))

        check()
