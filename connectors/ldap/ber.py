r"""How is a directory's answer read?

    LDAPMessage = SEQUENCE { INTEGER, response, [0] controls OPTIONAL }

RFC 4511 section 4, in BER as its section 5.1 restricts it: lengths are definite, strings primitive.
Elements after those that are known are skipped, as section 4 demands; anything else that is wrong
is a ValueError.  Every entry of every search comes this way: offsets into one string of octets,
written out where they are followed, are what makes it fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from attrs import field, frozen


class Answer(IntEnum):
    """The responses that end an operation: their tags."""

    BIND = 0x61
    SEARCH = 0x65
    MODIFY = 0x67
    ADD = 0x69
    DELETE = 0x6B
    MODIFY_DN = 0x6D
    COMPARE = 0x6F
    EXTENDED = 0x78


@frozen(kw_only=True)
class SearchEntry:
    """An entry; attributes have their names in lower case, options too: `member;range=0-1499`."""

    dn: str
    attributes: dict[str, list[bytes]] = field(repr=lambda attributes: str(list(attributes)))
    """Only names are shown: a value may be a secret."""


@frozen
class SearchReference:
    """Where else to search."""

    uris: tuple[str, ...]


@frozen(kw_only=True)
class Result:
    """How an operation ended."""

    answer: Answer
    code: int
    matched_dn: str = ""
    message: str = ""
    referrals: tuple[str, ...] = ()


@frozen(kw_only=True)
class ExtendedResult(Result):
    """How an extended operation ended."""

    name: str | None = None
    value: bytes | None = field(default=None, repr=False)
    """A new password, perhaps."""


Response = SearchEntry | SearchReference | Result


@frozen(kw_only=True)
class Message:
    """What a directory sends; the id is 0 where nobody asked."""

    id: int
    response: Response
    controls: Mapping[str, bytes]
    """The values of controls, by OID; empty where a control has none."""


_LONG: Final = 0x80
_LENGTHS: Final = 4
"""Octets of the longest length."""
_MAX_INT: Final = 2**31 - 1
_INTEGER, _OCTETS, _ENUMERATED, _BOOLEAN = 0x02, 0x04, 0x0A, 0x01
_SEQUENCE, _SET = 0x30, 0x31
_CONTROLS: Final = 0xA0
_REFERRAL, _NAME, _VALUE = 0xA3, 0x8A, 0x8B
_ENTRY, _REFERENCE = 0x64, 0x73
_ANSWERS: Final = {int(answer): answer for answer in Answer}
_NO_CONTROLS: Final[Mapping[str, bytes]] = MappingProxyType({})


def size(data: bytes, start: int, limit: int) -> int | None:
    """Give the size of the message that begins at an offset; None, while too little is there.

    Raises: ValueError, if it is none, or is larger than the limit.
    """
    if len(data) < start + 2:
        return None
    if data[start] != _SEQUENCE:
        raise ValueError(f"a message begins with 30, not {data[start]:02x}")
    first = data[start + 1]
    if first > _LONG and len(data) < start + 2 + min(first - _LONG, _LENGTHS):
        return None
    length, at = _length(data, start + 1)
    if length > limit:
        raise ValueError(f"a message of {length} octets is longer than {limit}")
    return at + length - start


def decode(data: bytes) -> Message:
    """Read one message, which is all that there is.

    Raises: ValueError
    """
    try:
        return _message(data)
    except IndexError:
        raise ValueError("a message ends too early") from None


def paged_cookie(value: bytes) -> bytes:
    """Read the value of a control for paged results: what asks for the next page (RFC 2696).

    Raises: ValueError
    """
    try:
        start, end = _expect(value, 0, len(value), _SEQUENCE)
        _, start = _integer(value, start, end, _INTEGER)
        start, end = _expect(value, start, end, _OCTETS)
    except IndexError:
        raise ValueError("a control ends too early") from None
    return value[start:end]


def _message(data: bytes) -> Message:
    start, end = _expect(data, 0, len(data), _SEQUENCE)
    if end != len(data):
        raise ValueError("something follows a message")
    id, start = _integer(data, start, end, _INTEGER)
    tag, start, stop = _element(data, start, end)
    if tag == _ENTRY:
        response: Response = _entry(data, start, stop)
    elif tag == _REFERENCE:
        response = SearchReference(tuple(_strings(data, start, stop)))
    elif (answer := _ANSWERS.get(tag)) is not None:
        response = _result(answer, data, start, stop)
    else:
        raise ValueError(f"no response has the tag {tag:02x}")
    controls = _NO_CONTROLS if stop == end else _controls(data, stop, end)
    return Message(id=id, response=response, controls=controls)


def _entry(data: bytes, start: int, end: int) -> SearchEntry:
    """Read a SearchResultEntry; what `_expect` does is written out where it is done often."""
    attributes: dict[str, list[bytes]] = {}
    at, stop = _expect(data, start, end, _OCTETS)
    dn = data[at:stop].decode()
    at, last = _expect(data, stop, end, _SEQUENCE)
    while at < last:
        at, stop = _expect(data, at, last, _SEQUENCE)
        begin, at = _expect(data, at, stop, _OCTETS)
        name = _attribute(data[begin:at])
        at, end = _expect(data, at, stop, _SET)
        values: list[bytes] = []
        while at < end:
            length = data[at + 1]
            begin = at + 2
            if length >= _LONG:
                length, begin = _length(data, at + 1)
            if data[at] != _OCTETS or begin + length > end:
                raise ValueError(f"a value of {name} is malformed")
            at = begin + length
            values.append(data[begin:at])
        if name in attributes:
            values = attributes[name] + values
        attributes[name] = values
        at = stop
    return SearchEntry(dn=dn, attributes=attributes)


def _result(answer: Answer, data: bytes, start: int, end: int) -> Result:
    code, start = _integer(data, start, end, _ENUMERATED)
    at, start = _expect(data, start, end, _OCTETS)
    matched_dn = data[at:start].decode("utf-8", "replace")
    at, start = _expect(data, start, end, _OCTETS)
    # Active Directory ends its messages as C does
    message = data[at:start].decode("utf-8", "replace").rstrip("\0")
    referrals: tuple[str, ...] = ()
    name = value = None
    while start < end:
        tag, at, start = _element(data, start, end)
        if tag == _REFERRAL:
            referrals = tuple(_strings(data, at, start))
        elif tag == _NAME:
            name = data[at:start].decode("ascii")
        elif tag == _VALUE:
            value = data[at:start]
    if answer is not Answer.EXTENDED:
        return Result(
            answer=answer,
            code=code,
            matched_dn=matched_dn,
            message=message,
            referrals=referrals,
        )
    return ExtendedResult(
        answer=answer,
        code=code,
        matched_dn=matched_dn,
        message=message,
        referrals=referrals,
        name=name,
        value=value,
    )


def _controls(data: bytes, start: int, end: int) -> Mapping[str, bytes]:
    controls: dict[str, bytes] = {}
    tag, at, stop = _element(data, start, end)
    while tag == _CONTROLS and at < stop:
        at, last = _expect(data, at, stop, _SEQUENCE)
        begin, at = _expect(data, at, last, _OCTETS)
        oid = data[begin:at].decode("ascii")
        controls[oid] = b""
        while at < last:
            tag_inside, begin, at = _element(data, at, last)
            if tag_inside == _OCTETS:
                controls[oid] = data[begin:at]
    return controls


def _strings(data: bytes, start: int, end: int) -> Iterator[str]:
    while start < end:
        at, start = _expect(data, start, end, _OCTETS)
        yield data[at:start].decode("utf-8", "replace")


def _integer(data: bytes, start: int, end: int, tag: int) -> tuple[int, int]:
    """Read an INTEGER or ENUMERATED of RFC 4511, none of which is negative, and tell its end."""
    start, end = _expect(data, start, end, tag)
    value = int.from_bytes(data[start:end], "big", signed=True)
    if start == end or not 0 <= value <= _MAX_INT:
        raise ValueError("a number is out of range")
    return value, end


def _expect(data: bytes, start: int, end: int, tag: int) -> tuple[int, int]:
    """Give the bounds of what is in the element at an offset, which must have a tag."""
    length = data[start + 1]
    at = start + 2
    if length >= _LONG:
        length, at = _length(data, start + 1)
    stop = at + length
    if data[start] != tag or stop > end:
        raise ValueError(f"{tag:02x} is expected, not {data[start]:02x}, or ends too late")
    return at, stop


def _element(data: bytes, start: int, end: int) -> tuple[int, int, int]:
    """Give the tag of the element at an offset, and the bounds of what is in it."""
    at, stop = _expect(data, start, end, data[start])
    return data[start], at, stop


def _length(data: bytes, start: int) -> tuple[int, int]:
    """Read a length, and tell where what it measures begins."""
    first = data[start]
    if first < _LONG:
        return first, start + 1
    octets = first - _LONG
    if not 1 <= octets <= _LENGTHS:
        raise ValueError("a length is indefinite, or too long")
    at = start + 1 + octets
    if at > len(data):
        raise ValueError("a length ends too early")
    return int.from_bytes(data[start + 1 : at], "big"), at


@lru_cache(maxsize=1024)
def _attribute(name: bytes) -> str:
    return name.decode("ascii").lower()
