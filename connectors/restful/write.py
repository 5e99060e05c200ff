"""How do changes become what the other side is sent?

RFC 7644 section 3.5.2 (PATCH), and section 3.5.1 (PUT) where there is no PATCH.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from scimgw.scim.changes import Changes, changed
from scimgw.scim.filter import Compare, Filter, Not, Operator, Present, conjunction
from scimgw.scim.filter import element_attribute as values_of
from scimgw.scim.path import Path
from scimgw.scim.resource import Resource
from scimgw.scim.schema import Attribute, ResourceType

PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_KEPT: Final = frozenset({"schemas", "meta", "id"})


def without_address(changes: Changes) -> frozenset[Path]:
    """Name the attributes of which values are to go that no value filter tells from others.

    Their present values must be known, and be written as a whole.
    """
    return frozenset(
        path
        for path, values in changes.remove.items()
        if path.attribute.is_complex and any("value" not in each for each in values)
    )


def to_patch(changes: Changes, current: Resource | None = None) -> dict[str, Any]:
    """Write a PATCH message; `current` holds what `without_address` names.

    The operations are in the order of the contract: what goes, goes first.
    """
    operations = [*_removals(changes), *_settings(changes)]
    if current is not None:
        roots = without_address(changes)
        after = changed(current.type, current.data, _only(changes, roots))
        operations = [each for each in operations if each["path"] not in set(map(str, roots))]
        operations += [_assigned(root, _at(after, root)) for root in sorted(roots, key=str)]
    return {"schemas": [PATCH_OP], "Operations": operations}


def _removals(changes: Changes) -> Iterator[dict[str, Any]]:
    for path in sorted(changes.clear, key=str):
        # what is readOnly follows from what isn't
        if not path.leaf.read_only:
            yield {"op": "remove", "path": str(path)}
    unaddressed = without_address(changes)
    for path, values in changes.remove.items():
        if path not in unaddressed:
            for value in values:
                yield {"op": "remove", "path": f"{path}[{_selecting(path.attribute, value)}]"}


def _settings(changes: Changes) -> Iterator[dict[str, Any]]:
    # a reference's value comes before what describes it, which it would remove
    for path, value in sorted(changes.set.items(), key=lambda pair: pair[0].leaf.name != "value"):
        yield {"op": "replace", "path": str(path), "value": value}
    for path, values in changes.add.items():
        yield {"op": "add", "path": str(path), "value": values}


def _selecting(attribute: Attribute, value: Any) -> Filter:
    """Say which value is meant: two are the same if their value and type are."""
    if not attribute.is_complex:
        return Compare(Path(attribute=values_of(attribute)), Operator.EQ, value)
    assert attribute.value is not None
    terms: list[Filter] = [Compare(Path(attribute=attribute.value), Operator.EQ, value["value"])]
    kind = None if attribute.plain else attribute.find("type")
    if kind is not None:
        path = Path(attribute=kind)
        told = value.get("type")
        terms.append(Not(Present(path)) if told is None else Compare(path, Operator.EQ, told))
    return conjunction(terms)


def _only(changes: Changes, roots: frozenset[Path]) -> Changes:
    return Changes(
        add={path: values for path, values in changes.add.items() if path in roots},
        remove={path: values for path, values in changes.remove.items() if path in roots},
    )


def _at(data: Mapping[str, Any], root: Path) -> Any:
    inside = data if root.container is None else data.get(root.container, {})
    return inside.get(root.attribute.name)


def _assigned(root: Path, value: Any) -> dict[str, Any]:
    if value is None:
        return {"op": "remove", "path": str(root)}
    return {"op": "replace", "path": str(root), "value": value}


def to_put(current: Resource, document: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """Write the whole resource as it is to be; what only the other side knows stays in it."""
    type = current.type
    after = changed(type, current.data, changes)
    return {**_unknown(type, document), **written(type, after)}


def written(type: ResourceType, data: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of a resource what clients don't write."""
    found = {}
    for name, value in data.items():
        attribute = type.find(name)
        if name == "schemas" or attribute is None or not attribute.read_only:
            found[name] = value
    return found


def _unknown(type: ResourceType, document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in document.items()
        if type.find(name) is None and type.extension(name) is None
    }
