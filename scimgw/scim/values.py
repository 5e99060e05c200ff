"""When is a value right for its attribute, and when are two values the same?

RFC 7643 section 2.3 (types), 2.4 (multi-valued attributes) and 2.5 (unassigned values).
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from reprlib import Repr
from typing import Any
from unicodedata import decomposition, normalize

from scimgw.errors import InvalidValue
from scimgw.scim.schema import TEXT, Attribute, AttributeType, Returned

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
INTEGER_LIMIT = 2**63
"""Integers from here on can't be held by endpoints, nor written by the encoder."""

# xsd:dateTime with its time zone optional, as RFC 7643 section 2.3.5 has it
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_BOOLEANS = {"true": True, "false": False}


class _InJson(Repr):
    """Spells what JSON spells otherwise than Python as JSON does."""

    def repr_bool(self, value: bool, _: int) -> str:  # noqa: FBT001 - as Repr has it
        return "true" if value else "false"

    def repr_NoneType(self, _: None, __: int) -> str:
        return "null"


_SHOWN = _InJson()
_SHOWN.maxstring = _SHOWN.maxother = 60


_LOWER = {
    number: lower
    for number in range(0x1F000)
    if len(lower := chr(number).lower()) == 1 and lower != chr(number)
}
# full-width letters, half-width kana: written in another width, they are the same
_LOWER |= {
    number: chr(int(form[1], 16)).lower()
    for number in (0x3000, *range(0xFF00, 0xFFF0))
    if (form := decomposition(chr(number)).split()) and form[0] in {"<wide>", "<narrow>"}
}


def fold(text: str) -> str:
    """Make equal what differs by case only, or by how Unicode writes it.

    As directories and databases do it: a letter stays one letter, whatever stands beside it.  RFC
    7644 section 5 asks for widths and forms to be mapped, as RFC 8265 section 3.3 does.
    """
    if text.isascii():
        return text.lower()
    # composed before: \u0130 has no one small letter; and after: \u01f0 has no one capital
    return normalize("NFC", normalize("NFC", text).translate(_LOWER))


def show(value: object) -> str:
    """Repeat a value in an error or a log: shortened, on one line, however deep it is nested."""
    return _SHOWN.repr(value)


def instant(text: str) -> int:
    """Give a dateTime, UTC where no zone is given, as microseconds since 1970.

    Raises: ValueError.
    """
    if not _DATE_TIME.fullmatch(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // MICROSECOND


def unassigned(value: object) -> bool:
    """Whether a value means that there is none: null, an empty string, list or object."""
    return not value and (value is None or isinstance(value, (str, list, dict)))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a string")  # noqa: TRY004 - one kind of fault for all types
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("a string without lone surrogates") from None
    return value


def _boolean(value: Any) -> bool:
    # Entra ID without aadOptscim062020 sends "True" and "False"
    known = _BOOLEANS.get(value.casefold()) if isinstance(value, str) else value
    if not isinstance(known, bool):
        raise ValueError("true or false")  # noqa: TRY004 - one kind of fault for all types
    return known


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= INTEGER_LIMIT:
        raise ValueError("an integer of 64 bits")
    return value


def _decimal(value: Any) -> float:
    if isinstance(value, float) and math.isfinite(value):
        return value
    try:
        return _integer(value)
    except ValueError:
        raise ValueError("a number") from None


def _date_time(value: Any) -> str:
    try:
        instant(_text(value))
    except (ValueError, OverflowError):
        raise ValueError("a dateTime such as 2011-05-13T04:42:34Z") from None
    return str(value)


def octets(text: str) -> bytes:
    """Give what a binary value stands for; it may lack its padding (RFC 7643 section 2.3.6).

    Raises: ValueError.
    """
    compact = "".join(text.split())
    whole = compact if compact.endswith("=") else compact + "=" * (-len(compact) % 4)
    return base64.b64decode(whole, validate=True)


def _binary(value: Any) -> str:
    try:
        octets(_text(value))
    except ValueError:
        raise ValueError("base64") from None
    return str(value)


_PARSERS: Mapping[AttributeType, Callable[[Any], Any]] = {
    AttributeType.STRING: _text,
    AttributeType.REFERENCE: _text,
    AttributeType.BOOLEAN: _boolean,
    AttributeType.INTEGER: _integer,
    AttributeType.DECIMAL: _decimal,
    AttributeType.DATE_TIME: _date_time,
    AttributeType.BINARY: _binary,
}


def parse_simple(attribute: Attribute, value: Any, where: str) -> Any:
    """Check one value of a simple attribute; strings that spell a boolean become one.

    Raises: InvalidValue, naming `where` and the value.
    """
    try:
        return _PARSERS[attribute.type](value)
    except ValueError as fault:
        shown = "a secret" if attribute.returned is Returned.NEVER else show(value)
        raise InvalidValue(f"{where} must be {fault}, not {shown}") from None


@lru_cache(maxsize=4096)
def comparable(attribute: Attribute) -> Callable[[Any], Any]:
    """Give the function that maps values of a simple attribute to what is compared and sorted."""
    if attribute.type in TEXT:
        exact = attribute.case_exact or attribute.type is AttributeType.BINARY
        return str if exact else fold
    if attribute.type is AttributeType.DATE_TIME:
        return instant
    return _same


def _same(value: Any) -> Any:
    return value


@lru_cache(maxsize=4096)
def identity(attribute: Attribute) -> Callable[[Any], Any]:
    """Give the function that maps a value of a multi-valued attribute to what makes it that value.

    The value alone if the attribute is plain, the type alone if there is a place for each type, the
    pair of value and type (RFC 7643 section 2.4) if it has them, else all of it.
    """
    if not attribute.is_complex:
        return comparable(attribute)
    if attribute.one_per_type:
        return lambda element: fold(element.get("type", ""))
    if attribute.value is None:
        return whole
    value_key = comparable(attribute.value)
    if attribute.plain:
        return lambda element: value_key(element["value"])
    type_attribute = attribute.find("type")
    if type_attribute is None:
        return lambda element: value_key(element["value"]) if "value" in element else whole(element)

    type_key = fold if type_attribute.type in TEXT else comparable(type_attribute)

    def pair(element: Mapping[str, Any]) -> Any:
        if "value" not in element:
            return whole(element)
        return value_key(element["value"]), type_key(element["type"]) if "type" in element else ""

    return pair


def whole(element: Any) -> Any:
    """Make a hashable key of all that an element holds, in no order."""
    if isinstance(element, dict):
        return frozenset((name, whole(value)) for name, value in element.items())
    return tuple(map(whole, element)) if isinstance(element, list) else element
