"""Real connections, with and without TLS, whose other end takes its time."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ClientFactory, Protocol, connectionDone
from twisted.internet.ssl import CertificateOptions, PrivateCertificate
from twisted.internet.task import Clock, LoopingCall, deferLater
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from scimgw.auth.basic import BasicAuthenticator
from scimgw.auth.chain import Chain
from scimgw.connector import NO_ENTITY, ApiAnswer, ApiRequest, Call, Principal
from scimgw.gateway.endpoint import Endpoint
from scimgw.scim.cursor import Cursors
from scimgw.scim.schema import USER
from scimgw.secret import Secret
from scimgw.web.patience import Patience
from scimgw.web.root import Limits
from scimgw.web.site import ScimSite
from tests.fakes.memory import MemoryConnector
from tests.live.certificates import authority
from tests.live.http_case import reactor

PATIENCE = Patience(per_address=3)
AUTHORIZED = b"Host: x\r\nAuthorization: Basic " + b64encode(b"gwadmin:password") + b"\r\n"
PING = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"


class Endless(MemoryConnector):
    """Has an API whose answer has no end."""

    def __init__(self) -> None:
        super().__init__(resource_types=(USER,))
        self.closed: Deferred[None] = Deferred()

    async def api(self, call: Call, request: ApiRequest) -> ApiAnswer:
        """Answer without end."""
        return ApiAnswer(body=self.pieces())

    async def pieces(self) -> AsyncIterator[bytes]:
        """Give a piece after another."""
        try:
            while True:
                yield b"x" * 65536
        finally:
            self.closed.callback(None)


class Caller(Protocol):
    """Connects, and notes what comes."""

    def __init__(self) -> None:
        self.received = b""
        self.closed: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        """Note it."""
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell it."""
        self.closed.callback(None)


class DawdlingTests(TestCase):
    """A site whose patience ends when the test's clock says so."""

    timeout = 300

    def setUp(self) -> None:
        """Serve."""
        self.connector = Endless()
        endpoint = Endpoint(connector=self.connector, clock=reactor)
        chain = Chain([BasicAuthenticator([(Principal("gwadmin"), Secret("password"))])])
        cursors = Cursors(key=b"k" * 32)
        self.clock = Clock()
        self.endpoint = endpoint
        self.site = ScimSite(
            endpoint,
            chain,
            frozenset({NO_ENTITY}),
            Limits(),
            self.clock,
            cursors=cursors,
            patience=PATIENCE,
        )
        self.port = self.listen(self.site)
        self.addCleanup(self.site.close)

    def listen(self, factory: Any) -> int:
        """Listen, and give the port."""
        listening = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(listening.stopListening)
        port: int = listening.getHost().port
        return port

    def tls(self) -> int:
        """Listen for TLS."""
        pair = authority(Path(self.mktemp())).issue("gateway", "127.0.0.1")
        pem = pair.key.read_bytes() + pair.certificate.read_bytes()
        options: CertificateOptions = PrivateCertificate.loadPEM(pem).options()
        return self.listen(TLSMemoryBIOFactory(options, False, self.site))

    async def call(self, port: int | None = None) -> Caller:
        """Connect."""
        caller = Caller()
        factory = ClientFactory.forProtocol(lambda: caller)
        factory.noisy = False
        reactor.connectTCP("127.0.0.1", port or self.port, factory)
        await self.until(lambda: caller.connected)
        return caller

    async def until(self, true: Callable[[], object]) -> None:
        """Wait for something to become true, as it must before the test's time is over."""
        while not true():
            await deferLater(reactor, 0.02)

    async def passes(self, done: Callable[[], object]) -> float:
        """Let time pass until something is done, and tell how many seconds it took."""
        began = self.clock.seconds()
        while not done():
            self.clock.advance(1)
            await deferLater(reactor, 0.01)
        return self.clock.seconds() - began

    async def ended(self, caller: Caller, patience: float) -> None:
        """Check that the connection is closed when the patience is over, and not before."""
        await self.until(lambda: self.site.channels)
        self.assertGreater(await self.passes(lambda: caller.closed.called), patience)

    async def test_silent(self) -> None:
        """Who says nothing is left, in the midst of TLS's handshake too."""
        for port in (self.port, self.tls()):
            for sent in (b"", b"\x16\x03\x01"):
                caller = await self.call(port)
                assert caller.transport is not None
                caller.transport.write(sent)
                await self.ended(caller, PATIENCE.headers)
                self.assertNotIn(b"200", caller.received)

    async def test_trickle(self) -> None:
        """Headers and bodies that come octet by octet are answered 408."""
        body = b"POST /Users HTTP/1.1\r\nContent-Length: 1000\r\n" + AUTHORIZED + b"\r\n"
        starts = (b"GET / HTTP/1.1\r\nX: ", PATIENCE.headers), (body, PATIENCE.body)
        for start, patience in starts:
            caller = await self.call()
            assert caller.transport is not None
            caller.transport.write(start)
            trickle = LoopingCall(caller.transport.write, b"x")
            running = trickle.start(0.1)
            await self.ended(caller, patience)
            trickle.stop()
            await running
            self.assertIn(b"HTTP/1.1 408 ", caller.received)
            self.assertIn(b"took too long", caller.received)

    async def test_idle(self) -> None:
        """A connection that is no longer used is closed."""
        caller = await self.call()
        assert caller.transport is not None
        caller.transport.write(PING)
        await self.until(lambda: b"HTTP/1.1 200 OK" in caller.received)
        await self.ended(caller, PATIENCE.idle)

    async def test_unread(self) -> None:
        """Who doesn't take an answer is cut off, and others are answered meanwhile."""
        caller, other = await self.call(), await self.call()
        caller.transport.pauseProducing()  # type: ignore[union-attr]  # TCP's can
        assert caller.transport is not None
        caller.transport.write(b"GET /api HTTP/1.1\r\n" + AUTHORIZED + b"\r\n")
        await self.until(lambda: self.endpoint.pending.count)
        assert other.transport is not None
        other.transport.write(PING)
        await self.until(lambda: b"200 OK" in other.received)
        unread = await self.passes(lambda: self.connector.closed.called)
        self.assertGreater(unread, PATIENCE.unread)
        await self.endpoint.pending.none()
        caller.transport.resumeProducing()  # type: ignore[attr-defined]
        await caller.closed
        await self.ended(other, PATIENCE.idle - unread)

    async def test_many(self) -> None:
        """Connections of an address beyond the limit are closed when they are made."""
        self.site.exempt = lambda _: False
        callers = [await self.call() for _ in range(PATIENCE.per_address)]
        await (await self.call()).closed
        self.assertEqual(0, self.clock.seconds())
        self.assertEqual([False] * PATIENCE.per_address, [each.closed.called for each in callers])
