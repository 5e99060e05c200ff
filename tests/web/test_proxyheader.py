"""Headers of the PROXY protocol, in every piece and with everything wrong."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from socket import AF_INET, AF_INET6, inet_pton

from hypothesis import example, given, settings
from hypothesis import strategies as some
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.trial.unittest import SynchronousTestCase

from scimgw.web.proxyheader import LONGEST, Malformed, Named, parse

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
PORTS = some.integers(0, 65_535)


def second(command: int, family: int, told: bytes) -> bytes:
    """Write a header of version 2."""
    return SIGNATURE + bytes([command, family]) + struct.pack("!H", len(told)) + told


FOUR = inet_pton(AF_INET, "203.0.113.9") + inet_pton(AF_INET, "192.0.2.1")
SIX = inet_pton(AF_INET6, "2001:db8::9") + inet_pton(AF_INET6, "2001:db8::1")
SOUND = (
    b"PROXY TCP4 203.0.113.9 192.0.2.1 56324 443\r\n",
    b"PROXY TCP6 2001:db8::9 2001:db8::1 56324 443\r\n",
    b"PROXY UNKNOWN\r\n",
    b"PROXY UNKNOWN ffff:f...f:ffff what ever it says\r\n",
    second(0x21, 0x11, FOUR + struct.pack("!HH", 56324, 443)),
    second(0x21, 0x21, SIX + struct.pack("!HH", 56324, 443) + b"\x03\0\x04abcd"),
    second(0x20, 0, b""),
    second(0x21, 0x31, b"\0" * 216),
)


class HeaderTests(SynchronousTestCase):
    """What a header says."""

    def test_addresses(self) -> None:
        """Both versions tell both ends, of IPv4 and of IPv6."""
        four = (IPv4Address("TCP", "203.0.113.9", 56324), IPv4Address("TCP", "192.0.2.1", 443))
        six = (IPv6Address("TCP", "2001:db8::9", 56324), IPv6Address("TCP", "2001:db8::1", 443))
        for header, ends in zip(SOUND, (four, six, *[(None, None)] * 2, four, six), strict=False):
            named = parse(header)
            assert named is not None
            self.assertEqual((*ends, len(header)), (named.source, named.destination, named.size))

    def test_nobody(self) -> None:
        """UNKNOWN, LOCAL and what isn't TCP name nobody."""
        for header in (SOUND[2], SOUND[3], SOUND[6], SOUND[7], second(0x21, 0x12, FOUR)):
            self.assertEqual(Named(size=len(header)), parse(header))

    def test_in_pieces(self) -> None:
        """A header may come octet by octet, and what follows it isn't touched."""
        for header in SOUND:
            for end in range(len(header)):
                self.assertIsNone(parse(header[:end]), header[:end])
            named = parse(header + b"\x16\x03\x01")
            assert named is not None
            self.assertEqual(len(header), named.size)

    def test_mapped(self) -> None:
        """An address of IPv4 is one, though it is written as one of IPv6."""
        named = parse(b"PROXY TCP6 ::ffff:203.0.113.9 2001:db8::1 1 2\r\n")
        assert named is not None
        self.assertEqual(IPv4Address("TCP", "203.0.113.9", 1), named.source)

    def test_malformed(self) -> None:
        """Anything else is refused as soon as that is sure."""
        for data in (
            b"GET / HTTP/1.1\r\n",
            b"\x16\x03\x01\x02\x00",
            b"proxy TCP4 203.0.113.9 192.0.2.1 1 2\r\n",
            b"PROXY\r\n",
            b"PROXY \r\n",
            b"PROXY TCP5 203.0.113.9 192.0.2.1 1 2\r\n",
            b"PROXY UNKNOWNS\r\n",
            b"PROXY TCP4 203.0.113.9 192.0.2.1 1\r\n",
            b"PROXY TCP4 203.0.113.9 192.0.2.1 1 2 3\r\n",
            b"PROXY TCP4  203.0.113.9 192.0.2.1 1 2\r\n",
            b"PROXY TCP4 203.0.113.999 192.0.2.1 1 2\r\n",
            b"PROXY TCP4 2001:db8::9 192.0.2.1 1 2\r\n",
            b"PROXY TCP6 2001:db8::9 192.0.2.1 1 2\r\n",
            b"PROXY TCP6 fe80::1%eth0 2001:db8::1 1 2\r\n",
            b"PROXY TCP6 2001:db8:::9 2001:db8::1 1 2\r\n",
            b"PROXY TCP4 203.0.113.9 192.0.2.1 65536 2\r\n",
            b"PROXY TCP4 203.0.113.9 192.0.2.1 -1 2\r\n",
            b"PROXY TCP4 evil\n 192.0.2.1 1 2\r\n",
            b"PROXY TCP4 \xd9\xa1.2.3.4 192.0.2.1 1 2\r\n",
            b"PROXY UNKNOWN " + b"x" * LONGEST,
            b"PROXY UNKNOWN " + b"x" * LONGEST + b"\r\n",
            second(0x22, 0x11, FOUR + b"\0" * 4),
            second(0x11, 0x11, FOUR + b"\0" * 4),
            second(0x21, 0x11, FOUR),
            second(0x21, 0x21, FOUR + b"\0" * 4),
            SIGNATURE + b"\x21\x11\xff\xff",
        ):
            self.assertRaises(Malformed, parse, data)

    def test_longest(self) -> None:
        """A header of version 1 may have 107 octets."""
        header = b"PROXY UNKNOWN ".ljust(LONGEST - 2, b"x") + b"\r\n"
        self.assertEqual(Named(size=107), parse(header))

    @settings(deadline=None)
    @given(some.ip_addresses(v=4), PORTS)
    def test_any_address(self, address: object, port: int) -> None:
        """Any address and port survive, in both versions."""
        packed = ip_address(str(address)).packed
        for header in (
            f"PROXY TCP4 {address} 192.0.2.1 {port} 1\r\n".encode(),
            second(0x21, 0x11, packed + FOUR[:4] + struct.pack("!HH", port, 1)),
        ):
            named = parse(header)
            assert named is not None
            self.assertEqual(IPv4Address("TCP", str(address), port), named.source)

    @settings(deadline=None)
    @given(some.binary(max_size=300) | some.from_regex(rb"PROXY (TCP4|TCP6|UNKNOWN) [^\n]*\r\n"))
    @example(b"")
    def test_anything(self, data: bytes) -> None:
        """Whatever comes, it is read, waited for or refused."""
        try:
            named = parse(data)
        except Malformed:
            return
        self.assertTrue(named is None or named.size <= len(data))
