"""What must be written to a directory to create or change a resource?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from connectors.ldap import active_directory as ad
from connectors.ldap import dn as dns
from connectors.ldap.account import account_of
from connectors.ldap.ber import SearchEntry
from connectors.ldap.directory import Branch, Directory
from connectors.ldap.entries import ACTIVE, MEMBERS, reference_slots
from connectors.ldap.filters import REFERENCES
from connectors.ldap.request import Kind, Modification
from scimgw.errors import InvalidValue, Mutability
from scimgw.mapping import Edit, Slot
from scimgw.mapping import Kind as EditKind
from scimgw.scim.changes import Changes
from scimgw.scim.resource import Resource
from scimgw.scim.schema import USER
from scimgw.secret import Secret

USER_PASSWORD: Final = "userpassword"  # noqa: S105 - a name
_PERSONS: Final = frozenset({"person", "organizationalperson", "inetorgperson"})
_NEEDED_OF_PERSONS: Final = ("cn", "sn")

Dns = Mapping[str, str]
"""The DNs of the users and groups that are referred to, by id."""


@frozen(kw_only=True)
class NewEntry:
    """An entry to be added; where `password` is given it is set by an operation of its own."""

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]]
    password: Secret | None = None
    afterwards: tuple[Modification, ...] = ()
    """What is to be modified once the password is set."""


@frozen(kw_only=True)
class Change:
    """What is to be modified of an entry, and a password that is set by itself."""

    modifications: tuple[Modification, ...]
    password: Secret | None = None
    afterwards: tuple[Modification, ...] = ()
    """What is to be modified once the password is set."""


def name_of(resource: Resource) -> str:
    """Give the name that a resource must have: userName, or displayName of a group."""
    required = next(each.name for each in resource.type.schema.attributes if each.required)
    name: str = resource.data[required]
    return name


# --- new entries ---


def new_entry(
    directory: Directory, branch: Branch, resource: Resource, references: Dns
) -> NewEntry:
    """Describe the entry of a new resource.

    Raises: InvalidValue.
    """
    written = branch.mapping.to_endpoint(resource.data)
    attributes = {name.lower(): values for name, values in written.items()}
    for slot in reference_slots(branch.mapping):
        if slot.key in attributes:
            attributes[slot.key] = _to_dns(slot, attributes[slot.key], references)
    for name in [name for name in attributes if account_of(name) is not None]:
        del attributes[name]
    new = _New(
        name=name_of(resource),
        is_user=resource.type.name == USER.name,
        active=resource.data.get(ACTIVE, True),
        attributes=attributes,
    )
    naming = branch.naming.lower()
    attributes.setdefault(naming, (new.name.encode(),))
    dn = dns.child(branch.naming, attributes[naming][0].decode(), branch.base)
    complete = _for_open_ldap if directory.open_ldap else _for_active_directory
    attributes, password = complete(directory, branch, new)
    attributes["objectclass"] = tuple(each.encode() for each in branch.object_classes)
    return NewEntry(
        dn=dn,
        attributes=attributes,
        password=password,
        afterwards=() if password is None else _kept_out(branch, attributes),
    )


@frozen(kw_only=True)
class _New:
    """What the client says of a new entry; names of attributes are in lower case."""

    name: str
    is_user: bool
    active: bool
    attributes: ad.Attributes


def _for_open_ldap(_: Directory, branch: Branch, new: _New) -> tuple[ad.Attributes, Secret | None]:
    attributes = dict(new.attributes)
    if new.is_user and not _PERSONS.isdisjoint(map(str.lower, branch.object_classes)):
        for needed in _NEEDED_OF_PERSONS:
            attributes.setdefault(needed, (new.name.encode(),))
    if branch.empty_member is not None:
        for slot in _member_slots(branch):
            attributes.setdefault(slot.key, (branch.empty_member.encode(),))
    for slot in branch.mapping.slots:
        account = account_of(slot.name)
        if account is not None and not new.active:
            attributes[slot.key] = account.changed((), new.active)
    password = attributes.pop(USER_PASSWORD, None)
    return attributes, None if password is None else Secret(password[0].decode())


def _for_active_directory(
    directory: Directory, branch: Branch, new: _New
) -> tuple[ad.Attributes, Secret | None]:
    attributes = ad.with_country(new.attributes, _mapped(branch))
    if not new.is_user:
        return attributes, None
    if ad.PASSWORD in attributes:
        attributes[ad.PASSWORD] = (_password(directory, attributes[ad.PASSWORD][0]),)
    attributes = ad.new_user(
        attributes,
        new.name,
        branch.base,
        active=new.active,
        change=directory.must_change_password,
    )
    ad.check(attributes)
    return attributes, None


def _password(directory: Directory, value: bytes) -> bytes:
    if not directory.encrypted:
        raise InvalidValue(
            "password can't be set: Active Directory takes passwords over ldaps:// or StartTLS only"
        )
    return ad.password(value.decode())


def _mapped(branch: Branch) -> frozenset[str]:
    return frozenset(slot.key for slot in branch.mapping.slots)


def _member_slots(branch: Branch) -> Iterator[Slot]:
    return (slot for slot in branch.mapping.slots if slot.path.attribute.name == MEMBERS)


def _to_dns(slot: Slot, ids: tuple[bytes, ...], references: Dns) -> tuple[bytes, ...]:
    found = []
    for id in ids:
        dn = references.get(id.decode())
        if dn is None:
            raise InvalidValue(f"{slot.path}: {id.decode()!r} is no user or group here")
        found.append(dn.encode())
    return tuple(found)


# --- changes ---


def change(
    directory: Directory, branch: Branch, entry: SearchEntry, changes: Changes, references: Dns
) -> Change:
    """Describe the changes to an entry, of which the state of the account was fetched.

    Raises: InvalidValue, Mutability.
    """
    edits = branch.mapping.edits(changes)
    password = None
    modifications: list[Modification] = []
    for edit in _with_country(directory, branch, edits):
        key = edit.name.lower()
        if key == USER_PASSWORD and directory.open_ldap and edit.values:
            password = Secret(edit.values[0].decode())
        elif account_of(key) is not None:
            modifications += _account(entry, key, edit)
        elif not _names(entry, branch, edit):
            modifications += _modified(directory, branch, edit, references)
    return Change(
        modifications=tuple(modifications),
        password=password,
        afterwards=() if password is None else _kept_out(branch, _after(entry, modifications)),
    )


def _with_country(directory: Directory, branch: Branch, edits: list[Edit]) -> list[Edit]:
    if directory.open_ldap:
        return edits
    replaced = {e.name.lower(): e.values for e in edits if e.kind is EditKind.REPLACE}
    ad.check(replaced)
    complete = ad.with_country(replaced, _mapped(branch))
    return edits + [
        Edit(EditKind.REPLACE, name, values)
        for name, values in complete.items()
        if name not in replaced
    ]


def _account(entry: SearchEntry, key: str, edit: Edit) -> list[Modification]:
    """Take away the state that was read, and add the other: if it has changed since, this fails."""
    account = account_of(key)
    assert account is not None
    if not edit.values:
        raise InvalidValue("active can't be unassigned: an account is active, or it isn't")
    before = tuple(entry.attributes.get(key, ()))
    after = account.changed(before, edit.values[0] == b"TRUE")
    if before == after:
        return []
    gone = [Modification(Kind.DELETE, edit.name, before)] if before else []
    return gone + ([Modification(Kind.ADD, edit.name, after)] if after else [])


def _after(
    entry: SearchEntry, modifications: Sequence[Modification]
) -> Mapping[str, Sequence[bytes]]:
    """Give the state of an account as modifications leave it: each has but one value."""
    added = {each.name.lower(): each.values for each in modifications if each.kind is Kind.ADD}
    gone = {each.name.lower(): () for each in modifications if each.kind is Kind.DELETE}
    return {**entry.attributes, **gone, **added}


def _kept_out(
    branch: Branch, attributes: Mapping[str, Sequence[bytes]]
) -> tuple[Modification, ...]:
    """Say again that an account isn't active: OpenLDAP unlocks whoever gets a new password."""
    return tuple(
        Modification(Kind.REPLACE, slot.name, tuple(attributes[slot.key]))
        for slot in branch.mapping.slots
        if (account := account_of(slot.name)) is not None
        and not account.active(attributes.get(slot.key, ()))
    )


def _names(entry: SearchEntry, branch: Branch, edit: Edit) -> bool:
    """Whether an edit gives an entry the name that it has.

    Raises: Mutability, if it is to get another one.
    """
    if edit.name.lower() != branch.naming.lower():
        return False
    if edit.values != (dns.first_value(entry.dn).encode(),):
        raise Mutability(f"{edit.name} names the entry, and renaming isn't supported yet")
    return True


_KINDS: Final = {
    EditKind.REPLACE: Kind.REPLACE,
    EditKind.ADD: Kind.ADD,
    EditKind.REMOVE: Kind.DELETE,
}


def _modified(
    directory: Directory, branch: Branch, edit: Edit, references: Dns
) -> Iterator[Modification]:
    values: tuple[Any, ...] = edit.values
    slot = next((each for each in reference_slots(branch.mapping) if each.name == edit.name), None)
    if slot is not None and edit.kind is EditKind.REMOVE:
        values = tuple(
            dn.encode()
            for id in map(bytes.decode, values)
            if (dn := references.get(id)) is not None
        )
        if not values:
            return
    elif slot is not None:
        values = _to_dns(slot, values, references)
    nobody = branch.empty_member
    if slot is None or slot.path.attribute.name != MEMBERS or nobody is None:
        nobody = None
    if edit.name.lower() == ad.PASSWORD and values:
        values = (_password(directory, values[0]),)
    if edit.kind is EditKind.REPLACE and not values and nobody is not None:
        values = (nobody.encode(),)
    yield Modification(_KINDS[edit.kind], edit.name, values)


def referred(data: Mapping[str, Any]) -> frozenset[str]:
    """Name the ids of users and groups that a resource's data refer to."""
    return frozenset(
        str(element["value"])
        for inside in (data, *(each for each in data.values() if isinstance(each, dict)))
        for name, value in inside.items()
        if name in REFERENCES
        for element in (value if isinstance(value, list) else [value])
    )


def referred_in(changes: Changes) -> frozenset[str]:
    """Name the ids of users and groups that changes refer to."""
    found: set[str] = set()
    for parts in (changes.set, changes.add, changes.remove):
        for path, value in parts.items():
            if path.attribute.name in REFERENCES:
                elements = value if isinstance(value, list) else [{"value": value}]
                found |= {str(element["value"]) for element in elements}
    return frozenset(found)


def removed_in(changes: Changes) -> frozenset[str]:
    """Name the ids that changes take away."""
    return frozenset(
        str(element["value"])
        for path, elements in changes.remove.items()
        if path.attribute.name in REFERENCES
        for element in elements
    )


def emptied(branch: Branch, modifications: Sequence[Modification]) -> Sequence[Modification]:
    """Add to the removal of members the one that stands for none; nothing, where none is needed."""
    if branch.empty_member is None:
        return ()
    filled = any(
        each.kind is Kind.ADD and each.values == (branch.empty_member.encode(),)
        for each in modifications
    )
    return (
        ()
        if filled
        else tuple(
            Modification(Kind.ADD, slot.name, (branch.empty_member.encode(),))
            for slot in _member_slots(branch)
            if any(each.name == slot.name and each.kind is Kind.DELETE for each in modifications)
        )
    )
