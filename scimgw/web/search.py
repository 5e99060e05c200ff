"""How is a query answered, whether it stands in the URL or in a body?

RFC 7644 sections 3.4.2 and 3.4.3, RFC 9865.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from twisted.web.http import OK

from scimgw.errors import InvalidCount, InvalidValue, MethodNotAllowed
from scimgw.gateway import cursors, reads
from scimgw.gateway.several import search_several
from scimgw.scim.messages import encode_cursor_list, encode_list
from scimgw.scim.query import parse_count, parse_projection, parse_search
from scimgw.scim.resource import Resource
from scimgw.scim.schema import ResourceType
from scimgw.scim.several import Several, parse_search_request, parse_several
from scimgw.web.conversation import Answer, body, parameters
from scimgw.web.exchange import Context, Exchange, represent_page

CURSOR: Final = "cursor"
ON_SEARCH: Final = ("POST", "OPTIONS")
ON_ROOT: Final = ("GET", "HEAD", "OPTIONS")


async def listed(exchange: Exchange) -> Answer:
    """Query the resources of one type by the parameters of the URL."""
    return await _of_one(exchange, exchange.type, exchange.parameters)


async def searched(context: Context, type: ResourceType) -> Answer:
    """Query the resources of one type by a SearchRequest."""
    return await _of_one(context, type, parse_search_request(body(context.request)))


async def root_listed(context: Context) -> Answer:
    """Query the resources of all types by the parameters of the URL."""
    if context.request.method not in {b"GET", b"HEAD"}:
        raise MethodNotAllowed("resources are made and changed below their type", ON_ROOT)
    return await _of_all(context, parameters(context.request))


async def root_searched(context: Context) -> Answer:
    """Query the resources of all types by a SearchRequest."""
    if context.request.method != b"POST":
        raise MethodNotAllowed("a search is posted", ON_SEARCH)
    return await _of_all(context, parse_search_request(body(context.request)))


async def _of_one(context: Context, type: ResourceType, asked: Mapping[str, str]) -> Answer:
    if CURSOR in asked:
        return await _by_cursor(context, [type], asked)
    search = parse_search(type, asked, context.limits.max_results)
    found = await reads.search(context.endpoint, context.call, search)
    resources = represent_page(context, found.resources, {type: search.projection})
    return Answer(OK, encode_list(resources, found.total, found.start_index))


async def _of_all(context: Context, asked: Mapping[str, str]) -> Answer:
    types = [*context.endpoint.types.values()]
    if CURSOR in asked:
        return await _by_cursor(context, types, asked)
    several = parse_several(types, asked, context.limits.max_results)
    found = await search_several(context.endpoint, context.call, several)
    resources = _shown(context, found.resources, types, asked)
    return Answer(OK, encode_list(resources, found.total, found.start_index))


async def _by_cursor(
    context: Context, types: Sequence[ResourceType], asked: Mapping[str, str]
) -> Answer:
    """Give the page that a cursor stands for; an empty one stands for the first."""
    try:
        parse_count(asked, context.limits.max_results)
    except InvalidValue as fault:
        raise InvalidCount(fault.detail) from None
    several = parse_several(types, asked, context.limits.max_results)
    bound = _bound(context, types, several)
    now = context.endpoint.clock.seconds()
    cursor = asked[CURSOR]
    place = context.cursors.open(cursor, bound, now) if cursor else None
    part = await cursors.page(context.endpoint, context.call, several, place)
    next = None if part.next is None else context.cursors.seal(part.next, bound, now)
    resources = _shown(context, part.resources, types, asked)
    return Answer(OK, encode_cursor_list(resources, part.total, next))


def _bound(context: Context, types: Sequence[ResourceType], several: Several) -> list[Any]:
    """Name what a cursor may be used for: whose, where, and which query."""
    passed = context.call.credentials
    return [
        context.call.entity,
        context.call.principal.name,
        passed and passed.reveal(),  # who shows others is another, whatever the name
        [type.name for type in types],
        [
            [each.type.name, str(each.filter), each.sort and str(each.sort.path)]
            for each in several.searches
        ],
        several.descending,
    ]


def _shown(
    context: Context,
    found: Sequence[Resource],
    types: Sequence[ResourceType],
    asked: Mapping[str, str],
) -> list[dict[str, Any]]:
    return represent_page(context, found, {type: parse_projection(type, asked) for type in types})
