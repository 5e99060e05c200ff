"""How are resources found through a connector, whatever it can do itself?"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

from attrs import evolve, frozen

from scimgw.connector import Call, Paging
from scimgw.errors import NotFound
from scimgw.gateway.endpoint import Endpoint
from scimgw.gateway.membership import GROUPS, has_groups, members_of_filtered_group, with_groups
from scimgw.gateway.scan import check_scanned, in_order, scan, walk
from scimgw.gateway.split import split
from scimgw.scim.filter import And, Compare, Filter, Operator, Or, conjunction
from scimgw.scim.match import paths
from scimgw.scim.path import resolve
from scimgw.scim.project import Projection
from scimgw.scim.query import Query, Search
from scimgw.scim.resource import Resource
from scimgw.scim.schema import ResourceType


@frozen
class Found:
    """One page for a client: resources, how many there are in all, the first one's index."""

    resources: Sequence[Resource]
    total: int
    start_index: int


async def get(
    endpoint: Endpoint, call: Call, type: ResourceType, id: str, projection: Projection
) -> Resource:
    """Read one resource.

    Raises: NotFound.
    """
    query = Query(type=type, ids=(id,), attributes=projection.fetching(frozenset()))
    page = await endpoint.connector.search(call, query)
    if not page.resources:
        raise NotFound(f"{type.name} {id!r} not found")
    return (await complete(endpoint, call, page.resources, projection))[0]


async def complete(
    endpoint: Endpoint, call: Call, resources: Sequence[Resource], projection: Projection
) -> Sequence[Resource]:
    """Add what is computed, where the client is to see it."""
    return await with_groups(endpoint, call, resources) if projection.shows(GROUPS) else resources


async def search(endpoint: Endpoint, call: Call, search: Search) -> Found:
    """Find a page of resources.

    Raises: TooMany.
    """
    plan = await make_plan(endpoint, call, search)
    find = _pushed if plan.whole else _computed
    found = await find(endpoint, call, search, plan)
    resources = await complete(endpoint, call, found.resources, search.projection)
    return Found(resources, found.total, found.start_index)


@frozen(kw_only=True)
class Plan:
    """What to ask the endpoint, what to check of its answers, and how much it does itself."""

    query: Query
    residual: Filter | None
    groups: bool
    """Whether the users' groups are needed to check or to sort."""
    whole: bool
    """Whether the endpoint does it all but, perhaps, the paging."""


async def make_plan(endpoint: Endpoint, call: Call, search: Search) -> Plan:
    """Decide what to ask the endpoint to answer a search."""
    ids, pushed, residual = await _selection(endpoint, call, search)
    sort = search.sort
    selected = ids is None and residual is None
    ordered = sort is None or (selected and endpoint.capabilities[search.type].sort(sort.path))
    needed = search.needed if residual is None else search.needed | paths(residual)
    if sort is not None and not ordered:
        needed |= {sort.path.root}
    virtual = frozenset(path for path in needed if has_groups(search.type) and str(path) == GROUPS)
    query = Query(
        type=search.type,
        ids=ids,
        filter=pushed,
        attributes=search.projection.fetching(needed - virtual),
        sort=sort if ordered else None,
    )
    return Plan(query=query, residual=residual, groups=bool(virtual), whole=selected and ordered)


async def _selection(
    endpoint: Endpoint, call: Call, search: Search
) -> tuple[tuple[str, ...] | None, Filter | None, Filter | None]:
    """Decide by what the endpoint is asked: ids or a filter, and what filter remains."""
    filter = search.filter
    if filter is None:
        return None, None, None
    ids, rest = _by_id(filter)
    if ids is not None and rest is None:
        return ids, None, None
    parts = split(filter, endpoint.capabilities[search.type])
    if parts.residual is None:
        return None, parts.pushed, None
    if ids is not None:
        return ids, None, rest
    members = await members_of_filtered_group(endpoint, call, search.type, filter)
    if members is not None:
        return members[0], None, members[1]
    return None, parts.pushed, parts.residual


def _by_id(filter: Filter) -> tuple[tuple[str, ...] | None, Filter | None]:
    """Read `id eq "a"`, alone, in a disjunction of such, or as one term of a conjunction."""
    match filter:
        case Compare(path, Operator.EQ, str(id)) if str(path) == "id":
            return (id,), None
        case Or(terms):
            found = [_by_id(term) for term in terms]
            if all(ids is not None and rest is None for ids, rest in found):
                return tuple(dict.fromkeys(id for ids, _ in found for id in ids or ())), None
        case And(terms):
            for place, term in enumerate(terms):
                ids, rest = _by_id(term)
                if ids is not None and rest is None:
                    return ids, conjunction([*terms[:place], *terms[place + 1 :]])
    return None, None


async def _computed(endpoint: Endpoint, call: Call, search: Search, plan: Plan) -> Found:
    """Do here what the endpoint can't: read all that may match, check, sort, cut the page out."""
    resources = await scan(endpoint, call, plan.query, plan.residual, groups=plan.groups)
    if search.sort is not None and plan.query.sort is None:
        resources = await in_order(endpoint, resources, search.sort)
    start = search.start_index - 1
    return Found(resources[start : start + search.count], len(resources), search.start_index)


async def _pushed(endpoint: Endpoint, call: Call, search: Search, plan: Plan) -> Found:
    """Let the endpoint do all but, perhaps, the paging."""
    paging = endpoint.capabilities[search.type].paging
    if paging is Paging.INDEX:
        return await _by_index(endpoint, call, search, plan)
    skipping = search.start_index > 1 or search.count == 0
    if paging is Paging.CURSOR and skipping and plan.query.ids is None:
        return await _beyond(endpoint, call, search, plan)
    return await _cut(endpoint, call, search, plan.query, search.start_index + search.count)


async def _beyond(endpoint: Endpoint, call: Call, search: Search, plan: Plan) -> Found:
    """Read ids only up to the page, since an endpoint that gives cursors can't jump."""
    ids_only = evolve(plan.query, attributes=frozenset({resolve(search.type, "id")}))
    found = await _cut(endpoint, call, search, ids_only, endpoint.max_scan)
    ids = {each.id: place for place, each in enumerate(found.resources)}
    if not ids:
        return found
    query = Query(type=search.type, ids=tuple(ids), attributes=plan.query.attributes)
    resources = await scan(endpoint, call, query, None)
    return evolve(found, resources=sorted(resources, key=lambda each: ids[each.id]))


async def _cut(endpoint: Endpoint, call: Call, search: Search, query: Query, step: int) -> Found:
    """Walk the endpoint's pages, and cut the client's page out of them."""
    first, end = search.start_index - 1, search.start_index - 1 + search.count
    resources: list[Resource] = []
    seen = 0
    async with aclosing(walk(endpoint, call, query, step)) as pages:
        async for page in pages:
            resources += page.resources[max(0, first - seen) : max(0, end - seen)]
            seen += len(page.resources)
            if page.total is not None and seen >= end:
                return Found(resources, page.total, search.start_index)
            # a cursor may lead nowhere: only what was seen is more
            if seen > end and search.count > 0:
                return Found(resources, end + 1 if page.next else seen, search.start_index)
            check_scanned(endpoint, seen if page.next is not None else 0)
    return Found(resources, seen, search.start_index)


async def _by_index(endpoint: Endpoint, call: Call, search: Search, plan: Plan) -> Found:
    limit = endpoint.capabilities[search.type].max_count or search.count
    resources: list[Resource] = []
    while True:
        count = min(search.count - len(resources), limit)
        query = evolve(plan.query, start_index=search.start_index + len(resources), count=count)
        page = await endpoint.connector.search(call, query)
        resources += page.resources
        if len(page.resources) < count or len(resources) >= search.count:
            break
    total = page.total
    if total is None:
        total = await _count_seen(endpoint, call, search, plan, len(resources))
    return Found(resources, total, search.start_index)


async def _count_seen(
    endpoint: Endpoint, call: Call, search: Search, plan: Plan, found: int
) -> int:
    """Tell how many were seen where the endpoint doesn't count, and one more if there are more.

    Importers stop at what is reported.
    """
    if search.count == 0:
        return len(await scan(endpoint, call, plan.query, None))
    next = search.start_index + found
    if found < search.count:
        return next - 1
    beyond = await endpoint.connector.search(call, evolve(plan.query, start_index=next, count=1))
    return next - 1 + len(beyond.resources)
