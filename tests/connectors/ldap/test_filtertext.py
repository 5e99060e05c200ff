"""Filters in configuration files: RFC 4515."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from ldaptor.protocols import pureber, pureldap
from twisted.trial.unittest import SynchronousTestCase

from connectors.ldap import filtertext
from connectors.ldap.filtertext import DEPTH

CONTEXT = pureldap.LDAPBERDecoderContext_Filter(fallback=pureber.BERDecoderContext())


def compared(operation: Any, attribute: bytes, value: bytes) -> Any:
    """Make a comparison of ldaptor's."""
    return operation(
        pureldap.LDAPAttributeDescription(attribute), pureldap.LDAPAssertionValue(value)
    )


def equal(attribute: bytes, value: bytes) -> Any:
    """Compare for equality."""
    return compared(pureldap.LDAPFilter_equalityMatch, attribute, value)


def parts(attribute: bytes, *substrings: Any) -> Any:
    """Compare substrings."""
    return pureldap.LDAPFilter_substrings(type=attribute, substrings=substrings)


def rule(value: bytes, **rest: Any) -> Any:
    """Compare by a rule."""
    return pureldap.LDAPFilter_extensibleMatch(matchValue=value, **rest)


INITIAL = pureldap.LDAPFilter_substrings_initial
ANY = pureldap.LDAPFilter_substrings_any
FINAL = pureldap.LDAPFilter_substrings_final
PERSON = equal(b"objectClass", b"person")

READ = {
    # text -> filter
    "(objectClass=person)": PERSON,
    "objectClass=person": PERSON,
    " ( objectClass=person) ": PERSON,
    "(cn=)": equal(b"cn", b""),
    "(cn= a )": equal(b"cn", b" a "),
    "(cn=a=b)": equal(b"cn", b"a=b"),
    "(cn;lang-de=Straße)": equal(b"cn;lang-de", "Straße".encode()),
    "(2.5.4.3=x)": equal(b"2.5.4.3", b"x"),
    r"(cn=\28\2a\29\5c\00)": equal(b"cn", b"(*)\\\0"),
    r"(bin=\04\ff\c3\b8)": equal(b"bin", b"\x04\xff\xc3\xb8"),
    "(cn~=x)": compared(pureldap.LDAPFilter_approxMatch, b"cn", b"x"),
    "(n>=1)": compared(pureldap.LDAPFilter_greaterOrEqual, b"n", b"1"),
    "(n<=1)": compared(pureldap.LDAPFilter_lessOrEqual, b"n", b"1"),
    "(cn=*)": pureldap.LDAPFilter_present(b"cn"),
    "(cn=**)": pureldap.LDAPFilter_present(b"cn"),
    "(cn=a*)": parts(b"cn", INITIAL(b"a")),
    "(cn=*a)": parts(b"cn", FINAL(b"a")),
    "(cn=*a*)": parts(b"cn", ANY(b"a")),
    r"(cn=a*\2a*c*d)": parts(b"cn", INITIAL(b"a"), ANY(b"*"), ANY(b"c"), FINAL(b"d")),
    "(&)": pureldap.LDAPFilter_and([]),
    "(|)": pureldap.LDAPFilter_or([]),
    "(&(cn=*)(objectClass=person))": pureldap.LDAPFilter_and(
        [pureldap.LDAPFilter_present(b"cn"), PERSON]
    ),
    "(&\n  (|(objectClass=person))\n  (!(cn=*))\n)": pureldap.LDAPFilter_and(
        [
            pureldap.LDAPFilter_or([PERSON]),
            pureldap.LDAPFilter_not(pureldap.LDAPFilter_present(b"cn")),
        ]
    ),
    "(cn:caseExactMatch:=Fred)": rule(b"Fred", type=b"cn", matchingRule=b"caseExactMatch"),
    "(cn:=Betty)": rule(b"Betty", type=b"cn"),
    "(sn:DN:2.4.6.8.10:=Barney)": rule(
        b"Barney", type=b"sn", matchingRule=b"2.4.6.8.10", dnAttributes=True
    ),
    "(o:dn:=Ace)": rule(b"Ace", type=b"o", dnAttributes=True),
    "(:1.2.3:=Wilma)": rule(b"Wilma", matchingRule=b"1.2.3"),
    "(:dn:2.4.6:=Dino)": rule(b"Dino", matchingRule=b"2.4.6", dnAttributes=True),
}
REFUSED = {
    # text -> part of the reason
    "": "a comparison such as cn=Ada is expected at position 0",
    "()": "at position 1",
    "(cn)": "a comparison such as cn=Ada is expected at position 1",
    "(cn=a": "')' is expected at position 5",
    "(cn=a))": "the end is expected at position 6",
    "(cn=a)(cn=b)": "the end is expected at position 6",
    "cn=a)": "the end is expected at position 4",
    "(cn=a(b)": "')' is expected at position 5",
    r"(cn=\4)": "')' is expected at position 4",
    r"(cn=\zz)": "')' is expected at position 4",
    "(cn=a\0)": "')' is expected at position 5",
    "(cn>=a*)": "')' is expected at position 6",
    "(cn:=a*)": "')' is expected at position 6",
    "(=a)": "an attribute and an operator are expected at position 1",
    "(:=a)": "an attribute and an operator are expected at position 1",
    "(:dn:=a)": "an attribute and an operator are expected at position 1",
    "(cn:rule=a)": "an attribute and an operator are expected at position 1",
    "(cn:dn=a)": "an attribute and an operator are expected at position 1",
    "(é=a)": "a comparison",
    "(a b=c)": "a comparison",
    "(!)": "'(' is expected at position 2",
    "(!(a=1)(b=1))": "')' is expected at position 7",
    "(&(a=1)": "')' is expected at position 7",
    "(&a=1)": "')' is expected at position 2",
}


def written(value: bytes) -> str:
    """Escape every octet."""
    return "".join(f"\\{octet:02x}" for octet in value)


class FilterTextTests(SynchronousTestCase):
    """Reading a filter."""

    def test_read(self) -> None:
        """What the grammar allows becomes what goes over the wire."""
        for text, filter in READ.items():
            self.assertEqual(filter.toWire(), filtertext.parse(text).toWire(), text)

    def test_wire(self) -> None:
        """An escape is one octet, on the wire too."""
        self.assertEqual(
            b"\xa3\x0a\x04\x03bin\x04\x03\x01\xc3\xb8", filtertext.parse(r"(bin=\01ø)").toWire()
        )

    def test_refused(self) -> None:
        """What it doesn't allow is refused, at the position that is wrong."""
        for text, reason in REFUSED.items():
            error = self.assertRaises(ValueError, filtertext.parse, text)
            self.assertIn(reason, str(error), text)

    def test_depth(self) -> None:
        """Parentheses are followed to a depth, and refused beyond it."""
        filtertext.parse("(!" * (DEPTH - 1) + "(a=1)" + ")" * (DEPTH - 1))
        for depth in (DEPTH, 100_000):
            error = self.assertRaises(
                ValueError, filtertext.parse, "(!" * depth + "(a=1)" + ")" * depth
            )
            self.assertIn("nested no deeper", str(error))

    @given(st.binary())
    def test_any_value(self, value: bytes) -> None:
        """Whatever octets a value has, it is a value."""
        self.assertEqual(
            equal(b"cn", value).toWire(), filtertext.parse(f"(cn={written(value)})").toWire()
        )

    @given(st.one_of(st.text(), st.text("(&|!)=*~<>:\\aA1;. dn")))
    def test_garbage(self, text: str) -> None:
        """Text is a filter that ldaptor reads too, or a ValueError."""
        try:
            wire = filtertext.parse(text).toWire()
        except ValueError:
            return
        decoded, length = pureber.berDecodeObject(CONTEXT, wire)
        self.assertEqual((wire, len(wire)), (decoded.toWire(), length))
