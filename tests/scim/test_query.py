"""The parameters of a query: RFC 7644 section 3.4.2."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from scimgw.errors import InvalidFilter, InvalidValue, Sensitive
from scimgw.scim.query import Search, Sort, parse_search
from scimgw.scim.schema import USER


def search(**parameters: str) -> Search:
    """Read parameters."""
    return parse_search(USER, parameters, 200)


class SearchTests(SynchronousTestCase):
    """Reading what a client asks a collection for."""

    def test_nothing_asked(self) -> None:
        """Without parameters the first page is asked for."""
        found = search(unknown="x")
        self.assertEqual(
            (None, None, 1, 200), (found.filter, found.sort, found.start_index, found.count)
        )
        self.assertTrue(found.projection.default)

    def test_start_index(self) -> None:
        """A startIndex below 1 is taken as 1."""
        for text, expected in {
            "3": 3,
            "0": 1,
            "-3": 1,
            "": 1,
            " 7 ": 7,
            "+2": 2,
            "0005": 5,
        }.items():
            self.assertEqual(expected, search(startIndex=text).start_index, text)

    def test_count(self) -> None:
        """A negative count is taken as 0, one above the maximum as the maximum."""
        for text, expected in {
            "3": 3,
            "0": 0,
            "-5": 0,
            "": 200,
            "1000000": 200,
            "9" * 5000: 200,
            "-" + "9" * 5000: 0,
        }.items():
            self.assertEqual(expected, search(count=text).count, text[:20])

    def test_no_integer(self) -> None:
        """What isn't an integer is invalidValue."""
        for text in ("abc", "1.5", "1e3", "٣", "--1", "0x10"):
            self.assertRaises(InvalidValue, search, count=text)
            self.assertRaises(InvalidValue, search, startIndex=text)

    def test_sort(self) -> None:
        """The order is ascending unless it says descending."""
        self.assertEqual("name.familyName", str(_sort(search(sortBy="NAME.familyname")).path))
        self.assertFalse(_sort(search(sortBy="title", sortOrder="Ascending")).descending)
        self.assertTrue(_sort(search(sortBy="title", sortOrder="DESCENDING")).descending)
        self.assertEqual("emails.value", str(_sort(search(sortBy="emails")).path))
        self.assertIsNone(search(sortBy="", sortOrder="descending").sort)

    def test_no_sort(self) -> None:
        """What can't be sorted by is refused."""
        for by in ("nope", "name", "a b", "emails.nope"):
            self.assertRaises(InvalidValue, search, sortBy=by)
        self.assertRaises(InvalidValue, search, sortBy="title", sortOrder="upwards")
        self.assertRaises(Sensitive, search, sortBy="password")

    def test_filter(self) -> None:
        """The filter is read against the type, and an empty one is none."""
        self.assertEqual("title pr", str(search(filter="title pr").filter))
        self.assertRaises(InvalidFilter, search, filter="")
        self.assertRaises(InvalidFilter, search, filter="nope pr")


def _sort(found: Search) -> Sort:
    assert found.sort is not None
    return found.sort
