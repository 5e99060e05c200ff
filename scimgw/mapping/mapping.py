"""How do an endpoint's attributes become a SCIM resource, and its changes become theirs?"""

from __future__ import annotations

import collections.abc
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any, Final

from attrs import field, frozen

from scimgw.errors import InvalidValue
from scimgw.mapping.codec import Codec, text_codec
from scimgw.mapping.rule import Rule, Unmappable
from scimgw.mapping.target import VALUE, Target, Untargeted, find
from scimgw.mapping.types import reduced
from scimgw.scim.changes import Changes
from scimgw.scim.match import reader
from scimgw.scim.path import Path, resolve
from scimgw.scim.places import KIND, kind_of, place
from scimgw.scim.schema import ResourceType
from scimgw.scim.values import show

ID: Final = "id"
Choose = Callable[[str, Rule, Any], Codec | None]
"""Gives the codec of an endpoint's attribute for a SCIM attribute, None if there is none."""
Entry = collections.abc.Mapping[str, Sequence[Any]]
"""What an endpoint holds of one resource: raw values by the attribute's name in lower case."""


class Kind(Enum):
    """What happens to an attribute of the endpoint."""

    REPLACE = "replace"
    ADD = "add"
    REMOVE = "remove"


@frozen
class Edit:
    """One change of one attribute of the endpoint; to replace by nothing clears it."""

    kind: Kind
    name: str
    values: tuple[Any, ...] = ()


@frozen(kw_only=True)
class Slot:
    """An attribute of the endpoint, and the SCIM path whose value it holds.

    many: whether it holds all values of a multi-valued attribute.
    joined: whether its several values are one text in SCIM.
    search: whether the endpoint can search by it.
    """

    name: str
    path: Path
    codec: Codec
    many: bool = False
    joined: bool = False
    search: bool = True
    key: str = field(init=False)
    """The name in lower case."""

    @key.default
    def _key(self) -> str:
        return self.name.lower()

    def read(self, raws: Sequence[Any]) -> Any:
        """Give SCIM's value of the raw ones, None if they mean that there is none.

        Raises: ValueError.
        """
        if not (self.many or self.joined):
            return self.codec.read(raws[0])
        values = [value for raw in raws if (value := self.codec.read(raw)) is not None]
        if self.joined:
            return ",".join(values) or None
        if self.path.attribute.is_complex:
            return [{VALUE: value} for value in values] or None
        return values or None

    def write(self, values: Iterable[Any]) -> tuple[Any, ...]:
        """Give the raw values of SCIM's: the elements of a list, or the one value.

        Raises: InvalidValue.
        """
        if self.many and self.path.attribute.is_complex:
            values = [element[VALUE] for element in values]
        elif self.joined:
            values = [part.strip() for text in values for part in text.split(",") if part.strip()]
        return tuple(map(self.write_one, values))

    def write_one(self, value: Any) -> Any:
        """Give the raw value of one of SCIM's.

        Raises: InvalidValue.
        """
        try:
            return self.codec.write(value)
        except ValueError as fault:
            shown = "a secret" if self.path.hidden else show(value)
            raise InvalidValue(f"{self.path} must be {fault}, not {shown}") from None


@frozen(kw_only=True, eq=False)
class Mapping:
    """The slots of one resource type, and the exact type that they make.

    `id_name` is the endpoint's attribute that is the id, None if no rule names one.
    """

    type: ResourceType
    slots: tuple[Slot, ...]
    id_name: str | None = None

    @cached_property
    def _by_path(self) -> dict[Path, list[Slot]]:
        found: dict[Path, list[Slot]] = {}
        for slot in self.slots:
            found.setdefault(slot.path, []).append(slot)
        return found

    def of(self, path: Path) -> Sequence[Slot]:
        """Give the slots that hold exactly what a path names."""
        return self._by_path.get(path, ())

    def compared(self, path: Path) -> Sequence[Slot]:
        """Give the slots whose values a filter on a path is about; none if none hold them."""
        return _compared(self, path)

    def names(self, attributes: frozenset[Path] | None) -> Sequence[str]:
        """Name what to fetch of the endpoint for some SCIM attributes (None: those by default)."""
        return _names(self, attributes)

    def to_scim(
        self, entry: Entry, unreadable: Callable[[Slot, ValueError], None]
    ) -> dict[str, Any]:
        """Make a resource's data, without id and schemas, of what the endpoint holds.

        A value that isn't what its rule says is left out, and `unreadable` is told.
        """
        data: dict[str, Any] = {}
        for slot in self.slots:
            raws = entry.get(slot.key)
            if not raws:
                continue
            try:
                value = slot.read(raws)
            except ValueError as fault:
                unreadable(slot, fault)
                continue
            if value is not None and value != "":
                _put(data, slot.path, value)
        return data

    def to_endpoint(self, data: collections.abc.Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
        """Give what the endpoint is to hold of a resource, by the attribute's name.

        Raises: InvalidValue, also if two SCIM attributes that share one of the endpoint differ.
        """
        written: dict[str, tuple[Any, ...]] = {}
        for slot in self.slots:
            values = reader(slot.path)(data)
            if values:
                _agree(written, slot, slot.write(values))
        return written

    def edits(self, changes: Changes) -> list[Edit]:
        """Say what is to change in the endpoint.

        Raises: InvalidValue, also if two SCIM attributes that share one of the endpoint differ.
        """
        replaced: dict[str, tuple[Any, ...]] = {}
        for path in sorted(changes.clear, key=str):
            for slot in self.of(path):
                _agree(replaced, slot, ())
        for path, value in changes.set.items():
            for slot in self.of(path):
                _agree(replaced, slot, slot.write(value if slot.many else [value]))
        edits = [Edit(Kind.REPLACE, name, values) for name, values in replaced.items()]
        for kind, parts in ((Kind.REMOVE, changes.remove), (Kind.ADD, changes.add)):
            for path, elements in parts.items():
                edits += [Edit(kind, slot.name, slot.write(elements)) for slot in self.of(path)]
        return edits


@lru_cache(maxsize=4096)
def _compared(mapping: Mapping, path: Path) -> tuple[Slot, ...]:
    def holds(slot: Slot) -> bool:
        if slot.path == path:
            return True
        if path.filter is not None or slot.path.root != path.root:
            return False
        if slot.many:
            return path.sub is None or path.sub is path.attribute.value
        return path.sub is None or path.sub is slot.path.sub

    return tuple(filter(holds, mapping.slots))


@lru_cache(maxsize=1024)
def _names(mapping: Mapping, attributes: frozenset[Path] | None) -> tuple[str, ...]:
    roots = None if attributes is None else {path.root for path in attributes}

    def wanted(slot: Slot) -> bool:
        return not slot.path.hidden and (roots is None or slot.path.root in roots)

    return tuple(dict.fromkeys(slot.name for slot in mapping.slots if wanted(slot)))


def _agree(written: dict[str, tuple[Any, ...]], slot: Slot, values: tuple[Any, ...]) -> None:
    held = written.setdefault(slot.name, values)
    if held != values:
        raise InvalidValue(
            f"{slot.path} differs from another attribute that the endpoint keeps in the same "
            f"place, {slot.name}"
        )


def _put(data: dict[str, Any], path: Path, value: Any) -> None:
    inside = data if path.container is None else data.setdefault(path.container, {})
    name = path.attribute.name
    if path.filter is not None and path.sub is not None:
        kind = kind_of(path)
        elements = inside.setdefault(name, [])
        element = next((each for each in elements if each[KIND] == kind), None)
        if element is None:
            element = {KIND: kind}
            elements.append(element)
        element[path.sub.name] = value
    elif path.sub is not None:
        inside.setdefault(name, {})[path.sub.name] = value
    else:
        inside[name] = value


# --- out of rules ---


def build(
    standard: ResourceType,
    rules: collections.abc.Mapping[str, Rule],
    choose: Choose = lambda _name, rule, leaf: text_codec(rule, leaf),
    computed: Sequence[str] = (),
) -> Mapping:
    """Check the rules of a resource type, and make the mapping that they describe.

    `computed` names attributes, and sub-attributes, that the connector works out itself.

    Raises: Unmappable.
    """
    builder = _Builder(standard, choose)
    targets = list(builder.targets(rules))
    if builder.faults:
        raise Unmappable(builder.faults)
    try:
        type = reduced(standard, [target for _, _, target in targets], computed)
    except ValueError as fault:
        raise Unmappable([("", str(fault))]) from None
    slots = [builder.slot(type, name, rule, target) for name, rule, target in targets]
    _twice(builder, slots)
    if builder.faults:
        raise Unmappable(builder.faults)
    found = tuple(slot for slot in slots if slot is not None)
    return Mapping(type=type, slots=found, id_name=builder.id_name)


@frozen
class _Builder:
    standard: ResourceType
    choose: Choose
    faults: list[tuple[str, str]] = field(init=False, factory=list)
    ids: list[str] = field(init=False, factory=list)

    @property
    def id_name(self) -> str | None:
        return self.ids[0] if self.ids else None

    def targets(
        self, rules: collections.abc.Mapping[str, Rule]
    ) -> Iterator[tuple[str, Rule, Target]]:
        for name, rule in rules.items():
            for text in rule.targets:
                if text == ID:
                    self.ids.append(name)
                    continue
                try:
                    yield name, rule, _checked(find(self.standard, text, rule), rule)
                except Untargeted as fault:
                    self.faults.append((name, str(fault)))
        for name in self.ids[1:]:
            self.faults.append((name, f"{self.ids[0]} is the id already"))

    def slot(self, type: ResourceType, name: str, rule: Rule, target: Target) -> Slot | None:
        path = _path(type, target)
        codec = self.choose(name, rule, target.leaf)
        if codec is None:
            self.faults.append((name, f"a value of type {rule.type} can't be {path}"))
            return None
        joined = rule.type == "array" and not target.many
        return Slot(
            name=name,
            path=path,
            codec=codec,
            many=target.many,
            joined=joined,
            search=rule.search and not joined,
        )


def _checked(target: Target, rule: Rule) -> Target:
    """Refuse what a rule can't mean.

    Raises: Untargeted.
    """
    name = target.attribute.name
    if name == "schemas":
        raise Untargeted("schemas is told by what the resource holds")
    if rule.type == "date" and rule.format is None:
        raise Untargeted("a date needs a format: generalizedTime, fileTime or iso")
    if target.leaf.computed:
        raise Untargeted(f"{name}.{target.leaf.name} is made for each answer")
    if target.many and not rule.many:
        raise Untargeted(f"{name} holds several values, and needs an array, not a {rule.type}")
    if not target.many and rule.type == "array" and rule.type_inbound is None:
        raise Untargeted(f'{name} takes one value: "typeInbound": "string" joins an array to one')
    computed = target.leaf.read_only or target.attribute.read_only
    if computed and name not in {"meta", "groups"}:
        raise Untargeted(f"{name} is readOnly")
    return target


def _path(type: ResourceType, target: Target) -> Path:
    """Find in the exact type what a target means."""
    text = target.attribute.name if target.urn is None else f"{target.urn}:{target.attribute.name}"
    root = resolve(type, text)
    if target.many or target.sub is None:
        return root
    sub = root.attribute.find(target.sub.name)
    assert sub is not None
    if target.kind is None:
        return root.to(sub)
    found = place(root, target.kind, sub)
    assert found is not None
    return found


def _twice(builder: _Builder, slots: Iterable[Slot | None]) -> None:
    first: dict[Path, str] = {}
    for slot in slots:
        if slot is not None and first.setdefault(slot.path, slot.name) != slot.name:
            builder.faults.append((slot.name, f"{first[slot.path]} maps to {slot.path} already"))
