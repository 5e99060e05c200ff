"""What can an endpoint hold, given what its attributes map to?

The exact resource type: of the standard one what is mapped, and the attributes of one's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import evolve

from scimgw.mapping.target import VALUE, Target
from scimgw.scim.places import KIND
from scimgw.scim.schema import (
    COMMON,
    Attribute,
    Extension,
    ResourceType,
    Schema,
)

ALWAYS = frozenset({"schemas", "id", "meta"})
_KEPT_META = frozenset({"resourceType", "location", "version"})


def reduced(
    standard: ResourceType, targets: Iterable[Target], computed: Sequence[str]
) -> ResourceType:
    """Leave of a resource type what is mapped, and what is worked out.

    `computed` names what the connector works out, such as `groups` and `members.type`; the gateway
    does addresses.

    Raises: ValueError, saying what is wrong.
    """
    mapped: dict[str | None, dict[str, list[Target]]] = {}
    for target in targets:
        mapped.setdefault(target.urn, {}).setdefault(target.attribute.name, []).append(target)
    core = mapped.pop(None, {})
    for attribute in standard.schema.attributes:
        if attribute.required and attribute.name not in core:
            raise ValueError(f"{attribute.name} is required, and nothing maps to it")
    required = {each.schema.id for each in standard.extensions if each.required}
    extensions = [
        Extension(_extension(standard, urn, _held(standard, urn, inside)), urn in required)
        for urn, inside in mapped.items()
        if urn is not None
    ]
    attributes = tuple(_in_order(standard.schema.attributes, core, computed))
    return evolve(
        standard,
        schema=evolve(standard.schema, attributes=attributes),
        extensions=tuple(extensions),
        common=evolve(COMMON, attributes=tuple(_common(core))),
    )


def _extension(standard: ResourceType, urn: str, attributes: tuple[Attribute, ...]) -> Schema:
    known = standard.extension(urn)
    if known is not None:
        return evolve(known, attributes=attributes)
    name = urn.rstrip(":").rpartition(":")[2] or urn
    return Schema(id=urn, name=name, description="Attributes of one's own", attributes=attributes)


def _held(
    standard: ResourceType, urn: str, mapped: Mapping[str, list[Target]]
) -> tuple[Attribute, ...]:
    known = standard.extension(urn)
    return tuple(_in_order(() if known is None else known.attributes, mapped, ()))


def _in_order(
    standard: Sequence[Attribute], mapped: Mapping[str, list[Target]], computed: Sequence[str]
) -> Iterator[Attribute]:
    names = [attribute.name for attribute in standard]
    for attribute in standard:
        if attribute.name in computed:
            yield attribute
        elif attribute.name in mapped:
            yield _with_computed(_attribute(mapped[attribute.name]), attribute, computed)
    for name, targets in mapped.items():
        if name not in names and COMMON.find(name) is None:
            yield _attribute(targets)


def _with_computed(found: Attribute, standard: Attribute, computed: Sequence[str]) -> Attribute:
    """Add what is worked out of what is mapped: by the connector, and addresses by the gateway."""
    if found.value is None:
        return found
    subs = tuple(
        evolve(sub, computed=True)
        for sub in standard.sub_attributes
        if sub is standard.address or f"{standard.name}.{sub.name}" in computed
    )
    return evolve(found, sub_attributes=(*found.sub_attributes, *subs))


def _common(core: Mapping[str, list[Target]]) -> Iterator[Attribute]:
    for attribute in COMMON.attributes:
        if attribute.name == "meta":
            shown = _KEPT_META | {
                target.sub.name for target in core.get("meta", ()) if target.sub is not None
            }
            subs = tuple(sub for sub in attribute.sub_attributes if sub.name in shown)
            yield evolve(attribute, sub_attributes=subs)
        elif attribute.name in ALWAYS or attribute.name in core:
            yield attribute


def _attribute(targets: list[Target]) -> Attribute:
    """Leave of one attribute what is mapped.

    Raises: ValueError.
    """
    attribute = targets[0].attribute
    if not attribute.is_complex:
        return attribute
    subs = _subs(targets)
    if not attribute.multi_valued:
        return evolve(attribute, sub_attributes=tuple(subs))
    kinds = list(dict.fromkeys(target.kind for target in targets if target.kind is not None))
    if not kinds:
        only = tuple(evolve(sub, required=True) for sub in subs)
        return evolve(attribute, sub_attributes=only)
    if any(target.kind is None for target in targets):
        raise ValueError(f"{attribute.name} can't be both a list and have a place for each type")
    return _with_places(attribute, targets, subs, kinds)


def _subs(targets: list[Target]) -> list[Attribute]:
    """Give the parts that are mapped, in the order of the schema."""
    wanted = {target.sub.name: target.sub for target in targets if target.sub is not None}
    order = [sub.name for target in targets for sub in target.attribute.sub_attributes]
    return [wanted[name] for name in dict.fromkeys(order) if name in wanted]


def _with_places(
    attribute: Attribute, targets: list[Target], subs: list[Attribute], kinds: list[str]
) -> Attribute:
    for kind in kinds:
        there = {target.sub.name for target in targets if target.kind == kind and target.sub}
        lacking = [sub.name for sub in subs if sub.name not in there]
        if lacking:
            raise ValueError(
                f"{attribute.name}: each type needs the same parts, and {kind} lacks "
                f"{', '.join(lacking)}"
            )
    kind_attribute = attribute.find(KIND)
    assert kind_attribute is not None
    parts = [evolve(sub, required=sub.name == VALUE) for sub in subs]
    named = evolve(kind_attribute, required=True, canonical_values=tuple(kinds))
    return evolve(attribute, one_per_type=True, sub_attributes=(*parts, named))
