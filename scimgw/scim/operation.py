"""What does one PATCH operation make of the value of its attribute?

RFC 7644 sections 3.5.2.1 to 3.5.2.3, on values: no resource, no JSON.  An attribute without a value
is None, a multi-valued one a list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

from attrs import frozen

from scimgw.errors import Mutability, NoTarget
from scimgw.scim.filter import And, Compare, Filter, Operator
from scimgw.scim.match import element_predicate
from scimgw.scim.path import Path
from scimgw.scim.places import placed, places_of
from scimgw.scim.resource import distinct, is_primary, one_primary
from scimgw.scim.schema import Attribute
from scimgw.scim.schema import Mutability as Characteristic
from scimgw.scim.values import comparable, identity


class Op(Enum):
    """What an operation does."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"


@frozen
class Operation:
    """One operation, its path resolved and its value checked.

    Of a singular attribute the path always ends at a simple one: what is said of a complex
    attribute is said of its sub-attributes.  The value is a list for all of a multi-valued
    attribute or sub-attribute, None where nothing is given.
    """

    op: Op
    path: Path
    value: Any = None


def apply(operation: Operation, current: Any) -> Any:
    """Give the attribute's value after the operation; `current` isn't changed.

    Raises: NoTarget, Mutability, InvalidValue.
    """
    path = operation.path
    if path.attribute.multi_valued:
        values = _apply_to_values(operation, current or []) or None
        check_immutable(path.root, current, values)
        return values
    if path.sub is None:
        return _apply_to_one(operation, current)
    return _with_member(
        current or {}, path.sub.name, _apply_to_one(operation, (current or {}).get(path.sub.name))
    )


def _apply_to_one(operation: Operation, current: Any) -> Any:
    leaf, after = operation.path.leaf, None if operation.op is Op.REMOVE else operation.value
    if operation.op is Op.ADD and leaf.multi_valued:
        after = distinct(leaf, [*(current or ()), *operation.value]) or None
    check_immutable(operation.path, current, after)
    return after


def check_immutable(path: Path, current: Any, after: Any) -> None:
    """Refuse to change what may be set only once.

    Raises: Mutability.
    """
    changed = current is not None and current != after
    if changed and Characteristic.IMMUTABLE in {path.attribute.mutability, path.leaf.mutability}:
        raise Mutability(f"{path} is immutable and has a value already")


def _with_member(element: Mapping[str, Any], name: str, value: Any) -> dict[str, Any] | None:
    if value is not None:
        return {**element, name: value}
    return {key: kept for key, kept in element.items() if key != name} or None


_Marked = tuple[Any, bool]
"""A value of a multi-valued attribute, and whether the operation touched it."""


def _apply_to_values(operation: Operation, current: list[Any]) -> list[Any]:
    path = operation.path
    step = _STEPS[operation.op] if path.filter is None and path.sub is None else _on_selected
    marked = step(operation, current)
    if any(touched and is_primary(element) for element, touched in marked):
        values = [_dethroned(element) if not touched else element for element, touched in marked]
    else:
        values = [element for element, _ in marked]
    if path.attribute.one_per_type:
        return placed(path.attribute, values)
    return one_primary(distinct(path.attribute, values), str(path.root))


def _dethroned(element: Any) -> Any:
    """Only one value is primary: the one that was made so last (RFC 7644 section 3.5.2)."""
    return {**element, "primary": False} if is_primary(element) else element


def _replace_all(operation: Operation, current: list[Any]) -> list[_Marked]:  # noqa: ARG001 - a step takes both
    return [(element, True) for element in operation.value or []]


def _add(operation: Operation, current: list[Any]) -> list[_Marked]:
    path, attribute = operation.path, operation.path.attribute
    key = identity(attribute)
    added = {key(element): element for element in operation.value or []}
    marked: list[_Marked] = []
    for held in current:
        new = added.pop(key(held), None)
        marked.append(
            (held if new is None or attribute.plain else _added(path, held, new), new is not None)
        )
    return marked + [(element, True) for element in added.values()]


def _remove(operation: Operation, current: list[Any]) -> list[_Marked]:
    """Remove all values, or those that resemble one of a list."""
    attribute, listed = operation.path.attribute, operation.value
    if listed is None:
        return []
    if attribute.plain:
        key = identity(attribute)
        gone = {key(element) for element in listed}
        return [(element, False) for element in current if key(element) not in gone]
    tests = [_resembles(attribute, element) for element in listed]
    return [(element, False) for element in current if not any(test(element) for test in tests)]


_STEPS: Final[Mapping[Op, Callable[[Operation, list[Any]], list[_Marked]]]] = {
    Op.ADD: _add,
    Op.REMOVE: _remove,
    Op.REPLACE: _replace_all,
}


def _added(path: Path, held: Any, new: Any) -> Any:
    """Add to a value what is said of it; what of it is immutable must be the same."""
    for sub in path.attribute.sub_attributes:
        if sub.name in new:
            check_immutable(path.to(sub), held.get(sub.name), new[sub.name])
    return _joined(held, new)


def _joined(held: Any, new: Any) -> Any:
    return {**held, **new} if isinstance(new, dict) else new


def _resembles(attribute: Attribute, wanted: Mapping[str, Any]) -> Callable[[Any], bool]:
    """Give the test for a listed value: what it leaves out doesn't matter."""
    subs = [sub for sub in attribute.sub_attributes if sub.name in wanted]
    keys = [(sub.name, _several(sub) if sub.multi_valued else comparable(sub)) for sub in subs]
    compared = [(name, key, key(wanted[name])) for name, key in keys]
    return lambda element: all(
        name in element and key(element[name]) == value for name, key, value in compared
    )


def _several(sub: Attribute) -> Callable[[Any], Any]:
    key = comparable(sub)
    return lambda values: {key(value) for value in values}


def _on_selected(operation: Operation, current: list[Any]) -> list[_Marked]:
    """Act on the values that the path's filter selects, all of them where it has none."""
    path = operation.path
    matches = _any if path.filter is None else element_predicate(path, path.filter)
    marked: list[_Marked] = []
    found = False
    for element in current:
        if not matches(element):
            marked.append((element, False))
            continue
        found = True
        after = _selected(operation, element)
        if after is not None:
            marked.append((after, True))
    if not found and operation.op is not Op.REMOVE:
        marked.append((_created(operation), True))
    return marked


def _any(_: Any) -> bool:
    return True


def _selected(operation: Operation, element: Any) -> Any:
    """Give what a selected value becomes, None if it goes."""
    path, sub = operation.path, operation.path.sub
    # without its value, nothing of an element is left that would mean something
    if operation.op is Op.REMOVE and (sub is None or sub is path.attribute.value):
        return None
    if sub is not None:
        return _with_member(element, sub.name, _apply_to_one(operation, element.get(sub.name)))
    if operation.op is Op.REPLACE:
        return _joined(implied(path.filter), operation.value)
    return _added(path, element, operation.value)


def _given(operation: Operation) -> Any:
    sub = operation.path.sub
    return operation.value if sub is None else {sub.name: operation.value}


def _created(operation: Operation) -> Any:
    """Make the value that a filter describes and that isn't there.

    `add` does; `replace` must not, unless it is for a place, which is there without a value.

    Entra ID builds addresses and phone numbers that way, one sub-attribute at a time.
    """
    path = operation.path
    if path.filter is None:
        return _given(operation)
    element = _joined(implied(path.filter), _given(operation))
    missing = operation.op is Op.REPLACE and path not in places_of(path.container, path.attribute)
    if missing or not element_predicate(path, path.filter)(element):
        raise NoTarget(f"{path.root} has no value that matches [{path.filter}]")
    return element


def implied(filter: Filter | None) -> dict[str, Any]:
    """Give the sub-attributes that every value selected by a filter has."""
    match filter:
        case Compare(path, Operator.EQ, value):
            return {path.attribute.name: value}
        case And(terms):
            return {name: value for term in terms for name, value in implied(term).items()}
        case _:
            return {}
