"""What do schemas and resource types say that somebody else has written?

RFC 7643 sections 6 and 7, and the words that SCIM 1.1 had for the same.  Everything is checked
before it is used, and all that is wrong is told at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from attrs import evolve

from scimgw.scim.fitting import OUTSIDE, misfits
from scimgw.scim.schema import (
    GROUP,
    USER,
    Attribute,
    AttributeType,
    Extension,
    Mutability,
    ResourceType,
    Returned,
    Schema,
    Uniqueness,
)
from scimgw.scim.values import show
from scimgw.scim.words import (
    ATTRIBUTE,
    ENTRY,
    EXTENSION,
    RESOURCE_TYPE,
    SCHEMA,
    SUB_ATTRIBUTE,
    Unfit,
    Word,
    checked,
    each,
)

STANDARD: Final = (USER, GROUP)
_SINGLE: Final = frozenset({"value", "display", "type", "primary", "$ref"})
"""Parts that tell of one value what it is (RFC 7643 section 2.4), in lower case."""


def extended(document: object) -> tuple[ResourceType, ...]:
    """Join what a file of custom schema says to users and groups.

    It is an entry or an array of entries.  `name` says to which resource type an entry's attributes
    belong: to its core schema, or, where the entry has an `id`, to an extension of that URN.

    Raises: Unfit.
    """
    entries = document if isinstance(document, list) else [document]
    if not entries:
        raise Unfit("holds no attributes")
    types = {type.name: type for type in STANDARD}

    def join(entry: object) -> None:
        members = checked(entry, ENTRY, "an entry", ("name", "attributes"))
        type = types.get(members["name"])
        if type is None:
            raise Unfit(f"name must be one of {', '.join(types)}, not {show(members['name'])}")
        types[type.name] = _joined(type, members, list(types.values()))

    each(join, entries)
    return _fitting(tuple(types.values()), ())


def _joined(
    type: ResourceType, entry: Mapping[str, Any], types: Sequence[ResourceType]
) -> ResourceType:
    attributes = _attributes(entry["attributes"], type.name)
    if not attributes:
        raise Unfit(f"{type.name}: holds no attributes")
    urn = entry.get("id", type.schema.id)
    if urn.casefold() != type.schema.id.casefold():
        if type.extension(urn) is not None:
            raise Unfit(f"{type.name}: there is a schema {urn} already")
        schema = _shared(
            Schema(
                id=urn,
                name=urn.rpartition(":")[2],
                description=entry.get("description", ""),
                attributes=attributes,
            ),
            types,
        )
        extension = Extension(schema, required=entry.get("required", False))
        return evolve(type, extensions=(*type.extensions, extension))
    faults = [
        f"{type.name}: there is an attribute {name} already" for name in _held(type, attributes)
    ]
    if "required" in entry:
        faults.append(f"{type.name}: required is said of an extension, which has an id")
    if faults:
        raise Unfit(*faults)
    schema = evolve(type.schema, attributes=(*type.schema.attributes, *attributes))
    return evolve(type, schema=schema)


def _held(type: ResourceType, attributes: Sequence[Attribute]) -> list[str]:
    return [attribute.name for attribute in attributes if type.find(attribute.name) is not None]


def _shared(schema: Schema, types: Sequence[ResourceType]) -> Schema:
    """Give the schema of another type that says the same; two types may have it in common."""
    others = [other for type in types for other in type.schemas if other.id == schema.id]
    return next((other for other in others if other.to_json() == schema.to_json()), schema)


def own_types(
    documents: Sequence[object], known: Sequence[ResourceType]
) -> tuple[ResourceType, ...]:
    """Make resource types of documents as /ResourceTypes and /Schemas give them, in any order.

    A resource type may name schemas of the documents, and those of known resource types.

    Raises: Unfit.
    """
    read = each(_read, documents)
    schemas = {schema.id.casefold(): schema for type in known for schema in type.schemas}
    twice = [
        f"there is a schema {found.id} already"
        for found in read
        if isinstance(found, Schema) and schemas.setdefault(found.id.casefold(), found) is not found
    ]
    if twice:
        raise Unfit(*twice)
    announced = [found for found in read if not isinstance(found, Schema)]
    types = tuple(each(partial(_type, schemas=schemas), announced))
    used = {schema for type in (*known, *types) for schema in type.schemas}
    unused = [
        f"no resource type has the schema {one.id}" for one in schemas.values() if one not in used
    ]
    if unused:
        raise Unfit(*unused)
    return _fitting(types, known)


def check_documents(documents: Sequence[object]) -> None:
    """Check what can be told of documents of `own_types` without the others.

    Raises: Unfit.
    """
    each(_read, documents)


def _fitting(
    types: tuple[ResourceType, ...], known: Sequence[ResourceType]
) -> tuple[ResourceType, ...]:
    faults = [*_taken(types, known), *misfits((*known, *types))]
    if faults:
        raise Unfit(*faults)
    return types


def _taken(types: Sequence[ResourceType], known: Sequence[ResourceType]) -> Iterator[str]:
    others = list(known)
    for type in types:
        for other in others:
            if type.name.casefold() == other.name.casefold():
                yield f"there is a resource type {type.name} already"
            elif type.endpoint.casefold() == other.endpoint.casefold():
                yield f"{type.name}: {type.endpoint} is the endpoint of {other.name} too"
        others.append(type)


def _read(document: object) -> Schema | Mapping[str, Any]:
    if isinstance(document, dict) and "attributes" in document:
        return _schema(document)
    return checked(document, RESOURCE_TYPE, "a resource type", ("name", "endpoint", "schema"))


def _type(members: Mapping[str, Any], schemas: Mapping[str, Schema]) -> ResourceType:
    name = members["name"]

    def find(urn: str) -> Schema:
        schema = schemas.get(urn.casefold())
        if schema is None:
            raise Unfit(f"{name}: there is no schema {urn}")
        return schema

    def extension(document: object) -> Extension:
        entry = checked(document, EXTENSION, f"{name}: an extension", ("schema",))
        return Extension(find(entry["schema"]), required=entry.get("required", False))

    return ResourceType(
        name=name,
        endpoint=members["endpoint"],
        schema=find(members["schema"]),
        extensions=tuple(each(extension, members.get("schemaExtensions", ()))),
        description=members.get("description", ""),
    )


def _schema(document: Mapping[str, Any]) -> Schema:
    members = checked(document, SCHEMA, "a schema", ("id", "attributes"))
    return Schema(
        id=members["id"],
        name=members.get("name", members["id"].rpartition(":")[2]),
        description=members.get("description", ""),
        attributes=_attributes(members["attributes"], members["id"]),
    )


def _attributes(
    documents: Sequence[Any], where: str, words: Mapping[str, Word] = ATTRIBUTE
) -> tuple[Attribute, ...]:
    attributes = tuple(each(partial(_attribute, where=where, words=words), documents))
    taken: set[str] = set()
    twice = []
    for attribute in attributes:
        if attribute.name.casefold() in taken:
            twice.append(f"{where}: {attribute.name} stands there twice")
        taken.add(attribute.name.casefold())
    if twice:
        raise Unfit(*twice)
    return attributes


def _attribute(document: object, where: str, words: Mapping[str, Word]) -> Attribute:
    members = checked(document, words, f"{where}: an attribute", ("name",))
    path = f"{where}: {members['name']}"
    subs = _attributes(members.get("subAttributes", ()), path, SUB_ATTRIBUTE)
    members = {**members, "subAttributes": ()}
    if "readOnly" in members and "mutability" not in members:
        read_only = Mutability.READ_ONLY if members["readOnly"] else Mutability.READ_WRITE
        members["mutability"] = read_only.value
    if members.get("mutability") == Mutability.WRITE_ONLY.value:
        members.setdefault("returned", Returned.NEVER.value)
    made = evolve(Attribute.from_json(members), sub_attributes=_referring(subs))
    faults = [f"{path}: {fault}" for fault in _contradictions(made, members)]
    if faults:
        raise Unfit(*faults)
    # section 2.3.6: bytes differ by case, whatever is said
    return evolve(made, case_exact=made.case_exact or made.type is AttributeType.BINARY)


def _contradictions(made: Attribute, members: Mapping[str, Any]) -> Iterator[str]:
    """Tell which characteristics of an attribute can't hold together."""
    subs, unique = made.sub_attributes, made.uniqueness is not Uniqueness.NONE
    if made.is_complex != bool(subs):
        yield "complex attributes have subAttributes, and no others do"
    if any(sub.is_complex for sub in subs):
        yield "what is complex can't be inside what is"
    for sub in subs:
        if sub.multi_valued and sub.name.casefold() in _SINGLE:
            yield f"{sub.name} tells of one value what it is, and can't be several"
    if members.get("readOnly", made.read_only) != made.read_only:
        yield f"readOnly says otherwise than mutability, which is {made.mutability.value}"
    if made.mutability is Mutability.WRITE_ONLY and made.returned is not Returned.NEVER:
        yield f"what is writeOnly is never returned, not {made.returned.value}"
    if unique and made.returned is Returned.NEVER:
        yield "what is never returned can't be unique: who is refused would learn it"
    if unique and made.is_complex:
        yield "a complex attribute can't be unique; one of its subAttributes can"
    if made.reference_types and made.type is not AttributeType.REFERENCE:
        yield f"referenceTypes are those of a reference, not of type {made.type.value}"


def _referring(subs: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
    """Let `$ref` be worked out where it is the address of the resource that `value` names."""
    value = next((sub for sub in subs if sub.name.casefold() == "value"), None)
    if value is None or value.type is not AttributeType.STRING or value.multi_valued:
        return subs
    return tuple(evolve(sub, computed=True) if _is_address(sub) else sub for sub in subs)


def _is_address(sub: Attribute) -> bool:
    kinds = sub.reference_types
    return sub.name == "$ref" and bool(kinds) and OUTSIDE.isdisjoint(kinds)
