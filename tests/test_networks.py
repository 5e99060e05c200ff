"""Networks that are asked as one, held against the standard library asking each."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from hypothesis import given, settings
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from scimgw.networks import Address, Network, Networks, parse_address, parse_network


def native(address: Address) -> bool:
    """Whether an address isn't one of IPv4 written as IPv6."""
    return isinstance(address, IPv4Address) or address.ipv4_mapped is None


# addresses and networks so near to each other that they meet
ADDRESSES: some.SearchStrategy[Address] = some.one_of(
    some.builds(IPv4Address, some.integers(0, 40) | some.integers(2**32 - 40, 2**32 - 1)),
    some.builds(IPv6Address, some.integers(0, 40) | some.integers(2**128 - 40, 2**128 - 1)),
    some.ip_addresses(),
).filter(native)


def around(address: Address, length: int) -> Network:
    """Give the network of a prefix that an address is in."""
    return ip_network(f"{address}/{min(length, address.max_prefixlen)}", strict=False)


NETWORKS = some.lists(some.builds(around, ADDRESSES, some.integers(0, 128)), max_size=12)


class NetworksTests(SynchronousTestCase):
    """Whether an address is in one of them."""

    @settings(deadline=None)
    @given(NETWORKS, some.lists(ADDRESSES, min_size=1, max_size=8))
    def test_as_one_by_one(self, networks: list[Network], addresses: list[Address]) -> None:
        """An address is in the networks if it is in any of them, bounds and all."""
        asked = Networks.of(networks)
        bounds = [bound for each in networks for bound in (each[0], each[-1])]
        for address in [*addresses, *bounds]:
            self.assertEqual(any(address in each for each in networks), address in asked)

    @settings(deadline=None)
    @given(ADDRESSES)
    def test_round_trip(self, address: Address) -> None:
        """An address is read as it is written; as a network it is itself alone."""
        self.assertEqual(address, parse_address(str(address)))
        self.assertEqual([address], list(parse_network(str(address))))

    @settings(deadline=None)
    @given(NETWORKS)
    def test_read(self, networks: list[Network]) -> None:
        """A network is read as it is written."""
        for network in networks:
            self.assertEqual(network, parse_network(str(network)))

    def test_none(self) -> None:
        """No address is in no network."""
        self.assertNotIn(IPv4Address("192.0.2.1"), Networks.of(()))

    def test_versions_apart(self) -> None:
        """All of IPv6 is none of IPv4, and the other way round."""
        six, four = Networks.of([parse_network("::/0")]), Networks.of([parse_network("0.0.0.0/0")])
        for text, is_six in (("192.0.2.1", False), ("2001:db8::1", True), ("::1", True)):
            address = ip_address(text)
            self.assertEqual((is_six, not is_six), (address in six, address in four))


class WrittenTests(SynchronousTestCase):
    """What is read out of text."""

    def test_mapped(self) -> None:
        """What of IPv4 is written as IPv6 is of IPv4."""
        for text in ("::ffff:192.0.2.1", "::FFFF:c000:201", "0:0:0:0:0:ffff:192.0.2.1"):
            self.assertEqual(IPv4Address("192.0.2.1"), parse_address(text))
            self.assertEqual("192.0.2.1/32", str(parse_network(text)))
        self.assertEqual("10.0.0.0/8", str(parse_network("::ffff:10.0.0.0/104")))
        self.assertEqual("0.0.0.0/0", str(parse_network("::ffff:0:0/96")))
        self.assertEqual(IPv6Network("::/80"), parse_network("::/80"))

    def test_no_address(self) -> None:
        """What isn't exactly an address is none: a zone, blanks, a port, other digits."""
        for text in (
            "",
            " 192.0.2.1",
            "192.0.2.1\n",
            "192.0.2.1:80",
            "192.0.2",
            "192.0.2.01",
            "192.0.2.256",
            "0x7f.0.0.1",
            "3221225985",
            "\u0661.2.3.4",
            "fe80::1%eth0",
            "fe80::1%\nroot",
            "[::1]",
            "::1::",
            "unknown",
            "192.0.2.1\0",
        ):
            self.assertIsNone(parse_address(text), text)

    def test_no_network(self) -> None:
        """Nor is a network: a netmask, a zone, a prefix that is too long."""
        for text in (
            "",
            "10.0.0.0/255.0.0.0",
            "10.0.0.0/0.255.255.255",
            "10.0.0.0/33",
            "2001:db8::/129",
            "fe80::%eth0/64",
            "10.0.0.0/",
            "/8",
            "10/8",
            "10.0.0.0-10.0.0.9",
            "gateway.example",
            "10.0.0.0/8\n",
        ):
            with self.assertRaisesRegex(ValueError, "must be a network such as"):
                parse_network(text)

    def test_bits_behind_prefix(self) -> None:
        """A network with bits behind its prefix isn't guessed at; both readings are told."""
        with self.assertRaises(ValueError) as raised:
            parse_network("10.1.2.3/8")
        self.assertEqual(
            "'10.1.2.3/8' has bits behind its prefix: "
            "write 10.0.0.0/8 for the network, 10.1.2.3 for the address",
            str(raised.exception),
        )
        self.assertRaises(ValueError, parse_network, "2001:db8::1/32")

    def test_text_is_cut(self) -> None:
        """A fault shows no more than the beginning of what is wrong."""
        with self.assertRaises(ValueError) as raised:
            parse_network("x" * 10_000)
        self.assertLess(len(str(raised.exception)), 200)
