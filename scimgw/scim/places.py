"""Which values of a multi-valued attribute have a place of their own?

Many endpoints hold no list of e-mail addresses, but one for work and one for home.  Such an
attribute is `one_per_type`: each of its types has one place for each sub-attribute, so that
`emails[type eq "work"].value` is set, cleared and compared like any singular attribute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from scimgw.errors import InvalidValue
from scimgw.scim.filter import Compare, Filter, Operator
from scimgw.scim.path import Path
from scimgw.scim.schema import Attribute, ResourceType
from scimgw.scim.values import fold, show

KIND = "type"
"""The sub-attribute that says in which place a value is."""


@lru_cache(maxsize=4096)
def places_of(container: str | None, attribute: Attribute) -> tuple[Path, ...]:
    """Name the places of an attribute; none if it isn't `one_per_type`."""
    kind = attribute.find(KIND)
    if not attribute.one_per_type or kind is None:
        return ()
    return tuple(
        Path(
            container=container,
            attribute=attribute,
            filter=Compare(Path(attribute=kind), Operator.EQ, name),
            sub=sub,
        )
        for name in kind.canonical_values
        for sub in attribute.sub_attributes
        if sub is not kind
    )


@lru_cache(maxsize=256)
def places(type: ResourceType) -> frozenset[Path]:
    """Name all places of a resource type."""
    return frozenset(
        path
        for container, attributes in type.containers()
        for attribute in attributes
        for path in places_of(container, attribute)
    )


def kind_of(place: Path) -> str:
    """Give the type of the value that has a place."""
    assert isinstance(place.filter, Compare), place
    return str(place.filter.value)


def place(path: Path, kind: object, sub: Attribute) -> Path | None:
    """Find the place of one sub-attribute of the value of a type, None if there is none."""
    wanted = fold(str(kind))
    own = places_of(path.container, path.attribute)
    return next((each for each in own if each.sub is sub and fold(kind_of(each)) == wanted), None)


def value_in(place: Path, elements: Sequence[Any]) -> Any:
    """Give what stands in a place, None if nothing does."""
    assert place.sub is not None
    kind, name = fold(kind_of(place)), place.sub.name
    return next((each.get(name) for each in elements if fold(each[KIND]) == kind), None)


def demanded_kind(attribute: Attribute, filter: Filter) -> str | None:
    """Read `type eq "work"`."""
    match filter:
        case Compare(path, Operator.EQ, str(kind)) if path.attribute is attribute.find(KIND):
            return kind
        case _:
            return None


def placed(attribute: Attribute, elements: Iterable[Any]) -> list[Any]:
    """Check that each value has a place; what says no more than its type is no value.

    Raises: InvalidValue.
    """
    kind = attribute.find(KIND)
    assert kind is not None
    free = {fold(name): name for name in kind.canonical_values}
    found = []
    for element in elements:
        name = free.pop(fold(element.get(KIND, "")), None)
        if name is None:
            raise InvalidValue(
                f"{attribute.name} has places for one value each of type "
                f"{', '.join(kind.canonical_values)}; none is left for type "
                f"{show(element.get(KIND))}"
            )
        if len(element) > 1:
            found.append({**element, KIND: name})
    return found
