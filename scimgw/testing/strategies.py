"""Which resources, filters and patches does a test try?

Hypothesis strategies made from schemas, so that they fit any resource type.  Values come from small
pools: what is searched for is to be found now and then.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from scimgw.scim.filter import (
    ORDERING,
    SUBSTRING,
    Compare,
    Filter,
    Not,
    Operator,
    Present,
    ValuePath,
    conjunction,
    disjunction,
)
from scimgw.scim.path import Path
from scimgw.scim.places import places
from scimgw.scim.schema import (
    TEXT,
    Attribute,
    AttributeType,
    Mutability,
    ResourceType,
    Returned,
)

TEXTS: Final = ("a", "A", "ab", "Ab", "b c", 'q"u\\o', "straße", "STRASSE", "*", "日本")
DATES: Final = ("2011-05-13T04:42:34Z", "2011-05-13T06:42:34+02:00", "2026-01-01T00:00:00.5Z")
JSON = dict[str, Any]


_POOLS: Final[Mapping[AttributeType, Sequence[Any]]] = {
    AttributeType.BOOLEAN: (True, False),
    AttributeType.INTEGER: (-2, 0, 1),
    AttributeType.DECIMAL: (-1.5, 0.0, 2.25),
    AttributeType.DATE_TIME: DATES,
    AttributeType.BINARY: tuple(base64.b64encode(text.encode()).decode() for text in TEXTS[:3]),
}


def pool(attribute: Attribute) -> Sequence[Any]:
    """Give the values that tests give a simple attribute."""
    return attribute.canonical_values[:2] or _POOLS.get(attribute.type, TEXTS)


def values(attribute: Attribute) -> SearchStrategy[Any]:
    """Give values of a simple attribute."""
    return st.sampled_from(pool(attribute))


def _member(attribute: Attribute) -> SearchStrategy[JSON]:
    subs = {sub.name: values(sub) for sub in attribute.sub_attributes if _sent(sub)}
    required = {
        sub.name: subs.pop(sub.name)
        for sub in attribute.sub_attributes
        if sub.name in subs and (sub.required or sub.name == "value")
    }
    return st.fixed_dictionaries(required, optional=subs).filter(bool)


def _sent(sub: Attribute) -> bool:
    """Whether clients send a sub-attribute that is then kept."""
    return not sub.read_only and not sub.computed


def _one_primary(elements: list[Any]) -> list[Any]:
    """Leave only the first value primary."""
    seen = False
    result = []
    for element in elements:
        kept = {**element, "primary": False} if seen and element.get("primary") else element
        seen = seen or bool(element.get("primary"))
        result.append(kept)
    return result


def contents(attribute: Attribute) -> SearchStrategy[Any]:
    """Give JSON for a whole attribute, as a client may send it."""
    one = _member(attribute) if attribute.is_complex else values(attribute)
    if not attribute.multi_valued:
        return one
    unique = _kind if attribute.one_per_type else _key if attribute.is_complex else None
    several = st.lists(one, min_size=1, max_size=3, unique_by=unique)
    return several.map(_one_primary) if attribute.is_complex else several


def _kind(element: Mapping[str, Any]) -> str:
    return str(element["type"])


def distinguishable(attribute: Attribute, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether an attribute can hold two elements side by side."""
    key = _kind if attribute.one_per_type else _key
    return key(one) != key(other)


def _key(element: Mapping[str, Any]) -> tuple[Any, ...]:
    if "value" not in element:
        return tuple(sorted((name, str(value)) for name, value in element.items()))
    return str(element["value"]).lower(), str(element.get("type", "")).lower()


def writable_attributes(type: ResourceType) -> list[Path]:
    """Name what clients may write and see again, except members, whose values must be ids."""
    return [
        Path(container=container, attribute=attribute)
        for container, attributes in type.containers()
        for attribute in attributes
        if attribute.name not in {"schemas", "members"}
        and attribute.mutability is Mutability.READ_WRITE
        and attribute.returned is Returned.DEFAULT
    ]


def bodies(type: ResourceType) -> SearchStrategy[JSON]:
    """Give resources as clients create them, without the attributes whose values must be unique."""
    paths = [
        path for path in writable_attributes(type) if path.attribute.uniqueness.value == "none"
    ]
    return st.lists(st.sampled_from(paths), unique_by=str, max_size=8).flatmap(_filled)


def _filled(paths: Sequence[Path]) -> SearchStrategy[JSON]:
    strategy = st.fixed_dictionaries({path: contents(path.attribute) for path in paths})
    return strategy.map(_nested)


def _nested(flat: Mapping[Path, Any]) -> JSON:
    body: JSON = {}
    for path, value in flat.items():
        inside = body if path.container is None else body.setdefault(path.container, {})
        inside[path.attribute.name] = value
    return body


def leaves(type: ResourceType) -> list[Path]:
    """Name every path that a filter may compare."""
    found = []
    for container, attributes in type.containers():
        for attribute in attributes:
            path = Path(container=container, attribute=attribute)
            if attribute.returned is Returned.NEVER or attribute.name in {"schemas", "id", "meta"}:
                continue
            subs = [path.to(sub) for sub in attribute.sub_attributes if not sub.computed]
            found += subs or [path]
    return found


def operators(attribute: Attribute) -> list[Operator]:
    """Name the operators that compare a simple attribute with a value."""
    if attribute.type in {AttributeType.BOOLEAN, AttributeType.BINARY}:
        return [Operator.EQ, Operator.NE]
    textual = [*SUBSTRING] if attribute.type in TEXT else []
    ordering = sorted((*ORDERING, *textual), key=lambda operator: operator.value)
    return [Operator.EQ, Operator.NE, *ordering]


def _tests(path: Path, ids: Sequence[str]) -> SearchStrategy[Filter]:
    """Compare one path, or ask whether it has a value."""
    wanted = values(path.leaf)
    if str(path) in {"members.value", "groups.value"}:
        wanted = st.sampled_from([*ids, "nobody"])
    compared = st.builds(Compare, st.just(path), st.sampled_from(operators(path.leaf)), wanted)
    return st.one_of(compared, compared, st.just(Present(path)))


def _value_paths(path: Path) -> SearchStrategy[Filter]:
    subs = st.sampled_from([sub for sub in path.attribute.sub_attributes if not sub.computed])
    tests = subs.flatmap(lambda sub: _tests(Path(attribute=sub), ()))
    inner = st.lists(tests, min_size=1, max_size=2)
    return st.builds(
        lambda terms, join: ValuePath(path, join(terms)),
        inner,
        st.sampled_from([conjunction, disjunction]),
    )


def filters(type: ResourceType, ids: Sequence[str] = ()) -> SearchStrategy[Filter]:
    """Give filters over a resource type; `ids` are those of possible members and groups."""
    paths = leaves(type)
    roots = [
        Path(container=container, attribute=attribute)
        for container, attributes in type.containers()
        for attribute in attributes
        if attribute.multi_valued and attribute.is_complex
    ]
    simple = st.one_of(
        st.sampled_from(paths).flatmap(lambda path: _tests(path, ids)),
        st.sampled_from(roots).flatmap(_value_paths),
    )
    return st.recursive(
        simple,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(conjunction),
            st.lists(inner, min_size=2, max_size=3).map(disjunction),
            inner.map(Not),
        ),
        max_leaves=5,
    )


def comparisons(type: ResourceType) -> list[Compare | Present]:
    """Compare each path with values that there are, by each operator that its type allows."""
    filters: list[Compare | Present] = []
    for path in leaves(type):
        filters.append(Present(path))
        for operator in operators(path.leaf):
            filters += [Compare(path, operator, value) for value in pool(path.leaf)[:4]]
    return filters


def in_places(type: ResourceType) -> list[Filter]:
    """Compare what stands in each place by `ne`, which a value that lacks it meets."""
    return [
        ValuePath(
            place.root,
            conjunction(
                [
                    Compare(Path(attribute=place.leaf), Operator.NE, pool(place.leaf)[0]),
                    place.filter,
                ]
            ),
        )
        for place in sorted(places(type), key=str)
        if place.filter is not None and not place.leaf.computed
    ]


def sort_paths(type: ResourceType) -> SearchStrategy[Path]:
    """Give paths that resources can be sorted by."""
    return st.sampled_from(leaves(type))


def operations(type: ResourceType, members: Sequence[str] = ()) -> SearchStrategy[JSON]:
    """Give PATCH operations, as JSON; `members` are ids of possible members."""
    choices = [_attribute_operations(path) for path in writable_attributes(type)]
    if members and type.find("members") is not None:
        choices = [_member_operations(members)]
    return st.one_of(choices)


def _attribute_operations(path: Path) -> SearchStrategy[JSON]:
    attribute = path.attribute
    whole = st.builds(
        lambda op, value: {"op": op, "path": str(path), "value": value},
        st.sampled_from(["add", "replace"]),
        contents(attribute),
    )
    removals = st.just({"op": "remove", "path": str(path)})
    choices = [whole] if attribute.required else [whole, removals]
    if attribute.is_complex:
        subs = [sub for sub in attribute.sub_attributes if _sent(sub)]
        choices += [_sub_operations(path, sub) for sub in subs]
    return st.one_of(choices)


def _sub_operations(path: Path, sub: Attribute) -> SearchStrategy[JSON]:
    selected = st.just(str(path))
    if path.attribute.multi_valued:
        kinds = [each for each in path.attribute.sub_attributes if each.name in {"type", "value"}]
        tests = st.sampled_from(kinds).flatmap(
            lambda each: st.builds(
                Compare, st.just(Path(attribute=each)), st.just(Operator.EQ), values(each)
            )
        )
        selected = tests.map(lambda test: f"{path}[{test}]")
    given = st.builds(
        lambda op, where, value: {"op": op, "path": f"{where}.{sub.name}", "value": value},
        st.sampled_from(["add", "replace"]),
        selected,
        values(sub),
    )
    if sub.required and sub.name != "value":
        return given
    return given | selected.map(lambda where: {"op": "remove", "path": f"{where}.{sub.name}"})


def _member_operations(ids: Sequence[str]) -> SearchStrategy[JSON]:
    several = st.lists(st.sampled_from(ids), min_size=1, max_size=3, unique=True)
    listed = several.map(lambda chosen: [{"value": id} for id in chosen])
    return st.one_of(
        st.builds(
            lambda op, value: {"op": op, "path": "members", "value": value},
            st.sampled_from(["add", "replace", "remove"]),
            listed,
        ),
        st.sampled_from(ids).map(
            lambda member: {"op": "remove", "path": f'members[value eq "{member}"]'}
        ),
        st.just({"op": "remove", "path": "members"}),
        st.sampled_from(TEXTS).map(
            lambda text: {"op": "replace", "path": "displayName", "value": text}
        ),
    )
