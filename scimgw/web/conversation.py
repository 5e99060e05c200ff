"""What is asked by an HTTP request, and how is it answered?

The one place that touches Twisted's request; whatever decides works on what is read here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from attrs import field, frozen
from twisted.logger import Logger
from twisted.web.http import NO_CONTENT, NOT_MODIFIED
from twisted.web.server import Request

from scimgw.errors import InvalidValue, UnsupportedMediaType
from scimgw.scim.version import Conditions, Tags
from scimgw.web import codec

if TYPE_CHECKING:
    from scimgw.web.request import ScimRequest

log = Logger()

_WITHOUT_BODY: Final = frozenset({NO_CONTENT, NOT_MODIFIED})
_SCHEME: Final = re.compile("https?")
_HOST: Final = re.compile(r"[A-Za-z0-9._~-]+(?::\d+)?|\[[0-9A-Fa-f:.]+\](?::\d+)?", re.ASCII)


@frozen
class Answer:
    """A status, the value to be sent as JSON (None: no body), and headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str | Sequence[str]] = field(factory=dict)


def header(request: Request, name: bytes) -> str | None:
    """Give a header of a request; several of one name are joined as RFC 9110 section 5.3 has it."""
    values = request.requestHeaders.getRawHeaders(name)
    return None if values is None else b", ".join(values).decode("utf-8", "replace")


def parameters(request: Request) -> Mapping[str, str]:
    """Read the query of the URL; a plus is a blank.

    Raises: InvalidValue, if it isn't UTF-8.
    """
    _, _, query = request.uri.partition(b"?")
    if not query:
        return {}
    try:
        pairs = parse_qsl(query.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise InvalidValue("the query of the URL isn't UTF-8") from None
    return dict(pairs)


def body(request: Request) -> Any:
    """Read the body as JSON.

    Raises: UnsupportedMediaType, InvalidSyntax.
    """
    content_type = header(request, b"content-type")
    if codec.media_type(content_type) is None:
        raise UnsupportedMediaType(
            "a body must be application/scim+json or application/json, in UTF-8"
        )
    content = request.content
    assert content is not None
    return codec.decode(content.read())


def conditions(request: Request) -> Conditions:
    """Read If-Match and If-None-Match."""
    if_match, if_none_match = header(request, b"if-match"), header(request, b"if-none-match")
    if if_match is None and if_none_match is None:
        return NO_CONDITIONS
    return Conditions(
        None if if_match is None else Tags.parse(if_match),
        None if if_none_match is None else Tags.parse(if_none_match),
    )


NO_CONDITIONS: Final = Conditions()


def prefers(request: Request, word: str) -> bool:
    """Whether the client prefers `return=minimal` or `return=representation` (RFC 7240)."""
    preferences = header(request, b"prefer")
    return preferences is not None and f"return={word}" in re.split(
        r"[,;\s]+", preferences.casefold()
    )


def origin(request: ScimRequest) -> str:
    """Give scheme, host and port as the client addressed them, which a trusted proxy tells.

    Raises: InvalidValue, if the Host header isn't one.
    """
    scheme = _told(request, b"x-forwarded-proto", _SCHEME)
    if scheme is None:
        scheme = "https" if request.isSecure() else "http"
    host = _told(request, b"x-forwarded-host", _HOST) or header(request, b"host")
    if host is None:
        address = request.getHost()
        host = (
            f"[{address.host}]:{address.port}"
            if ":" in address.host
            else f"{address.host}:{address.port}"
        )
    if not _HOST.fullmatch(host):
        raise InvalidValue("the Host header doesn't name a host")
    return f"{scheme}://{host}"


def _told(request: ScimRequest, name: bytes, form: re.Pattern[str]) -> str | None:
    """Give what the proxy that has connected says; of several values the last is its own."""
    value = header(request, name) if request.proxied else None
    if value is None:
        return None
    told = value.rpartition(",")[2].strip()
    if form.fullmatch(told):
        return told
    log.warn(
        "request {id}: a trusted proxy sends {name}: {told!r}, which is ignored",
        id=request.request_id,
        name=name.decode(),
        told=told[:60],
    )
    return None


def prepare(request: Request, answer: Answer) -> bytes:
    """Set status and headers, and give the body's bytes."""
    content = b"" if answer.body is None else codec.encode(answer.body)
    request.setResponseCode(answer.status)
    headers = request.responseHeaders
    for name, value in answer.headers.items():
        values = [value] if isinstance(value, str) else value
        headers.setRawHeaders(name.encode(), [each.encode() for each in values])
    if content and "Content-Type" not in answer.headers:
        headers.setRawHeaders(b"Content-Type", [codec.answer_type(header(request, b"accept"))])
    if answer.status not in _WITHOUT_BODY:
        headers.setRawHeaders(b"Content-Length", [b"%d" % len(content)])
    return content
