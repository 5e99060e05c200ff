"""G, S and H: filters, sorting, searching by POST."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from scimgw.scim.several import SEARCH_REQUEST
from tests.rfc.case import IOP, MUST, SHOULD, RfcCase, row
from tests.web.world import CORE, ENTERPRISE, Json

RUN = 'userName co "RUN"'
FIXTURES = f'{RUN} and userName sw "f"'


class FilterTests(RfcCase):
    """RFC 7644 section 3.4.2.2."""

    def setUp(self) -> None:
        """Begin with the fixtures."""
        super().setUp()
        self.fixtures()

    def broken(self, text: str) -> None:
        """Check that a filter is refused."""
        self.error(400, self.client.get(f"/Users?filter={quote(text)}"), "invalidFilter")

    @row(MUST, "7644 3.4.2.2")
    def test_G01_eq(self) -> None:
        """eq compares strings."""
        self.assertEqual("a", self.letters('userName eq "fa-RUN@example.com"'))

    @row(MUST, "7643 2.2; 7644 3.4.2.2")
    def test_G02_case(self) -> None:
        """eq ignores case where it is of no account."""
        self.assertEqual("a", self.letters('userName eq "FA-RUN@EXAMPLE.COM"'))

    @row(MUST, "7644 3.4.2.2")
    def test_G03_ne(self) -> None:
        """ne selects what differs."""
        self.assertEqual("bc", self.letters(f'(title ne "T0") and title pr and {RUN}'))

    @row(MUST, "7644 3.4.2.2")
    def test_G04_co(self) -> None:
        """co looks for a part."""
        self.assertEqual("b", self.letters('name.familyName co "AKERRUN"'))

    @row(MUST, "7644 3.4.2.2")
    def test_G05_sw(self) -> None:
        """sw looks at the beginning."""
        self.assertEqual("b", self.letters('userName sw "fb-RUN"'))

    @row(MUST, "7644 3.4.2.2")
    def test_G06_ew(self) -> None:
        """ew looks at the end."""
        self.assertEqual("c", self.letters('name.familyName ew "coleRUN"'))

    @row(MUST, "7644 3.4.2.2")
    def test_G07_pr(self) -> None:
        """pr asks for a value."""
        self.assertEqual("abc", self.letters(f"title pr and {RUN}"))

    @row(MUST, "7644 3.4.2.2")
    def test_G08_greater(self) -> None:
        """gt and ge compare strings in lexical order."""
        self.assertEqual("bc", self.letters(f'title ge "T1" and {RUN}'))
        self.assertEqual("c", self.letters(f'title gt "t1" and {RUN}'))

    @row(MUST, "7644 3.4.2.2")
    def test_G09_less(self) -> None:
        """lt and le compare strings in lexical order."""
        self.assertEqual("a", self.letters(f'title lt "T1" and {RUN}'))
        self.assertEqual("ab", self.letters(f'title le "T1" and {RUN}'))

    @row(MUST, "7644 3.4.2.2")
    def test_G10_dates(self) -> None:
        """Dates are compared as moments, whatever their zone."""
        self.clock.advance(1_700_000_000)
        later = self.user("later")
        text = 'meta.lastModified gt "2023-11-15T00:13:19+02:00"'
        self.assertEqual([later["id"]], self.ids(text))
        self.assertEqual(
            "abcd", self.letters(f'meta.created lt "2011-05-13T04:42:34Z" and {FIXTURES}')
        )

    @row(MUST, "7644 3.4.2.2")
    def test_G11_later(self) -> None:
        """Nothing is younger than the future."""
        self.assertEqual("", self.letters(f'meta.created gt "2100-01-01T00:00:00Z" and {RUN}'))

    @row(MUST, "7644 3.4.2.2")
    def test_G12_boolean(self) -> None:
        """Booleans are compared without quotes."""
        self.assertEqual("c", self.letters(f"active eq false and {FIXTURES}"))

    @row(MUST, "7644 3.4.2.2")
    def test_G13_precedence(self) -> None:
        """and binds more than or."""
        text = 'userName eq "fd-RUN@example.com" or title eq "T0" and userType eq "Intern"'
        self.assertEqual("d", self.letters(text))

    @row(MUST, "7644 3.4.2.2")
    def test_G14_parentheses(self) -> None:
        """Parentheses change that."""
        either = 'userName eq "fd-RUN@example.com" or userName eq "fa-RUN@example.com"'
        self.assertEqual("a", self.letters(f'({either}) and userType eq "Employee"'))

    @row(MUST, "7644 3.4.2.2")
    def test_G15_not(self) -> None:
        """not negates."""
        self.assertEqual("bd", self.letters(f'{FIXTURES} and not (userType eq "Employee")'))

    @row(MUST, "7644 3.4.2.2")
    def test_G16_nested(self) -> None:
        """not binds most, and what it negates may be nested."""
        text = f'not (userType eq "Intern" or (title eq "T0")) and {FIXTURES}'
        self.assertEqual("cd", self.letters(text))

    @row(MUST, "7644 3.4.2.2")
    def test_G17_any_value(self) -> None:
        """Of several values any may match."""
        self.assertEqual("a", self.letters('emails.value eq "fa-RUN@home.example"'))

    @row(MUST, "7644 3.4.2.2")
    def test_G18_implied_value(self) -> None:
        """Of a complex multi-valued attribute the value is compared."""
        self.assertEqual("b", self.letters('emails co "fb-RUN@example.org"'))

    @row(MUST, "7644 3.4.2.2")
    def test_G19_value_path(self) -> None:
        """What stands in brackets is met by one value."""
        self.assertEqual("a", self.letters('emails[type eq "home" and value co "RUN"]'))

    @row(MUST, "7644 3.4.2.2")
    def test_G20_one_value(self) -> None:
        """Two values don't meet it together."""
        text = 'emails[type eq "home" and value eq "fa-RUN@example.com"]'
        self.assertEqual("", self.letters(text))

    @row(MUST, "7644 3.4.2.2")
    def test_G21_value_path_inside(self) -> None:
        """Brackets may stand in a longer filter."""
        text = 'userType eq "Employee" and emails[type eq "home" and value co "RUN"]'
        self.assertEqual("a", self.letters(text))

    @row(MUST, "7644 3.10")
    def test_G22_core_urn(self) -> None:
        """Attributes may be named with the core URN."""
        self.assertEqual("b", self.letters(f'{CORE}:userName eq "fb-RUN@example.com"'))

    @row(MUST, "7644 3.10")
    def test_G23_extension_urn(self) -> None:
        """Attributes of extensions are named with their URN."""
        self.assertEqual("c", self.letters(f'{ENTERPRISE}:employeeNumber eq "ERUN"'))

    @row(MUST, "7644 3.4.2.2")
    def test_G24_schemas(self) -> None:
        """Resources can be selected by schema."""
        self.assertEqual("c", self.letters(f'schemas eq "{ENTERPRISE}" and {RUN}'))

    @row(MUST, "7643 2.1; 7644 3.4.2.2")
    def test_G25_case_of_words(self) -> None:
        """Names and operators are read whatever their case."""
        text = 'USERNAME EQ "fa-RUN@example.com" AND ACTIVE Eq TRUE'
        self.assertEqual("a", self.letters(text))

    @row(MUST, "7644 3.4.2.2")
    def test_G26_id(self) -> None:
        """Resources are found by id, and its case counts."""
        self.assertEqual("a", self.letters(f'id eq "{self.a["id"]}"'))
        self.assertEqual([], self.ids('id eq "BJENSEN"'))

    @row(MUST, "7643 3.1")
    def test_G27_external_id(self) -> None:
        """Resources are found by externalId."""
        self.assertEqual("b", self.letters('externalId eq "EXT-b-RUN"'))

    @row(MUST, "7643 3.1, 2.2")
    def test_G28_external_id_case(self) -> None:
        """The case of an externalId counts."""
        self.assertEqual("", self.letters('externalId eq "ext-B-RUN"'))

    @row(MUST, "7644 3.4.2.2")
    def test_G29_sub_attribute(self) -> None:
        """Sub-attributes are compared."""
        self.assertEqual("b", self.letters(f'name.givenName eq "BOB" and {RUN}'))

    @row(IOP, "Entra ID")
    def test_G30_after_brackets(self) -> None:
        """A sub-attribute may follow the brackets."""
        self.assertEqual("a", self.letters('emails[type eq "work"].value eq "fa-RUN@example.com"'))

    @row(IOP, "Entra ID, Ping")
    def test_G31_unquoted(self) -> None:
        """A string may stand without quotes."""
        self.assertEqual("a", self.letters("userName eq fa-RUN@example.com"))

    @row(IOP, "Entra ID")
    def test_G32_redundant(self) -> None:
        """Parentheses may be redundant."""
        self.assertEqual("a", self.letters(f'(ActiVe eq true) and ({RUN}) and userName sw "fa"'))

    @row(IOP, "several")
    def test_G33_boolean_string(self) -> None:
        """A boolean may be spelled as a string."""
        self.assertEqual("c", self.letters(f'active eq "False" and {FIXTURES}'))

    @row(MUST, "7644 3.4.2.2")
    def test_G40_order_of_booleans(self) -> None:
        """Booleans have no order."""
        for operator in ("gt", "ge", "lt", "le"):
            self.broken(f"active {operator} true")

    @row(MUST, "7644 3.4.2.2")
    def test_G41_unknown_operator(self) -> None:
        """An operator that there isn't is 400 invalidFilter."""
        self.broken('userName regex "a"')

    @row(MUST, "7644 3.4.2.2, 3.12")
    def test_G42_broken(self) -> None:
        """A filter that can't be read is 400 invalidFilter."""
        for text in (
            "userName eq",
            "((userName pr)",
            'userName eq "a" and',
            "",
            '"',
            "emails[",
            "not",
        ):
            self.broken(text)

    @row(MUST, "7644 3.4.2.2")
    def test_G43_escapes(self) -> None:
        """Strings are escaped as in JSON."""
        user = self.user(displayName="\" \\ ' é \t 😀")
        for text in (
            '"\\" \\\\ \' é \\t 😀"',
            '"\\u0022 \\u005c \' \\u00e9 \\u0009 \\ud83d\\ude00"',
        ):
            self.assertEqual([user["id"]], self.ids(f"displayName eq {text}"))

    @row(SHOULD, "7644 3.12")
    def test_G44_unknown_attribute(self) -> None:
        """An attribute that no schema has is 400 invalidFilter."""
        self.broken('noSuchAttr eq "x"')
        self.broken('name.nope eq "x"')

    @row(MUST, "7644 3.4.2.2; Entra ID, Okta")
    def test_G45_groups(self) -> None:
        """Groups are found by displayName."""
        self.assertEqual(["Admins"], self.ids('displayName eq "admins"', "/Groups"))

    @row(MUST, "7644 3.4.2.2")
    def test_G46_members(self) -> None:
        """Groups are found by their members."""
        for text in ('members.value eq "bjensen"', 'members[value eq "bjensen"]'):
            self.assertEqual(["Admins"], self.ids(text, "/Groups"))

    @row(IOP, "Entra ID")
    def test_G47_membership(self) -> None:
        """Whether somebody is a member can be asked by id."""
        for member, expected in (("bjensen", ["Admins"]), ("jsmith", [])):
            text = f'id eq "Admins" and members eq "{member}"'
            self.assertEqual(expected, self.ids(text, "/Groups", "&attributes=id"))

    @row(IOP, "Entra ID")
    def test_G48_manager(self) -> None:
        """Whether somebody is the manager can be asked by id."""
        for manager, expected in (("jsmith", ["bjensen"]), ("nobody", [])):
            text = f'id eq "bjensen" and {ENTERPRISE}:manager eq "{manager}"'
            self.assertEqual(expected, self.ids(text))

    @row(SHOULD, "7644 3.4.2.2")
    def test_G49_null(self) -> None:
        """To be null is to have no value."""
        self.assertEqual("d", self.letters(f"title eq null and {FIXTURES}"))

    @row(MUST, "7644 3.4.2.2; 7643 3.1")
    def test_G50_meta(self) -> None:
        """Resources are found by what meta tells, but for the address, which is 400."""
        self.assertEqual("abcd", self.letters(f'meta.resourceType eq "User" and {FIXTURES}'))
        self.assertEqual("", self.letters(f'meta.resourceType ne "User" and {FIXTURES}'))
        version = json.dumps(self.a["meta"]["version"])
        self.assertEqual("a", self.letters(f"meta.version eq {version}"))
        self.broken(f'meta.location eq "{self.a["meta"]["location"]}"')
        self.error(400, self.client.get("/Users?sortBy=meta.location"), "invalidValue")


class SortTests(RfcCase):
    """RFC 7644 section 3.4.2.3."""

    def setUp(self) -> None:
        """Begin with the fixtures."""
        super().setUp()
        self.fixtures()

    @row(MUST, "7644 3.4.2.3")
    def test_S01_ascending(self) -> None:
        """Sorting is ascending; those without a value come last."""
        self.assertEqual("abcd", self.letters(FIXTURES, "&sortBy=title"))

    @row(MUST, "7644 3.4.2.3")
    def test_S02_descending(self) -> None:
        """Descending, those without a value come first."""
        self.assertEqual("dcba", self.letters(FIXTURES, "&sortBy=title&sortOrder=descending"))

    @row(MUST, "7644 3.4.2.3")
    def test_S03_case(self) -> None:
        """Where case is of no account it is none to the order; sub-attributes can be sorted by."""
        self.assertEqual("abcd", self.letters(FIXTURES, "&sortBy=name.familyName"))

    @row(MUST, "7644 3.4.2.3")
    def test_S04_primary(self) -> None:
        """Of several values the primary one counts, wherever it stands, else the first."""
        emails = [{"value": "a@x"}, {"value": "fcc@x", "primary": True}]
        last = self.user("f-last-RUN", emails=emails)["id"]
        emails = [{"value": "fbb@x"}, {"value": "z@x", "primary": False}]
        first = self.user("f-first-RUN", emails=emails)["id"]
        a, b, c, d = (each["id"] for each in (self.a, self.b, self.c, self.d))
        self.assertEqual([a, b, first, c, last, d], self.ids(FIXTURES, query="&sortBy=emails"))
        for id in (first, last):
            self.client.delete(f"/Users/{id}")
        for by in ("emails", "emails.value"):
            query = f"&sortBy={by}&sortOrder=descending"
            self.assertEqual("dcba", self.letters(FIXTURES, query))

    @row(MUST, "7644 3.4.2.3-4")
    def test_S05_before_paging(self) -> None:
        """Pages are cut out of what is sorted."""
        found = [
            self.letters(FIXTURES, f"&sortBy=title&count=1&startIndex={start}")
            for start in (1, 2, 3)
        ]
        self.assertEqual(["a", "b", "c"], found)


class SearchTests(RfcCase):
    """RFC 7644 section 3.4.3."""

    def search(self, path: str, **members: Any) -> Json:
        """Post a search."""
        message = {"schemas": [SEARCH_REQUEST], **members}
        body: Json = self.json(200, self.client.post(path, message))
        return body

    @row(MUST, "7644 3.4.3")
    def test_H01_search(self) -> None:
        """A posted search answers as the query in a URL does."""
        self.fixtures()
        body = self.search("/Users/.search", filter=FIXTURES, startIndex=2, count=2)
        path = f"/Users?filter={quote(FIXTURES)}&startIndex=2&count=2"
        self.assertEqual(self.read(path), body)
        self.assertEqual(4, body["totalResults"])

    @row(MUST, "7644 3.4.3")
    def test_H02_projection(self) -> None:
        """Attributes stand in arrays, the order in strings."""
        body = self.search(
            "/Users/.search", attributes=["userName"], sortBy="userName", sortOrder="descending"
        )
        self.assertEqual(["jsmith", "bjensen"], [each["userName"] for each in body["Resources"]])
        self.assertEqual({"schemas", "id", "userName"}, set(body["Resources"][0]))
        body = self.search("/Groups/.search", excludedAttributes=["members"])
        self.assertFalse([each for each in body["Resources"] if "members" in each])

    @row(SHOULD, "7644 3.4.3, 3.4.2.1")
    def test_H03_root(self) -> None:
        """A search at the base URL covers all resource types."""
        self.assertEqual(self.read("/"), self.search("/.search"))

    @row(MUST, "7644 3.4.3")
    def test_H04_another_message(self) -> None:
        """Another message is 400."""
        for path in ("/Users/.search", "/.search"):
            self.error(400, self.client.post(path, {"schemas": ["urn:x"]}), "invalidSyntax")
