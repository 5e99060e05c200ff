"""What is a resource, and how does one come out of a client's JSON?

RFC 7643 sections 2 and 3.  Parsed here once; everywhere inside, names are canonical and values have
their types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from scimgw.errors import InvalidSyntax, InvalidValue
from scimgw.scim.path import Path
from scimgw.scim.places import placed
from scimgw.scim.references import referring
from scimgw.scim.schema import Attribute, Mutability, ResourceType
from scimgw.scim.values import identity, parse_simple, show, unassigned

Unknown = Callable[[str], None]
"""Is told the name of each attribute that no schema has; may raise to refuse it."""

Find = Callable[[str], Attribute | None]
"""Finds an attribute by its name, in whatever case."""


@frozen
class Resource:
    """A SCIM 2.0 resource: canonical names, checked values, never changed in place.

    `data` may be partial when only some attributes were asked for.  `meta.location` is not part of
    it: only who knows the client's view of the URL can tell.
    """

    type: ResourceType
    data: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The identifier, an opaque string."""
        found: str = self.data["id"]
        return found

    @property
    def version(self) -> str | None:
        """The version as in an ETag, None where the endpoint has none."""
        meta: Mapping[str, str] = self.data.get("meta", {})
        return meta.get("version")


def schemas_of(type: ResourceType, data: Mapping[str, Any]) -> list[str]:
    """List the URNs of the schemas that have data in a resource (RFC 7643 section 3)."""
    extensions = [each.schema.id for each in type.extensions if data.get(each.schema.id)]
    return [type.schema.id, *extensions]


def parse(type: ResourceType, body: object, unknown: Unknown) -> Resource:
    """Read the resource that a client sends to create one, or to replace one by.

    What is readOnly is dropped, a required attribute must be there, and `schemas` is derived from
    the data.

    Raises: InvalidSyntax, InvalidValue.
    """
    members = _members(body, "the body")
    _check_schemas(type, members, unknown)
    data: dict[str, Any] = {}
    for name, raw in members.items():
        extension = type.extension(name)
        attribute = type.find(name)
        if extension is not None:
            found = _parse_members(extension.find, raw, extension.id, unknown)
            _check_members(extension.attributes, found, extension.id)
            _put(data, extension.id, found)
        elif attribute is None:
            unknown(name)
        elif attribute.name != "schemas" and not attribute.read_only:
            _put(data, attribute.name, parse_value(attribute, raw, attribute.name, unknown))
    _check_required(type, data)
    return Resource(type, {"schemas": schemas_of(type, data), **data})


def parse_value(attribute: Attribute, raw: Any, where: str, unknown: Unknown) -> Any:
    """Read a whole attribute; None if the value means that there is none.

    Raises: InvalidSyntax, InvalidValue.
    """
    if unassigned(raw):
        return None
    if not attribute.multi_valued:
        return _parse_element(attribute, raw, where, unknown)
    if not isinstance(raw, list):
        raise InvalidValue(f"{where} must be an array, not {show(raw)}")
    elements = [_parse_element(attribute, element, where, unknown) for element in raw]
    assigned = [element for element in elements if element is not None]
    if attribute.one_per_type:
        return placed(attribute, assigned) or None
    return (
        one_primary(distinct(attribute, assigned), where) if len(assigned) > 1 else assigned or None
    )


def distinct(attribute: Attribute, elements: Iterable[Any]) -> list[Any]:
    """Leave one of each value, joining what is said of it (RFC 7643 section 2.4)."""
    key = identity(attribute)
    kept: dict[Any, Any] = {}
    for element in elements:
        known = kept.setdefault(key(element), element)
        if known is not element and not attribute.plain:
            kept[key(element)] = {**known, **element}
    return list(kept.values())


def one_primary(elements: list[Any], where: str) -> list[Any]:
    """Check that one value at most is primary (RFC 7643 section 2.4).

    Raises: InvalidValue.
    """
    if sum(1 for element in elements if is_primary(element)) > 1:
        raise InvalidValue(f"{where} has more than one primary value")
    return elements


def is_primary(element: Any) -> bool:
    """Whether a value of a multi-valued attribute is the preferred one."""
    return isinstance(element, dict) and element.get("primary") is True


def _parse_element(attribute: Attribute, raw: Any, where: str, unknown: Unknown) -> Any:
    found = parse_part(attribute, raw, where, unknown)
    if attribute.is_complex:
        _check_members(attribute.sub_attributes, found, where)
    return found


def parse_part(attribute: Attribute, raw: Any, where: str, unknown: Unknown) -> Any:
    """Read one value of an attribute, which may lack what others hold that it is joined to.

    Raises: InvalidSyntax, InvalidValue.
    """
    if unassigned(raw):
        return None
    if not attribute.is_complex:
        return parse_simple(attribute, raw, where)
    if isinstance(raw, str) and attribute.value is not None:
        # Entra ID sends manager as a plain string, and members as bare ids
        raw = {"value": raw}
    if isinstance(raw, dict) and attribute.address is not None:
        raw = referring(raw)
    return _parse_members(attribute.find, raw, where, unknown)


def _parse_members(find: Find, raw: Any, where: str, unknown: Unknown) -> dict[str, Any] | None:
    """Read an object whose members are attributes: a complex value or an extension."""
    if unassigned(raw):
        return None
    data: dict[str, Any] = {}
    for name, value in _members(raw, where).items():
        attribute = find(name)
        if attribute is None:
            unknown(f"{where}.{name}")
        elif not attribute.read_only and not attribute.computed:
            _put(
                data,
                attribute.name,
                parse_value(attribute, value, f"{where}.{attribute.name}", unknown),
            )
    return data or None


def _check_members(
    attributes: Sequence[Attribute], data: Mapping[str, Any] | None, where: str
) -> None:
    for attribute in attributes:
        if data and attribute.must_be_given and attribute.name not in data:
            raise InvalidValue(f"{where}.{attribute.name} is required")


def _members(raw: object, where: str) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        fault = InvalidSyntax if where == "the body" else InvalidValue
        raise fault(f"{where} must be a JSON object, not {show(raw)}")
    if len({name.casefold() for name in raw}) < len(raw):
        raise InvalidSyntax(f"{where} has one attribute twice, in different case")
    return raw


def _put(data: dict[str, Any], name: str, value: Any) -> None:
    if value is not None:
        data[name] = value


def _check_schemas(type: ResourceType, members: Mapping[str, Any], unknown: Unknown) -> None:
    """Accept whatever URNs a client lists; they say nothing that the data don't."""
    listed = (
        next((value for name, value in members.items() if name.casefold() == "schemas"), None) or []
    )
    if not isinstance(listed, list) or not all(isinstance(urn, str) for urn in listed):
        raise InvalidSyntax(f"schemas must be an array of URNs, not {show(listed)}")
    known = {schema.id.casefold() for schema in type.schemas}
    for urn in listed:
        if urn.casefold() not in known:
            unknown(urn)


def _check_required(type: ResourceType, data: Mapping[str, Any]) -> None:
    for attribute in type.attributes:
        if attribute.must_be_given and attribute.name not in data:
            raise InvalidValue(f"{attribute.name} is required")
    for extension in type.extensions:
        if extension.required and extension.schema.id not in data:
            raise InvalidValue(f"the extension {extension.schema.id} is required")


def writable(type: ResourceType) -> frozenset[Path]:
    """Name every attribute that clients may write and that an endpoint may give back."""
    return frozenset(
        Path(container=container, attribute=attribute)
        for container, attributes in type.containers()
        for attribute in attributes
        if attribute.name != "schemas"
        and attribute.mutability not in {Mutability.READ_ONLY, Mutability.WRITE_ONLY}
    )
