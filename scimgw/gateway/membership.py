"""Which groups is a user in?

`groups` of a user is virtual: it is derived from the members of groups, for a whole page of users
at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from scimgw.connector import Call, GroupRef, Support
from scimgw.errors import NotFound, PartialWrite, ScimError
from scimgw.gateway.endpoint import Endpoint
from scimgw.scim.changes import Changes
from scimgw.scim.filter import And, Compare, Filter, Operator, ValuePath, conjunction
from scimgw.scim.path import resolve
from scimgw.scim.query import Query
from scimgw.scim.resource import Resource
from scimgw.scim.schema import ResourceType

GROUPS: Final = "groups"
MEMBERS: Final = "members"


@lru_cache(maxsize=256)
def has_groups(type: ResourceType) -> bool:
    """Whether resources of a type show their groups without holding them themselves."""
    attribute = type.find(GROUPS)
    return attribute is not None and attribute.read_only


@lru_cache(maxsize=256)
def has_members(type: ResourceType) -> bool:
    """Whether resources of a type have members as groups have, of whom there may be very many."""
    attribute = type.find(MEMBERS)
    return (
        attribute is not None
        and attribute.is_complex
        and attribute.multi_valued
        and attribute.plain
    )


async def with_groups(
    endpoint: Endpoint, call: Call, resources: Sequence[Resource]
) -> Sequence[Resource]:
    """Add their groups to the users of a page, unless the connector has brought them."""
    if not resources or not has_groups(resources[0].type):
        return resources
    if any(GROUPS in user.data for user in resources):
        return [user if user.data.get(GROUPS, True) else _without(user) for user in resources]
    found = await endpoint.connector.memberships(call, [user.id for user in resources])
    encoded: dict[int, dict[str, Any]] = {}
    return [
        _with(user, found[user.id], encoded) if found.get(user.id) else user for user in resources
    ]


def _without(user: Resource) -> Resource:
    """Leave the empty list out by which a connector says that there are none."""
    return Resource(user.type, {name: v for name, v in user.data.items() if name != GROUPS})


def _with(user: Resource, groups: Sequence[GroupRef], encoded: dict[int, Any]) -> Resource:
    """Add groups; `encoded` are values by which object they were: users share their groups."""
    values = [encoded.get(id(group)) or _encode(group, encoded) for group in groups]
    return Resource(user.type, {**user.data, GROUPS: values})


def _encode(group: GroupRef, encoded: dict[int, Any]) -> dict[str, Any]:
    value = {"value": group.value, "type": group.type}
    if group.display is not None:
        value["display"] = group.display
    encoded[id(group)] = value
    return value


def group_type(endpoint: Endpoint) -> ResourceType | None:
    """Find the resource type that has members."""
    return next((type for type in endpoint.types.values() if has_members(type)), None)


async def members_of_filtered_group(
    endpoint: Endpoint, call: Call, type: ResourceType, filter: Filter
) -> tuple[tuple[str, ...], Filter | None] | None:
    """Turn `groups.value eq "id"` into the ids of members; None if the filter hasn't it.

    Gives the ids, and what of the filter is left.
    """
    holder = group_type(endpoint)
    if holder is None or not has_groups(type):
        return None
    support = endpoint.capabilities[type].filter(resolve(type, f"{GROUPS}.value"), Operator.EQ)
    if support is not Support.NO:
        return None
    terms = filter.terms if isinstance(filter, And) else (filter,)
    for place, term in enumerate(terms):
        id = _demanded_group(term)
        if id is not None:
            rest = [*terms[:place], *terms[place + 1 :]]
            return await _members(endpoint, call, holder, id), conjunction(rest) if rest else None
    return None


def _demanded_group(term: Filter) -> str | None:
    """Read `groups.value eq "id"` or `groups[value eq "id"]`."""
    match term:
        case Compare(path, Operator.EQ, str(id)) if str(path) == f"{GROUPS}.value":
            return id
        case ValuePath(path, Compare(inner, Operator.EQ, str(id))) if (
            str(path) == GROUPS and str(inner) == "value"
        ):
            return id
        case _:
            return None


async def _members(
    endpoint: Endpoint, call: Call, holder: ResourceType, id: str
) -> tuple[str, ...]:
    query = Query(type=holder, ids=(id,), attributes=frozenset({resolve(holder, MEMBERS)}))
    page = await endpoint.connector.search(call, query)
    return tuple(
        member["value"] for group in page.resources for member in group.data.get(MEMBERS, ())
    )


async def leave_groups(endpoint: Endpoint, call: Call, id: str, groups: Sequence[GroupRef]) -> None:
    """Take a deleted resource out of its groups.

    Raises: PartialWrite, naming the groups that still hold it.
    """
    holder = group_type(endpoint)
    if holder is None:
        return
    members = resolve(holder, MEMBERS)
    left, failed = [], []
    cause = None
    for group in groups:
        try:
            changes = Changes(remove={members: [{"value": id}]})
            await endpoint.connector.modify(call, holder, group.value, changes, None)
            left.append(f"removal from group {group.value}")
        except NotFound:
            continue
        except ScimError as error:
            failed.append(f"removal from group {group.value}: {error.detail}")
            cause = error
    if failed:
        raise PartialWrite(
            f"{id} is deleted, but not from all its groups", ["deletion", *left], failed
        ) from cause
