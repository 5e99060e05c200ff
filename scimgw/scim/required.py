"""Does a change leave what is required?

RFC 7643 section 2.2.  That a simple attribute is removed can be told by the request alone; of
several values, of complex ones and of extensions one must know what is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from scimgw.errors import InvalidValue, Mutability, ScimError
from scimgw.scim.changes import value_at
from scimgw.scim.path import Path
from scimgw.scim.schema import Attribute, ResourceType, Returned

_NONE: Final[frozenset[Path]] = frozenset()


def demanded(type: ResourceType, roots: Iterable[Path]) -> frozenset[Path]:
    """Name the attributes that must be known before some are changed."""
    each = _demanding(type)
    return frozenset().union(*(each.get(root, _NONE) for root in roots))


def check_left(
    type: ResourceType, names: frozenset[Path], before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """Check what a change makes of the attributes that were demanded.

    Raises: Mutability, if what is required was removed; InvalidValue, if it was never there.
    """
    for extension in type.extensions:
        urn = extension.schema.id
        if extension.required and urn in before and urn not in after:
            raise Mutability(f"the extension {urn} is required and can't be removed")
    for path in sorted(names, key=str):
        if path.container is not None and path.container not in after:
            continue
        held, left = value_at(before, path), value_at(after, path)
        if left is None and path.attribute.must_stay:
            raise _lacking(path, held)
        if left is not None and not path.attribute.multi_valued:
            for sub in path.attribute.sub_attributes:
                if sub.must_stay and sub.name not in left:
                    raise _lacking(path.to(sub), (held or {}).get(sub.name))


def _lacking(path: Path, held: Any) -> ScimError:
    if held is None:
        return InvalidValue(f"{path} is required")
    return Mutability(f"{path} is required and can't be removed")


@lru_cache(maxsize=256)
def _demanding(type: ResourceType) -> Mapping[Path, frozenset[Path]]:
    """Give, for each attribute whose change may leave too little, what must be known."""
    found: dict[Path, frozenset[Path]] = {}
    for container, attributes in type.containers():
        paths = [Path(container=container, attribute=each) for each in attributes]
        if container is not None and _bound(type, container):
            seen = frozenset(path for path in paths if _is_seen(path.attribute))
            found |= dict.fromkeys(paths, seen)
        else:
            found |= {path: frozenset({path}) for path in paths if _is_demanding(path.attribute)}
    return found


def _bound(type: ResourceType, urn: str) -> bool:
    """Whether an extension, or something in it, is required."""
    return any(
        each.required or any(attribute.must_stay for attribute in each.schema.attributes)
        for each in type.extensions
        if each.schema.id == urn
    )


def _is_seen(attribute: Attribute) -> bool:
    return attribute.returned is not Returned.NEVER


def _is_demanding(attribute: Attribute) -> bool:
    if attribute.must_stay:
        return attribute.multi_valued or attribute.is_complex
    parts = not attribute.multi_valued and any(sub.must_stay for sub in attribute.sub_attributes)
    return parts and _is_seen(attribute)
