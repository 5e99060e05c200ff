"""Which SCIM attribute does a rule map to, and which part of it?

target = [URN (":" / ".")] name ["." part]       singular, or all values of several
       / [URN (":" / ".")] name "." type "." part  the part of the one value of a type
"""

from __future__ import annotations

from attrs import frozen

from scimgw.mapping.rule import Rule
from scimgw.scim.path import NAME
from scimgw.scim.places import KIND
from scimgw.scim.resource import Find
from scimgw.scim.schema import Attribute, AttributeType, ResourceType

VALUE = "value"
_ALIASES = {("manager", "managerid"): VALUE}
"""What SCIM 1.1 and the original gateway call it."""


class Untargeted(ValueError):
    """A target that names nothing; says why."""


@frozen(kw_only=True)
class Target:
    """An attribute of the standard schemas, or of one's own, and the part that is mapped.

    `urn` is the extension, None for the core schema; `kind` the type of the one value that is
    meant; `sub` the sub-attribute.
    """

    urn: str | None
    attribute: Attribute
    kind: str | None = None
    sub: Attribute | None = None

    @property
    def many(self) -> bool:
        """Whether all values of a multi-valued attribute are meant."""
        return self.attribute.multi_valued and self.kind is None

    @property
    def leaf(self) -> Attribute:
        """What a single value is a value of."""
        return self.sub or self.attribute


def find(standard: ResourceType, text: str, rule: Rule) -> Target:
    """Find what a target of a rule means.

    Raises: Untargeted.
    """
    urn, rest = _parted(standard, text)
    names = rest.split(".")
    if not 1 <= len(names) <= 3 or not (NAME.fullmatch(names[0]) and NAME.fullmatch(names[-1])):  # noqa: PLR2004 - name, type, part
        raise Untargeted(f"{text!r} isn't a SCIM path such as name.givenName or emails.work.value")
    known = _known(standard, urn)
    attribute = None if known is None else known(names[0])
    if attribute is None:
        if known is not None and not rule.custom:
            raise Untargeted(
                f"{standard.name} has no attribute {rest!r}; "
                '"custom": true makes it one of your own'
            )
        attribute = _own(names, rule)
    if urn == standard.schema.id:
        urn = None
    return _part(urn, attribute, names[1:], text)


def _parted(standard: ResourceType, text: str) -> tuple[str | None, str]:
    """Part the URN from the names; one that no schema has ends at its last colon."""
    if text[:4].lower() != "urn:":
        return None, text
    for schema in sorted(standard.schemas, key=lambda each: -len(each.id)):
        if text.lower().startswith((f"{schema.id.lower()}:", f"{schema.id.lower()}.")):
            return schema.id, text[len(schema.id) + 1 :]
    urn, _, rest = text.rpartition(":")
    return urn, rest


def _known(standard: ResourceType, urn: str | None) -> Find | None:
    """Give what finds the attributes of a schema, None if there is no such schema."""
    if urn is None or urn == standard.schema.id:
        return standard.find
    extension = standard.extension(urn)
    return None if extension is None else extension.find


def _own(names: list[str], rule: Rule) -> Attribute:
    """Define an attribute of one's own, as far as one target tells."""
    many = rule.type == "array" and rule.type_inbound is None
    match names:
        case [name]:
            return rule.attribute(name, many=many)
        case [name, part]:
            subs: tuple[Attribute, ...] = (rule.attribute(part, many=False),)
            several = many and part == VALUE
        case [name, _, part]:
            subs = (rule.attribute(part, many=False), Attribute(name=KIND))
            several = True
        case _:
            raise AssertionError(names)
    return Attribute(
        name=name,
        type=AttributeType.COMPLEX,
        multi_valued=several,
        description=rule.description,
        sub_attributes=subs,
    )


def _part(urn: str | None, attribute: Attribute, parts: list[str], text: str) -> Target:
    name = attribute.name
    match parts:
        case []:
            if attribute.is_complex:
                raise Untargeted(f"{name} is complex: name a part of it")
            return Target(urn=urn, attribute=attribute)
        case [part] if attribute.is_complex:
            sub = attribute.find(_ALIASES.get((name, part.lower()), part))
            if attribute.multi_valued and part.lower() != VALUE:
                raise Untargeted(
                    f"{name} holds several values: say of which type, {name}.work.{part}"
                )
            if sub is not None:
                return Target(urn=urn, attribute=attribute, sub=sub)
        case [kind, part] if attribute.multi_valued and attribute.find(KIND) is not None:
            sub = attribute.find(part)
            if sub is not None and sub.name not in {KIND, "primary"}:
                return Target(urn=urn, attribute=attribute, kind=kind, sub=sub)
    raise Untargeted(f"{name} has no {'.'.join(parts)!r}, as {text!r} says")
