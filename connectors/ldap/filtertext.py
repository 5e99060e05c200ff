r"""What does a filter written in a configuration file say?

    filter     = "(" ( "&" *filter / "|" *filter / "!" filter / item ) ")"
    item       = simple / substring / extensible
    simple     = attr ( "=" / "~=" / ">=" / "<=" ) value
    substring  = attr "=" [ value ] "*" *( value "*" ) [ value ]
    extensible = [ attr ] [ ":dn" ] [ ":" rule ] ":=" value
    attr       = ( descr / numericoid ) *( ";" option )
    value      = *( normal / "\" HEX HEX )

This is RFC 4515 section 3 with the empty "&" and "|" of RFC 4526.  `attr=*` asks for presence.
Blanks around parentheses are allowed, and the outermost parentheses may be left out.
"""

from __future__ import annotations

import re
from typing import Any, Final

from attrs import define, field
from ldaptor.protocols import pureldap

DEPTH: Final = 32
"""How deep filters may be nested."""

_ITEM: Final = re.compile(
    r"""
    [ ]*+ ((?:[A-Za-z][A-Za-z0-9-]*+ | [0-9]++(?:\.[0-9]++)*+) (?:;[A-Za-z0-9-]++)*+)?+
    ((?i::dn(?=:)))?+ (?::([A-Za-z][A-Za-z0-9-]*+ | [0-9]++(?:\.[0-9]++)*+))?+
    [ ]*+ (=|~=|>=|<=|:=)
    """,
    re.VERBOSE,
)
_VALUE: Final = re.compile(r"(?:[^()*\\\0]|\\[0-9A-Fa-f]{2})*+")
_ESCAPE: Final = re.compile(rb"\\(..)")
_BLANKS: Final = re.compile(r"\s*+")
_COMPARISONS: Final = {
    "=": pureldap.LDAPFilter_equalityMatch,
    "~=": pureldap.LDAPFilter_approxMatch,
    ">=": pureldap.LDAPFilter_greaterOrEqual,
    "<=": pureldap.LDAPFilter_lessOrEqual,
}
_SETS: Final = {"&": pureldap.LDAPFilter_and, "|": pureldap.LDAPFilter_or}


def parse(text: str) -> Any:
    """Read a filter, as one of pureldap's, whose values are bytes.

    Raises: ValueError, with the position of what is wrong.
    """
    reader = _Reader(text)
    reader.blanks()
    filter = reader.filter(0) if reader.next("(") else reader.item()
    reader.end()
    return filter


@define
class _Reader:
    text: str
    position: int = field(default=0, init=False)

    def filter(self, depth: int) -> Any:
        """Read what is in parentheses, and the blanks after it."""
        if depth == DEPTH:
            raise self.fail(f"filters are nested no deeper than {DEPTH}")
        self.expect("(")
        self.blanks()
        filter = self._inside(depth + 1)
        self.expect(")")
        self.blanks()
        return filter

    def _inside(self, depth: int) -> Any:
        sign = self.text[self.position : self.position + 1]
        if sign not in {"&", "|", "!"}:
            return self.item()
        self.position += 1
        self.blanks()
        if sign == "!":
            return pureldap.LDAPFilter_not(self.filter(depth))
        parts = []
        while self.next("("):
            parts.append(self.filter(depth))
        return _SETS[sign](parts)

    def item(self) -> Any:
        """Read a comparison."""
        found = _ITEM.match(self.text, self.position)
        if found is None:
            raise self.fail("a comparison such as cn=Ada is expected")
        attribute, dn, rule, operator = found.groups()
        extensible = operator == ":="
        if not (attribute or (extensible and rule)) or ((dn or rule) and not extensible):
            raise self.fail("an attribute and an operator are expected")
        self.position = found.end()
        values = [self._value()]
        while operator == "=" and self.next("*"):
            self.position += 1
            values.append(self._value())
        if extensible:
            return _extensible(attribute, rule, values[0], dn=dn is not None)
        if len(values) > 1:
            return _substrings(attribute.encode(), values)
        return _COMPARISONS[operator](_description(attribute), _assertion(values[0]))

    def _value(self) -> bytes:
        found = _VALUE.match(self.text, self.position)
        assert found is not None  # it may be empty
        self.position = found.end()
        return _ESCAPE.sub(_octet, found[0].encode())

    def next(self, sign: str) -> bool:
        """Tell whether a sign comes next."""
        return self.text.startswith(sign, self.position)

    def expect(self, sign: str) -> None:
        """Pass a sign, which must be there."""
        if not self.next(sign):
            raise self.fail(f"{sign!r} is expected")
        self.position += 1

    def blanks(self) -> None:
        """Pass blanks, if there are any."""
        found = _BLANKS.match(self.text, self.position)
        assert found is not None  # it may be empty
        self.position = found.end()

    def end(self) -> None:
        """Refuse that anything is left."""
        if self.position < len(self.text):
            raise self.fail("the end is expected")

    def fail(self, reason: str) -> ValueError:
        return ValueError(f"not an LDAP filter: {reason} at position {self.position}: {self.text}")


def _substrings(attribute: bytes, values: list[bytes]) -> Any:
    initial, *middle, final = values
    if not any(values):
        return pureldap.LDAPFilter_present(attribute)
    parts = [pureldap.LDAPFilter_substrings_any(value) for value in middle if value]
    if initial:
        parts.insert(0, pureldap.LDAPFilter_substrings_initial(initial))
    if final:
        parts.append(pureldap.LDAPFilter_substrings_final(final))
    return pureldap.LDAPFilter_substrings(type=attribute, substrings=parts)


def _extensible(attribute: str | None, rule: str | None, value: bytes, *, dn: bool) -> Any:
    return pureldap.LDAPFilter_extensibleMatch(
        matchingRule=rule and rule.encode(),
        type=attribute and attribute.encode(),
        matchValue=value,
        # false is the default, and a default must be absent (RFC 4511 section 5.1)
        dnAttributes=dn or None,
    )


def _description(attribute: str) -> Any:
    return pureldap.LDAPAttributeDescription(attribute.encode())


def _assertion(value: bytes) -> Any:
    return pureldap.LDAPAssertionValue(value)


def _octet(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode())
