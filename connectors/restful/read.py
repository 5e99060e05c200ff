"""How does a resource come out of the other side's JSON?

Names become canonical; values of the wrong type are left out, and so is what our schemas don't
have: what is stored there is no client's mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from scimgw.errors import BadGateway, InvalidValue
from scimgw.scim.resource import Resource, schemas_of
from scimgw.scim.schema import Attribute, ResourceType
from scimgw.scim.values import parse_simple, unassigned
from scimgw.scim.version import Tags

Tell = Callable[[str], None]
"""Is told the path of each value that had to be left out."""
_META: Final = frozenset({"resourceType", "created", "lastModified", "version"})
"""What is kept of meta: the location is the other side's."""


def to_resource(
    type: ResourceType, document: Any, tell: Tell, version: str | None = None
) -> Resource:
    """Read a resource, which may be partial; `version` is that of an ETag header.

    Raises: BadGateway, if it isn't an object with an id.
    """
    id = document.get("id") if isinstance(document, dict) else None
    if not isinstance(id, str) or not id:
        raise BadGateway(f"the endpoint answered something that isn't a {type.name}")
    data: dict[str, Any] = {}
    for name, raw in document.items():
        attribute = type.find(name)
        if attribute is not None:
            _put(data, attribute.name, _value(attribute, raw, attribute.name, tell))
        elif (extension := type.extension(name)) is not None and isinstance(raw, dict):
            _put(data, extension.id, _members(extension.find, raw, extension.id, tell))
    data["schemas"] = schemas_of(type, data)
    meta = {key: value for key, value in data.pop("meta", {}).items() if key in _META}
    found = to_version(version) or to_version(meta.pop("version", None))
    if found is not None:
        meta["version"] = found
    if meta:
        data["meta"] = meta
    return Resource(type, data)


def to_version(tag: str | None) -> str | None:
    """Give a version as the contract has it, out of an ETag or meta.version."""
    if not tag:
        return None
    opaque = Tags.parse(tag).opaque
    return f'W/"{opaque[0]}"' if opaque else None


def listed(answer: Any) -> tuple[Sequence[Any], int]:
    """Read a ListResponse: its resources, and how many there are in all (RFC 7644 section 3.4.2).

    Raises: BadGateway.
    """
    members: Mapping[str, Any] = answer if isinstance(answer, dict) else {}
    found, total = members.get("Resources") or [], members.get("totalResults")
    if not isinstance(found, list) or type(total) is not int:
        raise BadGateway("the endpoint answered a search with something that isn't a list")
    return found, total


def _put(data: dict[str, Any], name: str, value: Any) -> None:
    if value is not None:
        data[name] = value


def _value(attribute: Attribute, raw: Any, where: str, tell: Tell) -> Any:
    if unassigned(raw):
        return None
    if not attribute.multi_valued:
        return _element(attribute, raw, where, tell)
    elements = raw if isinstance(raw, list) else [raw]
    found = [_element(attribute, each, where, tell) for each in elements]
    return [each for each in found if each is not None] or None


def _element(attribute: Attribute, raw: Any, where: str, tell: Tell) -> Any:
    if unassigned(raw):
        return None
    if not attribute.is_complex:
        try:
            return parse_simple(attribute, raw, where)
        except InvalidValue:
            tell(where)
            return None
    if not isinstance(raw, dict):
        tell(where)
        return None
    found = _members(attribute.find, raw, where, tell)
    address = attribute.address
    if address is None or found is None or "type" in found or not _names_type(address, raw):
        return found
    return {**found, address.name: raw[address.name]}


def _names_type(address: Attribute, raw: Mapping[str, Any]) -> bool:
    """Whether the other side's address, which isn't ours, tells of what type a member is."""
    text, kinds = raw.get(address.name), address.reference_types
    endpoint = text.rstrip("/").split("/")[-2:-1] if isinstance(text, str) else []
    return len(kinds) > 1 and any(endpoint == [f"{kind}s"] for kind in kinds)


def _members(
    find: Callable[[str], Attribute | None], raw: Mapping[str, Any], where: str, tell: Tell
) -> dict[str, Any] | None:
    data: dict[str, Any] = {}
    for name, value in raw.items():
        attribute = find(name)
        if attribute is not None and not attribute.computed:
            _put(data, attribute.name, _value(attribute, value, f"{where}.{attribute.name}", tell))
    return data or None
