"""How does a directory answer the gateway?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from connectors.ldap import changing, groups, reading
from connectors.ldap.ber import SearchEntry
from connectors.ldap.config import Config
from connectors.ldap.cursors import Cursors, Open
from connectors.ldap.directory import Branch, Directory, made
from connectors.ldap.entries import GROUPS, KIND, codec, wanted
from connectors.ldap.faults import translated
from connectors.ldap.filters import all_of, compiled, ids_in, supports
from connectors.ldap.identity import Identity
from connectors.ldap.reading import Access
from connectors.ldap.request import Search
from connectors.ldap.result import LdapError
from scimgw.connector import (
    Call,
    Capabilities,
    Connector,
    GroupRef,
    Misconfigured,
    Paging,
    Services,
    Stored,
)
from scimgw.errors import NotFound
from scimgw.mapping import Mapping as Mapped
from scimgw.mapping import Unmappable, build
from scimgw.scim.changes import Changes
from scimgw.scim.query import Page, Query
from scimgw.scim.resource import Resource
from scimgw.scim.schema import GROUP, USER, ResourceType


class LdapConnector:
    """Users and groups that are entries of directories, one directory for each base entity."""

    def __init__(self, config: Config, services: Services) -> None:
        """Check the settings, and get ready to connect.

        Raises: Misconfigured.
        """
        mappings = _mappings(config, services.resource_types)
        self._mappings = {name: mapping for name, (mapping, _) in mappings.items()}
        self._directories = made(config.entity, mappings, services)
        self._cursors = Cursors(services.clock)
        self._names: MutableMapping[Call, Mapping[str, str]] = WeakKeyDictionary()
        """DNs of what a call read last, by id: it may be about to ask for groups."""

    @property
    def resource_types(self) -> Sequence[ResourceType]:
        """What is mapped."""
        return [mapping.type for mapping in self._mappings.values()]

    def capabilities(self, type: ResourceType) -> Capabilities:
        """Search by what the directory can compare, page by cursor, keep no versions."""
        open_ldap = any(each.open_ldap for each in self._directories.values())
        return Capabilities(
            filter=partial(supports, self._mappings[type.name], nobody=open_ldap),
            paging=Paging.CURSOR,
            max_count=reading.PAGE,
            atomic=not open_ldap,
            removes_members=not open_ldap,
        )

    async def search(self, call: Call, query: Query) -> Page:
        """Find entries: by their ids, by a filter, or further on in a search."""
        directory, branch = self._branch(call, query.type)
        if query.cursor is not None:
            return await self._go_on(call, query, query.cursor)
        names = wanted(branch.mapping, branch.identity, query.attributes)
        if query.ids is not None:
            async with _leased(directory, branch, f"to read a {query.type.name}") as at:
                entries = await reading.by_ids(at, query.ids, names)
                self._remember(call, branch, entries)
                return Page(resources=await reading.resources(at, query.attributes, entries))
        search = Search(
            base=branch.base,
            filter=await _filter(directory, branch, query),
            attributes=names,
            controls=reading.controls_of(branch, names),
            page_size=min(query.count or reading.PAGE, reading.PAGE),
        )
        lease = await directory.pool.take()
        return await self._page(call, query, Open(directory.pool, lease, search))

    async def _go_on(self, call: Call, query: Query, cursor: str) -> Page:
        if query.count != 0:
            return await self._page(call, query, self._cursors.take(cursor))
        search = self._cursors.pop(cursor)
        if search is not None:
            with _owning(search, "to end a search"):
                await search.lease.client.search(search.next.ending())
            search.pool.give_back(search.lease)
        return Page(resources=[])

    async def _page(self, call: Call, query: Query, search: Open) -> Page:
        """Fetch a page on the connection that its search owns, and keep that if there is more."""
        directory, branch = self._branch(call, query.type)
        at = Access(search.lease.client, directory, branch)
        with _owning(search, f"to search {branch.mapping.type.endpoint}"):
            found = await at.client.search(search.next)
            self._remember(call, branch, found.entries)
            resources = await reading.resources(at, query.attributes, found.entries)
        if not found.cookie:
            search.pool.give_back(search.lease)
            return Page(resources=resources)
        rest = Open(search.pool, search.lease, search.next.after(found.cookie))
        return Page(resources=resources, next=self._cursors.keep(rest))

    async def create(self, call: Call, type: ResourceType, resource: Resource) -> Stored:
        """Add an entry, and read what the directory made of it."""
        directory, branch = self._branch(call, type)
        async with directory.pool.lease() as client:
            at = Access(client, directory, branch)
            return Stored.whole(await changing.read_back(at, await changing.add(at, resource)))

    async def modify(
        self,
        call: Call,
        type: ResourceType,
        id: str,
        changes: Changes,
        if_version: str | None,  # noqa: ARG002 - no versions were declared
    ) -> Stored:
        """Change an entry, in one operation where the directory allows it."""
        self._names.pop(call, None)  # it may get another
        directory, branch = self._branch(call, type)
        async with directory.pool.lease() as client:
            await changing.modify(Access(client, directory, branch), id, changes)
        return Stored(id=id)

    async def delete(
        self,
        call: Call,
        type: ResourceType,
        id: str,
        if_version: str | None,  # noqa: ARG002 - no versions were declared
    ) -> None:
        """Remove an entry."""
        directory, branch = self._branch(call, type)
        async with directory.pool.lease() as client:
            await changing.delete(Access(client, directory, branch), id)

    async def memberships(
        self, call: Call, user_ids: Sequence[str]
    ) -> Mapping[str, Sequence[GroupRef]]:
        """Look up the groups of users."""
        directory, branch = self._branch(call, self._mappings[USER.name].type)
        names = self._names.pop(call, {})
        async with _leased(directory, branch, "to look up groups") as at:
            return await groups.of_users(at, user_ids, names)

    async def close(self) -> None:
        """Close all connections."""
        self._cursors.close()
        for directory in self._directories.values():
            await directory.pool.close()

    def _remember(self, call: Call, branch: Branch, entries: Sequence[SearchEntry]) -> None:
        self._names[call] = {branch.identity.of(entry): entry.dn for entry in entries}

    def _branch(self, call: Call, type: ResourceType) -> tuple[Directory, Branch]:
        directory = self._directories.get(call.entity)
        if directory is None:
            raise NotFound(f"no base entity {call.entity!r}")
        return directory, directory.branches[type.name]


async def _filter(directory: Directory, branch: Branch, query: Query) -> Any:
    if query.filter is None:
        return branch.filter
    ids = ids_in(query.filter)
    references: Mapping[str, str] = {}
    if ids:
        async with _leased(directory, branch, "to read what the filter refers to") as at:
            references = await reading.to_dns(at, ids)
    return all_of([branch.filter, compiled(query.filter, branch.mapping, references)])


@asynccontextmanager
async def _leased(directory: Directory, branch: Branch, what: str) -> AsyncIterator[Access]:
    async with directory.pool.lease() as client:
        with translated(what):
            yield Access(client, directory, branch)


@contextmanager
def _owning(search: Open, what: str) -> Iterator[None]:
    """Use the connection of a search; whatever ends that, nobody else is disturbed by it."""
    try:
        with translated(what):
            yield
    except BaseException as error:
        if isinstance(error.__cause__, LdapError):
            search.pool.give_back(search.lease)
        else:
            search.pool.discard(search.lease)
        raise


def _mappings(config: Config, types: Sequence[ResourceType]) -> dict[str, tuple[Mapped, Identity]]:
    """Check the maps, and how entries are known; what is mapped is described by `types`.

    Raises: Misconfigured.
    """
    found: dict[str, tuple[Mapped, Identity]] = {}
    faults: list[tuple[str, str]] = []
    described = {type.name: type for type in types}
    for key, standard, rules in (
        ("user", described[USER.name], config.map.user),
        ("group", described[GROUP.name], config.map.group),
    ):
        if standard.name == GROUP.name and not rules:
            continue
        try:
            mapping = build(
                standard, rules, codec, (GROUPS,) if standard.name == USER.name else (KIND,)
            )
            found[standard.name] = (mapping, Identity((mapping.id_name or "").lower()))
        except Unmappable as unmappable:
            faults += [
                (f".map.{key}" + (f".{name}" if name else ""), fault)
                for name, fault in unmappable.faults
            ]
        except ValueError:
            fault = "one of dn, entryUUID, objectGUID must be mapped to id"
            faults.append((f".map.{key}", fault))
    if len({identity for _, identity in found.values()}) > 1:
        faults.append((".map", "users and groups must have the same attribute as their id"))
    if faults:
        raise Misconfigured(faults)
    return found


_conforms: type[Connector] = LdapConnector
