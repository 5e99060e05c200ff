"""How does an entry of a directory become a resource?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from twisted.logger import Logger

from connectors.ldap import dn as dns
from connectors.ldap.account import Account, account_of
from connectors.ldap.ber import SearchEntry
from connectors.ldap.filters import is_reference
from connectors.ldap.identity import Identity
from scimgw.errors import TooMany
from scimgw.mapping import Codec, Rule, Slot, text_codec
from scimgw.mapping import Mapping as Mapped
from scimgw.scim.path import Path
from scimgw.scim.resource import Resource, schemas_of
from scimgw.scim.schema import Attribute

log = Logger()

ACTIVE: Final = "active"
PASSWORD: Final = "password"  # noqa: S105 - a name
GROUPS: Final = "groups"
MEMBERS: Final = "members"
KIND: Final = "members.type"
ToId = Callable[[Slot, str], str]
"""Gives the id of what an attribute's value names, as the directory gave the DN."""


def codec(name: str, rule: Rule, leaf: Attribute) -> Codec | None:
    """Choose how an attribute's octets are read and written, None if they can't be that."""
    account = account_of(name)
    if account is not None:
        return _account_codec(account)
    chosen = text_codec(rule, leaf)
    if chosen is None or rule.type == "binary":
        return chosen
    return Codec(
        lambda octets: chosen.read(octets.decode()), lambda value: _octets(chosen.write(value))
    )


def _octets(text: str) -> bytes:
    """Write text; Active Directory would keep a NUL, but compare only what is before it."""
    if "\0" in text:
        raise ValueError("text without a NUL")
    return text.encode()


def _account_codec(account: Account) -> Codec:
    return Codec(
        lambda octets: account.active([octets]), lambda value: b"TRUE" if value else b"FALSE"
    )


def wanted(
    mapping: Mapped, identity: Identity, attributes: frozenset[Path] | None
) -> tuple[str, ...]:
    """Name the attributes to fetch; there is always one, since none would mean all."""
    names = [*mapping.names(attributes)]
    if identity.attribute is not None:
        names.append(identity.attribute)
    return tuple(names) or ("1.1",)


@lru_cache(maxsize=64)
def reference_slots(mapping: Mapped) -> tuple[Slot, ...]:
    """Give the attributes that hold DNs."""
    return tuple(filter(is_reference, mapping.slots))


def to_resource(
    mapping: Mapped, identity: Identity, entry: SearchEntry, to_id: ToId, nobody: str | None
) -> Resource:
    """Translate an entry, of which perhaps only some attributes were fetched.

    Raises: TooMany, if the directory gave only a range of an attribute's values.
    """
    raws: Mapping[str, list[bytes]] = entry.attributes
    for slot in reference_slots(mapping):
        if any(name.startswith(f"{slot.key};range=") for name in raws):
            raise TooMany(
                f"{slot.name} of {entry.dn} has more values than the directory gives at once"
            )
        if slot.key in raws:
            values = _references(raws[slot.key], slot, to_id, nobody)
            raws = {**raws, slot.key: values}

    def unreadable(slot: Slot, fault: ValueError) -> None:
        log.warn(
            "{attribute} of {dn} isn't {path}: {fault}",
            attribute=slot.name,
            dn=entry.dn,
            path=str(slot.path),
            fault=str(fault),
        )

    found = mapping.to_scim(raws, unreadable)
    id = identity.of(entry)
    return Resource(mapping.type, {"schemas": schemas_of(mapping.type, found), "id": id, **found})


def _references(values: list[bytes], slot: Slot, to_id: ToId, nobody: str | None) -> list[bytes]:
    """Give ids for DNs, but for the one that stands for none."""
    texts = [value.decode() for value in values]
    if nobody is not None:
        name = dns.normal(nobody)
        texts = [text for text in texts if dns.normal(text) != name]
    return [to_id(slot, text).encode() for text in texts]


def with_activity(
    mapping: Mapped, resource: Resource, attributes: frozenset[Path] | None
) -> Resource:
    """Say of an account of which the directory says nothing that it is active."""
    account = next((found for slot in mapping.slots if (found := account_of(slot.name))), None)
    asked = attributes is None or any(path.attribute.name == ACTIVE for path in attributes)
    if account is None or not asked or ACTIVE in resource.data:
        return resource
    return Resource(resource.type, {**resource.data, ACTIVE: account.active(())})


def with_displays(resource: Resource, names: Mapping[str, str]) -> Resource:
    """Say of a user's groups that it is in them itself, and their names where they are known."""
    groups: list[dict[str, Any]] | None = resource.data.get(GROUPS)
    if not groups:
        return resource
    told = [{**group, **_display(names.get(group["value"])), "type": "direct"} for group in groups]
    return Resource(resource.type, {**resource.data, GROUPS: told})


def with_kinds(resource: Resource, kinds: Mapping[str, str]) -> Resource:
    """Say of members of what type they are, where that is known."""
    members: list[dict[str, Any]] | None = resource.data.get(MEMBERS)
    if not members or not kinds:
        return resource
    told = [
        {**each, "type": kinds[each["value"]]} if each["value"] in kinds else each
        for each in members
    ]
    return Resource(resource.type, {**resource.data, MEMBERS: told})


def _display(name: str | None) -> dict[str, str]:
    return {} if name is None else {"display": name}
