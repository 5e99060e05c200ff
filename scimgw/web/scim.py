"""How are requests for resources carried out?

RFC 7644 sections 3.3 to 3.6: which use case a method means, and how its result becomes an answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from attrs import evolve
from twisted.web.http import CREATED, NO_CONTENT, NOT_MODIFIED, OK

from scimgw.connector import Stored
from scimgw.errors import InvalidPath, InvalidSyntax, MethodNotAllowed, PreconditionFailed
from scimgw.gateway import reads, writes
from scimgw.gateway.change import Change
from scimgw.gateway.membership import has_members
from scimgw.scim import patch, resource
from scimgw.scim.match import reader
from scimgw.scim.path import Path
from scimgw.scim.project import Projection, on_request
from scimgw.scim.query import parse_projection
from scimgw.scim.references import location
from scimgw.scim.resource import Resource
from scimgw.web.conversation import Answer, body, conditions, prefers
from scimgw.web.exchange import Exchange, represent, unknown
from scimgw.web.routes import SEARCH
from scimgw.web.search import listed, searched

READING: Final = ("GET", "HEAD")
ON_COLLECTION: Final = (*READING, "POST", "OPTIONS")
ON_RESOURCE: Final = (*READING, "PUT", "PATCH", "DELETE", "OPTIONS")


async def answer(exchange: Exchange) -> Answer:
    """Carry a request out.

    Raises: ScimError.
    """
    method = exchange.request.method.decode("ascii", "replace")
    allowed: tuple[str, ...]
    if exchange.id is None:
        handler, allowed = _COLLECTION.get(method), ON_COLLECTION
        if handler is not None:
            return await handler(exchange)
    else:
        item, allowed = _RESOURCE.get(method), ON_RESOURCE
        if exchange.id == SEARCH and method == "POST":
            return await searched(exchange, exchange.type)
        if item is not None:
            return await item(exchange, exchange.id)
    raise MethodNotAllowed(f"{method[:20]!r} isn't possible here", allowed)


async def _create(exchange: Exchange) -> Answer:
    with unknown(exchange, InvalidSyntax) as told:
        new = resource.parse(exchange.type, body(exchange.request), told)
    projection = _projection(exchange, _given(new))
    stored = await writes.create(exchange.endpoint, exchange.call, new)
    address = {"Location": location(exchange.base, exchange.type.endpoint, stored.id)}
    if prefers(exchange.request, "minimal"):
        return Answer(CREATED, None, {**_etag(stored.version), **address})
    found = await _stored(exchange, stored, projection)
    shown = _shown(exchange, found, projection)
    return evolve(shown, status=CREATED, headers={**shown.headers, **address})


async def _get(exchange: Exchange, id: str) -> Answer:
    projection = _projection(exchange)
    demanded = conditions(exchange.request)
    found = await reads.get(exchange.endpoint, exchange.call, exchange.type, id, projection)
    if demanded.if_match is not None and not demanded.if_match.match(found.version):
        raise PreconditionFailed(
            f"{exchange.type.name} {id!r} has another version than the request demands"
        )
    if demanded.if_none_match is not None and demanded.if_none_match.match(found.version):
        return Answer(NOT_MODIFIED, None, _described(exchange, found))
    return _shown(exchange, found, projection)


async def _replace(exchange: Exchange, id: str) -> Answer:
    with unknown(exchange, InvalidSyntax) as told:
        new = resource.parse(exchange.type, body(exchange.request), told)
    projection = _projection(exchange, _given(new))
    stored = await writes.replace(_change(exchange, id), new)
    return await _changed(exchange, stored, projection, shown=True)


async def _patch(exchange: Exchange, id: str) -> Answer:
    with unknown(exchange, InvalidPath) as told:
        operations = patch.parse(exchange.type, body(exchange.request), told)
    roots = {operation.path.root for operation in operations}
    written = frozenset(path for path in on_request(exchange.type) if path.root in roots)
    projection = _projection(exchange, written)
    stored = await writes.patch(_change(exchange, id), operations)
    # a group may be large, and isn't read or sent for one new member
    asked = not projection.default or prefers(exchange.request, "representation")
    return await _changed(
        exchange, stored, projection, shown=asked or not has_members(exchange.type)
    )


async def _delete(exchange: Exchange, id: str) -> Answer:
    await writes.delete(_change(exchange, id))
    return Answer(NO_CONTENT)


_COLLECTION: Final[Mapping[str, Callable[[Exchange], Awaitable[Answer]]]] = {
    "GET": listed,
    "HEAD": listed,
    "POST": _create,
}
_RESOURCE: Final[Mapping[str, Callable[[Exchange, str], Awaitable[Answer]]]] = {
    "GET": _get,
    "HEAD": _get,
    "PUT": _replace,
    "PATCH": _patch,
    "DELETE": _delete,
}


def _change(exchange: Exchange, id: str) -> Change:
    demanded = conditions(exchange.request)
    return Change(exchange.endpoint, exchange.call, exchange.type, id, demanded)


def _given(new: Resource) -> frozenset[Path]:
    """Name what was given that is shown only to who asks for it, or writes it."""
    return frozenset(path for path in on_request(new.type) if reader(path)(new.data))


def _projection(exchange: Exchange, written: frozenset[Path] = frozenset()) -> Projection:
    return parse_projection(exchange.type, exchange.parameters, written)


async def _changed(
    exchange: Exchange, stored: Stored, projection: Projection, *, shown: bool
) -> Answer:
    if not shown or prefers(exchange.request, "minimal"):
        return Answer(NO_CONTENT, None, _etag(stored.version))
    return _shown(exchange, await _stored(exchange, stored, projection), projection)


async def _stored(exchange: Exchange, stored: Stored, projection: Projection) -> Resource:
    """Give what a write left, reading it where the connector didn't give it back."""
    endpoint, call = exchange.endpoint, exchange.call
    if stored.resource is None:
        return await reads.get(endpoint, call, exchange.type, stored.id, projection)
    return (await reads.complete(endpoint, call, [stored.resource], projection))[0]


def _shown(exchange: Exchange, found: Resource, projection: Projection) -> Answer:
    return Answer(OK, represent(exchange, found, projection), _described(exchange, found))


def _described(exchange: Exchange, found: Resource) -> dict[str, str]:
    """Tell where a resource is (RFC 7643 section 3.1) and of which version.

    Who has it already is told both as well (RFC 9110 section 15.4.5).
    """
    headers = _etag(found.version)
    if not exchange.limits.skip_meta_location:
        headers["Content-Location"] = location(exchange.base, exchange.type.endpoint, found.id)
    return headers


def _etag(version: str | None) -> dict[str, str]:
    return {} if version is None else {"ETag": version}
