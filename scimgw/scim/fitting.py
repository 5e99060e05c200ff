"""Do resource types fit together, so that every name means one thing?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from scimgw.scim.schema import COMMON, Attribute, ResourceType, Schema

OUTSIDE: Final = frozenset({"external", "uri"})
"""What is referred to that is no resource (RFC 7643 section 7)."""
_MESSAGES: Final = "urn:ietf:params:scim:api:"
_DISCOVERY: Final = frozenset(
    f"urn:ietf:params:scim:schemas:core:2.0:{name}".casefold()
    for name in ("Schema", "ResourceType", "ServiceProviderConfig")
)


def misfits(types: Sequence[ResourceType]) -> Iterator[str]:
    """Tell what is wrong with resource types, each by itself and beside the others."""
    first: dict[str, tuple[Schema, str]] = {}
    for type in types:
        yield from _misfits(type)
        for schema in type.schemas:
            urn = schema.id.casefold()
            known, holder = first.setdefault(urn, (schema, type.name))
            if known is not schema:
                yield f"{type.name}: {schema.id} is another schema of {holder}"
            if urn.startswith(_MESSAGES) or urn in _DISCOVERY:
                yield f"{type.name}: {schema.id} is SCIM's own, and can't be a schema here"


def _misfits(type: ResourceType) -> Iterator[str]:
    urns = [schema.id.casefold() for schema in type.schemas]
    for place, schema in enumerate(type.schemas):
        if urns[place] in urns[:place]:
            yield f"{type.name}: the schema {schema.id} stands there twice"
        for each in schema.attributes:
            if f"{urns[place]}:{each.name.casefold()}" in urns:
                yield f"{type.name}: {schema.id}:{each.name} is an attribute and a schema"
    for each in type.schema.attributes:
        if COMMON.find(each.name) is not None:
            yield f"{type.name}: {each.name} is an attribute of every resource"


def unknown_references(type: ResourceType, types: Sequence[ResourceType]) -> Iterator[str]:
    """Tell which resource types are referred to and aren't there."""
    known = {each.name.casefold() for each in types} | OUTSIDE
    for _, attributes in type.containers():
        for attribute in attributes:
            for path, each in _with_parts(attribute):
                for name in each.reference_types:
                    if name.casefold() not in known:
                        yield f"{type.name}: {path}: there is no resource type {name} to refer to"


def _with_parts(attribute: Attribute) -> Iterator[tuple[str, Attribute]]:
    yield attribute.name, attribute
    for sub in attribute.sub_attributes:
        yield f"{attribute.name}.{sub.name}", sub
