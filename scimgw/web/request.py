"""What does a request know beside what HTTP says, and when isn't it received?"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import datetimeToString
from twisted.web.server import Request

from scimgw.auth.throttle import Verdict
from scimgw.errors import Forbidden, PayloadTooLarge, ScimError
from scimgw.scim.messages import encode_error
from scimgw.tls.names import Name
from scimgw.web.conversation import Answer, header, prepare
from scimgw.web.patience import Stage
from scimgw.web.requestline import host

if TYPE_CHECKING:
    from scimgw.web.site import ScimSite

log = Logger()

LINGER: Final = 10.0
"""Seconds for which the rest of a refused body is read and dropped, so that the client sees why."""
IN_MEMORY: Final = 64 * 1024
"""Bytes of a body that need no file; one that is only announced needs none either."""
_PHRASES: Final = {each.value: each.phrase.encode() for each in HTTPStatus}
GONE: Final = 499
"""Logged as the status of a request whose client left before the answer."""


@frozen(kw_only=True)
class Access:
    """One line of the access log; the query, which may hold personal data, isn't told."""

    plugin: str
    client: str
    principal: str
    method: str
    path: str
    status: int
    size: int
    seconds: float
    request_id: str

    def __str__(self) -> str:
        """Spell the line."""
        return (
            f"{self.plugin} {self.client} {self.principal} {self.method} {self.path} "
            f"{self.status} {self.size} {self.seconds * 1000:.1f}ms {self.request_id}"
        )


class ScimRequest(Request):
    """A request of a `ScimSite`: numbered, timed, logged once, and bounded in size."""

    method = uri = b"-"
    client_host = "-"
    """The address of who makes the request; before its headers are read, of who has connected."""
    proxied = False
    """Whether a proxy that is believed says how the client addressed the request."""
    base = ""
    """The URL above the route."""
    principal = "-"
    on_verdict: Callable[[], None] | None = None
    """What is to be told once the endpoint, which judges, has judged the credentials."""
    verdict: Verdict | None = None
    """What it says of them, if that isn't what the status says."""
    answering: Deferred[None] | None = None
    """What is given up if the client leaves before the answer."""
    gone = False
    """Whether the client left before the answer."""
    stage = Stage.HEADERS
    """How far it has come."""
    received = 0
    """Bytes of the body."""
    _refused: ScimError | None = None
    """Why nothing more of the request is received."""

    def __init__(self, channel: Any, *args: Any, **kwargs: Any) -> None:
        """Begin to time the request, and give it its number."""
        super().__init__(channel, *args, **kwargs)
        self.site: ScimSite = channel.site
        self.client_host = channel.peer
        self.request_id = self.site.next_request_id()
        self._started = self.site.reactor.seconds()

    def gotLength(self, length: int | None) -> None:
        """Refuse who may not make requests, and a body that is announced too large.

        The headers have been received, and nothing of the body.
        """
        if length is None or length >= IN_MEMORY:
            self.content = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed at the end
        else:
            super().gotLength(length)
        self.stage = Stage.BODY
        try:
            self._check(length)
        except ScimError as error:
            self._refused = error
        if self._refused is not None and length != 0:  # who sends no body may have asked for none
            self._refuse(self._refused)

    def _check(self, length: int | None) -> None:
        """Check who makes the request, then what is asked, then how much is sent for that.

        Raises: Forbidden, BadRequest, PayloadTooLarge.
        """
        headers, channel = self.requestHeaders, self.channel
        self.method, self.uri, version = channel.request_line  # type: ignore[attr-defined]  # ours
        if not self.site.perimeter.open and not self._allowed():
            raise Forbidden("no request may be made from this address")
        named = headers.getRawHeaders(b"host", [])
        asked = host(self.method, self.uri, version, named)
        if asked is not None and named != [asked]:
            headers.setRawHeaders(b"host", [asked])
        if length is not None and length > self.site.max_body:
            raise self._too_large()

    def handleContentChunk(self, data: bytes) -> None:
        """Take in a part of the body, as long as it isn't too large."""
        self.received += len(data)
        if self.received > self.site.max_body and self._refused is None:
            self._refuse(self._too_large())
        if self._refused is None:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: ARG002 - known since the headers
        """Go on to the one resource that a site has, unless the request is answered already."""
        self.stage = Stage.WORK
        if self._refused is None:
            self.path, self.clientproto = path.partition(b"?")[0], version
            assert self.content is not None
            self.content.seek(0)
            self._sign()
            self.site.resource.render(self)
            return
        if not self.startedWriting:
            self._refuse(self._refused)
        self.finish()

    def _sign(self) -> None:
        """Tell by whom the answer is, of when, and to which request."""
        self.setHeader(b"Server", b"scimgw")
        self.setHeader(b"Date", datetimeToString())
        self.setHeader(b"X-Request-Id", self.request_id.encode())

    def _allowed(self) -> bool:
        """Find out who makes the request, and whether it may come from there."""
        peer, forwarded_for = self.getClientAddress(), header(self, b"x-forwarded-for")
        source = self.site.perimeter.source(peer, forwarded_for)
        self.client_host, self.proxied = source.client, source.proxied
        return source.allowed

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"the body is larger than {self.site.max_body} bytes")

    def _refuse(self, error: ScimError) -> None:
        """Answer at once; close once the client has sent its body, or had the time to."""
        self.requestHeaders.removeHeader(b"expect")  # the channel would answer it with 100 Continue
        self.refuse(error)
        late = self.site.reactor.callLater(LINGER, self.channel.forceAbortClient)

        def in_time(_: object) -> None:
            if late.active():
                late.cancel()

        self.notifyFinish().addBoth(in_time)

    def setResponseCode(self, code: int, message: bytes | None = None) -> None:
        """Set the status, with words for it of which Twisted lacks some."""
        super().setResponseCode(code, message or _PHRASES.get(code))

    def refuse(self, error: ScimError) -> None:
        """Answer what isn't received to its end, unless it is answered already."""
        if self.startedWriting:
            return
        self._refused = error
        self.clientproto = b"HTTP/1.1"
        self.channel.persistent = False
        self.setHeader(b"Connection", b"close")
        self._sign()
        failed = Answer(error.status, encode_error(error))
        self.write(prepare(self, self.site.spelled(self, failed)))

    def write(self, data: bytes) -> None:
        """Send a piece of the answer; the first one says what the endpoint says."""
        super().write(data)
        self._tell_verdict()

    def _tell_verdict(self) -> None:
        if self.on_verdict is not None:
            tell, self.on_verdict = self.on_verdict, None
            tell()

    def connectionLost(self, reason: Failure) -> None:
        """Log that the client has left, and give up what is only read."""
        self.gone = True
        self._tell_verdict()
        if self._refused is None:
            self.code = GONE
        log.info("{access}", access=self.access())
        super().connectionLost(reason)
        if self.answering is not None:
            self.answering.cancel()

    @property
    def certificate(self) -> frozenset[Name] | None:
        """The names of the client's certificate, None if it has shown none that was asked for."""
        channel: Any = self.channel
        names: frozenset[Name] | None = channel.certificate
        return names

    def access(self) -> Access:
        """Tell what the log says of this request."""
        return Access(
            plugin=self.site.name,
            client=self.client_host,
            principal=self.principal,
            method=_printable(self.method),
            path=_printable(self.uri.partition(b"?")[0]),
            status=self.code,
            size=self.sentLength,
            seconds=self.site.reactor.seconds() - self._started,
            request_id=self.request_id,
        )


def _printable(text: bytes) -> str:
    """Write what a client sent so that it stays on one line, and commands no terminal."""
    return repr(text)[2:-1]
