"""Which attributes of a resource does an answer hold?

RFC 7644 sections 3.4.2.5 and 3.9, RFC 7643 section 7 (returned).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from attrs import frozen

from scimgw.errors import ScimError
from scimgw.scim.filter import parse_path
from scimgw.scim.path import Path
from scimgw.scim.references import REF, Reference, references
from scimgw.scim.schema import COMMON, Attribute, ResourceType, Returned

_Subs = frozenset[str] | None
"""Names of the sub-attributes that are shown, None for all of them."""
_Chosen = dict[str, _Subs]
"""The attributes that are shown of one container, while that is worked out."""

_COMPUTED_OF: Final = frozenset({"value", "type"})
_BY_DEFAULT: Final = frozenset({Returned.ALWAYS, Returned.DEFAULT})
NEEDED: Final = frozenset(
    Path(attribute=attribute)
    for attribute in COMMON.attributes
    if attribute.name in {"schemas", "id", "meta"}
)
"""What the gateway itself needs of every resource, whatever the client wants to see."""


@frozen
class Shown:
    """The attributes that are shown of one container, and of which only some sub-attributes are."""

    names: frozenset[str]
    parts: Mapping[str, frozenset[str]]

    def apply(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out what isn't shown."""
        result = {name: value for name, value in data.items() if name in self.names}
        for name, subs in self.parts.items():
            if name in result:
                part = _members(result.pop(name), subs)
                if part:
                    result[name] = part
        return result


@frozen(eq=False)
class Projection:
    """What is shown of the top (None) and of each extension."""

    shown: Mapping[str | None, Shown]
    paths: frozenset[Path]
    """What is shown, and what the gateway itself needs of every resource."""
    default: bool
    """Whether this is what is returned where the client names nothing."""
    references: tuple[Reference, ...] = ()
    """What is shown with its addresses."""

    def shows(self, name: str) -> bool:
        """Whether an attribute at the top is shown, at least in part."""
        return name in self.shown[None].names

    def fetching(self, others: frozenset[Path]) -> frozenset[Path] | None:
        """Give `Query.attributes`: what is shown, and others beside."""
        if self.default and others <= self.paths:
            return None
        return self.paths | others

    def apply(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out of a resource's data what isn't shown; what is shown whole isn't copied."""
        result = self.shown[None].apply(data)
        for container, shown in self.shown.items():
            if container is not None and container in data:
                extension = shown.apply(data[container])
                if extension:
                    result[container] = extension
        return result


def _members(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        return {name: member for name, member in value.items() if name in names}
    return [members for element in value if (members := _members(element, names))]


@lru_cache(maxsize=1024)
def projection(
    type: ResourceType, attributes: str, excluded: str, written: frozenset[Path] = frozenset()
) -> Projection:
    """Work out what attributes and excludedAttributes leave (comma-separated, "" for none).

    Names that no schema has are left alone, and so are value filters in `attributes`: clients send
    both.  `written` is shown where `attributes` names nothing else.
    """
    if attributes.strip():
        chosen = _requested(type, attributes)
    else:
        chosen = _default(type)
        for path in written:
            _include(chosen[path.container], path)
    for path in _named(type, excluded):
        _exclude(chosen[path.container], path)
    shown = {
        container: Shown(
            frozenset(names), {name: subs for name, subs in names.items() if subs is not None}
        )
        for container, names in chosen.items()
    }
    default = not (attributes.strip() or excluded.strip() or written)
    addressed = tuple(each for each in references(type) if _with_address(each, shown))
    return Projection(shown, NEEDED | frozenset(_paths(type, chosen)), default, addressed)


def _with_address(reference: Reference, shown: Mapping[str | None, Shown]) -> bool:
    container = shown[reference.container]
    parts = container.parts.get(reference.name)
    return reference.name in container.names and (parts is None or REF in parts)


@lru_cache(maxsize=256)
def on_request(type: ResourceType) -> frozenset[Path]:
    """Name what is shown to who asks for it or writes it (`request` in RFC 7643 section 7)."""
    return frozenset(
        path
        for container, attributes in type.containers()
        for attribute in attributes
        for root in [Path(container=container, attribute=attribute)]
        for path in (root, *map(root.to, attribute.sub_attributes))
        if path.leaf.returned is Returned.REQUEST
    )


def _default(type: ResourceType) -> dict[str | None, _Chosen]:
    return {
        container: {
            attribute.name: _whole(attribute)
            for attribute in attributes
            if attribute.returned in _BY_DEFAULT
        }
        for container, attributes in type.containers()
    }


def _whole(attribute: Attribute) -> _Subs:
    names = frozenset(sub.name for sub in attribute.sub_attributes if sub.returned in _BY_DEFAULT)
    return None if len(names) == len(attribute.sub_attributes) else names


def _requested(type: ResourceType, text: str) -> dict[str | None, _Chosen]:
    chosen: dict[str | None, _Chosen] = {
        container: {
            each.name: _whole(each) for each in attributes if each.returned is Returned.ALWAYS
        }
        for container, attributes in type.containers()
    }
    for path in _named(type, text):
        if not path.hidden:
            _include(chosen[path.container], path)
    return chosen


def _include(chosen: _Chosen, path: Path) -> None:
    attribute = path.attribute
    whole = _whole(attribute)
    if path.sub is None:
        chosen[attribute.name] = whole
        return
    always = {sub.name for sub in attribute.sub_attributes if sub.returned is Returned.ALWAYS}
    held = chosen.get(attribute.name, frozenset())
    if held is not None:
        chosen[attribute.name] = held | always | {path.sub.name}


def _exclude(chosen: _Chosen, path: Path) -> None:
    name = path.attribute.name
    if (
        name not in chosen
        or path.filter is not None
        or Returned.ALWAYS in {path.attribute.returned, path.leaf.returned}
    ):
        return
    if path.sub is None:
        del chosen[name]
        return
    held = chosen[name]
    names = frozenset(sub.name for sub in path.attribute.sub_attributes) if held is None else held
    chosen[name] = names - {path.sub.name}


def _named(type: ResourceType, text: str) -> Iterator[Path]:
    for name in text.split(","):
        extension = type.extension(name.strip())
        if extension is not None:
            for attribute in extension.attributes:
                yield Path(container=extension.id, attribute=attribute)
            continue
        try:
            yield parse_path(name.strip(), type)
        except ScimError:
            continue


def _paths(type: ResourceType, chosen: Mapping[str | None, _Chosen]) -> Iterator[Path]:
    for container, attributes in type.containers():
        for attribute in attributes:
            subs = chosen[container].get(attribute.name, frozenset())
            root = Path(container=container, attribute=attribute)
            if subs is None:
                yield root
            else:
                # what is computed is worked out of these
                computed = any(
                    sub.computed and sub.name in subs for sub in attribute.sub_attributes
                )
                needed = subs | _COMPUTED_OF if computed else subs
                yield from (root.to(sub) for sub in attribute.sub_attributes if sub.name in needed)
