"""What do a schema, an attribute and a resource type look like?

RFC 7643 sections 2 (characteristics), 6 (resource types) and 7 (schemas).  All are frozen values
made from JSON documents, so that extensions and custom attributes are data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cached_property
from importlib import resources
from typing import Any

from attrs import field, frozen


class AttributeType(Enum):
    """Data types of RFC 7643 section 2.3."""

    STRING = "string"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    INTEGER = "integer"
    DATE_TIME = "dateTime"
    REFERENCE = "reference"
    BINARY = "binary"
    COMPLEX = "complex"


class Mutability(Enum):
    """Who may write an attribute, and when."""

    READ_ONLY = "readOnly"
    READ_WRITE = "readWrite"
    IMMUTABLE = "immutable"
    WRITE_ONLY = "writeOnly"


class Returned(Enum):
    """When an attribute is part of an answer."""

    ALWAYS = "always"
    NEVER = "never"
    DEFAULT = "default"
    REQUEST = "request"


class Uniqueness(Enum):
    """Within which bounds no two resources may share a value."""

    NONE = "none"
    SERVER = "server"
    GLOBAL = "global"


TEXT = frozenset({AttributeType.STRING, AttributeType.REFERENCE, AttributeType.BINARY})
"""The types whose values are strings to be compared as text."""
CASE_EXACT = frozenset({AttributeType.REFERENCE, AttributeType.BINARY})
"""Of these the types whose case counts unless something else is said (RFC 7643 section 2.3)."""


@frozen(kw_only=True, eq=False)
class Attribute:
    """One attribute or sub-attribute and its characteristics (RFC 7643 section 2.2).

    Two are the same only if they are one object, which makes them cheap as keys.
    """

    name: str
    type: AttributeType = AttributeType.STRING
    multi_valued: bool = False
    description: str = ""
    required: bool = False
    case_exact: bool = False
    mutability: Mutability = Mutability.READ_WRITE
    returned: Returned = Returned.DEFAULT
    uniqueness: Uniqueness = Uniqueness.NONE
    canonical_values: tuple[str, ...] = ()
    reference_types: tuple[str, ...] = ()
    sub_attributes: tuple[Attribute, ...] = field(default=(), repr=False)
    one_per_type: bool = False
    """Whether the endpoint has places for one value of each canonical type (scimgw.scim.places)."""
    computed: bool = False
    """Whether the gateway works it out for each answer: it is neither stored nor searched for."""

    @cached_property
    def _subs(self) -> dict[str, Attribute]:
        return {sub.name.casefold(): sub for sub in self.sub_attributes}

    def find(self, name: str) -> Attribute | None:
        """Find a sub-attribute by its name, in whatever case."""
        return self._subs.get(name.casefold())

    @property
    def is_complex(self) -> bool:
        """Whether values are objects."""
        return self.type is AttributeType.COMPLEX

    @property
    def read_only(self) -> bool:
        """Whether clients can't write it at all."""
        return self.mutability is Mutability.READ_ONLY

    @property
    def must_be_given(self) -> bool:
        """Whether clients must write it: they can't what is readOnly, needn't what is computed."""
        return self.required and not self.read_only and not self.computed

    @property
    def must_stay(self) -> bool:
        """Whether it must be seen to have a value; what is never returned isn't seen."""
        return self.must_be_given and self.returned is not Returned.NEVER

    @cached_property
    def value(self) -> Attribute | None:
        """The sub-attribute that stands for the whole where only one can (RFC 7643 section 2.4)."""
        return self.find("value")

    @cached_property
    def address(self) -> Attribute | None:
        """The sub-attribute that is the address of what `value` names, if it is computed."""
        found = self.find("$ref")
        return found if found is not None and found.computed else None

    @cached_property
    def plain(self) -> bool:
        """Whether two values of this multi-valued attribute are the same as soon as their key is.

        True of simple values, and of complex ones that all have a `value` which is immutable, such
        as the members of a group: an element is added or removed, never changed.
        """
        if not self.is_complex:
            return True
        value = self.value
        return value is not None and value.required and value.mutability is Mutability.IMMUTABLE

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Attribute:
        """Read one entry of `attributes`; the defaults are those of RFC 7643 section 2."""
        type = AttributeType(document.get("type", "string"))
        return cls(
            name=document["name"],
            type=type,
            multi_valued=document.get("multiValued", False),
            description=document.get("description", ""),
            required=document.get("required", False),
            case_exact=document.get("caseExact", type in CASE_EXACT),
            mutability=Mutability(document.get("mutability", "readWrite")),
            returned=Returned(document.get("returned", "default")),
            uniqueness=Uniqueness(document.get("uniqueness", "none")),
            canonical_values=tuple(document.get("canonicalValues", ())),
            reference_types=tuple(document.get("referenceTypes", ())),
            sub_attributes=tuple(map(cls.from_json, document.get("subAttributes", ()))),
            computed=document.get("computed", False),
        )

    def to_json(self) -> dict[str, Any]:
        """Give every characteristic, as /Schemas does."""
        document: dict[str, Any] = {
            "name": self.name,
            "type": self.type.value,
            "multiValued": self.multi_valued,
            "description": self.description,
            "required": self.required,
        }
        if self.canonical_values:
            document["canonicalValues"] = list(self.canonical_values)
        if self.type in TEXT:
            document["caseExact"] = self.case_exact
        document["mutability"] = self.mutability.value
        document["returned"] = self.returned.value
        document["uniqueness"] = self.uniqueness.value
        if self.reference_types:
            document["referenceTypes"] = list(self.reference_types)
        if self.sub_attributes:
            document["subAttributes"] = [sub.to_json() for sub in self.sub_attributes]
        return document


def _by_name(attributes: Sequence[Attribute]) -> dict[str, Attribute]:
    return {attribute.name.casefold(): attribute for attribute in attributes}


@frozen(kw_only=True, eq=False)
class Schema:
    """A named set of attributes (RFC 7643 section 7)."""

    id: str
    name: str
    description: str = ""
    attributes: tuple[Attribute, ...]

    @cached_property
    def _names(self) -> dict[str, Attribute]:
        return _by_name(self.attributes)

    def find(self, name: str) -> Attribute | None:
        """Find an attribute by its name, in whatever case."""
        return self._names.get(name.casefold())

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Schema:
        """Read a schema document."""
        return cls(
            id=document["id"],
            name=document["name"],
            description=document.get("description", ""),
            attributes=tuple(map(Attribute.from_json, document["attributes"])),
        )

    def to_json(self) -> dict[str, Any]:
        """Give the document without its meta."""
        return {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "attributes": [attribute.to_json() for attribute in self.attributes],
        }


def _load(name: str) -> Schema:
    text = resources.files("scimgw.scim").joinpath("schemas", f"{name}.json").read_text("utf-8")
    return Schema.from_json(json.loads(text))


COMMON = _load("common")
"""schemas, id, externalId and meta, which no schema document has (RFC 7643 section 3.1)."""


@frozen
class Extension:
    """A schema whose attributes a resource type may hold below the schema's URN."""

    schema: Schema
    required: bool = False


@frozen(kw_only=True, eq=False)
class ResourceType:
    """A kind of resource and where it is found (RFC 7643 section 6).

    Two are the same only if they are one object, which makes them cheap as keys.
    """

    name: str
    endpoint: str
    schema: Schema
    extensions: tuple[Extension, ...] = ()
    description: str = ""
    common: Schema = COMMON
    """What it holds of schemas, id, externalId and meta."""

    @cached_property
    def attributes(self) -> tuple[Attribute, ...]:
        """What stands at the top of a resource: common attributes and those of the schema."""
        return self.common.attributes + self.schema.attributes

    @cached_property
    def _names(self) -> dict[str, Attribute]:
        return _by_name(self.attributes)

    @cached_property
    def _extensions(self) -> dict[str, Schema]:
        return {extension.schema.id.casefold(): extension.schema for extension in self.extensions}

    def find(self, name: str) -> Attribute | None:
        """Find an attribute at the top of a resource by its name, in whatever case."""
        return self._names.get(name.casefold())

    def extension(self, urn: str) -> Schema | None:
        """Find an extension by its URN, in whatever case."""
        return self._extensions.get(urn.casefold())

    @property
    def schemas(self) -> tuple[Schema, ...]:
        """The core schema and the extensions."""
        return (self.schema, *(extension.schema for extension in self.extensions))

    def containers(self) -> Iterator[tuple[str | None, tuple[Attribute, ...]]]:
        """Give the top (None) and each extension (its URN) with its attributes."""
        yield None, self.attributes
        for extension in self.extensions:
            yield extension.schema.id, extension.schema.attributes

    def to_json(self) -> dict[str, Any]:
        """Give the document without its meta."""
        return {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": self.name,
            "name": self.name,
            "endpoint": self.endpoint,
            "description": self.description,
            "schema": self.schema.id,
            "schemaExtensions": [
                {"schema": extension.schema.id, "required": extension.required}
                for extension in self.extensions
            ],
        }


USER = ResourceType(
    name="User",
    endpoint="/Users",
    description="User accounts",
    schema=_load("user"),
    extensions=(Extension(_load("enterprise_user")),),
)
GROUP = ResourceType(
    name="Group",
    endpoint="/Groups",
    description="Groups of users and of other groups",
    schema=_load("group"),
)
