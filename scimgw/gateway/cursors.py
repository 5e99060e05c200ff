"""How is a long result given page by page from wherever the page before has ended?

RFC 9865.  A place is what was seen last, never a number: what comes and goes between two pages
neither hides a resource that was there all the time, nor gives one twice.  Endpoints whose own
cursors can be taken up at any time do so.  For all others, those whose cursors live in a connection
too, the selection is read anew for each page, put in order, and given from behind the last one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from attrs import evolve, frozen

from scimgw.connector import Call
from scimgw.deferred import Turns
from scimgw.gateway import reads
from scimgw.gateway.endpoint import Endpoint
from scimgw.gateway.reads import complete, make_plan
from scimgw.gateway.scan import check_scanned, scan
from scimgw.scim.cursor import Place
from scimgw.scim.match import sort_key
from scimgw.scim.query import Search
from scimgw.scim.resource import Resource
from scimgw.scim.several import Several


@frozen
class Part:
    """One page: resources, how many there are in all, where the next begins if there is one."""

    resources: Sequence[Resource]
    total: int
    next: Place | None


async def page(endpoint: Endpoint, call: Call, several: Several, place: Place | None) -> Part:
    """Give the page that begins at a place, which is one of this very query, or the first page.

    Raises: TooMany.
    """
    if several.count == 0 or not several.searches:
        counted = [await _count(endpoint, call, each) for each in several.searches]
        return Part([], sum(counted), None)
    if several.sorted and len(several.searches) > 1:
        return await _in_order(endpoint, call, several, place)
    return await _in_turn(endpoint, call, several, place)


async def _count(endpoint: Endpoint, call: Call, search: Search) -> int:
    return (await reads.search(endpoint, call, evolve(search, start_index=1, count=0))).total


async def _in_turn(endpoint: Endpoint, call: Call, several: Several, place: Place | None) -> Part:
    """Give type after type."""
    searches = list(several.searches)
    at = place or Place(type=searches[0].type.name)
    while searches[0].type.name != at.type:
        searches.pop(0)
    resources: list[Resource] = []
    total, next = at.before, None
    for each in searches:
        count = several.count - len(resources)
        here = at if each.type.name == at.type else Place(type=each.type.name, before=total)
        if not count:
            # what is left is only looked at, so that no page comes that is empty
            found = await reads.search(endpoint, call, evolve(each, start_index=1, count=1))
            total += found.total
            next = next or (here if found.total else None)
            continue
        part = await _of_one(endpoint, call, evolve(each, count=count), here)
        resources += part.resources
        total += part.total
        next = part.next
    return Part(resources, total, next)


async def _of_one(endpoint: Endpoint, call: Call, search: Search, place: Place) -> Part:
    """Give what of one type follows a place; the total is that type's alone."""
    planned = await make_plan(endpoint, call, search)
    capabilities = endpoint.capabilities[search.type]
    if not (capabilities.stateless_cursors and planned.whole and planned.query.ids is None):
        one = Several(
            searches=(search,),
            sorted=search.sort is not None,
            descending=search.sort is not None and search.sort.descending,
            start_index=1,
            count=search.count,
        )
        return await _in_order(endpoint, call, one, place if place.token is not None else None)
    token, total = place.token, None
    resources: list[Resource] = []
    while True:
        count = min(search.count - len(resources), capabilities.max_count or search.count)
        endpoint.check_deadline(call)
        query = evolve(planned.query, cursor=token, count=count)
        found = await endpoint.connector.search(call, query)
        resources += found.resources
        token, total = found.next, found.total
        if token is None or len(resources) >= search.count:
            break
    given = place.given + len(resources)
    shown = await complete(endpoint, call, resources, search.projection)
    if total is None:
        total = given if token is None else given + 1
    next = None if token is None else evolve(place, token=token, given=given)
    return Part(shown, total, next)


_Ranked = tuple[Any, str, str, Resource]
"""A sort key, the type's name and the id, which make the order total, and the resource."""


async def _in_order(endpoint: Endpoint, call: Call, several: Several, place: Place | None) -> Part:
    """Read everything that is selected, put it in order, and cut the page out."""
    turns = Turns(endpoint.clock)
    ranked: list[_Ranked] = []
    for each in several.searches:
        needed = frozenset() if each.sort is None else frozenset({each.sort.path.root})
        planned = await make_plan(endpoint, call, evolve(each, sort=None, needed=needed))
        groups = planned.groups or any(str(path) == "groups" for path in needed)
        found = await scan(endpoint, call, planned.query, planned.residual, groups=groups)
        key = (lambda _: (True, 0)) if each.sort is None else sort_key(each.sort.path)
        ranked += [(key(one.data), one.type.name, one.id, one) for one in found]
        check_scanned(endpoint, len(ranked))
    ranked = await turns.sort(ranked, lambda one: one[1:3], descending=False)
    ranked = await turns.sort(ranked, lambda one: one[0], descending=several.descending)
    left = ranked
    if place is not None:
        last = _Last.parse(place.token or "null", descending=several.descending)
        left = await turns.select(ranked, last.before)
    wanted = left[: several.count]
    next = None
    if len(left) > len(wanted):
        token = json.dumps(wanted[-1][:3], separators=(",", ":"))
        next = Place(type=several.searches[0].type.name, token=token)
    resources: list[Resource] = []
    for each in several.searches:
        own = [one[3] for one in wanted if one[3].type is each.type]
        resources += await complete(endpoint, call, own, each.projection)
    by_rank = {(one.type.name, one.id): one for one in resources}
    return Part([by_rank[one[1:3]] for one in wanted], len(ranked), next)


@frozen
class _Last:
    """The last resource that was given: its sort key, its type and its id."""

    key: tuple[Any, ...]
    tie: tuple[str, ...]
    descending: bool

    @classmethod
    def parse(cls, token: str, *, descending: bool) -> _Last:
        key, *tie = json.loads(token)
        return cls(tuple(key), tuple(tie), descending)

    def before(self, one: _Ranked) -> bool:
        if one[0] == self.key:
            return one[1:3] > self.tie
        return bool(one[0] < self.key if self.descending else one[0] > self.key)
