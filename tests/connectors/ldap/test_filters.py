"""SCIM filters as LDAP filters."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from connectors.ldap import filtertext
from connectors.ldap.filters import compiled, ids_in, supports
from scimgw.connector import Support
from scimgw.scim.filter import Operator, ValuePath, parse
from scimgw.scim.path import resolve
from tests.connectors.ldap.samples import ENTERPRISE, MEMBERS, USERS

NOTHING = "(!(objectClass=*))"
DISABLED = "(userAccountControl:1.2.840.113556.1.4.803:=2)"


class CompileTests(SynchronousTestCase):
    """What is asked of the directory."""

    def assert_compiled(self, text: str, ldap: str, **dns: str) -> None:
        """Compare with the same filter in LDAP's own notation."""
        found = compiled(parse(text, USERS.type), USERS, dns)
        self.assertEqual(filtertext.parse(ldap).toWire(), found.toWire(), text)

    def test_compared(self) -> None:
        """Each operator has its form, and joins have theirs."""
        for text, ldap in {
            'userName eq "x"': "(sAMAccountName=x)",
            'userName co "x"': "(sAMAccountName=*x*)",
            'userName sw "x"': "(sAMAccountName=x*)",
            'userName ew "x"': "(sAMAccountName=*x)",
            "userName pr": "(sAMAccountName=*)",
            "active eq true": f"(!{DISABLED})",
            "active eq false": DISABLED,
            "active pr": "(objectClass=*)",
            'emails.value eq "x"': "(|(mail=x)(otherMail=x))",
            'roles.value eq "x"': "(role=x)",
            "roles pr": "(role=*)",
            "badge eq 7": "(badge=7)",
            'x509Certificates.value eq "YWJj"': "(cert=abc)",
            'userName eq "a" and badge eq 7 or userName eq "b"': (
                "(|(&(sAMAccountName=a)(badge=7))(sAMAccountName=b))"
            ),
            "not (userName pr)": "(!(sAMAccountName=*))",
        }.items():
            self.assert_compiled(text, ldap)

    def test_blanks(self) -> None:
        """Directories make little of blanks, so that words are looked for, in their order."""
        for text, ldap in {
            'userName co "a  b"': "(sAMAccountName=*a*b*)",
            'userName sw "a b"': "(sAMAccountName=a*b*)",
            'userName sw " a"': "(sAMAccountName=*a*)",
            'userName ew "a b"': "(sAMAccountName=*a*b)",
            'userName ew "a "': "(sAMAccountName=*a*)",
            'userName co " "': "(sAMAccountName=*)",
            'userName co ""': "(sAMAccountName=*)",
            'userName eq " a "': r"(sAMAccountName=\20a\20)",
        }.items():
            self.assert_compiled(text, ldap)

    def test_hostile(self) -> None:
        """Whatever a value holds, it is a value."""
        for value, octets in {
            "*": r"\2a",
            ")(uid=*": r"\29\28uid=\2a",
            "\\\\2a": r"\5c2a",
            "é\\n": r"\c3\a9\0a",
        }.items():
            self.assert_compiled(f'userName eq "{value}"', f"(sAMAccountName={octets})")
        self.assert_compiled('userName co "*"', r"(sAMAccountName=*\2a*)")
        # no text has a NUL
        self.assert_compiled(r'userName eq "\u0000"', "(!(objectClass=*))")

    def test_moments(self) -> None:
        """Moments are compared by the second that is around them."""
        for text, ldap in {
            'meta.lastModified gt "2011-05-13T04:42:34.5Z"': "(whenChanged>=20110513044234Z)",
            'meta.lastModified ge "2011-05-13T06:42:34+02:00"': "(whenChanged>=20110513044234Z)",
            'meta.lastModified lt "2011-05-13T04:42:34.0000001Z"': "(whenChanged<=20110513044234Z)",
            'meta.lastModified le "2011-05-13T04:42:34.5Z"': "(whenChanged<=20110513044235Z)",
            'meta.lastModified ge "0001-01-03T00:00:00.0000000Z"': "(whenChanged>=00010103000000Z)",
        }.items():
            self.assert_compiled(text, ldap)

    def test_references(self) -> None:
        """An id becomes its DN; one that names nothing is nowhere."""
        self.assert_compiled('groups.value eq "g"', "(memberOf=CN=g)", g="CN=g")
        self.assert_compiled('groups.value eq "g"', NOTHING)
        boss = f'{ENTERPRISE}:manager.value eq "m"'
        self.assert_compiled(boss, r"(manager=CN=\28m\29)", m="CN=(m)")

    def test_unwritable(self) -> None:
        """A value that the attribute can't hold is nowhere."""
        self.assert_compiled('userType eq "x"', NOTHING)
        self.assert_compiled('userType eq "7"', "(floor=7)")

    def test_value_filters(self) -> None:
        """Value filters aren't supported: to be asked for one is a fault of the gateway's."""
        filter = ValuePath(resolve(USERS.type, "emails"), parse('emails.value eq "x"', USERS.type))
        self.assertRaises(AssertionError, compiled, filter, USERS, {})

    def test_ids(self) -> None:
        """The ids that a filter refers to are told, wherever they stand in it."""
        text = f'groups.value eq "g" and not ({ENTERPRISE}:manager.value eq "m" or userName eq "u")'
        self.assertEqual({"g", "m"}, ids_in(parse(text, USERS.type)))


class SupportTests(SynchronousTestCase):
    """What the directory is told to be able to do."""

    def support(self, text: str, operator: Operator) -> Support:
        """Ask."""
        return supports(USERS, resolve(USERS.type, text), operator)

    def test_support(self) -> None:
        """Text is compared loosely, presence exactly; order is for moments."""
        loose, exact, no = Support.SUPERSET, Support.EXACT, Support.NO
        for text, operator, expected in (
            ("userName", Operator.EQ, loose),
            ("userName", Operator.CO, loose),
            ("userName", Operator.PR, exact),
            ("userName", Operator.NE, no),
            ("userName", Operator.GT, no),
            ("active", Operator.EQ, exact),
            ("active", Operator.NE, no),
            ("active", Operator.PR, loose),
            ("badge", Operator.EQ, loose),
            ("badge", Operator.GT, no),
            ("x509Certificates.value", Operator.EQ, loose),
            ("groups.value", Operator.EQ, loose),
            ("groups.value", Operator.CO, no),
            ("groups.display", Operator.EQ, no),
            ("emails.value", Operator.EW, loose),
            ("emails.type", Operator.EQ, no),
            ("meta.lastModified", Operator.GE, loose),
            ("meta.lastModified", Operator.EQ, no),
            ("meta.lastModified", Operator.PR, loose),
            ("nickName", Operator.EQ, no),
            ("title", Operator.EQ, no),
            ("id", Operator.EQ, no),
        ):
            self.assertIs(expected, self.support(text, operator), (text, operator))

    def test_members(self) -> None:
        """A group is found by a member."""
        path = resolve(MEMBERS.type, "members.value")
        self.assertIs(Support.SUPERSET, supports(MEMBERS, path, Operator.EQ))
