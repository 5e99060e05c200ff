"""Values and their types: RFC 7643 section 2.3."""

from __future__ import annotations

from typing import Any
from unicodedata import normalize

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from scimgw.errors import InvalidValue
from scimgw.scim.schema import USER, Attribute, AttributeType, Returned
from scimgw.scim.values import (
    comparable,
    fold,
    identity,
    instant,
    parse_simple,
    show,
    unassigned,
    whole,
)
from scimgw.testing import reference

GOOD: dict[AttributeType, list[Any]] = {
    AttributeType.STRING: ["x", " spaced ", "日本", "\0"],
    AttributeType.REFERENCE: ["../Users/1", "https://example.com"],
    AttributeType.BOOLEAN: [True, False],
    AttributeType.INTEGER: [0, -5, 2**63 - 1],
    AttributeType.DECIMAL: [1.5, 2],
    AttributeType.DATE_TIME: [
        "2011-05-13T04:42:34Z",
        "2011-05-13T04:42:34.1234567+02:00",
        "2011-05-13T04:42:34",
    ],
    AttributeType.BINARY: ["YQ==", "YQ", "YWI", "YWJj\nYWJj", ""],
}
BAD: dict[AttributeType, list[Any]] = {
    AttributeType.STRING: [1, True, ["x"], {"a": 1}, "\ud800"],
    AttributeType.REFERENCE: [1],
    AttributeType.BOOLEAN: ["banana", 1, 0, [True]],
    AttributeType.INTEGER: [1.5, "1", True, 2**63, -(2**63)],
    AttributeType.DECIMAL: ["1.5", True, float("inf"), float("nan"), 2**63],
    AttributeType.DATE_TIME: [
        "2011-05-13",
        "yesterday",
        "2011-13-45T00:00:00Z",
        5,
        "\uff12011-05-13T04:42:34Z",
    ],
    AttributeType.BINARY: ["***", "YQ=", "Y", "YWJjY", 5, "é"],
}


class ParseTests(SynchronousTestCase):
    """Checking one value."""

    def test_good(self) -> None:
        """A value of the right type stays as it is."""
        for type, values in GOOD.items():
            for value in values:
                self.assertEqual(value, parse_simple(Attribute(name="a", type=type), value, "a"))

    def test_bad(self) -> None:
        """A value of another type is invalidValue, naming the attribute."""
        for type, values in BAD.items():
            for value in values:
                error = self.assertRaises(
                    InvalidValue, parse_simple, Attribute(name="a", type=type), value, "a.b"
                )
                self.assertTrue(error.detail.startswith("a.b must be "), error.detail)

    def test_booleans_as_text(self) -> None:
        """Entra ID spells booleans as strings."""
        boolean = Attribute(name="active", type=AttributeType.BOOLEAN)
        self.assertEqual(
            [True, False], [parse_simple(boolean, text, "active") for text in ("True", "fALSE")]
        )

    def test_secret(self) -> None:
        """A secret isn't repeated in the error about it."""
        secret = Attribute(name="password", returned=Returned.NEVER)
        error = self.assertRaises(InvalidValue, parse_simple, secret, ["hunter2"], "password")
        self.assertNotIn("hunter2", error.detail)


class CompareTests(SynchronousTestCase):
    """Which values are the same."""

    def test_unassigned(self) -> None:
        """Null, and what is empty, is no value; false and zero are."""
        self.assertTrue(all(map(unassigned, (None, "", [], {}))))
        self.assertFalse(any(map(unassigned, (False, 0, 0.0, "x", [None], {"a": None}))))

    def test_instants(self) -> None:
        """Times are compared wherever their zone, and UTC where they have none."""
        self.assertEqual(instant("2011-05-13T04:42:34Z"), instant("2011-05-13T06:42:34+02:00"))
        self.assertEqual(instant("2011-05-13T04:42:34Z"), instant("2011-05-13T04:42:34"))
        self.assertEqual(1, instant("1970-01-01T00:00:00.0000019Z"))
        self.assertLess(instant("0001-01-01T00:00:00+14:00"), instant("0001-01-01T00:00:00Z"))

    def test_identity(self) -> None:
        """E-mail addresses are told apart by value and type, postal addresses by all."""
        emails = identity(_attribute("emails"))
        self.assertEqual(
            emails({"value": "A", "type": "Work"}),
            emails({"value": "a", "type": "work", "display": "x"}),
        )
        self.assertNotEqual(emails({"value": "a", "type": "work"}), emails({"value": "a"}))
        self.assertNotEqual(emails({"type": "work"}), emails({"type": "home"}))
        addresses = identity(_attribute("addresses"))
        self.assertNotEqual(addresses({"locality": "a"}), addresses({"locality": "A"}))
        text = identity(Attribute(name="tags", multi_valued=True))
        self.assertEqual(text("A"), text("a"))

    def test_fold(self) -> None:
        """Case, width and form of a letter are of no account; other letters are others."""
        for one, other in (
            ("Jos\u00c9", "jose\u0301"),
            ("\uff21\uff42\uff11", "aB1"),
            ("\uff76\uff9e", "\u30ac"),
            ("a\u3000b", "A b"),
            ("\u1e9e", "\u00df"),
        ):
            self.assertEqual(fold(one), fold(other))
        for one, other in (("e", "\u00e9"), ("\u00df", "ss"), ("\ufb01", "fi"), ("\u2460", "1")):
            self.assertNotEqual(fold(one), fold(other))

    @given(st.text())
    @example("I\u0307")
    @example("J\u030c")
    @example("\uff26\u0301")
    def test_fold_forms(self, text: str) -> None:
        """All forms of a text are one, and so are their cases; the definition says the same."""
        folded = fold(text)
        for form in ("NFC", "NFD"):
            self.assertEqual(folded, fold(normalize(form, text)))
        self.assertEqual(folded, fold(folded))
        self.assertEqual(folded, reference.without_case(text))

    def test_case(self) -> None:
        """The case of binary values counts, whatever the schema says."""
        for case_exact in (True, False):
            key = Attribute(name="key", type=AttributeType.BINARY, case_exact=case_exact)
            self.assertNotEqual(comparable(key)("YQ=="), comparable(key)("yq=="))

    def test_identity_without_type(self) -> None:
        """Where values have no type, the value alone counts, or all if there is none."""
        subs = (Attribute(name="value"), Attribute(name="note"))
        noted = identity(
            Attribute(name="n", type=AttributeType.COMPLEX, multi_valued=True, sub_attributes=subs)
        )
        self.assertEqual(noted({"value": "A", "note": "x"}), noted({"value": "a"}))
        self.assertEqual(whole({"note": "x"}), noted({"note": "x"}))

    def test_show(self) -> None:
        """What is repeated of a value is short, on one line, and never endless."""
        deep: list[Any] = []
        for _ in range(100_000):
            deep = [deep]
        self.assertEqual(r"'a\nb'", show("a\nb"))
        self.assertLess(len(show("x" * 10_000)), 70)
        self.assertLess(len(show(deep)), 70)
        while deep:  # or the interpreter recurses to free it
            deep = deep[0]


def _attribute(name: str) -> Attribute:
    found = USER.find(name)
    assert found is not None
    return found
