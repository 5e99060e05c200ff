"""Is an address in one of many networks?

That is asked at each request, be it of the thousands of networks of a cloud: they are merged and
put in order once, and an answer is one search for a place among whole numbers.  An address of IPv4
that is written as one of IPv6 (RFC 4291 section 2.5.5.2) is the address of IPv4.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)
from typing import Final

from attrs import frozen

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_WRITTEN: Final = re.compile(r"[0-9A-Fa-f:.]+(?:/[0-9]{1,3})?", re.ASCII)
"""An address, which may have a prefix: no netmask, no zone (RFC 4007 section 11)."""
_LONGEST: Final = len("0000:0000:0000:0000:0000:ffff:255.255.255.255")
_MAPPED: Final = 96
"""Bits before the address of IPv4 in one of IPv6."""


@lru_cache(maxsize=1024)
def parse_address(text: str) -> Address | None:
    """Read an address without a zone, None if it isn't one."""
    if "%" in text or len(text) > _LONGEST:
        return None
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return found if found.version == 4 else found.ipv4_mapped or found  # noqa: PLR2004 - IPv4


def parse_network(text: str) -> Network:
    """Read a network; an address is a network of one.

    Raises: ValueError, which says what to write.
    """
    found = None
    if _WRITTEN.fullmatch(text):
        with suppress(ValueError):
            found = ip_network(text, strict=False)
    if found is None:
        raise ValueError(
            "must be a network such as 192.0.2.0/24 or 2001:db8::/32, or an address, "
            f"not {text[:60]!r}"
        )
    written = ip_address(text.partition("/")[0])
    if found.network_address != written:
        raise ValueError(
            f"{text!r} has bits behind its prefix: "
            f"write {found} for the network, {written} for the address"
        )
    mapped = found.network_address.ipv4_mapped if isinstance(found, IPv6Network) else None
    if mapped is not None and found.prefixlen >= _MAPPED:
        return IPv4Network((mapped, found.prefixlen - _MAPPED))
    return found


@frozen
class Networks:
    """Networks that are asked as one."""

    _ranges: Mapping[int, tuple[Sequence[int], Sequence[int]]]
    """By the version of IP, where ranges begin and where they end, in order and apart."""

    @classmethod
    def of(cls, networks: Iterable[Network]) -> Networks:
        """Put networks in order; they may overlap."""
        given = [*networks]
        four = [each for each in given if isinstance(each, IPv4Network)]
        six = [each for each in given if isinstance(each, IPv6Network)]
        return cls({4: _ranges(collapse_addresses(four)), 6: _ranges(collapse_addresses(six))})

    def __contains__(self, address: Address) -> bool:
        """Whether an address is in one of them; it is one that `parse_address` gave."""
        firsts, lasts = self._ranges[address.version]
        number = int(address)
        place = bisect_right(firsts, number)
        return place > 0 and number <= lasts[place - 1]


def _ranges(networks: Iterable[Network]) -> tuple[Sequence[int], Sequence[int]]:
    bounds = [(int(each.network_address), int(each.broadcast_address)) for each in networks]
    return [first for first, _ in bounds], [last for _, last in bounds]
