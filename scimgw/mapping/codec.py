"""How is a value written in the endpoint, and how in SCIM?

Text on the side of the endpoint, bytes if it is binary; what SCIM's JSON holds on the other.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from attrs import frozen

from scimgw.mapping.rule import Rule
from scimgw.scim.schema import TEXT, Attribute, AttributeType
from scimgw.scim.values import EPOCH, MICROSECOND, instant, octets


@frozen
class Codec:
    """`read` makes SCIM's value of the endpoint's, None where it means none; `write` the reverse.

    Both raise ValueError, whose text says what would have been right.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


def text_codec(rule: Rule, leaf: Attribute) -> Codec | None:
    """Choose how values of a rule are translated for a SCIM attribute; None if they can't be."""
    kind = "string" if rule.type == "array" else rule.type
    codec = _dates(rule.format) if kind == "date" else _CODECS[kind]
    if leaf.type in TEXT - {AttributeType.BINARY}:
        return _spelled(codec) if kind in {"boolean", "integer"} else codec
    return codec if leaf.type in _FITTING.get(kind, ()) else None


_FITTING: Final[Mapping[str, frozenset[AttributeType]]] = {
    "boolean": frozenset({AttributeType.BOOLEAN}),
    "integer": frozenset({AttributeType.INTEGER, AttributeType.DECIMAL}),
    "date": frozenset({AttributeType.DATE_TIME}),
    "binary": frozenset({AttributeType.BINARY}),
}


def _same(value: Any) -> Any:
    return value


def _read_boolean(text: str) -> bool:
    found = {"true": True, "false": False}.get(text.lower())
    if found is None:
        raise ValueError("true or false")
    return found


def _write_boolean(value: Any) -> str:
    return "TRUE" if value else "FALSE"


def _read_integer(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,19}", text, re.ASCII):
        raise ValueError("an integer")
    return int(text)


def _read_binary(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


_CODECS: Final[Mapping[str, Codec]] = {
    "string": Codec(_same, _same),
    "boolean": Codec(_read_boolean, _write_boolean),
    "integer": Codec(_read_integer, str),
    "binary": Codec(_read_binary, octets),
}


def _spelled(codec: Codec) -> Codec:
    """Show what isn't text as text, and take it back only if it reads as what it was."""

    def read(raw: str) -> str:
        return str(codec.read(raw)).lower()

    def write(text: str) -> str:
        written: str = codec.write(codec.read(text.strip()))
        return written

    return Codec(read, write)


# --- dates: in SCIM as RFC 7643 section 2.3.5 has them ---


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _moment(text: str) -> datetime:
    try:
        return EPOCH + instant(text) * MICROSECOND
    except (ValueError, OverflowError):
        raise ValueError("a dateTime such as 2011-05-13T04:42:34Z") from None


# RFC 4517 section 3.3.13: YYYYMMDDHH[MM[SS]] [fraction of the last] zone
_GENERALIZED: Final = re.compile(
    r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)?(\d\d)?(?:[.,](\d{1,9}))?(Z|[+-]\d\d(?:\d\d)?)", re.ASCII
)


def _read_generalized(text: str) -> str:
    found = _GENERALIZED.fullmatch(text)
    if found is None:
        raise ValueError("a generalized time")
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    offset = timedelta()
    if zone != "Z":
        offset = timedelta(hours=int(zone[:3]), minutes=int(zone[0] + (zone[3:] or "0")))
    moment = datetime(
        int(year),
        int(month),
        int(day),
        int(hour),
        int(minute or 0),
        int(second or 0),
        tzinfo=timezone(offset),
    )
    unit = 1 if second else 60 if minute else 3600
    return _shown(moment + timedelta(seconds=unit * float(f"0.{fraction or 0}")))


def _write_generalized(text: str) -> str:
    moment = _moment(text)
    fraction = f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else ""
    return f"{moment:%Y%m%d%H%M%S}".zfill(14) + f"{fraction}Z"


_FILE_TIME: Final = datetime(1601, 1, 1, tzinfo=UTC)
_TICKS: Final = 10
"""Units of a file time in a microsecond."""
_NEVER: Final = frozenset({0, 2**63 - 1})


def _read_file_time(text: str) -> str | None:
    ticks = _read_integer(text)
    if ticks in _NEVER:
        return None
    try:
        return _shown(_FILE_TIME + timedelta(microseconds=ticks // _TICKS))
    except OverflowError:
        raise ValueError("a file time") from None


def _write_file_time(text: str) -> str:
    return str((_moment(text) - _FILE_TIME) // MICROSECOND * _TICKS)


def _iso(text: str) -> str:
    _moment(text)
    return text


def _dates(format: str | None) -> Codec:
    match format:
        case "generalizedTime":
            return Codec(_read_generalized, _write_generalized)
        case "fileTime":
            return Codec(_read_file_time, _write_file_time)
        case _:
            return Codec(_iso, _iso)
