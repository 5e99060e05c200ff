"""Guessing, flooding, dawdling: what a site lets be done to it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Iterable
from ipaddress import ip_network
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from zope.interface import implementer

from scimgw.auth.throttle import FORGIVEN, FREE
from scimgw.connector import ApiAnswer, ApiRequest, Call
from scimgw.scim.query import Page, Query
from scimgw.scim.schema import USER
from scimgw.seldom import PAUSE, Seldom
from scimgw.testing.client import Client, Connection, Response, Transport, parse
from scimgw.web.patience import Patience
from scimgw.web.perimeter import Perimeter
from scimgw.web.root import Limits
from tests.fakes.memory import MemoryConnector
from tests.web.world import WebCase

HEAD = b"POST /Users HTTP/1.1\r\nHost: x\r\nAuthorization: Basic " + b64encode(b"gwadmin:password")
PATIENCE = Patience()


class Full(Transport):
    """Takes nothing more after each write, until it is emptied."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.largest = 0

    def write(self, data: bytes) -> None:
        """Take what is written, and be full."""
        super().write(data)
        self.largest = max(self.largest, len(data))
        assert self.producer is not None
        self.producer.pauseProducing()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Take what is written, and be full."""
        self.write(b"".join(data))

    def empty(self) -> None:
        """Be able to take more."""
        assert self.producer is not None
        self.producer.resumeProducing()


class Peer(Connection):
    """A connection from some address."""

    def __init__(
        self, site: Any, address: IAddress | None = None, kind: type[Transport] = Transport
    ) -> None:
        """Connect."""
        address = address or at("192.0.2.7")
        self.transport = kind(peerAddress=address)
        self.protocol = site.buildProtocol(address)
        self.protocol.makeConnection(self.transport)


def at(host: str) -> IAddress:
    """Give an address."""
    return (IPv6Address if ":" in host else IPv4Address)("TCP", host, 4711)


def soon(seconds: float) -> range:
    """Give the seconds after which something may happen that is due then."""
    return range(round(seconds), round(seconds) + 4)


class AbuseCase(WebCase):
    """Passes time, and reads the log."""

    def setUp(self) -> None:
        """Listen to the log."""
        super().setUp()
        self.told: list[str] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            self.told.append(str(event["access"]) if "access" in event else formatEvent(event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)

    def wait(self, seconds: float) -> None:
        """Pass time, second by second."""
        self.clock.pump([1.0] * round(seconds))

    def lines(self, text: str) -> list[str]:
        """Give the lines of the log that hold some text."""
        return [each for each in self.told if text in each]

    def ask(self, address: str, user: str, password: str) -> Response:
        """Ask for a list from some address."""
        peer = Peer(self.site, at(address))
        peer.send(Client(self.site, user=user, password=password).encoded("GET", "/Users?count=1"))
        response = peer.response()
        peer.lose()
        return response


class GuessTests(AbuseCase):
    """Who guesses passwords."""

    def test_slowed(self) -> None:
        """After a few 401 comes 429 with Retry-After, at once and whatever is presented."""
        for each in range(FREE):
            self.error(401, self.ask("192.0.2.7", "gwadmin", f"{each}"))
        for password in ("another", "password"):
            refused = self.ask("192.0.2.7", "gwadmin", password)
            self.error(429, refused)
            self.assertEqual("1", refused.headers["Retry-After"])
            self.assertNotIn("WWW-Authenticate", refused.headers)
        self.clock.advance(1)
        self.assertEqual(200, self.ask("192.0.2.7", "gwadmin", "password").status)

    def test_phrase(self) -> None:
        """The status comes with its words."""
        for each in range(FREE):
            self.ask("192.0.2.7", "gwadmin", f"{each}")
        connection = Connection(self.site)
        connection.send(Client(self.site, password="x").encoded("GET", "/Users"))
        self.assertIn(b"HTTP/1.1 429 Too Many Requests\r\n", connection.received())

    def test_others(self) -> None:
        """The account that is guessed at gets in where it did before."""
        self.assertEqual(200, self.ask("198.51.100.9", "gwadmin", "password").status)
        for each in range(100):
            self.ask("192.0.2.7", "gwadmin", f"{each}")
        self.assertEqual(200, self.ask("198.51.100.9", "gwadmin", "password").status)
        self.error(429, self.ask("203.0.113.1", "gwadmin", "password"))
        self.clock.advance(FORGIVEN)
        self.assertEqual(200, self.ask("203.0.113.1", "gwadmin", "password").status)

    def test_names(self) -> None:
        """Names that there are and that there aren't are slowed down alike."""
        for name in ("gwadmin", "nobody"):
            self.serve(self.loki())
            statuses = [self.ask("192.0.2.7", name, f"{each}").status for each in range(FREE + 1)]
            self.assertEqual([401] * FREE + [429], statuses)

    def test_none(self) -> None:
        """To ask without credentials is no guess; what is public stays so."""
        for each in range(FREE * 2):
            asked = self.client.request("GET", "/Users", headers={"Authorization": None})
            self.error(401, asked)
            self.ask("192.0.2.7", "gwadmin", f"{each}")
        self.error(401, self.client.request("GET", "/Users", headers={"Authorization": None}))
        self.assertEqual(200, self.client.get("/ping").status)
        self.assertEqual(200, self.client.get("/ServiceProviderConfig").status)

    def test_log(self) -> None:
        """For each reason it is told now and then, spelled so that it stays on one line."""
        for each in range(50):
            self.ask("192.0.2.7", "x\n\x1b[31m\u2028" + "y" * 1000, f"hunter{each}")
        self.clock.advance(PAUSE)
        self.ask("192.0.2.7", "x", "hunter")
        self.client.request("GET", "/Users", headers={"Authorization": "Bearer z"})
        first, second = self.lines(": wrong user name or password (request ")
        self.assertIn("-: login refused from '192.0.2.7' as 'x\\n\\x1b[31m", first)
        self.assertIn("; 1 such since this was told last)", first)
        self.assertIn("; 5 such since", second)
        first, second = self.lines(": wrong credentials were presented too often (request ")
        self.assertIn("; 1 such", first)
        self.assertIn(" as -: ", second)
        self.assertIn("; 45 such", second)
        self.assertEqual(4, len(self.lines("login refused")))
        self.assertTrue(all(line.isprintable() and len(line) < 400 for line in self.told))
        self.assertFalse(self.lines("hunter"))

    def test_seldom(self) -> None:
        """What happens often is told once in a while, with how often."""
        seldom = Seldom(self.clock.seconds)
        self.assertEqual([1, 0, 0], [seldom.happened() for _ in range(3)])
        self.clock.advance(PAUSE)
        self.assertEqual([3, 0], [seldom.happened() for _ in range(2)])


class Waiting(MemoryConnector):
    """Answers nothing until it is told to, and takes its time with its API."""

    def __init__(self) -> None:
        super().__init__(resource_types=(USER,))
        self.gates: list[Deferred[Page]] = []
        self.sent = 0
        self.closed = False

    async def search(self, call: Call, query: Query) -> Page:
        """Wait."""
        gate: Deferred[Page] = Deferred()
        self.gates.append(gate)
        return await gate

    async def api(self, call: Call, request: ApiRequest) -> ApiAnswer:
        """Send without end."""
        return ApiAnswer(body=self.pieces())

    async def pieces(self) -> AsyncIterator[bytes]:
        """Send a piece after another."""
        try:
            while True:
                self.sent += 1
                yield b"x" * 1000
        finally:
            self.closed = True


class FloodTests(AbuseCase):
    """Who makes more requests, or connections, than are welcome."""

    def test_requests(self) -> None:
        """What is too much is answered 503 with Retry-After, and not worked on."""
        connector = Waiting()
        self.serve(connector, Limits(max_requests=2))
        busy = [Connection(self.site) for _ in range(2)]
        for connection in busy:
            connection.send(self.client.encoded("GET", "/Users"))
        for _ in range(3):
            refused = self.client.get("/Users")
            self.assertIn("too many requests", self.error(503, refused))
            self.assertEqual("1", refused.headers["Retry-After"])
        self.assertIn("X-Request-Id", refused.headers)
        self.assertEqual(200, self.client.get("/ping").status)
        self.error(503, self.client.get("/%ff"))
        self.assertEqual(2, len(connector.gates))
        self.assertEqual(1, len(self.lines("too many requests")))
        connector.gates[0].callback(Page(resources=[]))
        self.assertEqual(200, busy[0].response().status)
        another = Connection(self.site)
        another.send(self.client.encoded("GET", "/Users"))
        self.assertEqual(3, len(connector.gates))
        for connection in (busy[1], another):
            connection.lose()

    def test_connections(self) -> None:
        """Connections of an address beyond the limit are closed; others aren't concerned."""
        self.site.patience = Patience(per_address=3)
        peers = [Peer(self.site, at("192.0.2.7")) for _ in range(5)]
        self.assertEqual([False] * 3 + [True] * 2, [each.transport.aborted for each in peers])
        peers[4].send(self.client.encoded("GET", "/ping"))
        self.assertEqual(b"", peers[4].received())
        self.assertFalse(Peer(self.site, at("192.0.2.8")).transport.aborted)
        self.assertEqual(1, len(self.lines("too many connections")))
        for each in peers:
            each.lose()
        again = Peer(self.site, at("192.0.2.7"))
        again.send(self.client.encoded("GET", "/ping"))
        self.assertEqual(200, again.response().status)

    def test_networks(self) -> None:
        """All of an IPv6 /64 is one address."""
        self.site.patience = Patience(per_address=1)
        peers = [Peer(self.site, at(f"2001:db8:0:{each}")) for each in ("0::1", "0::2", "1::1")]
        self.assertEqual([False, True, False], [each.transport.aborted for each in peers])

    def test_exempt(self) -> None:
        """Loopback, where proxies are, and proxies that are trusted may have any number."""
        self.site.patience = Patience(per_address=0)
        unnamed = UNIXAddress(b"/run/x")
        addresses = [at("127.0.0.5"), at("::1"), at("192.0.2.1"), unnamed]
        aborted = [Peer(self.site, each).transport.aborted for each in addresses]
        self.assertEqual([False, False, True, True], aborted)
        self.site.perimeter = Perimeter.of([], [ip_network("192.0.2.0/28")])
        aborted = [Peer(self.site, at(f"192.0.2.{each}")).transport.aborted for each in (1, 17)]
        self.assertEqual([False, True], aborted)

    def test_in_all(self) -> None:
        """There is a limit to all connections together too."""
        self.site.patience = Patience(connections=2)
        peers = [Peer(self.site, at(f"192.0.2.{each}")) for each in range(3)]
        self.assertEqual([False, False, True], [each.transport.aborted for each in peers])


class SizeTests(AbuseCase):
    """Requests too large to be received, or none at all."""

    def test_told(self) -> None:
        """Each is answered as all errors are, and its connection closed."""
        long = b"x" * 20_000
        for sent, status in {
            b"GET /" + long: 414,
            b"GET /" + long + b" HTTP/1.1\r\nHost: x\r\n\r\n": 414,
            b"GET / HTTP/1.1\r\nX: " + long: 431,
            b"GET / HTTP/1.1\r\nX: " + long + b"\r\n\r\n": 431,
            b"GET / HTTP/1.1\r\n" + b"X: yyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 1000: 431,
            b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000 + b"\r\n": 431,
            b"nonsense\r\n\r\n": 400,
            b"GET / HTTP/1.1\r\nnonsense\r\n\r\n": 400,
            b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n": 400,
            HEAD + b"\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n": 400,
        }.items():
            connection = Connection(self.site)
            connection.send(sent)
            answer = connection.response()
            self.assertTrue(self.error(status, answer), sent[:30])
            self.assertEqual("close", answer.headers["Connection"])
            self.assertEqual("scimgw", answer.headers["Server"])
            self.assertIn("Date", answer.headers)
            self.assertTrue(self.lines(answer.headers["X-Request-Id"]))
            self.assertTrue(connection.transport.disconnecting)
            connection.send(self.client.encoded("GET", "/ping"))
            self.assertEqual(b"", connection.received())
            connection.lose()
        self.assertEqual(3, len(self.lines(" - - - 4")))
        self.assertEqual(6, len(self.lines(" - GET / 4")))
        self.assertEqual(1, len(self.lines(" - POST /Users 4")))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_head(self) -> None:
        """An answer to HEAD has no body, whenever it is given (RFC 9110 section 9.3.2)."""
        for sent, status in {
            b"HEAD / HTTP/1.1\r\n" + b"X: y\r\n" * 1000: 431,
            b"HEAD / HTTP/1.1\r\n\r\n": 400,
            b"HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n": 413,
        }.items():
            connection = Connection(self.site)
            connection.send(sent)
            self.assertEqual(status, connection.response("HEAD").status)
            connection.lose()

    def test_after_another(self) -> None:
        """So it is where a sound request came before."""
        connection = Connection(self.site)
        connection.send(self.client.encoded("GET", "/ping") + b"GET /" + b"x" * 20_000)
        self.assertEqual(2, len(answers := connection.received().split(b"HTTP/1.1 ")[1:]))
        self.assertEqual([b"200", b"414"], [each[:3] for each in answers])

    def test_twice(self) -> None:
        """A request is refused once, whatever else is wrong with it."""
        self.serve(self.loki(), Limits(max_body=1000))
        connection = Connection(self.site)
        connection.send(HEAD + b"\r\nTransfer-Encoding: chunked\r\n\r\n7D0\r\n" + b"x" * 2000)
        connection.send(b"\r\nnonsense\r\n")
        self.error(413, connection.response())
        self.assertTrue(connection.transport.disconnecting)


class SlowTests(AbuseCase):
    """Who takes time."""

    def ended(self, connection: Connection, seconds: float, data: bytes) -> int:
        """Send something each second, and tell when the connection was closed."""
        for second in range(round(seconds)):
            if connection.transport.disconnecting or connection.transport.aborted:
                return second
            connection.send(data)
            self.wait(1)
        return round(seconds)

    def test_silent(self) -> None:
        """Who connects and says nothing is left."""
        connection = Connection(self.site)
        self.assertIn(self.ended(connection, 100, b""), soon(PATIENCE.headers))
        self.assertEqual(b"", connection.received())
        self.assertFalse(connection.transport.aborted)
        self.wait(PATIENCE.leaving + 2)
        self.assertTrue(connection.transport.aborted)

    def test_headers(self) -> None:
        """Headers that trickle in are waited for no longer, on a used connection neither."""
        for used in (False, True):
            connection = Connection(self.site)
            if used:
                connection.send(self.client.encoded("GET", "/ping"))
                self.assertEqual(200, connection.response().status)
            connection.send(b"GET / HTTP/1.1\r\nX: ")
            self.assertIn(self.ended(connection, 100, b"x"), soon(PATIENCE.headers))
            self.assertIn("took too long", self.error(408, connection.response()))
            connection.lose()
        self.assertEqual(2, len(self.lines(" 408 ")))

    def test_body(self) -> None:
        """So are bodies; what comes at some rate is received."""
        start = HEAD + b"\r\nContent-Type: application/json\r\nContent-Length: 400000\r\n\r\n"
        connection = Connection(self.site)
        connection.send(start)
        self.assertIn(self.ended(connection, 100, b"x"), soon(PATIENCE.body))
        self.error(408, connection.response())
        connection.send(b"x" * 400_000)
        self.assertEqual(b"", connection.received())
        connection = Connection(self.site)
        connection.send(start)
        self.assertEqual(200, self.ended(connection, 200, b" " * 2000))
        self.error(400, connection.response(), "invalidSyntax")

    def test_refused(self) -> None:
        """Who goes on sending a body that was refused is cut off, and not answered again."""
        connection = Connection(self.site)
        connection.send(HEAD + b"\r\nContent-Length: 100000000\r\n\r\n")
        self.error(413, connection.response())
        self.ended(connection, 60, b"x")
        self.assertTrue(connection.transport.aborted)
        self.assertEqual(b"", connection.received())

    def test_idle(self) -> None:
        """A connection that isn't used is closed after its time; one that is used isn't."""
        self.site.patience = Patience(idle=10)
        connection = Connection(self.site)
        for _ in range(5):
            connection.send(self.client.encoded("GET", "/ping"))
            self.assertEqual(200, connection.response().status)
            self.wait(9)
            self.assertFalse(connection.transport.disconnecting)
        self.wait(3)
        self.assertTrue(connection.transport.disconnecting)
        self.assertEqual(b"", connection.received())

    def test_worked_on(self) -> None:
        """A connection whose request is being worked on isn't idle."""
        connector = Waiting()
        self.serve(connector)
        connection = Connection(self.site)
        connection.send(self.client.encoded("GET", "/Users"))
        self.wait(1000)
        connector.gates[0].callback(Page(resources=[]))
        self.assertEqual(200, connection.response().status)

    def test_unread(self) -> None:
        """Who doesn't take what it is sent is cut off, and the source with it."""
        connector = Waiting()
        self.serve(connector)
        connection = Peer(self.site, kind=Full)
        transport = connection.transport
        assert isinstance(transport, Full)
        connection.send(self.client.encoded("GET", "/api"))
        for _ in range(5):
            self.wait(PATIENCE.unread - 2)
            self.assertFalse(transport.aborted)
            transport.empty()
        self.assertEqual(6, connector.sent)
        self.wait(PATIENCE.unread + 3)
        self.assertTrue(transport.aborted)
        connection.lose()
        self.assertTrue(connector.closed)
        self.successResultOf(self.endpoint.pending.none())

    def test_left(self) -> None:
        """Nothing more is asked of the source once the transport is lost, which tells it first."""
        connector = Waiting()
        self.serve(connector)
        connection = Peer(self.site, kind=Full)
        connection.send(self.client.encoded("GET", "/api"))
        assert connection.transport.producer is not None
        connection.transport.producer.stopProducing()
        self.assertEqual(2, connector.sent)
        self.assertTrue(connector.closed)
        connection.lose()

    def test_unread_list(self) -> None:
        """A long answer is sent in pieces, as they are taken, and is under way until the last."""
        for each in range(150):
            self.create(userName=f"u{each}", displayName="x" * 2000)
        whole = self.client.get("/Users")
        connection = Peer(self.site, kind=Full)
        transport = connection.transport
        assert isinstance(transport, Full)
        connection.send(self.client.encoded("GET", "/Users"))
        taken = 0
        while self.endpoint.pending.count:
            taken += 1
            transport.empty()
        answer = parse(connection.received())
        self.assertEqual((200, whole.body), (answer.status, answer.body))
        self.assertEqual((3, 128 * 1024), (taken, transport.largest))
        self.assertEqual(str(len(whole.body)), answer.headers["Content-Length"])

    def test_head(self) -> None:
        """Of a long answer only the headers are sent, where only they are asked for."""
        for each in range(150):
            self.create(userName=f"u{each}", displayName="x" * 2000)
        answer = self.client.request("HEAD", "/Users")
        self.assertEqual((200, b""), (answer.status, answer.body))

    def test_head_of_stream(self) -> None:
        """Nor does a stream run on whose headers only are asked for."""
        connector = Waiting()
        self.serve(connector)
        answer = self.client.request("HEAD", "/api")
        self.assertEqual((200, b""), (answer.status, answer.body))
        self.assertTrue(connector.closed)
        self.assertEqual(1, connector.sent)

    def test_nobody(self) -> None:
        """No clock runs while there are no connections."""
        connection = Connection(self.site)
        self.assertEqual(1, len(self.clock.getDelayedCalls()))
        self.wait(5)
        connection.lose()
        self.assertEqual([], self.clock.getDelayedCalls())
