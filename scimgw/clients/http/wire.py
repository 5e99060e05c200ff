"""How are connections made, kept, and given back?

Twisted's agent and its pool of persistent connections, without the agent's own repetitions: it
would send a DELETE anew on a connection that broke, past our policy.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import field, frozen
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.client import URI, HTTPConnectionPool
from twisted.web.iweb import IAgentEndpointFactory, IPolicyForHTTPS
from zope.interface import implementer

from scimgw.clients.http import proxy
from scimgw.clients.http.settings import Proxy

KEPT: Final = 30
"""Seconds for which an idle connection is kept: less than servers commonly do."""
_PIECE: Final = 4096
"""Bytes handed on at once."""


class NotConnected(Exception):
    """There is no connection, and so nothing was sent; the cause tells why."""


class _Abrupt(ProtocolWrapper):
    """Closes at once: who is done with an answer has nothing more to say, and waits for nobody.

    What comes is handed on in small pieces, since each may be unpacked to a thousand times its
    size before anybody counts it.
    """

    def dataReceived(self, data: bytes) -> None:
        for start in range(0, len(data), _PIECE):
            if not self.disconnecting:
                super().dataReceived(data[start : start + _PIECE])

    def loseConnection(self) -> None:
        self.disconnecting = 1
        transport: Any = self.transport
        transport.abortConnection()


class _Tracking(WrappingFactory):
    """Knows its connections, in `protocols`."""

    noisy = False
    protocol = _Abrupt

    def doStart(self) -> None:
        """Say nothing of each connection in the log."""

    def doStop(self) -> None:
        """Say nothing."""


@implementer(IStreamClientEndpoint)
@frozen(repr=False)
class _Bounded:
    """Connects within a time, tunnel and all, and keeps track of the connection."""

    inner: IStreamClientEndpoint
    seconds: float
    reactor: Any
    open: dict[Any, Any]

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803 - Twisted's name
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        tracking: Any = _Tracking(factory)
        tracking.protocols = self.open
        try:
            wrapper: Any = await self.inner.connect(tracking).addTimeout(self.seconds, self.reactor)
        except CancelledError:
            raise
        except Exception as error:
            # whatever a proxy, a resolver or a socket may fail with
            raise NotConnected(str(error)) from error
        if wrapper.wrappedProtocol is None:
            raise NotConnected("closed at once")
        inner: IProtocol = wrapper.wrappedProtocol
        return inner


@implementer(IAgentEndpointFactory)
@frozen(kw_only=True)
class Endpoints:
    """Makes the endpoint of each URL: direct or through the proxy, in clear or over TLS."""

    reactor: Any
    policy: IPolicyForHTTPS
    connect_timeout: float
    proxy: Proxy | None
    no_proxy: tuple[str, ...] = ()
    open: dict[Any, Any] = field(factory=dict)
    """Connections that there are."""

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Give the endpoint of a URL."""
        endpoint = self._stream(uri.host.decode("ascii"), uri.port)
        if uri.scheme == b"https":
            creator = self.policy.creatorForNetloc(uri.host, uri.port)
            endpoint = wrapClientTLS(creator, endpoint)
        return _Bounded(endpoint, self.connect_timeout, self.reactor, self.open)

    def _stream(self, host: str, port: int) -> IStreamClientEndpoint:
        through = self.proxy
        if through is None or through.host is None or proxy.passed_by(host, self.no_proxy):
            return HostnameEndpoint(self.reactor, host, port, timeout=self.connect_timeout)
        where, at = proxy.address(through)
        outer = HostnameEndpoint(self.reactor, where, at, timeout=self.connect_timeout)
        return proxy.Tunnel(outer, proxy.connect_request(through, host, port))

    def abort(self) -> None:
        """Close whatever connection is open."""
        for each in list(self.open):
            each.loseConnection()


def pool(reactor: Any, size: int) -> HTTPConnectionPool:
    """Make a pool that keeps so many connections to each address."""
    made = HTTPConnectionPool(reactor, persistent=True)
    made.maxPersistentPerHost = size
    made.cachedConnectionTimeout = KEPT
    made.retryAutomatically = False
    return made


async def close(connections: HTTPConnectionPool, endpoints: Endpoints) -> None:
    """Close the idle connections, and then those that are still used."""
    await gatherResults([connections.closeCachedConnections()], consumeErrors=True)
    endpoints.abort()
