"""What can be changed without being read?

Most of what identity providers send says all that there is to know: a value is set, a member is
added.  Only what depends on the present value needs to be read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scimgw.scim.changes import Changes, assign, assign_values, joined, outcome
from scimgw.scim.filter import Compare, Filter, Operator, Or
from scimgw.scim.operation import Op, Operation
from scimgw.scim.path import Path
from scimgw.scim.places import places_of
from scimgw.scim.resource import is_primary
from scimgw.scim.schema import Mutability
from scimgw.scim.values import identity


def by_attribute(operations: Iterable[Operation]) -> dict[Path, list[Operation]]:
    """Sort operations by their whole attribute; those on different ones don't interfere."""
    grouped: dict[Path, list[Operation]] = {}
    for operation in operations:
        grouped.setdefault(operation.path.root, []).append(operation)
    return grouped


def direct(operations: list[Operation]) -> Changes | None:
    """Work out the changes to one attribute without knowing its value; None if they need it."""
    attribute = operations[0].path.attribute
    if attribute.mutability is Mutability.IMMUTABLE:
        return None
    if attribute.multi_valued:
        return _direct_values(operations)
    return None if any(map(_builds_on, operations)) else _last(operations)


def _builds_on(operation: Operation) -> bool:
    """Whether what an operation makes of a singular attribute depends on what it was."""
    leaf = operation.path.leaf
    adding = operation.op is Op.ADD and leaf.multi_valued
    return adding or leaf.mutability is Mutability.IMMUTABLE


def _last(operations: list[Operation]) -> Changes:
    last = {
        operation.path: None if operation.op is Op.REMOVE else operation.value
        for operation in operations
    }
    return joined(assign(path, value) for path, value in last.items())


def _direct_values(operations: list[Operation]) -> Changes | None:
    root = operations[0].path.root
    own = places_of(root.container, root.attribute)
    if all(operation.path in own for operation in operations):
        return _last(operations)
    for place in range(len(operations), 0, -1):
        known, values = _overall(operations[place - 1])
        if known and all(map(_cannot_fail, operations[: place - 1])):
            # what came before doesn't matter, what comes after meets known values
            return assign_values(root, _from_known(root, values or [], operations[place:]) or [])
    booked = _ledger(root, operations) if root.attribute.plain else None
    if booked is None:
        return None
    added, removed = (list(values.values()) for values in booked)
    return Changes(add={root: added} if added else {}, remove={root: removed} if removed else {})


def _from_known(root: Path, values: list[Any], operations: list[Operation]) -> Any:
    """Carry operations out on known values; on a plain attribute in time linear in all of them."""
    booked = _ledger(root, operations) if root.attribute.plain else None
    if booked is None:
        return outcome(root, operations, values or None)
    added, removed = booked
    key = identity(root.attribute)
    kept = {key(value): value for value in values if key(value) not in removed}
    return [*kept.values(), *(value for k, value in added.items() if k not in kept)] or None


def _overall(operation: Operation) -> tuple[bool, Any]:
    """Whether an operation sets all values of its attribute, and to what."""
    whole_attribute = operation.path.filter is None and operation.path.sub is None
    if whole_attribute and operation.op is Op.REPLACE:
        return True, operation.value or None
    return whole_attribute and operation.op is Op.REMOVE and operation.value is None, None


def _cannot_fail(operation: Operation) -> bool:
    """Whether an operation is carried out whatever the value of its attribute.

    Of several values that are added one may be primary, and another be there as primary already.
    """
    path = operation.path
    if operation.op is Op.REMOVE:
        return True
    if path.filter is not None or path.sub is not None:
        return False
    values = operation.value or []
    return operation.op is Op.REPLACE or len(values) == 1 or not any(map(is_primary, values))


_Book = dict[Any, Any]
"""Values by what makes them the values that they are."""


def _ledger(root: Path, operations: list[Operation]) -> tuple[_Book, _Book] | None:
    """Book what is added to and removed from a plain attribute; None if that isn't all."""
    key = identity(root.attribute)
    added: _Book = {}
    removed: _Book = {}
    for operation in operations:
        values = _listed(operation)
        if values is None:
            return None
        gaining, losing = (added, removed) if operation.op is Op.ADD else (removed, added)
        for value in values:
            losing.pop(key(value), None)
            gaining.setdefault(key(value), value)
    return added, removed


def _listed(operation: Operation) -> list[Any] | None:
    """Name the values that an operation on a plain attribute is about; None if it doesn't."""
    if operation.path.sub is not None:
        return None
    if operation.path.filter is None:
        listed: list[Any] | None = operation.value
        return listed
    if operation.op is not Op.REMOVE:
        return None
    values = _equal_values(operation.path.filter)
    if values is None or not operation.path.attribute.is_complex:
        return values
    return [{"value": value} for value in values]


def _equal_values(filter: Filter) -> list[Any] | None:
    """Read `value eq "a" or value eq "b"`."""
    terms = filter.terms if isinstance(filter, Or) else (filter,)
    values = []
    for term in terms:
        match term:
            case Compare(path, Operator.EQ, value) if path.attribute.name == "value":
                values.append(value)
            case _:
                return None
    return values
