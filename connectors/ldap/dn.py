r"""What does a distinguished name say?

    distinguishedName = [ relativeDistinguishedName *( "," relativeDistinguishedName ) ]
    relativeDistinguishedName = attributeTypeAndValue *( "+" attributeTypeAndValue )
    attributeTypeAndValue = attributeType "=" ( string / hexstring )
    attributeType = descr / numericoid
    string    = [ ( leadchar / pair ) [ *( stringchar / pair ) ( trailchar / pair ) ] ]
    pair      = "\" ( "\" / special / hexpair )
    special   = DQUOTE / "+" / "," / ";" / "<" / ">" / SPACE / "#" / "="
    hexstring = "#" 1*hexpair

This is RFC 4514 section 3, with blanks allowed around separators.  Values are text: pairs of hex
digits are octets of UTF-8, and octets that are not are kept as `surrogateescape` keeps them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

Rdn = tuple[tuple[str, str], ...]
"""Attribute types, as they are spelt, and values; more than one where the RDN is multi-valued."""

_TYPE_AND_VALUE: Final = re.compile(
    r"""
    [ ]*+ ([A-Za-z][A-Za-z0-9-]*+ | [0-9]++(?:\.[0-9]++)*+)
    [ ]*+ = [ ]*+
    (?: \#((?:[0-9A-Fa-f]{2})++)[ ]*+
      | (?!\#)((?:[^"+,;<>\\\0]++ | \\[ "\#+,;<=>\\] | (?:\\[0-9A-Fa-f]{2})++)*+) )
    ([,+]|\Z)
    """,
    re.VERBOSE,
)
_PAIRS: Final = re.compile(r"\\([^0-9A-Fa-f])|((?:\\[0-9A-Fa-f]{2})+)")
_ESCAPED: Final = re.compile(r'["+,;<>\\\0\udc80-\udcff]|\A[ #]| \Z')
_LONG: Final = b"\x80"


def parse(text: str) -> tuple[Rdn, ...]:
    """Read a name; the empty one has no RDNs.

    Raises: ValueError, with the position of what is wrong.
    """
    if not text.strip(" "):
        return ()
    names: list[Rdn] = []
    pairs: list[tuple[str, str]] = []
    position, separator = 0, ","
    while separator:
        found = _TYPE_AND_VALUE.match(text, position)
        if found is None:
            raise ValueError(f"not a distinguished name at position {position}: {text!r}")
        type, octets, string, separator = found.groups()
        pairs.append((type, _unescape(string) if octets is None else _content(octets)))
        if separator != "+":
            names.append(tuple(pairs))
            pairs = []
        position = found.end()
    return tuple(names)


def escape(value: str) -> str:
    """Write a value, with no more escapes than RFC 4514 section 2.4 asks for."""
    return _ESCAPED.sub(_escaped, value)


def rdn(attribute: str, value: str) -> str:
    """Name an entry among its siblings."""
    return f"{attribute}={escape(value)}"


def child(attribute: str, value: str, base: str) -> str:
    """Name an entry directly below another."""
    return f"{rdn(attribute, value)},{base}" if base else rdn(attribute, value)


@lru_cache(maxsize=4096)
def normal(text: str) -> str:
    """Give a key that is the same for two spellings of a name.

    Case and repeated, leading or trailing blanks of values don't count, as with caseIgnoreMatch
    (RFC 4518 section 2.6.1), nor does the order within an RDN.

    Raises: ValueError, if it isn't a name.
    """
    return ",".join(map(_normal, parse(text)))


def is_under(text: str, base: str) -> bool:
    """Tell whether a name is that of a base, or of an entry below it.

    Raises: ValueError, if one isn't a name.
    """
    above = [_normal(each) for each in parse(base)]
    names = [_normal(each) for each in parse(text)]
    return len(names) >= len(above) and names[len(names) - len(above) :] == above


def first_value(text: str) -> str:
    """Give the value that names an entry among its siblings: `Ada` of `cn=Ada,ou=people`.

    Raises: ValueError, if it isn't a name, or the empty one.
    """
    names = parse(text)
    if not names:
        raise ValueError("the empty distinguished name has no value")
    return names[0][0][1]


def _unescape(string: str) -> str:
    value = string.rstrip(" ")
    # the blank after an escaping backslash belongs to the value
    if (len(value) - len(value.rstrip("\\"))) % 2:
        value += " "
    return _PAIRS.sub(_unescaped, value) if "\\" in value else value


def _unescaped(pair: re.Match[str]) -> str:
    special, octets = pair.groups()
    return special or _text(bytes.fromhex(octets.replace("\\", "")))


def _content(octets: str) -> str:
    """Give what is in a BER element; its tag tells nothing that its attribute doesn't."""
    element = bytes.fromhex(octets)
    size = element[1:2]
    start = 2
    if size > _LONG:
        start += size[0] - _LONG[0]
        size = element[2:start]
    if size == _LONG or start + int.from_bytes(size, "big") != len(element):
        raise ValueError(f"not a BER element in a distinguished name: #{octets}")
    return _text(element[start:])


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if character == "\0" or not character.isascii():
        return f"\\{ord(character) & 0xFF:02x}"
    return "\\" + character


def _normal(name: Rdn) -> str:
    return "+".join(sorted(f"{type.lower()}={escape(_folded(value))}" for type, value in name))


def _folded(value: str) -> str:
    return " ".join(filter(None, value.lower().split(" ")))
