"""What do schemas and resource types say that somebody else has written?

RFC 7643 sections 6 and 7, and the words that SCIM 1.1 had for the same.  Everything is checked
before it is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import evolve, frozen

from scimgw.scim.schema import (
    COMMON,
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

STANDARD: Final = (USER, GROUP)
_NAME: Final = re.compile(r"\$?[A-Za-z][-_0-9A-Za-z]*", re.ASCII)
_ENDPOINT: Final = re.compile(r"/[A-Za-z][-_.0-9A-Za-z]*", re.ASCII)
_URN: Final = re.compile(r"urn:[0-9A-Za-z][-0-9A-Za-z]*:[^\s\[\]\"]+", re.ASCII)


class Unfit(ValueError):
    """A document that can't be used; says why, naming what is at fault."""


@frozen
class _Word:
    """What a member of a document must be."""

    fits: Callable[[Any], bool]
    expected: str


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in kinds


_TEXT: Final = _Word(_is(str), "a string")
_SWITCH: Final = _Word(_is(bool), "true or false")
_TEXTS: Final = _Word(
    lambda value: type(value) is list and all(type(each) is str for each in value),
    "an array of strings",
)
_LIST: Final = _Word(_is(list), "an array")


def _one_of(words: Iterable[str]) -> _Word:
    known = tuple(words)
    return _Word(lambda value: type(value) is str and value in known, f"one of {', '.join(known)}")


_ATTRIBUTE: Final[Mapping[str, _Word]] = {
    "name": _Word(lambda value: type(value) is str and bool(_NAME.fullmatch(value)), "a name"),
    "type": _one_of(each.value for each in AttributeType),
    "multiValued": _SWITCH,
    "description": _TEXT,
    "required": _SWITCH,
    "caseExact": _SWITCH,
    "mutability": _one_of(each.value for each in Mutability),
    "returned": _one_of(each.value for each in Returned),
    "uniqueness": _one_of(each.value for each in Uniqueness),
    "canonicalValues": _TEXTS,
    "referenceTypes": _TEXTS,
    "subAttributes": _LIST,
    # of SCIM 1.1
    "readOnly": _SWITCH,
    "multiValuedAttributeChildName": _TEXT,
    "schema": _TEXT,
}
_SCHEMA: Final[Mapping[str, _Word]] = {
    "schemas": _TEXTS,
    "id": _Word(lambda value: type(value) is str and bool(_URN.fullmatch(value)), "a URN"),
    "name": _TEXT,
    "description": _TEXT,
    "attributes": _LIST,
    "required": _SWITCH,
    "meta": _Word(_is(dict), "an object"),
}
_TYPE: Final[Mapping[str, _Word]] = {
    "schemas": _TEXTS,
    "id": _TEXT,
    "name": _Word(lambda value: type(value) is str and bool(_NAME.fullmatch(value)), "a name"),
    "endpoint": _Word(
        lambda value: type(value) is str and bool(_ENDPOINT.fullmatch(value)),
        "a slash and a name, such as /Devices",
    ),
    "description": _TEXT,
    "schema": _SCHEMA["id"],
    "schemaExtensions": _LIST,
    "meta": _SCHEMA["meta"],
}
_EXTENSION: Final[Mapping[str, _Word]] = {"schema": _SCHEMA["id"], "required": _SWITCH}


def extended(document: object) -> tuple[ResourceType, ...]:
    """Join what a file of custom schema says to users and groups.

    It is an entry or an array of entries.  `name` says to which resource type an entry's attributes
    belong: to its core schema, or, where the entry has an `id`, to an extension of that URN.

    Raises: Unfit.
    """
    types = list(STANDARD)
    entries = document if isinstance(document, list) else [document]
    if not entries:
        raise Unfit("holds no attributes")
    for entry in entries:
        members = _checked(entry, _SCHEMA, "an entry", ("name", "attributes"))
        names = [type.name for type in types]
        if members["name"] not in names:
            raise Unfit(f"name must be one of {', '.join(names)}, not {show(members['name'])}")
        place = names.index(members["name"])
        types[place] = _joined(types[place], members)
    return tuple(types)


def _joined(type: ResourceType, entry: Mapping[str, Any]) -> ResourceType:
    attributes = _attributes(entry["attributes"], type.name)
    if not attributes:
        raise Unfit(f"{type.name}: holds no attributes")
    urn = entry.get("id", type.schema.id)
    if urn != type.schema.id:
        if type.extension(urn) is not None:
            raise Unfit(f"{type.name}: there is a schema {urn} already")
        schema = Schema(
            id=urn,
            name=urn.rpartition(":")[2],
            description=entry.get("description", ""),
            attributes=attributes,
        )
        extension = Extension(schema, required=entry.get("required", False))
        return evolve(type, extensions=(*type.extensions, extension))
    for each in attributes:
        if type.find(each.name) is not None:
            raise Unfit(f"{type.name}: there is an attribute {each.name} already")
    schema = evolve(type.schema, attributes=(*type.schema.attributes, *attributes))
    return evolve(type, schema=schema)


def own_types(
    documents: Sequence[object], known: Sequence[ResourceType]
) -> tuple[ResourceType, ...]:
    """Make resource types of documents as /ResourceTypes and /Schemas give them, in any order.

    A resource type may name schemas of the documents, and those of known resource types.

    Raises: Unfit.
    """
    schemas = {schema.id.casefold(): schema for type in known for schema in type.schemas}
    announced = []
    for document in documents:
        if isinstance(document, dict) and "attributes" in document:
            schema = _schema(document)
            if schemas.setdefault(schema.id.casefold(), schema) is not schema:
                raise Unfit(f"there is a schema {schema.id} already")
        else:
            announced.append(
                _checked(document, _TYPE, "a resource type", ("name", "endpoint", "schema"))
            )
    types: list[ResourceType] = []
    for members in announced:
        type = _type(members, schemas)
        for other in (*known, *types):
            if type.name.casefold() == other.name.casefold():
                raise Unfit(f"there is a resource type {type.name} already")
            if type.endpoint.casefold() == other.endpoint.casefold():
                raise Unfit(f"{type.name}: {type.endpoint} is the endpoint of {other.name} too")
        types.append(type)
    return tuple(types)


def _type(members: Mapping[str, Any], schemas: Mapping[str, Schema]) -> ResourceType:
    name = members["name"]

    def find(urn: str) -> Schema:
        schema = schemas.get(urn.casefold())
        if schema is None:
            raise Unfit(f"{name}: there is no schema {urn}")
        return schema

    extensions = []
    for each in members.get("schemaExtensions", ()):
        entry = _checked(each, _EXTENSION, f"{name}: an extension", ("schema",))
        extensions.append(Extension(find(entry["schema"]), required=entry.get("required", False)))
    type = ResourceType(
        name=name,
        endpoint=members["endpoint"],
        schema=find(members["schema"]),
        extensions=tuple(extensions),
        description=members.get("description", ""),
    )
    for each in type.schema.attributes:
        if COMMON.find(each.name) is not None:
            raise Unfit(f"{name}: {each.name} is an attribute of every resource")
    return type


def _schema(document: Mapping[str, Any]) -> Schema:
    members = _checked(document, _SCHEMA, "a schema", ("id", "attributes"))
    return Schema(
        id=members["id"],
        name=members.get("name", members["id"].rpartition(":")[2]),
        description=members.get("description", ""),
        attributes=_attributes(members["attributes"], members["id"]),
    )


def _attributes(documents: Sequence[Any], where: str) -> tuple[Attribute, ...]:
    attributes = tuple(_attribute(each, where) for each in documents)
    taken: set[str] = set()
    for each in attributes:
        if each.name.casefold() in taken:
            raise Unfit(f"{where}: {each.name} stands there twice")
        taken.add(each.name.casefold())
    return attributes


def _attribute(document: object, where: str) -> Attribute:
    members = _checked(document, _ATTRIBUTE, f"{where}: an attribute", ("name",))
    path = f"{where}: {members['name']}"
    complex = members.get("type") == AttributeType.COMPLEX.value
    subs = _attributes(members.get("subAttributes", ()), path)
    if complex != bool(subs):
        raise Unfit(f"{path}: complex attributes have subAttributes, and no others do")
    if any(each.is_complex for each in subs):
        raise Unfit(f"{path}: what is complex can't be inside what is")
    if "readOnly" in members and "mutability" not in members:
        read_only = Mutability.READ_ONLY if members["readOnly"] else Mutability.READ_WRITE
        members = {**members, "mutability": read_only.value}
    return evolve(Attribute.from_json({**members, "subAttributes": ()}), sub_attributes=subs)


def _checked(
    document: object, words: Mapping[str, _Word], what: str, required: Sequence[str]
) -> Mapping[str, Any]:
    if not isinstance(document, dict):
        raise Unfit(f"{what} must be an object, not {show(document)}")
    named = f"{what} {show(document['name'])}" if "name" in document else what
    for name in required:
        if name not in document:
            raise Unfit(f"{named} needs {name}")
    for name, value in document.items():
        word = words.get(name)
        if word is None:
            raise Unfit(f"{named}: {show(name)} isn't known")
        if not word.fits(value):
            raise Unfit(f"{named}: {name} must be {word.expected}, not {show(value)}")
    return document
