"""How are connections kept, requests numbered and logged, and both brought to an end?"""

from __future__ import annotations

from itertools import count
from secrets import token_hex

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, Request
from twisted.web.server import Site

from scimgw.auth.chain import Chain
from scimgw.gateway.endpoint import Endpoint
from scimgw.scim.cursor import Cursors
from scimgw.web.perimeter import OPEN, Perimeter
from scimgw.web.request import ScimRequest
from scimgw.web.root import HandOn, Limits, Root

log = Logger()


class Channel(HTTPChannel):
    """One connection, which the site can ask to close."""

    factory: ScimSite

    def connectionMade(self) -> None:
        """Join the site's connections."""
        super().connectionMade()
        self.factory.channels.add(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Leave them."""
        super().connectionLost(reason)
        self.factory.left(self)

    def checkPersistence(self, request: Request, version: bytes) -> bool:
        """Tell clients to come back another way once the site closes."""
        if self.factory.closing:
            request.responseHeaders.setRawHeaders(b"connection", [b"close"])
            return False
        return bool(super().checkPersistence(request, version))

    def close(self) -> None:
        """Close the connection, after the request that it is busy with."""
        self.persistent = False
        if not self.requests:
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
    ) -> None:
        """Serve an endpoint."""
        root = Root(endpoint, chain, entities, limits, cursors)
        super().__init__(
            root, requestFactory=ScimRequest, reactor=clock, parsePOSTFormSubmission=False
        )
        self.displayTracebacks = False
        self.max_body = limits.max_body
        self.perimeter = perimeter
        self.channels: set[Channel] = set()
        self.closing = False
        self._closed: Deferred[None] = Deferred()
        self._prefix = token_hex(3)
        self._numbers = count(1)

    def hand_on(self, hand_on: HandOn) -> None:
        """Hand all requests but the health check on, instead of serving the endpoint."""
        assert isinstance(self.resource, Root)
        self.resource.hand_on = hand_on

    def close(self) -> Deferred[None]:
        """Close each connection after its present request, and wait until all are closed."""
        self.closing = True
        for channel in list(self.channels):
            channel.close()
        if not self.channels:
            self._closed.callback(None)
        return self._closed

    def left(self, channel: Channel) -> None:
        """Forget a connection that was closed."""
        self.channels.discard(channel)
        if self.closing and not self.channels and not self._closed.called:
            self._closed.callback(None)

    def next_request_id(self) -> str:
        """Name one more request."""
        return f"{self._prefix}-{next(self._numbers)}"

    def log(self, request: Request) -> None:
        """Write the request's line."""
        assert isinstance(request, ScimRequest)
        log.info("{access}", access=request.access())
