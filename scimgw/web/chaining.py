"""How is a request handed on to another gateway?

`chainingBaseUrl` makes a plugin a reverse proxy, after its own authentication: the request goes on
as it came, with the client's own credentials and Host, and the answer comes back as it is, both
without what concerns one connection only (RFC 9110 section 7.6.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import IO, Final

from attrs import frozen
from twisted.web.client import FileBodyProducer
from twisted.web.http import NO_CONTENT, NOT_MODIFIED
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer

from scimgw.clients.http.forward import Forwarder
from scimgw.errors import BadGateway, InvalidValue
from scimgw.web import stream
from scimgw.web.conversation import origin
from scimgw.web.request import ScimRequest

EMPTY: Final = frozenset({NO_CONTENT, NOT_MODIFIED})
VIA: Final = b"1.1 scimgw"
MOST: Final = 8
"""Gateways that a request may come through."""
_HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_MADE_HERE: Final = frozenset(
    {
        b"content-length",
        b"expect",
        b"x-http-method",
        b"x-http-method-override",
        b"x-method-override",
        b"x-request-id",
    }
)
"""What a client says of these isn't handed on: the length is the producer's to tell,
and what makes another method of one would pass the check of who may only read."""
_OF_CLIENTS: Final = re.compile(
    b"x-forwarded.*|forwarded(-for)?|(x-|true-|fastly-|x-cluster-)?client-ip|x-real-ip"
    b"|cf-connecting-ip(v6)?|cf-pseudo-ipv4|x-appengine-user-ip|x-original-(host|for|proto)"
)
"""By what another gateway may find out who the client is, and how it addressed the request:
that is told anew, of the address that is known here."""
_OURS: Final = frozenset({b"server", b"x-request-id"})
"""What an answer says of these isn't."""


def end_to_end(headers: Headers) -> Iterable[tuple[bytes, list[bytes]]]:
    """Give the headers that are meant for the other end, names in lower case."""
    listed = {
        name.strip().lower()
        for value in headers.getRawHeaders(b"connection", [])
        for name in value.split(b",")
    }
    for name, values in headers.getAllRawHeaders():
        if name.lower() not in _HOP_BY_HOP | listed:
            yield name.lower(), list(values)


def outgoing(request: ScimRequest) -> Headers:
    """Give the headers that a request goes on with.

    Raises: InvalidValue, if the Host header isn't one.
    """
    sent = Headers()
    for name, values in end_to_end(request.requestHeaders):
        read = name.replace(b"_", b"-")  # as it is by servers that make variables of headers
        if read not in _MADE_HERE and not _OF_CLIENTS.fullmatch(read):
            sent.setRawHeaders(name, values)
    sent.addRawHeader(b"via", VIA)
    scheme, _, host = origin(request).partition("://")
    sent.setRawHeaders(b"x-forwarded-for", [request.client_host.encode()])
    sent.setRawHeaders(b"x-forwarded-proto", [scheme.encode()])
    sent.setRawHeaders(b"x-forwarded-host", [host.encode()])
    sent.setRawHeaders(b"x-request-id", [request.request_id.encode()])
    return sent


def path_of(uri: bytes) -> bytes:
    """Give path and query of a request's target, which may be a whole URL (RFC 9112 3.2.2).

    The path is the one that routes are read from.

    Raises: InvalidValue, if it holds a fragment, which would be cut off on the way.
    """
    if b"#" in uri:
        raise InvalidValue("the URL must hold no fragment")
    path, mark, query = uri.partition(b"?")
    if not path.startswith(b"/"):
        path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
    return path + mark + query


@frozen
class _Kept:
    """A file that isn't closed by who reads it, since it may have to be read again."""

    file: IO[bytes]

    def read(self, size: int) -> bytes:
        return self.file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def close(self) -> None:
        pass


@frozen
class Chaining:
    """Hands requests on."""

    forwarder: Forwarder

    async def answer(self, request: ScimRequest) -> None:
        """Hand a request on, and its answer back.

        Raises: Unavailable, InvalidValue, BadGateway (gateways that hand on in a circle).
        """
        passed = b",".join(request.requestHeaders.getRawHeaders(b"via", []))
        if passed.count(VIA) >= MOST:
            raise BadGateway("the request has come through too many gateways")

        def content() -> IBodyProducer | None:
            file = request.content
            assert file is not None
            file.seek(0)
            if not request.requestHeaders.hasHeader(b"content-length") and not file.read(1):
                return None
            file.seek(0)
            return FileBodyProducer(_Kept(file))

        given = await self.forwarder.forward(
            request.method, path_of(request.uri), outgoing(request), content
        )
        request.setResponseCode(given.status)
        for name, values in end_to_end(given.headers):
            if name not in _OURS:
                request.responseHeaders.setRawHeaders(name, values)
        request.responseHeaders.addRawHeader(b"via", VIA)
        if given.length is not None and request.method != b"HEAD" and given.status not in EMPTY:
            request.responseHeaders.setRawHeaders(b"content-length", [b"%d" % given.length])
        request.write(b"")  # the head goes first, however long the body takes
        await stream.send(request, given.body)
        request.finish()
