"""How are entries found, and ids told from DNs?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, assert_never

from attrs import evolve, frozen
from twisted.internet.defer import CancelledError

from connectors.ldap import dn as dns
from connectors.ldap.ber import SearchEntry
from connectors.ldap.client import Client
from connectors.ldap.directory import Branch, Directory
from connectors.ldap.entries import (
    GROUPS,
    MEMBERS,
    reference_slots,
    to_resource,
    with_activity,
    with_displays,
    with_kinds,
)
from connectors.ldap.filters import all_of, any_of, equal
from connectors.ldap.identity import Identity, extended, is_dn, is_guid
from connectors.ldap.request import EXTENDED_DN, NO_ATTRIBUTES, Control, Scope, Search
from connectors.ldap.result import LdapError, NoBase, ResultCode
from scimgw.errors import NotFound
from scimgw.mapping import Slot
from scimgw.scim.path import Path, resolve
from scimgw.scim.resource import Resource
from scimgw.scim.schema import GROUP

PAGE: Final = 200
"""Entries fetched at once: more would keep the reactor for long while they are decoded."""
CHUNK: Final = 100
"""Entries named in one filter."""


async def everything(client: Client, search: Search) -> list[SearchEntry]:
    """Give all that a search finds, page by page."""
    entries: list[SearchEntry] = []
    cookie = b""
    while True:
        try:
            found = await client.search(search.after(cookie))
        except CancelledError:
            # OpenLDAP, when it gets round to it, forgets the next paged search of the connection
            client.abort()
            raise
        entries += found.entries
        cookie = found.cookie
        if not cookie:
            return entries


@frozen
class Access:
    """A connection to a directory, and the branch that it is used for."""

    client: Client
    directory: Directory
    branch: Branch


async def by_ids(at: Access, ids: Sequence[str], attributes: tuple[str, ...]) -> list[SearchEntry]:
    """Find the entries of some ids, as far as they are resources of the branch."""
    branch = at.branch
    search = Search(
        base=branch.base,
        filter=branch.filter,
        attributes=attributes,
        controls=controls_of(branch, attributes),
    )
    if branch.identity is Identity.DN and len(ids) == 1:
        return await _by_dn(at.client, branch, search, ids[0])
    entries: list[SearchEntry] = []
    for few in _chunks(ids):
        chosen = branch.identity.selecting(few, open_ldap=at.directory.open_ldap)
        found = await at.client.search(evolve(search, filter=all_of([branch.filter, chosen])))
        entries += found.entries
    return entries


async def _by_dn(client: Client, branch: Branch, search: Search, id: str) -> list[SearchEntry]:
    if not is_dn(id) or not dns.is_under(id, branch.base):
        return []
    try:
        return [*(await client.search(evolve(search, base=id, scope=Scope.BASE))).entries]
    except LdapError as error:
        if _ends_above(branch.base, error):
            raise NoBase(branch.base, error) from error
        if error.code in {ResultCode.NO_SUCH_OBJECT, ResultCode.INVALID_DN_SYNTAX}:
            return []
        raise


def _ends_above(base: str, error: LdapError) -> bool:
    """Whether it is the base already that isn't there, as far as the directory tells."""
    nearest = error.matched_dn
    if error.code != ResultCode.NO_SUCH_OBJECT or not nearest:
        return False
    try:
        return dns.is_under(base, nearest) and not dns.is_under(nearest, base)
    except ValueError:  # it needn't be a DN that is read here
        return False


async def locate(at: Access, id: str, attributes: tuple[str, ...]) -> SearchEntry:
    """Find the one entry that is to be changed.

    Raises: NotFound.
    """
    found = await by_ids(at, [id], attributes or NO_ATTRIBUTES)
    if not found:
        raise NotFound(f"{at.branch.mapping.type.name} {id!r} not found")
    return found[0]


async def to_dns(at: Access, ids: Iterable[str]) -> Mapping[str, str]:
    """Give the DNs of users and groups by their ids, those that there are."""
    found: dict[str, str] = {}
    left = list(ids)
    for branch in at.directory.branches.values():
        if not left:
            break
        if branch.identity is Identity.DN:
            found |= {id: id for id in left if is_dn(id) and dns.is_under(id, branch.base)}
        else:
            attribute = branch.identity.attribute
            assert attribute is not None
            entries = await by_ids(evolve(at, branch=branch), left, (attribute,))
            found |= {branch.identity.of(entry): entry.dn for entry in entries}
        left = [id for id in left if id not in found]
    return found


async def strangers(at: Access, ids: Iterable[str]) -> Mapping[str, str]:
    """Give the DNs of what is no user or group here, but known by such an id as a member."""
    if at.branch.identity is not Identity.OBJECT_GUID:
        return {id: id for id in ids if is_dn(id)}
    return {id: dn for id in ids if (dn := await _by_guid(at.client, id)) is not None}


async def _by_guid(client: Client, id: str) -> str | None:
    if not is_guid(id):
        return None
    search = Search(base=f"<GUID={id}>", scope=Scope.BASE, attributes=NO_ATTRIBUTES)
    try:
        found = await client.search(search)
    except LdapError as error:
        if error.code == ResultCode.NO_SUCH_OBJECT:
            return None
        raise
    return found.entries[0].dn if found.entries else None


async def to_ids(at: Access, names: Iterable[str]) -> Mapping[str, str]:
    """Give the ids of users and groups by their DNs in normal form, where ids are entryUUIDs."""
    found: dict[str, str] = {}
    left = list(dict.fromkeys(names))
    for branch in at.directory.branches.values():
        for few in _chunks(left):
            search = Search(
                base=branch.base,
                filter=any_of([equal("entryDN", name.encode()) for name in few]),
                attributes=(Identity.ENTRY_UUID.value,),
            )
            for entry in (await at.client.search(search)).entries:
                found[dns.normal(entry.dn)] = Identity.ENTRY_UUID.of(entry)
        left = [name for name in left if dns.normal(name) not in found]
    return found


async def resources(
    at: Access, attributes: frozenset[Path] | None, entries: Sequence[SearchEntry]
) -> list[Resource]:
    """Translate entries, with the ids of what they refer to."""
    branch = at.branch
    displays: dict[str, str] = {}
    kinds: dict[str, str] = {}
    ids: Mapping[str, str] = {}
    if branch.identity is Identity.ENTRY_UUID:
        ids = await to_ids(at, _referred(branch, entries))
    groups = at.directory.branches.get(GROUP.name)
    named = groups is not None and _is_named_by_display(groups)

    def to_id(slot: Slot, value: str) -> str:
        id, name = _identified(branch.identity, value, ids)
        referring = slot.path.attribute.name
        if named and referring == GROUPS:
            displays[id] = dns.first_value(name)
        elif referring == MEMBERS and (kind := at.directory.kind_of(name)) is not None:
            kinds[id] = kind
        return id

    found = [
        to_resource(branch.mapping, branch.identity, entry, to_id, branch.nobody)
        for entry in entries
    ]
    return [
        with_kinds(with_displays(with_activity(branch.mapping, each, attributes), displays), kinds)
        for each in found
    ]


def _referred(branch: Branch, entries: Sequence[SearchEntry]) -> Iterator[str]:
    keys = [slot.key for slot in reference_slots(branch.mapping)]
    return (
        value.decode()
        for entry in entries
        for key in keys
        for value in entry.attributes.get(key, ())
    )


def _identified(identity: Identity, value: str, ids: Mapping[str, str]) -> tuple[str, str]:
    """Give the id and the DN of a value; what is no user or group here is known by its DN."""
    match identity:
        case Identity.DN:
            return value, value
        case Identity.OBJECT_GUID:
            return extended(value)
        case Identity.ENTRY_UUID:
            return ids.get(dns.normal(value), value), value
        case _:
            assert_never(identity)


def _is_named_by_display(groups: Branch) -> bool:
    display = resolve(groups.mapping.type, "displayName")
    return any(slot.key == groups.naming.lower() for slot in groups.mapping.of(display))


def controls_of(branch: Branch, names: Sequence[str]) -> tuple[Control, ...]:
    """Ask for the GUIDs of what is referred to, where these are the ids."""
    if branch.identity is not Identity.OBJECT_GUID:
        return ()
    wanted = {name.lower() for name in names}
    refers = any(slot.key in wanted for slot in reference_slots(branch.mapping))
    return (EXTENDED_DN,) if refers else ()


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while few := list(islice(iterator, CHUNK)):
        yield few
