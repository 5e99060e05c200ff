"""Clients of TLS in memory: what they offer is theirs to say, and nothing goes over a network."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Any

from OpenSSL import SSL
from OpenSSL.crypto import X509
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from scimgw.testing.client import Transport
from scimgw.tls.asking import Refusals
from tests.tls.papers import Papers

SUITES = b"ALL:@SECLEVEL=0"
"""Everything that a client can speak at all, old and broken too."""
PEER = IPv4Address("TCP", "192.0.2.1", 4711)


def client(
    version: int | None = None,
    *,
    trust: Papers | None = None,
    show: Papers | None = None,
    suites: bytes = SUITES,
    alpn: list[bytes] | None = None,
) -> SSL.Connection:
    """Make the client's side of a connection."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    if version is not None:
        context.set_min_proto_version(version)
        context.set_max_proto_version(version)
    if trust is not None:
        store = context.get_cert_store()
        assert store is not None
        store.add_cert(X509.from_cryptography(trust.certificate))
        context.set_verify(SSL.VERIFY_PEER)
    if show is not None:
        context.use_certificate(show.certificate)
        context.use_privatekey(show.key)
        for each in show.between:
            context.add_extra_chain_cert(each)
    if alpn:
        context.set_alpn_protos(alpn)
    context.set_cipher_list(suites)
    made = SSL.Connection(context, None)
    made.set_connect_state()
    return made


def shake(one: SSL.Connection, context: SSL.Context) -> SSL.Connection:
    """Connect a client to a port's settings, and give the other side.

    Raises: SSL.Error, of whichever side is the first to be unhappy.
    """
    other = SSL.Connection(context, None)
    other.set_app_data(Peer())
    other.set_accept_state()
    for _ in range(10):
        for this, that in ((one, other), (other, one)):
            step(this)
            carry(this, that)
    # of TLS 1.3 the client is told only now what the server thinks of its certificate
    with suppress(SSL.WantReadError):
        one.recv(1)
    return other


def step(side: SSL.Connection) -> None:
    """Go on with a handshake as far as may be."""
    with suppress(SSL.WantReadError):
        side.do_handshake()


def carry(one: SSL.Connection, other: SSL.Connection) -> None:
    """Carry what one side has to say to the other."""
    with suppress(SSL.WantReadError):
        other.bio_write(one.bio_read(65536))


def resume(context: SSL.Context, version: ssl.TLSVersion) -> bool:
    """Connect twice, with the session of the first connection; tell whether it was gone on with."""
    offered = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    offered.check_hostname, offered.verify_mode = False, ssl.CERT_NONE
    offered.minimum_version = offered.maximum_version = version
    session: ssl.SSLSession | None = None
    resumed = None
    for _ in range(2):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        one = offered.wrap_bio(incoming, outgoing, session=session)
        other = SSL.Connection(context, None)
        other.set_accept_state()
        for _ in range(5):
            with suppress(ssl.SSLWantReadError):
                one.do_handshake()
            if outgoing.pending:
                other.bio_write(outgoing.read())
            step(other)
            with suppress(SSL.WantReadError):
                incoming.write(other.bio_read(65536))
        with suppress(ssl.SSLWantReadError):
            one.read()
        session, resumed = one.session, one.session_reused
    return bool(resumed)


class _Tcp(Transport):
    """What is below TLS."""

    def setTcpNoDelay(self, _: bool) -> None:  # noqa: FBT001 - Twisted's
        """Take it as done."""


class Line:
    """A client connected to what a port serves."""

    def __init__(
        self, factory: IProtocolFactory, side: SSL.Connection, clock: Clock, *, shakes: int = 10
    ) -> None:
        self._clock = clock
        self._lost = False
        self.side = side
        self.transport = _Tcp(peerAddress=PEER)
        protocol = factory.buildProtocol(PEER)
        assert protocol is not None
        self.protocol: Any = protocol
        protocol.makeConnection(self.transport)
        for _ in range(shakes):
            step(self.side)
            self._exchange()

    def _exchange(self) -> None:
        with suppress(SSL.WantReadError):
            self.protocol.dataReceived(self.side.bio_read(65536))
        self._clock.advance(0)
        if self.transport.value():
            self.side.bio_write(self.transport.value())
            self.transport.clear()

    def lose(self) -> None:
        """Lose the connection, unless it is lost already."""
        if not self._lost:
            self._lost = True
            self.protocol.connectionLost(Failure(ConnectionDone()))

    def ask(self, request: bytes) -> bytes:
        """Send something, and give what comes back; nothing but the end is ZeroReturnError."""
        self.side.send(request)
        self._exchange()
        received = b""
        while True:
            try:
                received += self.side.recv(65536)
            except SSL.WantReadError:
                return received
            except SSL.ZeroReturnError:
                if not received:
                    raise
                return received


class Peer:
    """What a port's connection knows of itself."""

    def __init__(self) -> None:
        self.transport = _Tcp(peerAddress=PEER)
        self.refusals = Refusals("x", Clock().seconds)
