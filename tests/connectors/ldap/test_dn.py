"""Distinguished names as text: RFC 4514."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from connectors.ldap import dn

READ = {
    # text -> RDNs
    "": (),
    "  ": (),
    "UID=jsmith,DC=example,DC=net": (
        (("UID", "jsmith"),),
        (("DC", "example"),),
        (("DC", "net"),),
    ),
    "OU=Sales+CN=J.  Smith,DC=net": ((("OU", "Sales"), ("CN", "J.  Smith")), (("DC", "net"),)),
    r"CN=James \"Jim\" Smith\, III,DC=net": (
        (("CN", 'James "Jim" Smith, III'),),
        (("DC", "net"),),
    ),
    r"CN=Before\0dAfter": ((("CN", "Before\rAfter"),),),
    "1.3.6.1.4.1.1466.0=#04024869": ((("1.3.6.1.4.1.1466.0", "Hi"),),),
    "cn=#0c8103" + b"abc".hex(): ((("cn", "abc"),),),
    r"CN=Lu\C4\8Di\C4\87": ((("CN", "Lučić"),),),
    "cn=Lučić": ((("cn", "Lučić"),),),
    r"cn=\41\ff": ((("cn", "A\udcff"),),),
    "cn = a b , dc = org ": ((("cn", "a b"),), (("dc", "org"),)),
    r"cn=\ a\ ,dc=org": ((("cn", " a "),), (("dc", "org"),)),
    r"cn=a\\ ,dc=org": ((("cn", "a\\"),), (("dc", "org"),)),
    r"cn=a\20": ((("cn", "a "),),),
    "cn=,dc=org": ((("cn", ""),), (("dc", "org"),)),
    "cn=a=b#c": ((("cn", "a=b#c"),),),
    r"cn=\#a\=\;\<\>\+": ((("cn", "#a=;<>+"),),),
}
REFUSED = (
    # text, position
    ("cn", 0),
    ("=x", 0),
    (",", 0),
    ("cn=a,", 5),
    ("cn=a+,dc=org", 5),
    ("cn=a,,dc=org", 5),
    ("cn=a\\", 0),
    (r"cn=a\zz", 0),
    (r"cn=a\4", 0),
    ('cn="a"', 0),
    ("cn=a;dc=org", 0),
    ("cn=<a>", 0),
    ("cn=a\0b", 0),
    ("cn=#", 0),
    ("cn=#0", 0),
    ("cn=#04zz", 0),
    ("<GUID=0>", 0),
    ("1.=x", 0),
    ("é=x", 0),
)
SAME = (
    ("CN=Ada,DC=org", "cn=ADA, dc=ORG"),
    ("cn=ada  lovelace", "cn=Ada Lovelace"),
    (r"cn=\ ada", "cn=ada"),
    (r"cn=Stra\C3\9Fe", "cn=straße"),
    ("cn=ÄÖ", "CN=äö"),
    ("ou=x+cn=y", "CN=Y + OU=X"),
    (r"cn=a\2cb", r"cn=a\,b"),
    ("cn=#04024869", "cn=hi"),
)
DIFFERENT = (
    ("cn=a,dc=org", r"cn=a\,dc\=org"),
    ("cn=a+ou=b", r"cn=a\+ou\=b"),
    ("cn=a,cn=b", "cn=b,cn=a"),
    ("cn=ab", "cn=a b"),
    (r"cn=a\00", "cn=a"),
    (r"cn=\#04024869", "cn=#04024869"),
)
UNDER = (
    # text, base, whether it is under
    ("cn=a,ou=x,dc=org", "OU=X, DC=ORG", True),
    ("ou=x,dc=org", "ou=x,dc=org", True),
    ("cn=a,dc=org", "", True),
    ("", "", True),
    ("dc=org", "ou=x,dc=org", False),
    (r"cn=a\,ou=x,dc=org", "ou=x,dc=org", False),
    ("cn=a,ou=ax,dc=org", "ou=x,dc=org", False),
    ("", "dc=org", False),
)
HOSTILE = ' #"+,;<>=\\\0\nÄ😀a'
TEXT = st.one_of(st.text(), st.text(HOSTILE), st.binary().map(dn._text))


class DnTests(SynchronousTestCase):
    """Names."""

    def test_read(self) -> None:
        """What the grammar allows is read, and blanks around separators don't count."""
        for text, names in READ.items():
            self.assertEqual(names, dn.parse(text), text)

    def test_refused(self) -> None:
        """What it doesn't allow is refused, at the pair that is wrong."""
        for text, position in REFUSED:
            error = self.assertRaises(ValueError, dn.parse, text)
            self.assertIn(f"position {position}:", str(error), text)

    def test_elements(self) -> None:
        """A value in hex is one whole BER element of definite length."""
        long = "cn=#0480" + "61" * 0x80
        for text in ("cn=#04", "cn=#040161ff", "cn=#040261", "cn=#048201", "cn=#0481", long):
            error = self.assertRaises(ValueError, dn.parse, text)
            self.assertIn("not a BER element", str(error), text)

    def test_minimal(self) -> None:
        """Only what must be is escaped."""
        self.assertEqual(r"\ a b=#\ ", dn.escape(" a b=# "))
        self.assertEqual(r"\#1 \"\+\,\;\<\>\\ é😀", dn.escape('#1 "+,;<>\\ é😀'))
        self.assertEqual(r"\00\ff", dn.escape("\0\udcff"))
        self.assertEqual(r"\ ", dn.escape(" "))

    @given(TEXT, TEXT)
    @example("a ", "")
    @example("a\\ ", "\\ ")
    @example("\n ", " \n")
    def test_round_trip(self, value: str, other: str) -> None:
        """Whatever a value is, it comes back, and nothing but it."""
        text = dn.child("cn", value, dn.rdn("ou", other))
        self.assertEqual(((("cn", value),), (("ou", other),)), dn.parse(text))
        self.assertEqual(value, dn.first_value(text))
        self.assertTrue(dn.is_under(text, dn.rdn("ou", other)))

    @given(st.text())
    def test_garbage(self, text: str) -> None:
        """Text is a name, or a ValueError."""
        try:
            dn.parse(text)
        except ValueError:
            return
        self.assertEqual(dn.normal(text), dn.normal(dn.normal(text)))

    def test_long(self) -> None:
        """A name that is wrong at its end is refused as soon as it is read."""
        for text in ("cn=" + " a" * 100_000 + '"', "cn=a" + " " * 100_000 + '"', "1." * 100_000):
            self.assertRaises(ValueError, dn.parse, text)

    def test_root(self) -> None:
        """Below the empty name there is no comma."""
        self.assertEqual("dc=org", dn.child("dc", "org", ""))

    def test_same(self) -> None:
        """Two spellings of a name have one key."""
        for one, other in SAME:
            self.assertEqual(dn.normal(one), dn.normal(other))

    def test_different(self) -> None:
        """Two names have two keys."""
        for one, other in DIFFERENT:
            self.assertNotEqual(dn.normal(one), dn.normal(other))

    def test_under(self) -> None:
        """What is under a base is told by RDNs, not by letters."""
        for text, base, expected in UNDER:
            self.assertEqual(expected, dn.is_under(text, base), text)

    def test_first_value(self) -> None:
        """An entry is named by the first value of its name; the root isn't."""
        self.assertEqual("x, y", dn.first_value(r"cn=x\, y+ou=z,dc=org"))
        self.assertRaises(ValueError, dn.first_value, "")
