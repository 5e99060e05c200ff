"""Which groups are some users in?

By what the directory keeps with the user, where that is mapped (`memberOf`); else by a search among
the groups, which gives back no other members than those (RFC 3876).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.ldap import dn as dns
from connectors.ldap import reading
from connectors.ldap.ber import SearchEntry
from connectors.ldap.directory import Branch
from connectors.ldap.entries import GROUPS, MEMBERS, wanted
from connectors.ldap.filters import all_of, any_of, equal, present
from connectors.ldap.reading import Access
from connectors.ldap.request import Search, matched_values
from scimgw.connector import GroupRef
from scimgw.mapping import Slot
from scimgw.scim.path import resolve
from scimgw.scim.schema import GROUP

Found = Mapping[str, Sequence[GroupRef]]
"""Groups by the ids of users."""


async def of_users(at: Access, ids: Sequence[str], names: Mapping[str, str]) -> Found:
    """Name the groups of users, in a number of searches that doesn't grow with that of either.

    `names` are DNs that are known already, by id.
    """
    users, groups = at.branch, at.directory.branches.get(GROUP.name)
    if users.mapping.of(resolve(users.mapping.type, GROUPS)):
        return await _by_user(at, ids)
    if groups is None:
        return {}
    return await _by_group(at, groups, ids, names)


async def _by_user(at: Access, ids: Sequence[str]) -> Found:
    users = at.branch
    asked = frozenset({resolve(users.mapping.type, GROUPS)})
    entries = await reading.by_ids(at, ids, wanted(users.mapping, users.identity, asked))
    found = await reading.resources(at, asked, entries)
    return {
        user.id: [
            GroupRef(value=each["value"], display=each.get("display"))
            for each in user.data.get(GROUPS, ())
        ]
        for user in found
    }


async def _by_group(
    at: Access, groups: Branch, ids: Sequence[str], names: Mapping[str, str]
) -> Found:
    (member,) = groups.mapping.of(resolve(groups.mapping.type, MEMBERS))
    (display,) = groups.mapping.of(resolve(groups.mapping.type, "displayName"))
    known = {id: names[id] for id in ids if id in names}
    if len(known) < len(ids):
        known |= await reading.to_dns(at, [id for id in ids if id not in known])
    if not known:
        return {}
    tests = [equal(member.name, name.encode()) for name in known.values()]
    others = (display.name, *filter(None, [groups.identity.attribute]))
    search = Search(
        base=groups.base,
        filter=all_of([groups.filter, any_of(tests)]),
        attributes=(member.name, *others),
        controls=(matched_values([*tests, *map(present, others)]),),
        page_size=reading.PAGE,
    )
    users = {dns.normal(name): id for id, name in known.items()}
    found: dict[str, list[GroupRef]] = {}
    for entry in await reading.everything(at.client, search):
        group = _reference(groups, display, entry)
        for value in entry.attributes.get(member.key, ()):
            id = users.get(dns.normal(value.decode()))
            if id is not None:
                found.setdefault(id, []).append(group)
    return found


def _reference(groups: Branch, display: Slot, entry: SearchEntry) -> GroupRef:
    names = entry.attributes.get(display.key)
    return GroupRef(
        value=groups.identity.of(entry), display=None if not names else display.read(names)
    )
