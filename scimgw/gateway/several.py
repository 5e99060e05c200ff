"""How are several resource types searched at once?

RFC 7644 section 3.4.2.1.  The types follow one another, or are merged where the result is sorted;
no more is asked of each than the page can need.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import islice
from typing import Any

from attrs import evolve

from scimgw.connector import Call
from scimgw.gateway.endpoint import Endpoint
from scimgw.gateway.reads import Found, search
from scimgw.gateway.scan import check_scanned
from scimgw.scim.match import sort_key
from scimgw.scim.query import Search
from scimgw.scim.resource import Resource
from scimgw.scim.several import Several


async def search_several(endpoint: Endpoint, call: Call, several: Several) -> Found:
    """Find a page of resources of several types.

    Raises: TooMany.
    """
    find = _merged if several.sorted else _in_turn
    return await find(endpoint, call, several)


async def _in_turn(endpoint: Endpoint, call: Call, several: Several) -> Found:
    """Give the page as if all resources stood in one row, type after type."""
    resources: list[Resource] = []
    total, before = 0, several.start_index - 1
    for each in several.searches:
        count = several.count - len(resources)
        start = max(0, before - total) + 1
        found = await search(endpoint, call, evolve(each, start_index=start, count=count))
        if start > 1 and not found.resources:
            # an endpoint that doesn't count can't tell how many were passed over
            found = await search(endpoint, call, evolve(each, start_index=1, count=0))
        resources += found.resources
        total += found.total
    return Found(resources, total, several.start_index)


async def _merged(endpoint: Endpoint, call: Call, several: Several) -> Found:
    """Merge the beginnings of the types, each sorted, as far as the page's end."""
    first = several.start_index - 1
    end = first + several.count
    runs, total = [], 0
    for each in several.searches:
        needed = frozenset() if each.sort is None else frozenset({each.sort.path.root})
        count = min(end, endpoint.max_scan + 1)
        found = await search(endpoint, call, evolve(each, count=count, needed=needed))
        key = _key(each)
        runs.append([(key(resource), resource) for resource in found.resources])
        total += found.total
        check_scanned(endpoint, sum(map(len, runs)))
    merged = heapq.merge(*runs, key=_first, reverse=several.descending)
    page = [resource for _, resource in islice(merged, first, end)]
    return Found(page, total, several.start_index)


def _key(search: Search) -> Callable[[Resource], Any]:
    if search.sort is None:
        return lambda _: (True, 0)
    key = sort_key(search.sort.path)
    return lambda resource: key(resource.data)


def _first(pair: tuple[Any, Resource]) -> Any:
    return pair[0]
