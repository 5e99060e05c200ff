"""Tunnels through a proxy."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from scimgw.clients.http.proxy import (
    ProxyRefused,
    Tunnel,
    _Opening,
    address,
    connect_request,
    no_proxy,
    passed_by,
)
from scimgw.clients.http.settings import Proxy
from scimgw.secret import Secret


class Inner(Protocol):
    """Hears through a tunnel."""

    data = b""
    closed = False

    def dataReceived(self, data: bytes) -> None:
        """Keep what is heard."""
        self.data += data

    def connectionLost(self, _reason: Failure = connectionDone) -> None:
        """Hear that it is over."""
        self.closed = True


class Transport(StringTransport):
    """Tells whether it was dropped."""

    def abortConnection(self) -> None:
        """Drop it."""
        self.disconnecting = True


class NoProxyTests(SynchronousTestCase):
    """Hosts that are reached without the proxy."""

    def test_names(self) -> None:
        """A name stands for what is below it, but not for what only ends like it."""
        rows = [
            ("a.example", "example", True),
            ("example", ".example", True),
            ("notexample", "example", False),
            ("A.Example", "*.EXAMPLE", True),
            ("127.0.0.1", "127.0.0.0/8", True),
            ("10.0.0.1", "10.0.0.1", True),
            ("10.0.0.1", "10.0.0.2", False),
            ("::1", "[::1]", True),
            ("a.example", "10.0.0.0/8", False),
            ("anything", "*", True),
            ("anything", " ", False),
        ]
        for host, entry, expected in rows:
            self.assertEqual(expected, passed_by(host, ["other", entry]), (host, entry))

    def test_environment(self) -> None:
        """NO_PROXY counts where the settings don't say."""
        self.assertEqual(["a", "b"], no_proxy(Proxy(), "a,b"))
        self.assertEqual((), no_proxy(Proxy(no_proxy=()), "a,b"))


class TunnelTests(SynchronousTestCase):
    """The conversation with the proxy."""

    def setUp(self) -> None:
        """Connect to a proxy."""
        self.transport = Transport()
        self.opening = _Opening(b"CONNECT", Factory.forProtocol(Inner))
        self.opening.makeConnection(self.transport)

    def refused(self) -> str:
        """Tell why no tunnel was opened."""
        return str(self.failureResultOf(self.opening.opened, ProxyRefused).value)

    def test_request(self) -> None:
        """The proxy is told the host, and who asks."""
        proxy = Proxy(host="http://proxy.example", username="u", password=Secret("p"))
        self.assertEqual(
            b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n"
            b"Proxy-Authorization: Basic dTpw\r\n\r\n",
            connect_request(proxy, "a.example", 443),
        )
        self.assertTrue(connect_request(Proxy(), "::1", 80).startswith(b"CONNECT [::1]:80 HTTP"))
        self.assertEqual(("proxy.example", 8080), address(proxy))
        self.assertNotIn("dTpw", repr(Tunnel(cast("Any", None), connect_request(proxy, "a", 1))))

    def test_open(self) -> None:
        """Once the tunnel is open all goes to who wanted it, in however many pieces it comes."""
        self.assertEqual(b"CONNECT", self.transport.value())
        for piece in (b"HTTP/1.1 200 Conn", b"ection established\r\nVia: x\r\n\r", b"\n"):
            self.opening.dataReceived(piece)
        inner = self.successResultOf(self.opening.opened)
        assert isinstance(inner, Inner)
        self.opening.dataReceived(b"data")
        self.assertEqual(b"data", inner.data)
        self.opening.connectionLost(Failure(ConnectionDone()))
        self.assertTrue(inner.closed)

    def test_refused(self) -> None:
        """A refusal is told by its status only, and the connection dropped."""
        self.opening.dataReceived(b"HTTP/1.1 407 You\r\n\r\n")
        self.assertIn("it answers 407", self.refused())
        self.assertTrue(self.transport.disconnecting)

    def test_not_a_proxy(self) -> None:
        """What isn't HTTP is no proxy, and neither is what never ends."""
        self.opening.dataReceived(b"SSH-2.0\r\n\r\n")
        self.assertIn("doesn't answer in HTTP", self.refused())
        self.setUp()
        self.opening.dataReceived(b"HTTP/1.1 200 OK\r\n" + b"x" * 20_000)
        self.assertIn("doesn't answer in HTTP", self.refused())

    def test_speaks_first(self) -> None:
        """Bytes behind the proxy's answer come from nobody that was asked."""
        self.opening.dataReceived(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK")
        self.assertIn("it answers 200", self.refused())

    def test_hangs_up(self) -> None:
        """A proxy that hangs up opens no tunnel."""
        self.opening.connectionLost()
        self.assertIn("hangs up", self.refused())
