"""How are /api and /pub/api answered, whose meaning only the connector knows?

    GET /api   GET /api?query   POST /api   GET PUT PATCH DELETE /api/{id}

The same below a base entity.  A body is JSON, a form, text or bytes, as its media type says.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from attrs import frozen
from twisted.web.http import CREATED, NO_CONTENT, OK

from scimgw.connector import ApiAnswer, ApiRequest, Call
from scimgw.deferred import finish
from scimgw.errors import InvalidSyntax, MethodNotAllowed, NotFound
from scimgw.web import codec, stream
from scimgw.web.conversation import header, parameters
from scimgw.web.request import ScimRequest

Handler = Callable[[Call, ApiRequest], Awaitable[ApiAnswer]]

COLLECTION: Final = ("GET", "HEAD", "POST", "OPTIONS")
ITEM: Final = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
_READING: Final = frozenset({"GET", "HEAD"})
_FORM: Final = "application/x-www-form-urlencoded"
_FIELDS: Final = 10_000
"""Fields of a form: some milliseconds' work, which at /pub/api anybody may ask for."""
_TEXT: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"
_STATUS: Final[Mapping[str, int]] = {"POST": CREATED}


@frozen(kw_only=True)
class Sent:
    """An answer made ready: status, headers, and the body, whole or in pieces."""

    status: int
    headers: Mapping[str, str]
    body: bytes | AsyncIterable[bytes]


async def answer(handler: Handler, call: Call, request: ScimRequest, rest: tuple[str, ...]) -> None:
    """Have the connector answer, and send what it says.

    Raises: ScimError.
    """
    if len(rest) > 1:
        raise NotFound("no such endpoint")
    asked = read(request, rest[0] if rest else None)
    if asked.method in _READING:
        given = await handler(call, asked)
    else:
        what = f"{asked.method} of the API (request {call.request_id})"
        given = await finish(_awaited(handler(call, asked)), what)
    sent = ready(given, asked.method)
    request.setResponseCode(sent.status)
    for name, value in sent.headers.items():
        request.responseHeaders.setRawHeaders(name, [value])
    if not isinstance(sent.body, bytes):
        await stream.send(request, sent.body)
    elif request.method != b"HEAD":
        request.write(sent.body)
    request.finish()


async def _awaited(work: Awaitable[ApiAnswer]) -> ApiAnswer:
    return await work


def read(request: ScimRequest, id: str | None) -> ApiRequest:
    """Read a request.

    Raises: MethodNotAllowed, InvalidSyntax, InvalidValue.
    """
    method, allowed = request.method.decode("ascii", "replace"), allowed_on(id)
    if method not in allowed or method == "OPTIONS":
        raise MethodNotAllowed(f"{method[:20]!r} isn't possible here", allowed)
    content_type = header(request, b"content-type")
    assert request.content is not None
    return ApiRequest(
        method="GET" if method == "HEAD" else method,
        id=id,
        query=parameters(request),
        body=body(request.content.read(), content_type),
        content_type=content_type,
    )


def allowed_on(id: str | None) -> tuple[str, ...]:
    """Name the methods that there are."""
    return COLLECTION if id is None else ITEM


def body(content: bytes, content_type: str | None) -> Any:
    """Read a body as its media type says; None if there is none.

    Raises: InvalidSyntax.
    """
    if not content:
        return None
    kind = (content_type or "application/json").partition(";")[0].strip().casefold()
    if kind.endswith(("/json", "+json")):
        return codec.decode(content)
    if kind != _FORM and not kind.startswith("text/"):
        return content
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise InvalidSyntax("the body isn't UTF-8") from None
    return _fields(text) if kind == _FORM else text


def _fields(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError:
        raise InvalidSyntax(f"the form has more than {_FIELDS} fields") from None


def ready(given: ApiAnswer, method: str) -> Sent:
    """Make an answer ready to be sent: its type follows from its body, where it isn't told."""
    content: bytes | AsyncIterable[bytes]
    match given.body:
        case None:
            kind, content = None, b""
        case bytes():
            kind, content = _BYTES, given.body
        case str():
            kind, content = _TEXT, given.body.encode()
        case AsyncIterable():
            kind, content = _BYTES, given.body
        case _:
            kind, content = codec.JSON.decode(), codec.encode(given.body)
    status = given.status
    if status is None:
        status = _STATUS.get(method, NO_CONTENT if kind is None else OK)
    headers = {"X-Content-Type-Options": "nosniff"}
    if kind is not None:
        headers["Content-Type"] = kind
    if isinstance(content, bytes) and status != NO_CONTENT:
        headers["Content-Length"] = str(len(content))
    return Sent(status=status, headers={**headers, **given.headers}, body=content)
