"""How are connections kept, requests numbered and logged, and both brought to an end?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cached_property
from itertools import count
from secrets import token_hex
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, Request
from twisted.web.http_headers import Headers
from twisted.web.server import Site

from scimgw.auth.chain import Chain
from scimgw.auth.oauth import TokenIssuer
from scimgw.auth.throttle import network
from scimgw.errors import (
    BadRequest,
    HeadersTooLarge,
    RequestTimeout,
    ScimError,
    Unavailable,
    UriTooLong,
)
from scimgw.gateway.endpoint import Endpoint
from scimgw.networks import parse_address
from scimgw.scim.cursor import Cursors
from scimgw.seldom import Seldom
from scimgw.tls.names import Name, names
from scimgw.web.conversation import Answer
from scimgw.web.patience import Patience, Stage
from scimgw.web.perimeter import OPEN, Perimeter
from scimgw.web.request import ScimRequest
from scimgw.web.root import HandOn, Limits, Root

log = Logger()

_GLANCE: Final = 1.0
"""Seconds between two looks at all connections."""
_ANEW: Final = 1.0
"""Seconds after which to come with a certificate again."""
_HEADERS: Final = "the headers are too many, or too long"


class Channel(HTTPChannel):
    """One connection, which the site can ask to close, and which isn't waited for without end."""

    factory: ScimSite
    peer = "-"
    """The address at the other end."""
    _begun = 0
    """Requests whose headers have come."""
    _unread = False
    """Whether the client doesn't take what is sent."""
    _steps = 0
    """How often it began, or ceased, to take it."""
    _leaving = False
    _distrusted = False
    """Whether a certificate is no longer known to be of an authority that is trusted."""
    _moment: object = None
    """Where the connection was when it was looked at last."""
    _since = 0.0
    """When it was seen there first, in seconds."""

    def connectionMade(self) -> None:
        """Join the site's connections."""
        super().connectionMade()
        # a socket of IPv6 takes connections of IPv4 as well, and spells their addresses in its way
        self._ends: tuple[IAddress, IAddress] = super().getPeer(), super().getHost()
        self._secure = bool(super().isSecure())
        self.peer = getattr(self._ends[0], "host", "-").removeprefix("::ffff:")
        if not self.factory.join(self):
            self._leaving = True
            transport: Any = self.transport
            transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Leave them."""
        super().connectionLost(reason)
        self.factory.left(self)

    def getPeer(self) -> IAddress:
        """Give the address at the other end, for which no request need ask the socket."""
        return self._ends[0]

    def getHost(self) -> IAddress:
        """Give the address at this end."""
        return self._ends[1]

    def isSecure(self) -> bool:
        """Tell whether the connection is encrypted."""
        return self._secure

    @property
    def request_line(self) -> tuple[bytes, bytes, bytes]:
        """Method, target and version of the request whose headers have come."""
        return self._command, self._path, self._version

    @property
    def certificate(self) -> frozenset[Name] | None:
        """The names of the client's certificate, None if it has shown none that was asked for.

        One that has ended since it was shown has none.

        Raises: Unavailable, if it has to be shown anew.
        """
        if self._shown is None:
            return None
        if self._distrusted:
            raise Unavailable("the certificate has to be shown anew", _ANEW)
        found, until = self._shown
        return found if self.factory.reactor.seconds() < until else frozenset()

    @cached_property
    def _shown(self) -> tuple[frozenset[Name], float] | None:
        shown = getattr(self.transport, "getPeerCertificate", lambda: None)()
        if shown is None:
            return None
        certificate = shown.to_cryptography()
        return names(certificate), certificate.not_valid_after_utc.timestamp()

    def dataReceived(self, data: bytes) -> None:
        """Take in what the client sends, unless it was answered for the last time."""
        if not self._leaving:
            super().dataReceived(data)

    def checkPersistence(self, request: Request, version: bytes) -> bool:
        """Tell clients to come back another way once the site closes."""
        self._begun += 1
        if self.factory.closing or (self._distrusted and self._shown is not None):
            request.responseHeaders.setRawHeaders(b"connection", [b"close"])
            return False
        return bool(super().checkPersistence(request, version))

    def headerReceived(self, line: bytes) -> bool:
        """Take in a header, unless it is a length of more digits than are ever read."""
        try:
            return bool(super().headerReceived(line))
        except ValueError:
            self._respondToBadRequestAndDisconnect()
            return False

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """Send the head of an answer in one piece; each one costs the transport."""
        held = headers.getAllRawHeaders()
        lines = [name + b": " + value for name, values in held for value in values]
        self.write(b"\r\n".join((b" ".join((version, code, reason)), *lines, b"", b"")))

    def pauseProducing(self) -> None:
        """Note that the client doesn't take what is sent."""
        self._unread, self._steps = True, self._steps + 1
        super().pauseProducing()

    def resumeProducing(self) -> None:
        """Note that it has taken it."""
        self._unread, self._steps = False, self._steps + 1
        super().resumeProducing()

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: ARG002 - it is too long to be told
        """Answer a line that is too long."""
        within = bool(self.requests)
        self.refuse(HeadersTooLarge(_HEADERS) if within else UriTooLong("the URL is too long"))

    def _respondToBadRequestAndDisconnect(self) -> None:
        """Answer what isn't HTTP, or too much of it, as all else is answered."""
        large = (
            self._receivedHeaderSize > self.totalHeadersSize
            or self._receivedHeaderCount > self.maxHeaders
        )
        self.refuse(HeadersTooLarge(_HEADERS) if large else BadRequest("the request isn't HTTP"))

    def refuse(self, error: ScimError) -> None:
        """Answer a request that isn't received to its end, and close."""
        if not self.requests:
            self.requests.append(self.requestFactory(self))
        request = self.requests[-1]
        if hasattr(self, "_command"):  # the line of this request has come
            request.method, request.uri, _ = self.request_line
        request.refuse(error)
        request.finish()

    def loseConnection(self) -> None:
        """Close the connection once everything is sent, or the client had the time to take it."""
        self._leaving = True
        super().loseConnection()

    def close(self) -> None:
        """Close the connection, after the request that it is busy with."""
        self.persistent = False
        if not self.requests:
            self.loseConnection()

    def distrust(self) -> None:
        """Close a connection whose certificate has to be shown anew, after the present request.

        Before the first request there may be a handshake that still goes by what was trusted.
        """
        shown = getattr(self.transport, "getPeerCertificate", lambda: None)()
        self._distrusted = shown is not None or not self._begun
        if shown is not None:
            self.close()

    def look(self, now: float) -> None:
        """End the connection if it has been waited for too long."""
        stage = self._stage()
        moment = stage, self._begun, self._steps
        if moment != self._moment:
            self._moment, self._since = moment, now
            return
        received = self.requests[-1].received if stage is Stage.BODY else 0
        if self.factory.patience.ends(stage, now - self._since, received):
            self._end(stage)

    def _stage(self) -> Stage:
        if self._leaving:
            return Stage.LEAVING
        if self._unread:
            return Stage.UNREAD
        if self.requests:
            stage: Stage = self.requests[-1].stage
            return stage
        return Stage.IDLE if self._begun else Stage.HEADERS

    def _end(self, stage: Stage) -> None:
        if stage in {Stage.LEAVING, Stage.UNREAD}:
            self.forceAbortClient()
        elif self.requests:
            self.refuse(RequestTimeout("the request took too long to come"))
        else:
            self.loseConnection()


class ScimSite(Site):
    """One plugin's port."""

    noisy = False
    protocol = Channel  # type: ignore[assignment]  # Site's own would speak HTTP/2 too

    def __init__(  # noqa: PLR0913 - all that a site is put together of
        self,
        endpoint: Endpoint,
        chain: Chain,
        entities: frozenset[str],
        limits: Limits,
        clock: IReactorTime,
        *,
        cursors: Cursors,
        perimeter: Perimeter = OPEN,
        patience: Patience | None = None,
        name: str = "-",
    ) -> None:
        """Serve an endpoint; the log calls the site by its plugin's name."""
        root = Root(endpoint, chain, entities, limits, cursors)
        super().__init__(
            root,
            requestFactory=ScimRequest,
            reactor=clock,
            parsePOSTFormSubmission=False,
            timeout=None,  # patience is better than a call of the clock for each request
        )
        self.displayTracebacks = False
        self.name = name
        self.max_body = limits.max_body
        self.perimeter = perimeter
        self.channels: set[Channel] = set()
        self.patience = patience or Patience()
        self.exempt: Callable[[str], bool] = self._passes_on
        """Whether an address may have any number of connections, as a proxy must."""
        self._peers: Counter[str] = Counter()
        self._seldom = Seldom(clock.seconds)
        self._glance: IDelayedCall | None = None
        self.closing = False
        self._closed: Deferred[None] = Deferred()
        self._prefix = token_hex(3)
        self._numbers = count(1)

    def hand_on(self, hand_on: HandOn) -> None:
        """Hand all requests but the health check on, instead of serving the endpoint."""
        assert isinstance(self.resource, Root)
        self.resource.hand_on = hand_on

    def give_tokens(self, issuer: TokenIssuer) -> None:
        """Serve a token endpoint."""
        assert isinstance(self.resource, Root)
        self.resource.issuer = issuer

    def spelled(self, request: ScimRequest, failed: Answer) -> Answer:
        """Spell a failure as who makes a request expects it, as far as that is known."""
        assert isinstance(self.resource, Root)
        return self.resource.spelled(request, failed)

    def distrust(self) -> None:
        """Have certificates shown anew: authorities that they were verified by aren't trusted."""
        for channel in list(self.channels):
            channel.distrust()

    def close(self) -> Deferred[None]:
        """Close each connection after its present request, and wait until all are closed."""
        self.closing = True
        for channel in list(self.channels):
            channel.close()
        if not self.channels:
            self._closed.callback(None)
        return self._closed

    def join(self, channel: Channel) -> bool:
        """Take in a connection, if there aren't too many."""
        peer = network(channel.peer)
        crowded = self._peers[peer] >= self.patience.per_address and not self.exempt(channel.peer)
        if crowded or len(self.channels) >= self.patience.connections:
            self._turned_away(channel)
            return False
        self._peers[peer] += 1
        self.channels.add(channel)
        if self._glance is None:
            self._glance = self.reactor.callLater(_GLANCE, self._look)
        return True

    def left(self, channel: Channel) -> None:
        """Forget a connection that was closed."""
        if channel not in self.channels:
            return
        self.channels.remove(channel)
        peer = network(channel.peer)
        self._peers[peer] -= 1
        if not self._peers[peer]:
            del self._peers[peer]
        if not self.channels:
            self._forsaken()

    def _passes_on(self, address: str) -> bool:
        """Whether a proxy is there: where this program runs, or where it was told."""
        found = parse_address(address.partition("%")[0])
        return found is not None and (found.is_loopback or self.perimeter.trusts(found))

    def _forsaken(self) -> None:
        if self._glance is not None:
            self._glance.cancel()
            self._glance = None
        if self.closing and not self._closed.called:
            self._closed.callback(None)

    def _look(self) -> None:
        self._glance = self.reactor.callLater(_GLANCE, self._look)
        now = self.reactor.seconds()
        for channel in list(self.channels):
            channel.look(now)

    def _turned_away(self, channel: Channel) -> None:
        times = self._seldom.happened()
        if times:
            log.warn(
                "{plugin}: too many connections: {times} refused since this was told last, "
                "now {address}",
                plugin=self.name,
                times=times,
                address=ascii(channel.peer),
            )

    def next_request_id(self) -> str:
        """Name one more request."""
        return f"{self._prefix}-{next(self._numbers)}"

    def log(self, request: Request) -> None:
        """Write the request's line."""
        assert isinstance(request, ScimRequest)
        log.info("{access}", access=request.access())
