"""What does a header of the PROXY protocol say?

A proxy that passes a connection on without reading it tells first who has connected to it (the
PROXY protocol of HAProxy, sections 2.1 and 2.2).

    version 1 = "PROXY" SP (("TCP4" / "TCP6") SP from SP to SP port SP port / "UNKNOWN" *CHAR) CRLF
    version 2 = signature (%x20 / %x21) family length *OCTET    ; %x20: for itself
"""

from __future__ import annotations

import ipaddress
import re
from ipaddress import ip_address
from typing import Final

from attrs import frozen
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from scimgw.networks import parse_address

LONGEST: Final = 107
"""Bytes of a header of version 1, with its end of line."""
_SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED: Final = 16
"""Bytes of a header of version 2 that are always there."""
_MOST: Final = 4096
"""Bytes behind them that are waited for."""
_LOCAL, _PROXY = 0x20, 0x21
_BINARY: Final = {0x11: 4, 0x21: 16}
"""Bytes of an address, by the family: TCP over IPv4, TCP over IPv6."""
_LINE: Final = re.compile(
    rb"PROXY (?:UNKNOWN(?: [^\r\n]*)?"
    rb"|TCP([46]) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) (\d{1,5}) (\d{1,5}))"
)
_LAST_PORT: Final = 65_535


class Malformed(Exception):
    """Something else than a header."""


@frozen(kw_only=True)
class Named:
    """What a header says: the ends of the connection that is passed on, None if it names none."""

    source: IAddress | None = None
    destination: IAddress | None = None
    size: int
    """Bytes of the header."""


def parse(data: bytes) -> Named | None:
    """Read a header at the beginning of what has come; None as long as it isn't all there.

    Raises: Malformed.
    """
    if data[: len(_SIGNATURE)] == _SIGNATURE[: len(data)]:
        return _binary(data)
    end = data.find(b"\r\n", 0, LONGEST)
    if end >= 0:
        return _line(data[:end])
    if len(data) >= LONGEST or not b"PROXY ".startswith(data[:6]):
        raise Malformed
    return None


def _line(line: bytes) -> Named:
    found = _LINE.fullmatch(line)
    if found is None:
        raise Malformed
    size = len(line) + 2
    version, source, destination, *ports = found.groups()
    if version is None:
        return Named(size=size)
    if [b":" in each for each in (source, destination)] != [version == b"6"] * 2:
        raise Malformed
    return Named(
        source=_address(source.decode(), int(ports[0])),
        destination=_address(destination.decode(), int(ports[1])),
        size=size,
    )


def _binary(data: bytes) -> Named | None:
    if len(data) < _FIXED:
        return None
    command, family, length = data[12], data[13], int.from_bytes(data[14:16], "big")
    size = _FIXED + length
    if command not in {_LOCAL, _PROXY} or length > _MOST:
        raise Malformed
    if len(data) < size:
        return None
    if command == _LOCAL or family not in _BINARY:
        return Named(size=size)
    octets, told = _BINARY[family], data[_FIXED:size]
    if len(told) < 2 * octets + 4:
        raise Malformed
    source, destination = ip_address(told[:octets]), ip_address(told[octets : 2 * octets])
    ports = told[2 * octets :]
    return Named(
        source=_address(str(source), int.from_bytes(ports[:2], "big")),
        destination=_address(str(destination), int.from_bytes(ports[2:4], "big")),
        size=size,
    )


def _address(text: str, port: int) -> IAddress:
    address = parse_address(text)
    if address is None or port > _LAST_PORT:
        raise Malformed
    kind = IPv4Address if isinstance(address, ipaddress.IPv4Address) else IPv6Address
    return kind("TCP", str(address), port)
