"""How are an endpoint's pages walked, and what it can't do done in memory?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final, assert_never

from attrs import evolve

from scimgw.connector import Call, Paging
from scimgw.deferred import Turns
from scimgw.errors import TooMany
from scimgw.gateway.endpoint import Endpoint
from scimgw.gateway.membership import with_groups
from scimgw.scim.filter import Filter
from scimgw.scim.match import paths, predicate, sort_key
from scimgw.scim.path import resolve
from scimgw.scim.query import Page, Query, Sort
from scimgw.scim.resource import Resource
from scimgw.scim.schema import USER

META: Final = resolve(USER, "meta")
_STEP: Final = 500
"""Resources asked for at once, at most."""


async def walk(
    endpoint: Endpoint, call: Call, query: Query, step: int = _STEP
) -> AsyncGenerator[Page, None]:
    """Give the pages of a query one after the other, each of so many resources at most.

    Who may stop before the end closes it, so that the endpoint gets its cursor back.
    """
    capabilities = endpoint.capabilities[query.type]
    step = min(step, _STEP, capabilities.max_count or _STEP)
    if query.ids is not None:
        for start in range(0, len(query.ids), step):
            yield await _page(endpoint, call, evolve(query, ids=query.ids[start : start + step]))
        return
    match capabilities.paging:
        case Paging.NONE:
            yield await _page(endpoint, call, query)
        case Paging.INDEX:
            start = 1
            while True:
                page = await _page(endpoint, call, evolve(query, start_index=start, count=step))
                yield page
                start += len(page.resources)
                if not page.resources or (page.total is not None and start > page.total):
                    return
        case Paging.CURSOR:
            async with aclosing(_by_cursor(endpoint, call, evolve(query, count=step))) as pages:
                async for page in pages:
                    yield page
        case never:
            assert_never(never)


async def _by_cursor(endpoint: Endpoint, call: Call, query: Query) -> AsyncGenerator[Page, None]:
    page = await _page(endpoint, call, query)
    try:
        yield page
        while page.next is not None:
            page = await _page(endpoint, call, evolve(query, cursor=page.next))
            yield page
    finally:
        if page.next is not None:
            await endpoint.connector.search(call, evolve(query, cursor=page.next, count=0))


async def _page(endpoint: Endpoint, call: Call, query: Query) -> Page:
    endpoint.check_deadline(call)
    return await endpoint.connector.search(call, query)


async def scan(
    endpoint: Endpoint, call: Call, query: Query, residual: Filter | None, *, groups: bool = False
) -> list[Resource]:
    """Read all that a query selects, with groups if asked, and keep what the residual matches.

    Raises: TooMany past the bound on what is read.
    """
    turns = Turns(endpoint.clock)
    wanted = _accept_all if residual is None else _matcher(residual)
    found: list[Resource] = []
    read = 0
    async with aclosing(walk(endpoint, call, query)) as pages:
        async for page in pages:
            read += len(page.resources)
            check_scanned(endpoint, read)
            resources = page.resources
            if groups:
                resources = await with_groups(endpoint, call, resources)
            found += await turns.select(resources, wanted)
    return found


def check_scanned(endpoint: Endpoint, read: int) -> None:
    """Stop at the bound on what is read to answer one request.

    Raises: TooMany.
    """
    if read > endpoint.max_scan:
        raise TooMany(
            f"more than {endpoint.max_scan} resources would have to be read; narrow the filter"
        )


def _accept_all(_: Resource) -> bool:
    return True


def _matcher(filter: Filter) -> Callable[[Resource], bool]:
    matches = predicate(filter)
    if META not in paths(filter):
        return lambda resource: matches(resource.data)

    def matches_with_type(resource: Resource) -> bool:
        """Match what answers tell of the resource type, whether or not the endpoint does."""
        meta = {"resourceType": resource.type.name, **resource.data.get("meta", {})}
        return matches({**resource.data, "meta": meta})

    return matches_with_type


async def in_order(endpoint: Endpoint, resources: list[Resource], sort: Sort) -> list[Resource]:
    """Sort in memory."""
    key = sort_key(sort.path)
    return await Turns(endpoint.clock).sort(
        resources, lambda resource: key(resource.data), descending=sort.descending
    )
