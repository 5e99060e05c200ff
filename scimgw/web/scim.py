"""How are requests for resources carried out?

RFC 7644 sections 3.3 to 3.6: which use case a method means, and how its result becomes an answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from attrs import field, frozen
from twisted.logger import Logger
from twisted.web.http import CREATED, NO_CONTENT, NOT_MODIFIED, OK
from twisted.web.server import Request

from scimgw.connector import Call, Stored
from scimgw.errors import MethodNotAllowed, PreconditionFailed
from scimgw.gateway import reads, writes
from scimgw.gateway.change import Change
from scimgw.gateway.endpoint import Endpoint
from scimgw.gateway.membership import MEMBERS
from scimgw.scim import patch, resource
from scimgw.scim.messages import encode_list
from scimgw.scim.project import Projection
from scimgw.scim.query import parse_projection, parse_search
from scimgw.scim.resource import Resource, schemas_of
from scimgw.scim.schema import ResourceType
from scimgw.scim.values import show
from scimgw.web.conversation import Answer, body, conditions, parameters, prefers
from scimgw.web.routes import location

log = Logger()

READING: Final = ("GET", "HEAD")
ON_COLLECTION: Final = (*READING, "POST", "OPTIONS")
ON_RESOURCE: Final = (*READING, "PUT", "PATCH", "DELETE", "OPTIONS")
_LOGGED: Final = 10
"""Names of unknown attributes that one log line tells."""


@frozen(kw_only=True)
class Exchange:
    """A request for resources of one type; `id` is None for the collection."""

    request: Request
    endpoint: Endpoint
    call: Call
    type: ResourceType
    id: str | None
    base: str
    max_results: int
    parameters: Mapping[str, str] = field(init=False)

    @parameters.default
    def _read_parameters(self) -> Mapping[str, str]:
        return parameters(self.request)


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
        if item is not None:
            return await item(exchange, exchange.id)
    raise MethodNotAllowed(f"{method[:20]!r} isn't possible here", allowed)


async def _list(exchange: Exchange) -> Answer:
    search = parse_search(exchange.type, exchange.parameters, exchange.max_results)
    found = await reads.search(exchange.endpoint, exchange.call, search)
    resources = [_represent(exchange, each, search.projection) for each in found.resources]
    return Answer(OK, encode_list(resources, found.total, found.start_index))


async def _create(exchange: Exchange) -> Answer:
    projection = _projection(exchange)
    unknown: list[str] = []
    new = resource.parse(exchange.type, body(exchange.request), unknown.append)
    _tell(exchange, unknown)
    stored = await writes.create(exchange.endpoint, exchange.call, new)
    address = {"Location": location(exchange.base, exchange.type.endpoint, stored.id)}
    if prefers(exchange.request, "minimal"):
        return Answer(CREATED, None, {**_etag(stored.version), **address})
    found = await _stored(exchange, stored, projection)
    return Answer(
        CREATED, _represent(exchange, found, projection), {**_etag(found.version), **address}
    )


async def _get(exchange: Exchange, id: str) -> Answer:
    projection = _projection(exchange)
    demanded = conditions(exchange.request)
    found = await reads.get(exchange.endpoint, exchange.call, exchange.type, id, projection)
    if demanded.if_match is not None and not demanded.if_match.match(found.version):
        raise PreconditionFailed(
            f"{exchange.type.name} {id!r} has another version than the request demands"
        )
    if demanded.if_none_match is not None and demanded.if_none_match.match(found.version):
        return Answer(NOT_MODIFIED, None, _etag(found.version))
    return Answer(OK, _represent(exchange, found, projection), _etag(found.version))


async def _replace(exchange: Exchange, id: str) -> Answer:
    projection = _projection(exchange)
    unknown: list[str] = []
    new = resource.parse(exchange.type, body(exchange.request), unknown.append)
    _tell(exchange, unknown)
    stored = await writes.replace(_change(exchange, id), new)
    return await _changed(exchange, stored, projection, shown=True)


async def _patch(exchange: Exchange, id: str) -> Answer:
    projection = _projection(exchange)
    unknown: list[str] = []
    operations = patch.parse(exchange.type, body(exchange.request), unknown.append)
    _tell(exchange, unknown)
    stored = await writes.patch(_change(exchange, id), operations)
    # a group may be large, and isn't read or sent for one new member
    asked = not projection.default or prefers(exchange.request, "representation")
    return await _changed(
        exchange, stored, projection, shown=asked or exchange.type.find(MEMBERS) is None
    )


async def _delete(exchange: Exchange, id: str) -> Answer:
    await writes.delete(_change(exchange, id))
    return Answer(NO_CONTENT)


_COLLECTION: Final[Mapping[str, Callable[[Exchange], Awaitable[Answer]]]] = {
    "GET": _list,
    "HEAD": _list,
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


def _projection(exchange: Exchange) -> Projection:
    return parse_projection(exchange.type, exchange.parameters)


def _tell(exchange: Exchange, unknown: list[str]) -> None:
    """Log what a client sent that no schema has; it is ignored."""
    if unknown:
        names = ", ".join(map(show, unknown[:_LOGGED]))
        log.info(
            "request {id}: not in the schemas, ignored: {names}",
            id=exchange.call.request_id,
            names=names,
        )


async def _changed(
    exchange: Exchange, stored: Stored, projection: Projection, *, shown: bool
) -> Answer:
    if not shown or prefers(exchange.request, "minimal"):
        return Answer(NO_CONTENT, None, _etag(stored.version))
    found = await _stored(exchange, stored, projection)
    return Answer(OK, _represent(exchange, found, projection), _etag(found.version))


async def _stored(exchange: Exchange, stored: Stored, projection: Projection) -> Resource:
    """Give what a write left, reading it where the connector didn't give it back."""
    endpoint, call = exchange.endpoint, exchange.call
    if stored.resource is None:
        return await reads.get(endpoint, call, exchange.type, stored.id, projection)
    return (await reads.complete(endpoint, call, [stored.resource], projection))[0]


def _represent(exchange: Exchange, found: Resource, projection: Projection) -> dict[str, Any]:
    type = found.type
    address = location(exchange.base, type.endpoint, found.id)
    meta = {"resourceType": type.name, **found.data.get("meta", {}), "location": address}
    data = {**found.data, "meta": meta}
    if "schemas" not in data:
        data = {"schemas": schemas_of(type, data), **data}
    return projection.apply(data)


def _etag(version: str | None) -> dict[str, str]:
    return {} if version is None else {"ETag": version}
