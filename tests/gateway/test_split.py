"""Which part of a filter an endpoint is asked."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.trial.unittest import SynchronousTestCase

from scimgw.connector import Capabilities, Support
from scimgw.gateway.split import split
from scimgw.scim.filter import Operator, parse
from scimgw.scim.path import Path
from scimgw.scim.schema import USER
from tests.fakes.placed import PLACED

SUPPORT: Mapping[str, Support] = {
    "userName": Support.EXACT,
    "title": Support.EXACT,
    "externalId": Support.SUPERSET,
    "emails.value": Support.EXACT,
    "emails.type": Support.EXACT,
    "emails.display": Support.SUPERSET,
    'emails[type eq "work"].value': Support.EXACT,
}


def supports(path: Path, operator: Operator) -> Support:
    """Support some attributes, and no order."""
    return Support.NO if operator is Operator.GT else SUPPORT.get(str(path), Support.NO)


def without_ne(_path: Path, operator: Operator) -> Support:
    """Evaluate every comparison but `ne`, as directories do."""
    return Support.NO if operator is Operator.NE else Support.EXACT


PLAIN = Capabilities(filter=supports)
WHOLE = Capabilities(filter=supports, value_paths=True)


class SplitTests(SynchronousTestCase):
    """What is pushed, and what remains."""

    def assert_split(
        self,
        text: str,
        pushed: str | None,
        residual: str | None,
        capabilities: Capabilities = PLAIN,
    ) -> None:
        """Check both parts."""
        parts = split(parse(text, USER), capabilities)
        found = tuple(
            None if part is None else str(part) for part in (parts.pushed, parts.residual)
        )
        self.assertEqual((pushed, residual), found)

    def test_comparison(self) -> None:
        """An exact comparison leaves nothing, a loose one is checked again."""
        self.assert_split('userName eq "a"', 'userName eq "a"', None)
        self.assert_split("userName pr", "userName pr", None)
        self.assert_split('externalId eq "a"', 'externalId eq "a"', 'externalId eq "a"')
        self.assert_split('nickName eq "a"', None, 'nickName eq "a"')
        self.assert_split('userName gt "a"', None, 'userName gt "a"')

    def test_and(self) -> None:
        """Each term is pushed or not by itself."""
        self.assert_split(
            'userName eq "a" and externalId eq "b" and nickName eq "c"',
            'userName eq "a" and externalId eq "b"',
            'externalId eq "b" and nickName eq "c"',
        )

    def test_or(self) -> None:
        """A disjunction is pushed only if every branch is, in part at least."""
        self.assert_split(
            'userName eq "a" or title eq "b"', 'userName eq "a" or title eq "b"', None
        )
        self.assert_split(
            'userName eq "a" or nickName eq "b"', None, 'userName eq "a" or nickName eq "b"'
        )
        self.assert_split(
            'userName eq "a" or externalId eq "b"',
            'userName eq "a" or externalId eq "b"',
            'userName eq "a" or externalId eq "b"',
        )
        self.assert_split(
            'userName eq "a" or title eq "b" and nickName eq "c"',
            'userName eq "a" or title eq "b"',
            'userName eq "a" or title eq "b" and nickName eq "c"',
        )
        text = 'userName eq "a" or nickName eq "b" and nickName eq "c"'
        self.assert_split(text, None, text)

    def test_not(self) -> None:
        """Only what is exact can be negated: the negation of too much is too little."""
        self.assert_split('not (userName eq "a")', 'not (userName eq "a")', None)
        self.assert_split('not (externalId eq "a")', None, 'not (externalId eq "a")')
        self.assert_split('not (nickName eq "a")', None, 'not (nickName eq "a")')
        text = 'not (userName eq "a" and nickName eq "b")'
        self.assert_split(text, None, text)

    def test_value_path(self) -> None:
        """Where the endpoint has value filters, one is pushed whole if all in it is supported."""
        text = 'emails[type eq "work" and (value co "a" or not (value pr))]'
        self.assert_split(text, text, None, WHOLE)
        loose = 'emails[type eq "work" and display eq "x"]'
        self.assert_split(loose, loose, loose, WHOLE)
        negated = 'emails[type eq "work" and (not (display eq "x") or value pr)]'
        self.assert_split(negated, 'emails.type eq "work"', negated, WHOLE)
        self.assert_split("emails[primary eq true]", None, "emails[primary eq true]", WHOLE)

    def test_value_path_in_parts(self) -> None:
        """Elsewhere its conditions are pushed each by itself, which finds too much."""
        either = '(value eq "a" or value eq "b")'
        text = f'emails[type eq "work" and value pr and primary eq true and {either}]'
        self.assert_split(text, 'emails.type eq "work" and emails.value pr', text)
        for text in ('emails[type ne "work"]', "emails[primary pr]", 'emails[not (type eq "x")]'):
            self.assert_split(text, None, text)

    def test_places(self) -> None:
        """A value that has a place of its own is compared there."""
        work = 'emails[type eq "work"].value'
        for text, pushed in {
            'emails[type eq "work" and value sw "a"]': f'{work} sw "a"',
            'emails[value sw "a" and type eq "Work"]': f'{work} sw "a"',
            'emails[type eq "work" and value pr]': f"{work} pr",
            'emails[type eq "work" and value ne "a"]': f'{work} pr and {work} ne "a"',
        }.items():
            parts = split(parse(text, PLACED), PLAIN)
            self.assertEqual((pushed, None), (str(parts.pushed), parts.residual), text)
        for text in (
            'emails[type eq "fax" and value eq "a"]',
            'emails[type eq "fax" and value pr]',
            'emails[type eq "work" and type eq "home" and value eq "a"]',
            'emails[type eq "work" and (value eq "a" or value eq "b")]',
            'emails[type eq "work"]',
        ):
            self.assertIsNotNone(split(parse(text, PLACED), PLAIN).residual, text)

    def test_place_without_a_part(self) -> None:
        """A value that is there by its other parts meets `ne` of the one that it lacks."""
        home = 'addresses[type eq "home"]'
        there = f"({home}.streetAddress pr or {home}.locality pr)"
        text = 'addresses[type eq "home" and locality ne "a"]'
        exact = Capabilities(filter=lambda *_: Support.EXACT)
        parts = split(parse(text, PLACED), exact)
        self.assertEqual(f'{there} and {home}.locality ne "a"', str(parts.pushed))
        self.assertIsNone(parts.residual)
        equality = Capabilities(filter=without_ne)
        parts = split(parse(text, PLACED), equality)
        self.assertEqual((there, text), (f"({parts.pushed})", str(parts.residual)))
        negated = f"not ({text})"
        parts = split(parse(negated, PLACED), equality)
        self.assertEqual((None, negated), (parts.pushed, str(parts.residual)))
