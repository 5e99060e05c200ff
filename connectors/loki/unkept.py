"""What of a resource is accepted and not kept?

Passwords, and whatever else is never returned: attributes, those of extensions, and parts of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from scimgw.scim.changes import Changes
from scimgw.scim.path import Path
from scimgw.scim.resource import schemas_of
from scimgw.scim.schema import Attribute, ResourceType, Returned

_Hiding = Mapping[str, Attribute]
"""The attributes of one container that aren't kept, or not wholly, by their names."""


def kept(type: ResourceType, data: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of a resource's data what isn't kept."""
    left = dict(data)
    for container, hiding in _hiding(type).items():
        if container is None:
            left = _members(left, hiding)
        elif container in left:
            left[container] = _members(left[container], hiding)
    left = {name: value for name, value in left.items() if value != {}}
    return {**left, "schemas": schemas_of(type, left)}


def kept_changes(changes: Changes) -> Changes:
    """Leave out of changes what isn't kept; values of which nothing is left are no values."""
    seen = {path: _at(path, value) for path, value in changes.set.items() if not path.hidden}
    emptied = {path for path, value in seen.items() if value is None}
    return Changes(
        set={path: value for path, value in seen.items() if value is not None},
        clear=frozenset(path for path in changes.clear if not path.hidden) | emptied,
        add=_lists(changes.add),
        remove=_lists(changes.remove),
    )


def _lists(values: Mapping[Path, list[Any]]) -> dict[Path, list[Any]]:
    seen = {path: _at(path, each) for path, each in values.items() if not path.hidden}
    return {path: each for path, each in seen.items() if each is not None}


def _at(path: Path, value: Any) -> Any:
    return value if path.sub is not None else _visible(path.attribute, value)


@lru_cache(maxsize=256)
def _hiding(type: ResourceType) -> Mapping[str | None, _Hiding]:
    found = {
        container: {
            each.name: each
            for each in attributes
            if any(part.returned is Returned.NEVER for part in (each, *each.sub_attributes))
        }
        for container, attributes in type.containers()
    }
    return {container: hiding for container, hiding in found.items() if hiding}


def _members(data: Mapping[str, Any], hiding: _Hiding) -> dict[str, Any]:
    seen = {
        name: value if name not in hiding else _visible(hiding[name], value)
        for name, value in data.items()
    }
    return {name: value for name, value in seen.items() if value is not None}


def _visible(attribute: Attribute, value: Any) -> Any:
    """Give what of a value is kept, None if nothing is."""
    if attribute.returned is Returned.NEVER:
        return None
    hidden = {sub.name for sub in attribute.sub_attributes if sub.returned is Returned.NEVER}
    if not hidden:
        return value
    if attribute.multi_valued:
        return [left for each in value if (left := _without(each, hidden))] or None
    return _without(value, hidden) or None


def _without(value: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: part for name, part in value.items() if name not in names}
