"""How is an entry added, changed and removed?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import evolve

from connectors.ldap import dn as dns
from connectors.ldap import reading, writing
from connectors.ldap.account import account_of
from connectors.ldap.client import Client
from connectors.ldap.directory import Branch
from connectors.ldap.entries import ACTIVE, PASSWORD, wanted
from connectors.ldap.faults import told, translated
from connectors.ldap.filters import all_of, any_of, equal
from connectors.ldap.reading import Access
from connectors.ldap.request import (
    NO_ATTRIBUTES,
    PERMISSIVE_MODIFY,
    Kind,
    Modification,
    Scope,
    Search,
)
from connectors.ldap.result import LdapError, ResultCode, TransportError
from connectors.ldap.writing import Change, NewEntry
from scimgw.errors import InvalidValue, NotFound, PartialWrite, Uniqueness
from scimgw.mapping import Slot
from scimgw.scim.changes import Changes
from scimgw.scim.resource import Resource
from scimgw.scim.schema import Uniqueness as Within
from scimgw.scim.values import show

_ATTEMPTS: Final = 3
"""Times that a change of an account's state is tried while somebody else changes it too."""
_LONG_NAME: Final = 200
"""Octets; somewhere above OpenLDAP's database has no room, and says no more than `other`."""
_CHANGED_MEANWHILE: Final = frozenset(
    {
        ResultCode.NO_SUCH_ATTRIBUTE,
        ResultCode.CONSTRAINT_VIOLATION,
        ResultCode.ATTRIBUTE_OR_VALUE_EXISTS,
    }
)


async def add(at: Access, resource: Resource) -> str:
    """Add the entry of a new resource, and give its DN.

    Raises: Uniqueness, InvalidValue, PartialWrite.
    """
    what = f"to create a {resource.type.name}"
    with translated(what):
        references = await reading.to_dns(at, writing.referred(resource.data))
    entry = writing.new_entry(at.directory, at.branch, resource, references)
    if at.directory.open_ldap:
        await _check_unique(at, entry.attributes, None)
    try:
        with translated(what, writing=True):
            await _add(at, entry)
    except NotFound as fault:  # what isn't there is what the entry is below, or refers to
        raise InvalidValue(fault.detail) from fault
    if entry.password is not None:
        await _first_password(at.client, entry, what)
    return entry.dn


async def _add(at: Access, entry: NewEntry) -> None:
    try:
        await at.client.add(entry.dn, entry.attributes)
    except LdapError as error:
        size = len(dns.first_value(entry.dn).encode("utf-8", "surrogateescape"))
        if error.code == ResultCode.OTHER and size > _LONG_NAME:
            raise InvalidValue(
                f"a name of {size} octets is too long for {at.branch.naming}, which names the entry"
            ) from error
        raise


async def _first_password(client: Client, entry: NewEntry, what: str) -> None:
    """Set the password of a new entry, or take the entry back."""
    assert entry.password is not None
    try:
        try:
            await client.set_password(entry.dn, entry.password)
            if entry.afterwards:
                await client.modify(entry.dn, entry.afterwards)
        except LdapError as error:
            await client.delete(entry.dn)
            raise told(error, f"{what}: the password") from error
    except (LdapError, TransportError) as error:
        raise PartialWrite(f"{what}: {error}", ["the entry"], ["the password"]) from error


async def read_back(at: Access, dn: str) -> Resource:
    """Read what the directory made of a new entry.

    Raises: PartialWrite, if it can't be seen.
    """
    branch = at.branch
    kind = branch.mapping.type.name
    names = wanted(branch.mapping, branch.identity, None)
    search = Search(
        base=dn,
        scope=Scope.BASE,
        filter=branch.filter,
        attributes=names,
        controls=reading.controls_of(branch, names),
    )
    with translated(f"to read the new {kind}"):
        found = await at.client.search(search)
        if found.entries:
            return (await reading.resources(at, None, found.entries))[0]
    raise PartialWrite(
        f"the {kind} was created, but the configured filter doesn't select it",
        [f"creation of {dn}"],
        ["reading it back"],
    )


async def modify(at: Access, id: str, changes: Changes) -> None:
    """Change the entry of a resource.

    Raises: NotFound, Uniqueness, InvalidValue, Mutability, PartialWrite.
    """
    branch = at.branch
    what = f"to change {branch.mapping.type.name} {show(id)}"
    with translated(what):
        references = await reading.to_dns(at, writing.referred_in(changes))
        unknown = writing.removed_in(changes) - references.keys()
        references = {**references, **await reading.strangers(at, unknown)}
    for attempt in range(1, _ATTEMPTS + 1):
        with translated(what):
            entry = await reading.locate(at, id, _state(branch, changes))
        change = writing.change(at.directory, branch, entry, changes, references)
        if at.directory.open_ldap:
            await _check_unique(at, _replaced(change), entry.dn)
        try:
            with translated(what, writing=True):
                await _carry_out(at, entry.dn, change)
        except _Outdated as outdated:
            if attempt == _ATTEMPTS:
                raise told(outdated.error, what) from outdated
            continue
        return


class _Outdated(Exception):
    """The state of an account was changed by somebody else since it was read."""

    def __init__(self, error: LdapError) -> None:
        super().__init__(str(error))
        self.error = error


def _state(branch: Branch, changes: Changes) -> tuple[str, ...]:
    """Name the attribute that says whether the account is active, if that may change."""
    names = {path.attribute.name for path in (*changes.set, *changes.clear)}
    if names.isdisjoint({ACTIVE, PASSWORD}):
        return ()
    return tuple(slot.name for slot in branch.mapping.slots if account_of(slot.name))


def _replaced(change: Change) -> Mapping[str, tuple[bytes, ...]]:
    return {each.name.lower(): each.values for each in change.modifications}


async def _carry_out(at: Access, dn: str, change: Change) -> None:
    if change.modifications:
        await _modify(at, dn, change.modifications)
    if change.password is None:
        return
    try:
        await at.client.set_password(dn, change.password)
    except (LdapError, TransportError) as error:
        if not change.modifications:
            raise
        raise PartialWrite(
            f"to set the password: {error}", ["the other changes"], ["the password"]
        ) from error
    if not change.afterwards:
        return
    try:
        await at.client.modify(dn, change.afterwards)
    except (LdapError, TransportError) as error:
        raise PartialWrite(
            f"to disable the account again: {error}", ["the password"], ["active: false"]
        ) from error


async def _modify(at: Access, dn: str, modifications: Sequence[Modification]) -> None:
    """Modify an entry; to remove what isn't there, or add what is, or empty a group, is no fault.

    That is seen only once the directory has refused, since most often it isn't so.
    """
    try:
        await at.client.modify(dn, modifications, [PERMISSIVE_MODIFY])
    except LdapError as error:
        if any(map(_of_account, modifications)) and error.code in _CHANGED_MEANWHILE:
            raise _Outdated(error) from error
        again = await _mended(at, dn, modifications, error)
        if again == [*modifications]:
            if error.code == ResultCode.NO_SUCH_OBJECT and any(each.values for each in again):
                raise InvalidValue(told(error, "a reference to what isn't there").detail) from error
            raise
        if again:
            await _modify(at, dn, again)


async def _mended(
    at: Access, dn: str, modifications: Sequence[Modification], error: LdapError
) -> list[Modification]:
    """Give the modifications that a directory should take; the same ones, if it is right."""
    if error.code == ResultCode.OBJECT_CLASS_VIOLATION:
        return [*modifications, *writing.emptied(at.branch, modifications)]
    if error.code not in _HELD_OR_ABSENT:
        return [*modifications]
    needed = [await _needed(at.client, dn, each) for each in modifications]
    return [each for each in needed if each is not None]


_HELD_OR_ABSENT: Final = frozenset(
    # OpenLDAP's memberof, and Samba where values are DNs, don't heed PERMISSIVE_MODIFY
    {
        ResultCode.NO_SUCH_ATTRIBUTE,
        ResultCode.ATTRIBUTE_OR_VALUE_EXISTS,
        ResultCode.ENTRY_ALREADY_EXISTS,
        ResultCode.UNWILLING_TO_PERFORM,
    }
)


async def _needed(client: Client, dn: str, modification: Modification) -> Modification | None:
    """Leave of the values to be added those not there, of those to be removed those there."""
    if modification.kind is Kind.REPLACE or not modification.values:
        return modification
    held = await _held(client, dn, modification.name, modification.values)
    removing = modification.kind is Kind.DELETE
    values = tuple(each for each in modification.values if (each in held) is removing)
    return evolve(modification, values=values) if values else None


async def _held(client: Client, dn: str, name: str, values: Sequence[bytes]) -> set[bytes]:
    """Tell which of some values an attribute has, without reading what else it has."""

    async def asked(join: Callable[[Sequence[Any]], Any], some: Sequence[bytes]) -> bool:
        filter = join([equal(name, value) for value in some])
        search = Search(base=dn, scope=Scope.BASE, filter=filter, attributes=NO_ATTRIBUTES)
        return bool((await client.search(search)).entries)

    if len(values) <= reading.CHUNK:
        if await asked(all_of, values):
            return set(values)
        if len(values) == 1 or not await asked(any_of, values):
            return set()
    middle = len(values) // 2
    return await _held(client, dn, name, values[:middle]) | await _held(
        client, dn, name, values[middle:]
    )


def _of_account(modification: Modification) -> bool:
    return account_of(modification.name) is not None


async def delete(at: Access, id: str) -> None:
    """Remove the entry of a resource.

    Raises: NotFound, Conflict.
    """
    what = f"to delete {at.branch.mapping.type.name} {show(id)}"
    with translated(what):
        entry = await reading.locate(at, id, NO_ATTRIBUTES)
    with translated(what, writing=True):
        await at.client.delete(entry.dn)


async def _check_unique(
    at: Access, written: Mapping[str, tuple[bytes, ...]], own: str | None
) -> None:
    """Look whether another entry has a value that no two may have.

    Not every directory does: who writes the same at the same moment isn't seen.

    Raises: Uniqueness.
    """
    branch = at.branch
    for slot in _unique(branch):
        for value in written.get(slot.key, ()):
            search = Search(
                base=branch.base,
                filter=all_of([branch.filter, equal(slot.name, value)]),
                attributes=NO_ATTRIBUTES,
                page_size=2,
            )
            with translated(f"to look for another {slot.path}"):
                found = await at.client.search(search)
            if any(own is None or dns.normal(e.dn) != dns.normal(own) for e in found.entries):
                raise Uniqueness(
                    f"{slot.path} {show(value.decode())} is taken by another "
                    f"{branch.mapping.type.name}"
                )


def _unique(branch: Branch) -> list[Slot]:
    return [slot for slot in branch.mapping.slots if slot.path.leaf.uniqueness is not Within.NONE]
