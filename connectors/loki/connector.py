"""How does the document store answer the gateway?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from itertools import count
from typing import Any, Final, Literal
from uuid import UUID

from attrs import Attribute as Field
from attrs import field, frozen

from connectors.loki.cursor import behind, cursor
from connectors.loki.plan import Tables, plan
from connectors.loki.table import MEMBERS, Record, Stamp, Table, members_of
from connectors.loki.unkept import kept, kept_changes
from scimgw.connector import (
    NO_ENTITY,
    Call,
    Capabilities,
    Connector,
    GroupRef,
    Paging,
    Services,
    Stored,
    Support,
)
from scimgw.deferred import Turns
from scimgw.errors import InvalidValue, NotFound
from scimgw.scim.changes import Changes
from scimgw.scim.filter import Filter, Operator
from scimgw.scim.match import paths, predicate, sort_key
from scimgw.scim.path import Path
from scimgw.scim.query import Page, Query
from scimgw.scim.resource import Resource
from scimgw.scim.schema import GROUP, USER, ResourceType

GROUPS: Final = "groups"
_NAMES: Final[Mapping[str, str]] = {"User": "userName", "Group": "displayName"}
_UNADDRESSABLE: Final = frozenset({".", ".."})
"""Names that can't be ids: clients take them for steps in a path."""


def _not_yet(_: object, attribute: Field[Any], value: object) -> None:
    if value:
        raise ValueError(f"{attribute.name} isn't supported yet: the store is kept in memory")


@frozen(kw_only=True)
class EntityConfig:
    """The store of one base entity."""

    dbname: str | None = field(default=None, validator=_not_yet)
    """File of the store, once it can be kept in one."""
    persistence: bool = field(default=False, validator=_not_yet)
    """Whether the store is kept on disk; in memory it begins with two users and two groups."""


@frozen(kw_only=True)
class Config:
    """The document store: one for each base entity."""

    id_from: Literal["userName"] | None = None
    """`userName`: userName is the id of a user, displayName that of a group; else a UUID."""
    entity: Mapping[str, EntityConfig] = field(factory=lambda: {NO_ENTITY: EntityConfig()})
    """Base entities and their settings."""


class LokiConnector:
    """Documents in memory, with indexes; evaluates all that SCIM can ask."""

    def __init__(self, config: Config, services: Services) -> None:
        """Begin with the test users and groups in each base entity."""
        self.resource_types: Sequence[ResourceType] = services.resource_types
        named = {type.name: type for type in self.resource_types}
        self._user, self._group = named[USER.name], named[GROUP.name]
        self._id_from = config.id_from
        self._services = services
        stamp = _stamps(services)
        self._stores = {
            entity: {type: Table(type, stamp) for type in self.resource_types}
            for entity in config.entity
        }
        for store in self._stores.values():
            _load(store)

    def capabilities(self, type: ResourceType) -> Capabilities:
        """Do everything, but sort by what is kept apart."""
        apart = {name for name, kept in ((GROUPS, _in_groups), (MEMBERS, members_of)) if kept(type)}
        return Capabilities(
            filter=_exactly,
            value_paths=True,
            sort=lambda path: path.attribute.name not in apart,
            paging=Paging.INDEX,
            stateless_cursors=True,
            versions=True,
            atomic=True,
            removes_members=True,
        )

    async def search(self, call: Call, query: Query) -> Page:
        """Look up in indexes what they tell, and scan for the rest."""
        table = self._table(call, query.type)
        records = await self._select(call, query, table)
        if query.sort is not None:
            key = sort_key(query.sort.path)
            records = await Turns(self._services.clock).sort(
                records, lambda record: key(record.data), descending=query.sort.descending
            )
        start = query.start_index - 1 if query.cursor is None else behind(records, query)
        wanted = records[start:] if query.count is None else records[start : start + query.count]
        with_members = query.attributes is None or any(
            path.attribute.name == MEMBERS for path in query.attributes
        )
        data = (table.whole(record) if with_members else record.data for record in wanted)
        more = wanted and start + len(wanted) < len(records)
        return Page(
            resources=[Resource(query.type, each) for each in data],
            total=len(records),
            next=cursor(wanted[-1], query.sort) if more else None,
        )

    async def create(self, call: Call, type: ResourceType, resource: Resource) -> Stored:
        """Add a document under a UUID, or under its name if so configured."""
        table = self._table(call, type)
        data = kept(type, resource.data)
        return Stored.whole(
            Resource(type, table.whole(table.create(self._new_id(type, data), data)))
        )

    async def modify(
        self, call: Call, type: ResourceType, id: str, changes: Changes, if_version: str | None
    ) -> Stored:
        """Change a document if it has the version; the members of a group aren't given back."""
        table = self._table(call, type)
        record = table.modify(id, kept_changes(changes), if_version)
        if table.members is not None:
            return Stored(id=id, version=record.version)
        return Stored.whole(Resource(type, record.data))

    async def delete(self, call: Call, type: ResourceType, id: str, if_version: str | None) -> None:
        """Remove a document, also from the groups that it is a member of."""
        self._table(call, type).delete(id, if_version)
        self._table(call, self._group).forget_member(id)

    async def memberships(
        self, call: Call, user_ids: Sequence[str]
    ) -> Mapping[str, Sequence[GroupRef]]:
        """Look the groups up by their members."""
        groups = self._table(call, self._group)
        known: dict[str, GroupRef] = {}
        return {
            id: [
                known.get(group.id) or _noted(known, group)
                for group in groups.get(groups.memberships.of_member(id))
            ]
            for id in user_ids
        }

    def kinds(self, call: Call, ids: Sequence[str]) -> Sequence[str | None]:
        """Look for users first, of whom there are more."""
        store = self._stores[call.entity]
        users = store[self._user].ids
        others = [(type.name, table.ids) for type, table in store.items() if type is not self._user]
        return [
            USER.name if id in users else next((name for name, held in others if id in held), None)
            for id in ids
        ]

    async def close(self) -> None:
        """Hold nothing that would have to be given back."""

    def _table(self, call: Call, type: ResourceType) -> Table:
        store = self._stores.get(call.entity)
        if store is None:
            raise NotFound(f"no base entity {call.entity!r}")
        return store[type]

    async def _select(self, call: Call, query: Query, table: Table) -> Sequence[Record]:
        if query.ids is not None:
            return table.get(query.ids)
        if query.filter is None:
            return table.all()
        groups = self._table(call, self._group)
        found = plan(query.filter, Tables(table, groups if _in_groups(table.type) else None))
        candidates = table.all() if found.ids is None else table.get(found.ids)
        if found.rest is None:
            return candidates
        matches = predicate(found.rest)
        view = _view(found.rest, table, groups)
        turns = Turns(self._services.clock)
        return await turns.select(candidates, lambda record: matches(view(record)))

    def _new_id(self, type: ResourceType, data: Mapping[str, Any]) -> str:
        if self._id_from is None or type.name not in _NAMES:
            return str(UUID(bytes=self._services.random(16), version=4))
        name = _NAMES[type.name]
        id: str = data[name]
        if id in _UNADDRESSABLE:
            raise InvalidValue(f"{name} is to be the id, and {id!r} can't be one")
        return id


def _exactly(_path: Path, _operator: Operator) -> Support:
    return Support.EXACT


def _stamps(services: Services) -> Stamp:
    """Give the time, and a count whose prefix changes when a restart loses it."""
    prefix = services.random(6).hex()
    numbers = count(1)

    def stamp() -> tuple[str, str]:
        now = datetime.fromtimestamp(services.clock.seconds(), UTC).isoformat(
            timespec="microseconds"
        )
        return now.replace("+00:00", "Z"), f'W/"{prefix}.{next(numbers):x}"'

    return stamp


def _load(store: Mapping[ResourceType, Table]) -> None:
    documents = json.loads(
        resources.files("connectors.loki").joinpath("test-resources.json").read_text("utf-8")
    )
    for type, table in store.items():
        for document in documents.get(f"{type.name}s", ()):
            table.create(document["id"], kept(type, document))


def _in_groups(type: ResourceType) -> bool:
    """Whether groups are told by who their members are, not kept."""
    found = type.find(GROUPS)
    return found is not None and found.read_only


def _view(filter: Filter, table: Table, groups: Table) -> Callable[[Record], Mapping[str, Any]]:
    """Give the function that puts together what a filter looks at."""
    names = {str(path) for path in paths(filter)}
    if MEMBERS in names:
        return table.whole
    if GROUPS not in names or not _in_groups(table.type):
        return lambda record: record.data

    def with_groups(record: Record) -> Mapping[str, Any]:
        held = groups.get(groups.memberships.of_member(record.id))
        references = [
            {"value": each.id, "display": each.data["displayName"], "type": "direct"}
            for each in held
        ]
        return {**record.data, GROUPS: references}

    return with_groups


def _reference(group: Record) -> GroupRef:
    return GroupRef(value=group.id, display=group.data["displayName"])


def _noted(known: dict[str, GroupRef], group: Record) -> GroupRef:
    """Refer to a group by one object, whoever is in it."""
    known[group.id] = found = _reference(group)
    return found


_conforms: type[Connector] = LokiConnector
