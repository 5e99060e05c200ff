"""A resource type with places for one e-mail address and one postal address of each type."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from scimgw.scim.schema import USER, Attribute, ResourceType

_HELD: Final = {"emails": ("value", "type"), "addresses": ("streetAddress", "locality", "type")}
KINDS: Final = ("work", "home")


def _reduced(attribute: Attribute) -> Attribute:
    held = _HELD.get(attribute.name)
    if held is None:
        return attribute
    return evolve(
        attribute,
        one_per_type=True,
        sub_attributes=tuple(
            evolve(
                sub,
                required=sub.name in {"value", "type"},
                canonical_values=KINDS if sub.name == "type" else (),
            )
            for sub in attribute.sub_attributes
            if sub.name in held
        ),
    )


PLACED: Final[ResourceType] = evolve(
    USER, schema=evolve(USER.schema, attributes=tuple(map(_reduced, USER.schema.attributes)))
)
