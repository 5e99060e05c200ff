"""How is a query answered, whether it stands in the URL or in a body?

RFC 7644 sections 3.4.2 and 3.4.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twisted.web.http import OK

from scimgw.errors import MethodNotAllowed
from scimgw.gateway import reads
from scimgw.gateway.reads import Found
from scimgw.gateway.several import search_several
from scimgw.scim.messages import encode_list
from scimgw.scim.project import Projection
from scimgw.scim.query import parse_projection, parse_search
from scimgw.scim.schema import ResourceType
from scimgw.scim.several import parse_search_request, parse_several
from scimgw.web.conversation import Answer, body, parameters
from scimgw.web.exchange import Context, Exchange, represent

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
    search = parse_search(type, asked, context.max_results)
    found = await reads.search(context.endpoint, context.call, search)
    return _page(context, found, {type: search.projection})


async def _of_all(context: Context, asked: Mapping[str, str]) -> Answer:
    types = [*context.endpoint.types.values()]
    several = parse_several(types, asked, context.max_results)
    found = await search_several(context.endpoint, context.call, several)
    return _page(context, found, {type: parse_projection(type, asked) for type in types})


def _page(context: Context, found: Found, projections: Mapping[ResourceType, Projection]) -> Answer:
    resources: list[dict[str, Any]] = [
        represent(context.base, each, projections[each.type]) for each in found.resources
    ]
    return Answer(OK, encode_list(resources, found.total, found.start_index))
