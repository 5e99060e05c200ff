"""Which records need be looked at to answer a filter?

What an index answers is not looked at again; where none helps, everything is.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from attrs import frozen

from connectors.loki.table import MEMBERS, Table
from scimgw.scim.filter import And, Compare, Filter, Operator, Or, ValuePath, conjunction
from scimgw.scim.path import Path


@frozen
class Plan:
    """The ids of the candidates (None: all), and what is still to be checked (None: nothing)."""

    ids: AbstractSet[str] | None = None
    rest: Filter | None = None


@frozen
class Tables:
    """Where indexes are looked up: the table asked, and that of the groups."""

    asked: Table
    groups: Table | None


def plan(filter: Filter, tables: Tables) -> Plan:
    """Answer as much of a filter as indexes can."""
    terms = filter.terms if isinstance(filter, And) else (filter,)
    ids: AbstractSet[str] | None = None
    rest: list[Filter] = []
    for term in terms:
        found = _found(term, tables)
        if found is None:
            rest.append(term)
        else:
            ids = found if ids is None else ids & found
    return Plan(ids, conjunction(rest) if rest else None)


def _found(term: Filter, tables: Tables) -> AbstractSet[str] | None:
    """Give the ids of exactly the records that a term selects, None if no index tells."""
    match term:
        case Compare(path, Operator.EQ, value):
            return _equal(path, value, tables)
        case ValuePath(path, Compare(inner, Operator.EQ, value)) if path.attribute.is_complex:
            return _equal(path.to(inner.attribute), value, tables)
        case Or(terms):
            found = [_found(each, tables) for each in terms]
            known = [ids for ids in found if ids is not None]
            return frozenset().union(*known) if len(known) == len(found) else None
        case _:
            return None


def _equal(path: Path, value: object, tables: Tables) -> AbstractSet[str] | None:
    name = str(path)
    if name == "id":
        return frozenset({str(value)})
    if name == f"{MEMBERS}.value" and tables.asked.members is not None:
        return frozenset(tables.asked.memberships.of_member(str(value)))
    if name == "groups.value" and tables.groups is not None:
        return frozenset(
            member["value"] for member in tables.groups.memberships.of_group(str(value))
        )
    index = tables.asked.index(name)
    return None if index is None else _set(index.find(index.key(value)))


def _set(ids: Iterable[str]) -> AbstractSet[str]:
    return ids if isinstance(ids, AbstractSet) else frozenset(ids)
