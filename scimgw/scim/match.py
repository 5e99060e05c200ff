"""Which resources does a filter select, and in what order do they come?

RFC 7644 sections 3.4.2.2 and 3.4.2.3.  Filters become closures once, so that a scan pays no
interpretation.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, assert_never

from scimgw.errors import InvalidValue, Sensitive
from scimgw.scim.filter import And, Compare, Filter, Not, Operator, Or, Present, ValuePath
from scimgw.scim.path import Path
from scimgw.scim.schema import Attribute
from scimgw.scim.values import comparable, unassigned

Data = Mapping[str, Any]
Predicate = Callable[[Data], bool]

_COMPARISONS: Final[Mapping[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.CO: operator.contains,
    Operator.SW: str.startswith,
    Operator.EW: str.endswith,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
}


def predicate(filter: Filter) -> Predicate:
    """Compile a filter into a function of a resource's data."""
    match filter:
        case Compare():
            return _compare(filter)
        case Present(path):
            return _present(path)
        case ValuePath(path, inner):
            return _value_path(path, inner)
        case And(terms):
            return _all(tuple(map(predicate, terms)))
        case Or(terms):
            return _any(tuple(map(predicate, terms)))
        case Not(term):
            matches = predicate(term)
            return lambda data: not matches(data)
        case _:
            assert_never(filter)


def _all(tests: tuple[Predicate, ...]) -> Predicate:
    return lambda data: all(test(data) for test in tests)


def _any(tests: tuple[Predicate, ...]) -> Predicate:
    return lambda data: any(test(data) for test in tests)


def _compare(filter: Compare) -> Predicate:
    values = reader(filter.path)
    key = comparable(filter.path.leaf)
    expected = key(filter.value)
    compare = _COMPARISONS[filter.operator]
    without_value = filter.operator is Operator.NE

    def matches(data: Data) -> bool:
        found = values(data)
        if not found:
            return without_value
        return any(compare(key(value), expected) for value in found)

    return matches


def _present(path: Path) -> Predicate:
    values = reader(path)
    return lambda data: any(not unassigned(value) for value in values(data))


def _value_path(path: Path, inner: Filter) -> Predicate:
    values = reader(path)
    matches = element_predicate(path, inner)
    return lambda data: any(matches(element) for element in values(data))


def element_predicate(path: Path, filter: Filter) -> Callable[[Any], bool]:
    """Compile a value filter into a function of one value of the attribute that the path names."""
    matches = predicate(filter)
    if path.attribute.is_complex:
        return matches
    return lambda value: matches({"value": value})


def reader(path: Path) -> Callable[[Data], Sequence[Any]]:
    """Give the function that finds the values at a path in a resource's data."""
    elements = _selected(path) if path.filter is not None else _of_attribute(path)
    if path.sub is None:
        return elements
    within = _within(path.sub)
    return lambda data: within(elements(data))


def _within(sub: Attribute) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Give the function that finds the values of a sub-attribute in those of its attribute."""
    name = sub.name
    if sub.multi_valued:
        return lambda elements: [each for element in elements for each in element.get(name, ())]
    return lambda elements: [element[name] for element in elements if name in element]


def _of_attribute(path: Path) -> Callable[[Data], Sequence[Any]]:
    name = path.attribute.name
    values = _values_of_many(name) if path.attribute.multi_valued else _values_of_one(name)
    container = path.container
    return values if container is None else lambda data: values(data.get(container, {}))


def _selected(path: Path) -> Callable[[Data], Sequence[Any]]:
    assert path.filter is not None
    values = _of_attribute(path)
    matches = element_predicate(path, path.filter)
    return lambda data: [element for element in values(data) if matches(element)]


def _values_of_one(name: str) -> Callable[[Data], Sequence[Any]]:
    return lambda data: (data[name],) if name in data else ()


def _values_of_many(name: str) -> Callable[[Data], Sequence[Any]]:
    def values(data: Data) -> Sequence[Any]:
        found: Sequence[Any] = data.get(name, ())
        return found

    return values


def paths(filter: Filter) -> frozenset[Path]:
    """Name the whole attributes that a filter looks at."""
    match filter:
        case Compare(path) | Present(path) | ValuePath(path):
            return frozenset({path.root})
        case And(terms) | Or(terms):
            return frozenset().union(*map(paths, terms))
        case Not(term):
            return paths(term)
        case _:
            assert_never(filter)


SortKey = tuple[bool, Any]


def sort_path(path: Path) -> Path:
    """Check that resources can be sorted by what a path names.

    Raises: InvalidValue; Sensitive if it is never returned.
    """
    _check_shown(path)
    if path.leaf.computed:
        raise InvalidValue(f"sortBy: {path} is made for each answer and can't be sorted by")
    if not path.leaf.is_complex:
        return path
    if path.attribute.value is None:
        raise InvalidValue(f"sortBy: {path} is complex; name one of its sub-attributes")
    path = path.to(path.attribute.value)
    _check_shown(path)
    return path


def _check_shown(path: Path) -> None:
    if path.hidden:
        raise Sensitive(f"{path} is never returned and can't be sorted by")


def sort_key(path: Path) -> Callable[[Data], SortKey]:
    """Give the function that orders resources: ascending, those without a value last.

    Of a multi-valued attribute the primary value counts, else the first.
    """
    values = reader(path)
    key = comparable(path.leaf)
    if path.attribute.multi_valued and path.attribute.is_complex:
        values = _preferred(path)

    def sort_by(data: Data) -> SortKey:
        found = values(data)
        return (False, key(found[0])) if found else (True, 0)

    return sort_by


def _preferred(path: Path) -> Callable[[Data], Sequence[Any]]:
    elements = _of_attribute(path)
    name, within = path.leaf.name, _within(path.leaf)

    def values(data: Data) -> Sequence[Any]:
        having = [element for element in elements(data) if name in element]
        return within([each for each in having if each.get("primary")] or having[:1])

    return values
