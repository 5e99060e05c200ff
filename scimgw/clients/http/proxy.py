"""How does a connection get through a proxy, and which ones needn't?

HTTP CONNECT (RFC 9110 section 9.3.6): the proxy opens a tunnel, for plain HTTP as for TLS, so that
it sees neither credentials nor data of the latter.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from scimgw.clients.http.settings import Proxy

_LONGEST: Final = 16 * 1024
"""Bytes of a proxy's answer."""
_ESTABLISHED: Final = range(200, 300)
PORT: Final = 8080
"""Port of a proxy whose URL names none."""


class ProxyRefused(Exception):
    """The proxy opens no tunnel."""


def passed_by(host: str, hosts: Sequence[str]) -> bool:
    """Whether a host is among those that are reached without the proxy.

    An entry is a name, which stands for what is below it too, an address, a network, or `*`.
    """
    host = host.casefold().strip("[]")
    return any(_names(each.strip().casefold(), host) for each in hosts if each.strip())


def _names(entry: str, host: str) -> bool:
    if entry == "*":
        return True
    try:
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        domain = entry.removeprefix("*").removeprefix(".")
        return host == domain or host.endswith(f".{domain}")


def no_proxy(settings: Proxy, environment: str) -> Sequence[str]:
    """Give the hosts that are reached without the proxy, as configured, or as NO_PROXY says."""
    return environment.split(",") if settings.no_proxy is None else settings.no_proxy


def address(settings: Proxy) -> tuple[str, int]:
    """Give the proxy's host and port."""
    url = urlsplit(settings.host or "")
    return url.hostname or "", url.port or PORT


def connect_request(settings: Proxy, host: str, port: int) -> bytes:
    """Spell the request for a tunnel to a host."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}"]
    if settings.username is not None:
        password = "" if settings.password is None else settings.password.reveal()
        token = b64encode(f"{settings.username}:{password}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {token}")
    return "\r\n".join([*lines, "", ""]).encode()


@implementer(IStreamClientEndpoint)
@frozen
class Tunnel:
    """A host and port behind a proxy."""

    proxy: IStreamClientEndpoint
    request: bytes = field(repr=False)
    """What asks the proxy for the tunnel, with credentials."""

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803 - Twisted's name
        """Connect to the proxy, have it open the tunnel, and let the protocol speak through it.

        Fails with ProxyRefused.
        """
        return Deferred.fromCoroutine(self._open(protocolFactory))

    async def _open(self, factory: IProtocolFactory) -> IProtocol:
        opening = await self.proxy.connect(
            Factory.forProtocol(lambda: _Opening(self.request, factory))
        )
        assert isinstance(opening, _Opening)
        return await opening.opened


class _Opening(Protocol):
    """Speaks with the proxy until the tunnel is open, then stands aside."""

    def __init__(self, request: bytes, factory: IProtocolFactory) -> None:
        self._request = request
        self._factory = factory
        self._answer = b""
        self._inner: IProtocol | None = None
        self.opened: Deferred[IProtocol] = Deferred(lambda _: self._give_up())

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(self._request)

    def dataReceived(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.dataReceived(data)
            return
        self._answer += data
        head, end, rest = self._answer.partition(b"\r\n\r\n")
        if end:
            self._answered(head, rest)
        elif len(self._answer) > _LONGEST:
            self._refused("it doesn't answer in HTTP")

    def _answered(self, head: bytes, rest: bytes) -> None:
        version, _, status = head.partition(b"\r\n")[0].partition(b" ")
        code = status[:3].decode("ascii", "replace")
        if not version.startswith(b"HTTP/1.") or not code.isdecimal():
            self._refused("it doesn't answer in HTTP")
        elif int(code) in _ESTABLISHED and not rest:
            self._hand_over()
        else:
            self._refused(f"it answers {code}")

    def _hand_over(self) -> None:
        assert self.transport is not None
        self._inner = self._factory.buildProtocol(self.transport.getPeer())
        assert self._inner is not None
        self._inner.makeConnection(self.transport)
        self.opened.callback(self._inner)

    def _refused(self, why: str) -> None:
        self.opened.errback(ProxyRefused(f"the proxy opens no tunnel: {why}"))
        self._give_up()

    def _give_up(self) -> None:
        transport: Any = self.transport
        transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._inner is not None:
            self._inner.connectionLost(reason)
        elif not self.opened.called:
            self.opened.errback(ProxyRefused("the proxy opens no tunnel: it hangs up"))
