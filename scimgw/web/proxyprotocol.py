"""Who connects through a proxy that doesn't read what it passes on?

That stands in a header before everything else, TLS included, and only proxies that are trusted may
connect.  What is behind is built when the header has been read, so that it never sees another
address than the one that is told.

Twisted's own wrapper isn't used: it takes anything for an address, fails on some headers with other
exceptions than it catches, asks for the first octets in one piece, waits without an end, and
believes whoever connects.
"""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IProtocolFactory,
    IReactorTime,
    ITransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from zope.interface import directlyProvides, providedBy

from scimgw.networks import parse_address
from scimgw.web.perimeter import Perimeter, Unnamed
from scimgw.web.proxyheader import Malformed, Named, parse

log = Logger()

PATIENCE: Final = 10.0
"""Seconds within which the header is to come."""


class Proxied(ProtocolWrapper):
    """A connection whose header is awaited, and then what it says is answered to who asks."""

    factory: ProxiedFactory

    def __init__(self, factory: ProxiedFactory, proxy: Any) -> None:
        """Await the header that a proxy sends, by its address; there is nothing behind yet."""
        super().__init__(factory, None)  # type: ignore[arg-type]  # until `_begin`
        self._proxy = proxy
        self._head = b""
        self._named: Named | None = None
        self._late: IDelayedCall | None = None

    def makeConnection(self, transport: ITransport) -> None:
        """Wait for the header, for some time."""
        directlyProvides(self, providedBy(transport))
        Protocol.makeConnection(self, transport)
        self.factory.waiting.add(self)
        self._late = self.factory.clock.callLater(PATIENCE, self._refuse, "took too long to send")

    def dataReceived(self, data: bytes) -> None:
        """Read the header, then hand on what comes."""
        if self._named is not None:
            self.wrappedProtocol.dataReceived(data)
            return
        self._head += data
        try:
            named = parse(self._head)
        except Malformed:
            self._refuse("didn't send")
            return
        if named is not None:
            rest, self._head = self._head[named.size :], b""
            self._begin(named, rest)

    def _begin(self, named: Named, rest: bytes) -> None:
        self._named = named
        self._waited()
        behind = self.factory.wrappedFactory.buildProtocol(self.getPeer())
        if behind is None:
            self.abortConnection()
            return
        self.wrappedProtocol = behind
        self.factory.registerProtocol(self)
        behind.makeConnection(self)
        if rest:
            behind.dataReceived(rest)

    def _refuse(self, what: str) -> None:
        log.info("{proxy} {what} a PROXY header", proxy=self._proxy.host, what=what)
        self.abortConnection()

    def _waited(self) -> None:
        self.factory.waiting.discard(self)
        if self._late is not None and self._late.active():
            self._late.cancel()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell what is behind, if there is anything."""
        self._waited()
        if self.wrappedProtocol is not None:
            super().connectionLost(reason)

    def getPeer(self) -> IAddress:
        """Give the address of who connects through the proxy."""
        if self._named is None or self._named.source is None:
            return Unnamed(self._proxy.host, self._proxy.port)
        return self._named.source

    def getHost(self) -> IAddress:
        """Give the address that the proxy was reached at."""
        if self._named is None or self._named.destination is None:
            host: IAddress = super().getHost()
            return host
        return self._named.destination


class ProxiedFactory(WrappingFactory):
    """Makes connections of proxies, which name on whose behalf they connect."""

    noisy = False

    def __init__(self, behind: IProtocolFactory, perimeter: Perimeter, clock: IReactorTime) -> None:
        """Take connections of those whom the perimeter trusts only."""
        super().__init__(behind)
        self.perimeter = perimeter
        self.clock = clock
        self.waiting: set[Proxied] = set()

    def buildProtocol(self, addr: Any) -> Proxied | None:  # type: ignore[override]  # as Factory's
        """Wait for the header of a proxy; close the connection of anybody else."""
        if not self.perimeter.trusts(parse_address(addr.host)):
            log.info("{peer} isn't in trustedProxies, and is sent away", peer=addr.host)
            return None
        return Proxied(self, addr)

    def stopFactory(self) -> None:
        """Close the connections whose header is still awaited."""
        for each in list(self.waiting):
            each.abortConnection()
