"""Connections through a proxy that passes them on: its header, and what is behind."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory
from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure

from scimgw.testing.client import Client, Response, Transport, parse
from scimgw.web.proxyprotocol import PATIENCE, Proxied, ProxiedFactory
from tests.web.test_perimeter import perimeter
from tests.web.test_proxyheader import SIGNATURE, SOUND
from tests.web.world import WebCase

PROXY = "10.0.0.1"


class Refusing(Factory):
    """Has no room."""

    def buildProtocol(self, _addr: Any) -> None:
        """Refuse."""


class ProxyProtocolTests(WebCase):
    """A site that only proxies connect to."""

    def setUp(self) -> None:
        """Trust two proxies, of which one speaks HTTP."""
        super().setUp()
        self.draw(perimeter(trusted=(PROXY, "10.0.0.2")))

    def draw(self, drawn: Any) -> None:
        """Draw the perimeter."""
        self.site.perimeter = drawn
        self.factory = ProxiedFactory(self.site, drawn, self.clock)

    def connect(self, host: str = PROXY) -> Proxied | None:
        """Connect."""
        address = IPv4Address("TCP", host, 4711)
        connection = self.factory.buildProtocol(address)
        if connection is not None:
            self.transport = Transport(peerAddress=address)
            connection.makeConnection(self.transport)
        return connection

    def connected(self) -> Proxied:
        """Connect from a proxy."""
        connection = self.connect()
        assert connection is not None
        return connection

    def ask(self, header: bytes, path: str = "/ping", **headers: str) -> Response:
        """Make a request through a proxy."""
        self.connected().dataReceived(
            header + Client(self.site).encoded("GET", path, headers={**headers})
        )
        return parse(self.transport.value())

    def lines(self, header: bytes, **headers: str) -> list[str]:
        """Make a request, and give the addresses of clients in the log."""
        with capturedLogs() as logged:
            self.assertEqual(200, self.ask(header, **headers).status)
        return [event["access"].client for event in logged if "access" in event]

    def test_client(self) -> None:
        """The client is who the header names; UNKNOWN and LOCAL are the proxy itself."""
        four, six = "203.0.113.9", "2001:db8::9"
        expected = [four, six, PROXY, PROXY, four, six, PROXY, PROXY]
        self.assertEqual([[each] for each in expected], [self.lines(each) for each in SOUND])

    def test_octet_by_octet(self) -> None:
        """Header and request may come in any pieces; nothing is behind before the header is."""
        for header in SOUND[:1] + SOUND[5:6]:
            connection = self.connected()
            for octet in header[:-1]:
                connection.dataReceived(bytes([octet]))
            self.assertEqual(set(), self.site.channels)
            for octet in header[-1:] + Client(self.site).encoded("GET", "/ping"):
                connection.dataReceived(bytes([octet]))
            self.assertEqual(200, parse(self.transport.value()).status)
            connection.connectionLost(Failure(ConnectionDone()))
            self.assertEqual((set(), {}), (self.site.channels, self.factory.protocols))

    def test_kept(self) -> None:
        """The header holds for every request of the connection."""
        connection = self.connected()
        with capturedLogs() as logged:
            connection.dataReceived(SOUND[0])
            for _ in range(3):
                connection.dataReceived(Client(self.site).encoded("GET", "/ping"))
        clients = [event["access"].client for event in logged if "access" in event]
        self.assertEqual(["203.0.113.9"] * 3, clients)

    def test_allow_list(self) -> None:
        """The allow list is asked for whom the header names."""
        self.draw(perimeter("203.0.113.9", trusted=(PROXY,)))
        self.assertEqual([200, 403, 403], [self.ask(header).status for header in SOUND[:3]])

    def test_untrusted(self) -> None:
        """Nobody but a trusted proxy gets a connection, whatever it would send."""
        with capturedLogs() as logged:
            self.assertIsNone(self.connect("203.0.113.9"))
            self.assertIsNone(self.connect("127.0.0.1"))
        said = [formatEvent(event) for event in logged]
        self.assertEqual("203.0.113.9 isn't in trustedProxies, and is sent away", said[0])

    def test_forwarded(self) -> None:
        """X-Forwarded-For is believed of whom the header names, if that is trusted in turn."""
        forwarded = {"X-Forwarded-For": "198.51.100.1"}
        behind = b"PROXY TCP4 10.0.0.2 192.0.2.1 1 2\r\n"
        self.assertEqual(["198.51.100.1"], self.lines(behind, **forwarded))
        self.assertEqual(["203.0.113.9"], self.lines(SOUND[0], **forwarded))
        for header in (SOUND[2], SOUND[6]):
            self.assertEqual([PROXY], self.lines(header, **forwarded))

    def test_reached(self) -> None:
        """A client that names no host gets the address that it reached at the proxy."""
        self.connected().dataReceived(
            b"PROXY TCP4 203.0.113.9 192.0.2.1 1 443\r\nGET /ServiceProviderConfig HTTP/1.0\r\n\r\n"
        )
        meta = parse(self.transport.value()).json()["meta"]
        self.assertEqual("http://192.0.2.1:443/ServiceProviderConfig", meta["location"])
        self.connected().dataReceived(SOUND[2] + b"GET /ServiceProviderConfig HTTP/1.0\r\n\r\n")
        self.assertEqual(200, parse(self.transport.value()).status)

    def test_malformed(self) -> None:
        """Anything but a header closes the connection without an answer, and is logged."""
        for data in (
            Client(self.site).encoded("GET", "/ping"),
            b"\x16\x03\x01\x02\x00\x01",
            b"PROXY TCP4 x\x1b[31m y 1 2\r\n",
            b"PROXY UNKNOWN " + b"x" * 200,
            SIGNATURE + b"\x99" * 20,
        ):
            connection = self.connected()
            with capturedLogs() as logged:
                connection.dataReceived(data)
            self.assertEqual((True, b""), (self.transport.aborted, self.transport.value()))
            said = [formatEvent(event) for event in logged]
            self.assertEqual([f"{PROXY} didn't send a PROXY header"], said)
            connection.connectionLost(Failure(ConnectionDone()))
        self.assertEqual((set(), set()), (self.factory.waiting, self.site.channels))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_silence(self) -> None:
        """A header that doesn't come in time isn't waited for."""
        connection = self.connected()
        connection.dataReceived(b"PROXY TCP4 ")
        self.clock.advance(PATIENCE - 1)
        self.assertFalse(self.transport.aborted)
        self.clock.advance(2)
        self.assertTrue(self.transport.aborted)
        connection.connectionLost(Failure(ConnectionDone()))

    def test_no_longer_timed(self) -> None:
        """Whoever sent its header isn't timed by it any more."""
        self.ask(SOUND[0])
        self.clock.advance(PATIENCE + 1)
        self.assertFalse(self.transport.aborted)

    def test_stopped(self) -> None:
        """A port that is closed waits for no header."""
        connection = self.connected()
        self.factory.stopFactory()
        self.assertTrue(self.transport.aborted)
        connection.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(set(), self.factory.waiting)

    def test_no_room(self) -> None:
        """What is behind may refuse a connection; it learns the client's address to do so."""
        factory = ProxiedFactory(Refusing(), self.site.perimeter, self.clock)
        connection = factory.buildProtocol(IPv4Address("TCP", PROXY, 1))
        assert connection is not None
        transport = Transport(peerAddress=IPv4Address("TCP", PROXY, 1))
        connection.makeConnection(transport)
        connection.dataReceived(SOUND[0])
        self.assertTrue(transport.aborted)
        connection.connectionLost(Failure(ConnectionDone()))
