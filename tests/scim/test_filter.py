"""Filters and PATCH paths as text: RFC 7644 sections 3.4.2.2 and 3.5.2."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings
from twisted.trial.unittest import SynchronousTestCase

from scimgw.errors import InvalidFilter, InvalidPath, Sensitive
from scimgw.scim.filter import (
    And,
    Compare,
    Filter,
    Not,
    Operator,
    Or,
    Present,
    ValuePath,
    parse,
    parse_path,
)
from scimgw.scim.path import Path, UnknownAttribute, resolve
from scimgw.scim.schema import GROUP, USER, Attribute, AttributeType, ResourceType, Returned
from scimgw.testing import strategies

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
EXTRA = ResourceType(
    name="Extra",
    endpoint="/Extras",
    schema=evolve(
        USER.schema,
        attributes=(
            Attribute(name="tags", multi_valued=True),
            Attribute(name="number", type=AttributeType.INTEGER),
            Attribute(name="ratio", type=AttributeType.DECIMAL),
            Attribute(name="blob", type=AttributeType.BINARY),
            Attribute(
                name="secrets",
                type=AttributeType.COMPLEX,
                multi_valued=True,
                returned=Returned.NEVER,
                sub_attributes=(Attribute(name="value"), Attribute(name="hint")),
            ),
            Attribute(
                name="question",
                type=AttributeType.COMPLEX,
                sub_attributes=(
                    Attribute(name="text"),
                    Attribute(name="answer", returned=Returned.NEVER),
                ),
            ),
        ),
    ),
)

PRINTED = {
    # text -> canonical text
    'userName eq "bjensen"': 'userName eq "bjensen"',
    'USERNAME EQ "x"': 'userName eq "x"',
    'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"': 'userName sw "J"',
    'URN:IETF:params:scim:schemas:core:2.0:User:name.familyName co "O\'Malley"': (
        'name.familyName co "O\'Malley"'
    ),
    f'{ENTERPRISE}:employeeNumber eq "1"': f'{ENTERPRISE}:employeeNumber eq "1"',
    f'{ENTERPRISE}:manager.value eq "1"': f'{ENTERPRISE}:manager.value eq "1"',
    f'{ENTERPRISE}:manager eq "1"': f'{ENTERPRISE}:manager.value eq "1"',
    "title pr": "title pr",
    "name pr": "name pr",
    'emails co "example.com"': 'emails.value co "example.com"',
    'meta.lastModified gt "2011-05-13T04:42:34Z"': 'meta.lastModified gt "2011-05-13T04:42:34Z"',
    'title pr and userType eq "Employee"': 'title pr and userType eq "Employee"',
    'title pr or title pr and userType eq "I"': 'title pr or title pr and userType eq "I"',
    '(title pr or active eq true) and userType eq "I"': (
        '(title pr or active eq true) and userType eq "I"'
    ),
    "title pr and (title pr and title pr)": "title pr and title pr and title pr",
    "title pr or (title pr or title pr)": "title pr or title pr or title pr",
    "((title pr))": "title pr",
    "not (title pr)": "not (title pr)",
    "NOT (title pr or title pr)": "not (title pr or title pr)",
    'emails[type eq "work" and value co "@x"]': 'emails[type eq "work" and value co "@x"]',
    'emails[not (type eq "work")]': 'emails[not (type eq "work")]',
    'emails[(type eq "work") or primary eq true]': 'emails[type eq "work" or primary eq true]',
    'emails [type eq "work"] and title pr': 'emails[type eq "work"] and title pr',
    'emails[type eq "work"].value eq "x"': 'emails[type eq "work" and value eq "x"]',
    'emails[type eq "work"].value pr': 'emails[type eq "work" and value pr]',
    "active eq TRUE": "active eq true",
    'active eq "False"': "active eq false",
    "userName eq fa@example.com": 'userName eq "fa@example.com"',
    "userName eq 007": 'userName eq "007"',
    "userName eq true": 'userName eq "true"',
    "title eq null": "not (title pr)",
    "title ne NULL": "title pr",
    r'displayName eq "a\"b\\c\u00e9\n"': r'displayName eq "a\"b\\cé\n"',
    'displayName eq " and (or) [not] "': 'displayName eq " and (or) [not] "',
    'groups.value eq "g"': 'groups.value eq "g"',
    'schemas eq "urn:x"': 'schemas eq "urn:x"',
}

REFUSED = {
    # text -> part of the reason
    "": "expected an attribute, not the end",
    "userName": "expected an operator",
    "userName eq": "expected a value, not the end",
    'userName eq "x" and': "expected an attribute, not the end",
    'userName eq "x" or or title pr': "no attribute 'or'",
    "((userName pr)": "expected ')'",
    "(userName pr))": "expected 'and', 'or' or the end",
    'userName regex "a"': "expected an operator such as 'eq', not 'regex'",
    'userName eq "x" title pr': "expected 'and', 'or' or the end",
    "not title pr": "expected '('",
    'userName eq "x': "a string is not closed",
    r'userName eq "\q"': "isn't a JSON string",
    "userName eq (": "expected a value",
    '"x" eq userName': "expected an attribute",
    "nope pr": "User has no attribute 'nope'",
    "name.nope pr": "name has no sub-attribute 'nope'",
    "name..x pr": "isn't an attribute path",
    "a.b.c pr": "isn't an attribute path",
    "urn:x:nope pr": "no schema of User has 'urn:x:nope'",
    "active gt true": "active is of type boolean and can't be compared with 'gt'",
    "active co true": "can't be compared with 'co'",
    'meta.created sw "2011"': "can't be compared with 'sw'",
    "active eq banana": "active must be true or false, not 'banana'",
    'meta.created eq "yesterday"': "meta.created must be a dateTime",
    "title gt null": "null can't be compared with 'gt'",
    'name eq "x"': "name is complex and has no value to compare",
    'addresses eq "x"': "addresses is complex and has no value to compare",
    'name[familyName eq "x"]': "name isn't multi-valued",
    'emails.value[type eq "x"]': "isn't multi-valued",
    "emails[type": "expected an operator",
    'emails[type eq "work"': "expected ']'",
    'emails[type eq "work"] eq "x"': "expected a sub-attribute before the operator",
    'emails[type eq "work"].nope eq "x"': "no sub-attribute 'nope'",
    'emails[nope eq "x"]': "no sub-attribute 'nope'",
    'emails[a!b eq "x"]': "isn't the name of a sub-attribute",
    'emails[emails[type eq "x"]]': "no sub-attribute 'emails'",
}


class ParseTests(SynchronousTestCase):
    """Reading a filter."""

    def test_canonical(self) -> None:
        """What the grammar allows is read, whatever its case and its parentheses."""
        for text, canonical in PRINTED.items():
            self.assertEqual(canonical, str(parse(text, USER)), text)

    def test_refused(self) -> None:
        """What it doesn't allow is invalidFilter, with a reason that names what is wrong."""
        for text, reason in REFUSED.items():
            error = self.assertRaises(InvalidFilter, parse, text, USER)
            self.assertIn(reason, error.detail, text)

    def test_password(self) -> None:
        """What is never returned can't be guessed by filters either."""
        for text in ('password eq "x"', "password pr", 'title pr or password sw "a"'):
            self.assertRaises(Sensitive, parse, text, USER)

    def test_parts_of_secrets(self) -> None:
        """Nor can a part of it, or what is never returned as a part."""
        for text in (
            'secrets.hint sw "a"',
            'secrets[hint sw "a"]',
            'secrets eq "a"',
            "secrets pr",
            'question.answer sw "a"',
        ):
            self.assertRaises(Sensitive, parse, text, EXTRA)
        parse('question.text eq "a"', EXTRA)

    def test_precedence(self) -> None:
        """And binds tighter than or, not tighter than and."""
        title = Present(resolve(USER, "title"))
        active = Compare(resolve(USER, "active"), Operator.EQ, value=True)
        self.assertEqual(
            Or((title, And((active, title)))),
            parse("title pr or active eq true and title pr", USER),
        )
        self.assertEqual(
            And((Not(title), active)), parse("not (title pr) and active eq true", USER)
        )

    def test_depth(self) -> None:
        """Parentheses are followed to a depth, and refused beyond it, however many there are."""
        parse("(" * 60 + "title pr" + ")" * 60, USER)
        for depth in (65, 5000):
            error = self.assertRaises(
                InvalidFilter, parse, "(" * depth + "title pr" + ")" * depth, USER
            )
            self.assertIn("nested deeper", error.detail)

    def test_long(self) -> None:
        """A long chain of terms isn't deep."""
        parsed = parse(" or ".join(f'userName eq "u{number}"' for number in range(2000)), USER)
        assert isinstance(parsed, Or)
        self.assertEqual(2000, len(parsed.terms))

    def test_numbers(self) -> None:
        """Numbers are compared as numbers, quoted or not; what isn't one is refused."""
        expected: dict[str, object] = {
            "number eq 5": 5,
            'number gt "-5"': -5,
            "ratio le 1.5": 1.5,
            "ratio eq -2e3": -2000.0,
        }
        for text, value in expected.items():
            parsed = parse(text, EXTRA)
            assert isinstance(parsed, Compare)
            self.assertEqual(value, parsed.value)
        many, more = (f"number eq {'9' * digits}" for digits in (50, 5000))
        for text in ("number eq 1.5", "number eq x", "ratio eq 1e999", many, more):
            self.assertRaises(InvalidFilter, parse, text, EXTRA)

    def test_binary_has_no_order(self) -> None:
        """Base64 is compared for equality only, or in parts."""
        self.assertRaises(InvalidFilter, parse, 'blob gt "YQ=="', EXTRA)
        self.assertRaises(InvalidFilter, parse, 'blob eq "***"', EXTRA)
        parse('blob eq "YQ=="', EXTRA)

    def test_simple_values(self) -> None:
        """The values of a simple multi-valued attribute are called value inside its filter."""
        parsed = parse('tags[value eq "x"]', EXTRA)
        assert isinstance(parsed, ValuePath)
        self.assertEqual('tags[value eq "x"]', str(parsed))
        self.assertRaises(InvalidFilter, parse, 'tags[type eq "x"]', EXTRA)

    def test_round_trip(self) -> None:
        """What is printed is read back as the same filter."""

        @settings(max_examples=300, deadline=None)
        @given(strategies.filters(USER))
        def check(filter: Filter) -> None:
            self.assertEqual(filter, parse(str(filter), USER))

        check()


class PathTests(SynchronousTestCase):
    """Reading the path of a PATCH operation."""

    def test_canonical(self) -> None:
        """A path may hold a value filter, and a sub-attribute after it."""
        for text, canonical in {
            "members": "members",
            'MEMBERS[VALUE EQ "a"]': 'members[value eq "a"]',
            'members[value eq "a"].display': 'members[value eq "a"].display',
            "displayName": "displayName",
        }.items():
            self.assertEqual(canonical, str(parse_path(text, GROUP)))

    def test_refused(self) -> None:
        """A malformed path is invalidPath."""
        for text in (
            "",
            "members[",
            'members[value eq "a"',
            "members]",
            "a b",
            "name..x",
            "members[value eq]x",
            "a[b]c",
        ):
            self.assertRaises(InvalidPath, parse_path, text, GROUP)

    def test_unknown(self) -> None:
        """A well-formed path that names nothing is told apart."""
        for text in ("nope", "members.nope", 'nope[value eq "a"]', "urn:x:y"):
            self.assertRaises(UnknownAttribute, parse_path, text, GROUP)

    def test_equality(self) -> None:
        """Two paths are the same if they read the same."""
        one, other = (
            parse_path('emails[type eq "work"].value', USER),
            parse_path('EMAILS[TYPE eq "work"].value', USER),
        )
        self.assertEqual(one, other)
        self.assertEqual(hash(one), hash(other))
        self.assertNotEqual(one, one.root)
        self.assertNotEqual(one, str(one))
        self.assertEqual("Path('emails[type eq \"work\"].value')", repr(one))
        self.assertEqual(Path(attribute=one.attribute), one.root)
