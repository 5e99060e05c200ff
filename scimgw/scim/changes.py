"""What is to change in a resource, said so that an endpoint can do it?

PATCH and PUT both become `Changes`: flat, minimal, the order of operations worked out.  Where the
attributes and the endpoint allow it, without reading the resource.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import field, frozen

from scimgw.errors import InvalidValue
from scimgw.scim.operation import Op, Operation, apply, check_immutable
from scimgw.scim.path import Path
from scimgw.scim.places import places_of, value_in
from scimgw.scim.resource import Resource, schemas_of
from scimgw.scim.schema import Attribute, Mutability, ResourceType
from scimgw.scim.values import identity, whole

MAX_COMPARISONS: Final = 25_000
"""Looks at values while operations on one attribute are carried out: 0.1 s at the worst."""


@frozen(kw_only=True)
class Changes:
    """Which paths get a value, lose it, gain or lose some of their values.

    set: the value of a singular simple attribute or sub-attribute, or the non-empty list of all
    values of a multi-valued one.
    clear: such paths that are to have no value.
    add, remove: values of multi-valued attributes; those to be removed go first.  To add one that
    is held, or to remove one that isn't, changes nothing; two values are the same if their
    `identity` is.

    Singular complex attributes appear as their sub-attributes only.  Of an attribute that has one
    value of each type the places appear, such as `emails[type eq "work"].value`, and no other
    attribute appears with a value filter.
    """

    set: Mapping[Path, Any] = field(factory=dict)
    clear: frozenset[Path] = frozenset()
    add: Mapping[Path, list[Any]] = field(factory=dict)
    remove: Mapping[Path, list[Any]] = field(factory=dict)

    def __bool__(self) -> bool:
        """Whether anything is to change."""
        return bool(self.set or self.clear or self.add or self.remove)


def joined(parts: Iterable[Changes]) -> Changes:
    """Put changes of different attributes together."""
    set_: dict[Path, Any] = {}
    clear: set[Path] = set()
    add: dict[Path, list[Any]] = {}
    remove: dict[Path, list[Any]] = {}
    for part in parts:
        set_.update(part.set)
        clear.update(part.clear)
        add.update(part.add)
        remove.update(part.remove)
    return Changes(set=set_, clear=frozenset(clear), add=add, remove=remove)


def assign(path: Path, value: Any) -> Changes:
    """Give a path a value, or none."""
    return Changes(clear=frozenset({path})) if value is None else Changes(set={path: value})


def value_at(data: Mapping[str, Any], root: Path) -> Any:
    """Give the value of a whole attribute in a resource's data, None if it has none."""
    inside = data if root.container is None else data.get(root.container, {})
    return inside.get(root.attribute.name)


def replay(operations: list[Operation], current: Any) -> Changes:
    """Carry out operations on the known value of their attribute.

    Raises: NoTarget, Mutability, InvalidValue, also if it would take too long.
    """
    root = operations[0].path.root
    return difference(root, current, outcome(root, operations, current))


def outcome(root: Path, operations: list[Operation], current: Any) -> Any:
    """Give what operations make of the known value of their attribute.

    Raises: NoTarget, Mutability, InvalidValue, also if it would take too long.
    """
    if _effort(root, operations, current) > MAX_COMPARISONS:
        raise InvalidValue(f"too many operations on {root}: make them several requests")
    after = current
    for operation in operations:
        after = apply(operation, after)
    if not root.attribute.multi_valued:
        check_immutable(root, current, after)
    _check_required(root, after)
    return after


def _effort(root: Path, operations: list[Operation], current: Any) -> int:
    """Bound how often values are looked at: once in each operation, or for each listed to go."""
    values = current if isinstance(current, list) else []
    listed = [each for each in operations if isinstance(each.value, list)]
    going = [] if root.attribute.plain else [each for each in listed if each.op is Op.REMOVE]
    rounds = len(operations) + sum(len(each.value) for each in going)
    return rounds * (len(values) + sum(len(each.value) for each in listed))


def _check_required(root: Path, after: Any) -> None:
    """Refuse values that lack what they must hold; only at the end, since parts come one by one."""
    for element in after if isinstance(after, list) else ():
        for sub in root.attribute.sub_attributes:
            if sub.must_stay and sub.name not in element:
                raise InvalidValue(f"{root}.{sub.name} is required")


def replacement(current: Resource, new: Resource) -> Changes:
    """Work out what PUT changes (RFC 7644 section 3.5.1).

    What is readOnly stays, also inside a complex attribute whose value stays; what is writeOnly or
    immutable stays if it is left out; everything else that is left out is cleared.

    Raises: Mutability.
    """
    parts = []
    for container, attributes in current.type.containers():
        for attribute in attributes:
            if attribute.read_only or attribute.name == "schemas":
                continue
            root = Path(container=container, attribute=attribute)
            before, after = value_at(current.data, root), value_at(new.data, root)
            parts.append(difference(root, before, _kept(root, before, after)))
    return joined(parts)


def _kept(root: Path, before: Any, after: Any) -> Any:
    """Give what is to stand after a PUT: the new value, and what clients needn't repeat."""
    attribute = root.attribute
    if attribute.is_complex and not attribute.multi_valued and before is not None:
        kept = _kept_members(root, before, after or {}) or None
        check_immutable(root, before, kept)
        return kept
    if after is None and attribute.mutability in {Mutability.WRITE_ONLY, Mutability.IMMUTABLE}:
        return before
    check_immutable(root, before, after)
    return after


def _kept_members(
    root: Path, before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, Any]:
    kept = {}
    same = before.get("value") == after.get("value")
    for sub in root.attribute.sub_attributes:
        held, value = before.get(sub.name), after.get(sub.name)
        if sub.computed:
            value = held
        elif sub.read_only:
            value = held if same and after else None
        elif (
            root.attribute.mutability is Mutability.IMMUTABLE
            or sub.mutability is Mutability.IMMUTABLE
        ):
            value = held if value is None else value
            check_immutable(root.to(sub), held, value)
        if value is not None:
            kept[sub.name] = value
    return kept


def difference(root: Path, before: Any, after: Any) -> Changes:
    """Work out the least that makes one value of an attribute the other."""
    if before == after:
        return Changes()
    attribute = root.attribute
    if attribute.multi_valued:
        return _values_difference(root, before or [], after or [])
    if not attribute.is_complex:
        return assign(root, after)
    subs = [
        sub
        for sub in attribute.sub_attributes
        if (before or {}).get(sub.name) != (after or {}).get(sub.name)
    ]
    return joined(assign(root.to(sub), (after or {}).get(sub.name)) for sub in subs)


def assign_values(root: Path, values: list[Any]) -> Changes:
    """Give a multi-valued attribute these values and no others."""
    own = places_of(root.container, root.attribute)
    if own:
        return joined(assign(place, value_in(place, values)) for place in own)
    return assign(root, values or None)


def _values_difference(root: Path, before: list[Any], after: list[Any]) -> Changes:
    own = places_of(root.container, root.attribute)
    if own:
        values = {place: (value_in(place, before), value_in(place, after)) for place in own}
        return joined(assign(place, new) for place, (old, new) in values.items() if old != new)
    if not after:
        return Changes(clear=frozenset({root}))
    key = identity(root.attribute) if root.attribute.plain else whole
    held = {key(element): element for element in before}
    wanted = {key(element): element for element in after}
    attribute = root.attribute
    added = [new for k, new in wanted.items() if k not in held or _differs(attribute, held[k], new)]
    removed = [
        old for k, old in held.items() if k not in wanted or _differs(attribute, old, wanted[k])
    ]
    if added and removed and not root.attribute.plain:
        return Changes(set={root: after})
    return Changes(add={root: added} if added else {}, remove={root: removed} if removed else {})


def _differs(attribute: Attribute, old: Any, new: Any) -> bool:
    """Whether two values with the same key differ in what may be changed."""
    return any(
        old.get(sub.name) != new.get(sub.name)
        for sub in attribute.sub_attributes
        if sub.mutability is Mutability.READ_WRITE
    )


def changed(type: ResourceType, data: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """Give a resource's data with changes carried out, and `schemas` up to date."""
    after = dict(data)
    for path in changes.clear:
        _carry_out(after, Operation(Op.REMOVE, path))
    for path, value in changes.set.items():
        _carry_out(after, Operation(Op.REPLACE if path.filter is None else Op.ADD, path, value))
    for path, values in changes.remove.items():
        key = identity(path.attribute)
        gone = {key(value) for value in values}
        kept = [held for held in value_at(after, path) or [] if key(held) not in gone]
        _put(after, path, kept or None)
    for path, values in changes.add.items():
        _carry_out(after, Operation(Op.ADD, path, values))
    after["schemas"] = schemas_of(type, after)
    return after


def _carry_out(data: dict[str, Any], operation: Operation) -> None:
    root = operation.path.root
    _put(data, root, apply(operation, value_at(data, root)))


def _put(data: dict[str, Any], root: Path, value: Any) -> None:
    if root.container is None:
        _put_member(data, root.attribute.name, value)
        return
    inside = dict(data.get(root.container, {}))
    _put_member(inside, root.attribute.name, value)
    _put_member(data, root.container, inside or None)


def _put_member(data: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        data.pop(name, None)
    else:
        data[name] = value
