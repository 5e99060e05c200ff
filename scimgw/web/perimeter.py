"""From where does a request come, and may it?

Whoever connects is the client, unless it is a proxy that is trusted: then the client is whom that
proxy names in X-Forwarded-For, the last address in it that isn't a trusted proxy's as well.  What
stands before, anybody may have written.

    X-Forwarded-For = #( IPv4 [":" port] / IPv6 / "[" IPv6 "]" [":" port] )    ; each may be quoted
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from attrs import frozen
from twisted.internet.interfaces import IAddress
from zope.interface import implementer

from scimgw.networks import Address, Network, Networks, parse_address

HOPS: Final = 32
"""Trusted proxies in a row, at most, behind which a client is looked for."""
_HOP: Final = re.compile(
    r"(?P<four>[0-9.]+)(?::[0-9]{1,5})?|(?P<six>[0-9A-Fa-f:.]+)"
    r"|\[(?P<bracketed>[0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?",
    re.ASCII,
)


@implementer(IAddress)
@frozen
class Unnamed:
    """Where a proxy connects from that doesn't tell on whose behalf."""

    host: str
    port: int


@frozen(kw_only=True)
class Source:
    """From where a request comes."""

    client: str
    """The address of who makes it; of the proxy, if that names nobody."""
    proxied: bool
    """Whether what the request says of how the client addressed it is a trusted proxy's word."""
    allowed: bool


@frozen(kw_only=True)
class Perimeter:
    """Who may make requests, and who is believed about others."""

    allowed: Networks | None = None
    """Networks that requests may come from, None: any."""
    trusted: Networks | None = None
    """Proxies, None: there is none."""

    @classmethod
    def of(cls, allowed: Sequence[Network], trusted: Sequence[Network]) -> Perimeter:
        """Draw it as the configuration says, where to allow none is to allow any."""
        return cls(
            allowed=Networks.of(allowed) if allowed else None,
            trusted=Networks.of(trusted) if trusted else None,
        )

    @property
    def open(self) -> bool:
        """Whether it makes no difference from where a request comes."""
        return self.allowed is None and self.trusted is None

    def source(self, peer: IAddress, forwarded_for: str | None) -> Source:
        """Tell from where a request comes, by who has connected and the header."""
        host = getattr(peer, "host", "-")
        address = parse_address(host.partition("%")[0])
        proxied = not isinstance(peer, Unnamed) and self.trusts(address)
        if proxied and forwarded_for is not None:
            address = self._client(address, forwarded_for)
        return Source(
            client=host if address is None else str(address),
            proxied=proxied,
            allowed=self.allowed is None or (address is not None and address in self.allowed),
        )

    def trusts(self, address: Address | None) -> bool:
        """Whether an address is a proxy's that is believed."""
        return self.trusted is not None and address is not None and address in self.trusted

    def _client(self, nearest: Address | None, forwarded_for: str) -> Address | None:
        """Find who a request was made by; None if a trusted proxy doesn't say it legibly."""
        client = nearest
        for hop in reversed([each.strip() for each in forwarded_for.rsplit(",", HOPS)]):
            if hop:
                client = _address(hop)
                if not self.trusts(client):
                    break
        return client


OPEN: Final = Perimeter()


def _address(hop: str) -> Address | None:
    if len(hop) > 1 and hop[0] == hop[-1] == '"':
        hop = hop[1:-1]
    found = _HOP.fullmatch(hop)
    return found and parse_address(found["four"] or found["six"] or found["bracketed"])
