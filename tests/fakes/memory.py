"""A connector over a dictionary, which can do as little or as much as a test wants it to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field

from scimgw.connector import (
    Call,
    Capabilities,
    Connector,
    GroupRef,
    Paging,
    Stored,
    Support,
)
from scimgw.errors import Conflict, NotFound, Uniqueness
from scimgw.scim.changes import Changes, changed
from scimgw.scim.filter import And, Compare, Filter, Not, Operator, Or, Present, ValuePath
from scimgw.scim.match import predicate, sort_key
from scimgw.scim.path import Path
from scimgw.scim.places import places
from scimgw.scim.query import Page, Query
from scimgw.scim.resource import Resource
from scimgw.scim.schema import GROUP, USER, ResourceType


def nothing(_path: Path, _operator: Operator) -> Support:
    """Evaluate no comparison."""
    return Support.NO


def all_it_holds(path: Path, _operator: Operator) -> Support:
    """Evaluate every comparison exactly, save of groups, which a user doesn't hold."""
    return Support.NO if path.attribute.name == "groups" else Support.EXACT


POOR = Capabilities(filter=nothing)
"""Finds by id, lists all, and does nothing else."""


@define
class MemoryConnector:
    """Keeps what its capabilities promise, and refuses to be asked for more."""

    offered: Capabilities = POOR
    counts: bool = True
    """Whether pages tell the total."""
    hasty: bool = False
    """Whether a full page has a cursor, be there more or not."""
    resource_types: Sequence[ResourceType] = (USER, GROUP)
    calls: list[str] = field(factory=list)
    """The methods called, and of searches what was asked."""
    queries: list[Query] = field(factory=list)
    interlude: Callable[[str, str], Awaitable[None]] | None = None
    """Awaited after a search and before a change, if a test sets it: the method, and the id."""
    cursors: set[str] = field(factory=set)
    """Cursors that were given out, and neither used nor given back."""
    _data: dict[ResourceType, dict[str, dict[str, Any]]] = field(factory=dict)
    _made: int = 0

    def capabilities(self, type: ResourceType) -> Capabilities:
        """Say what the test chose."""
        return self.offered

    async def search(self, call: Call, query: Query) -> Page:
        """Find, strictly by what was declared."""
        self.calls.append("search")
        self.queries.append(query)
        assert query.filter is None or all(map(self._declared, _leaves(query.filter))), query.filter
        assert query.sort is None or self.offered.sort(query.sort.path)
        found = self._selected(query)
        if query.sort is not None:
            key = sort_key(query.sort.path)
            found = sorted(found, key=key, reverse=query.sort.descending)
        page = self._page(query, [self._shown(query, data) for data in found])
        if self.interlude is not None:
            await self.interlude("search", "")
        return page

    async def create(self, call: Call, type: ResourceType, resource: Resource) -> Stored:
        """Add, and give back no more than the id."""
        self.calls.append("create")
        table = self._data.setdefault(type, {})
        self._check_unique(type, resource.data, None)
        self._made += 1
        id = f"{type.name.lower()}-{self._made}"
        table[id] = {"id": id, **resource.data, **self._meta()}
        return Stored(id=id)

    async def modify(
        self,
        call: Call,
        type: ResourceType,
        id: str,
        changes: Changes,
        if_version: str | None,
    ) -> Stored | None:
        """Change, and give nothing back."""
        self.calls.append("modify")
        if self.interlude is not None:
            await self.interlude("modify", id)
        held = self._expect(type, id, if_version)
        self._check_places(type, changes)
        after = changed(type, held, changes)
        if after != held:
            self._check_unique(type, after, id)
            self._made += 1
            self._data[type][id] = {**after, **self._meta()}
        return None

    async def delete(self, call: Call, type: ResourceType, id: str, if_version: str | None) -> None:
        """Remove, and leave dangling members behind."""
        self.calls.append("delete")
        self._expect(type, id, if_version)
        del self._data[type][id]

    async def memberships(
        self,
        call: Call,
        user_ids: Sequence[str],
    ) -> Mapping[str, Sequence[GroupRef]]:
        """Look through all groups once."""
        self.calls.append("memberships")
        found: dict[str, list[GroupRef]] = {id: [] for id in user_ids}
        for id, group in self._data.get(GROUP, {}).items():
            for member in group.get("members", ()):
                if member["value"] in found:
                    found[member["value"]].append(GroupRef(value=id, display=group["displayName"]))
        return found

    async def close(self) -> None:
        """Tell that it was closed."""
        self.calls.append("close")

    def _declared(self, leaf: Compare | Present) -> bool:
        operator = Operator.PR if isinstance(leaf, Present) else leaf.operator
        return self.offered.filter(leaf.path, operator) is not Support.NO

    def _selected(self, query: Query) -> list[dict[str, Any]]:
        table = self._data.get(query.type, {})
        if query.ids is not None:
            return [data for id, data in table.items() if id in query.ids]
        matches: Callable[[Mapping[str, Any]], bool] = lambda _: True  # noqa: E731
        if query.filter is not None:
            matches = predicate(query.filter)
        return [data for data in table.values() if matches(data)]

    def _page(self, query: Query, found: list[Resource]) -> Page:
        total = len(found) if self.counts else None
        limit = self.offered.max_count
        if query.ids is not None or self.offered.paging is Paging.NONE:
            assert query.start_index == 1
            assert query.cursor is None
            return Page(resources=found, total=total)
        start = query.start_index - 1
        if query.cursor is not None:
            self.cursors.remove(query.cursor)
            start = [each.id for each in found].index(query.cursor.partition("@")[2]) + 1
        count = len(found) if query.count is None else query.count
        assert limit is None or count <= limit
        page = found[start : start + count]
        last = start + count >= len(found) and not (self.hasty and len(page) == count)
        if self.offered.paging is not Paging.CURSOR or count == 0 or last:
            return Page(resources=page, total=total)
        cursor = f"{len(self.queries)}@{page[-1].id}"
        self.cursors.add(cursor)
        return Page(resources=page, total=total, next=cursor)

    def _shown(self, query: Query, data: dict[str, Any]) -> Resource:
        names = (
            None
            if query.attributes is None
            else {each.container or each.attribute.name for each in query.attributes}
        )
        shown = (
            data
            if names is None
            else {name: value for name, value in data.items() if name in names}
        )
        return Resource(query.type, shown)

    def _meta(self) -> dict[str, Any]:
        return {"meta": {"version": f'W/"{self._made}"'}} if self.offered.versions else {}

    def _expect(self, type: ResourceType, id: str, if_version: str | None) -> dict[str, Any]:
        held = self._data.get(type, {}).get(id)
        if held is None:
            raise NotFound(f"{type.name} {id!r} not found")
        if if_version is not None:
            assert self.offered.versions
            if held["meta"]["version"] != if_version:
                raise Conflict("another version")
        return held

    def _check_unique(self, type: ResourceType, data: Mapping[str, Any], own: str | None) -> None:
        name = data.get("userName", "").lower()
        for id, held in self._data.get(type, {}).items():
            if name and id != own and held["userName"].lower() == name:
                raise Uniqueness("userName is taken")

    def _check_places(self, type: ResourceType, changes: Changes) -> None:
        """Take value filters only where there are places, and there nothing else."""
        for path in (*changes.set, *changes.clear, *changes.add, *changes.remove):
            if path.filter is not None or path.attribute.one_per_type:
                assert path in places(type), path


def _leaves(filter: Filter) -> Iterator[Compare | Present]:
    match filter:
        case Compare() | Present():
            yield filter
        case And(terms) | Or(terms):
            for term in terms:
                yield from _leaves(term)
        case Not(term):
            yield from _leaves(term)
        case ValuePath():
            pass


_conforms: type[Connector] = MemoryConnector
