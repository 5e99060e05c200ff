"""Which operations does a PATCH request ask for?

RFC 7644 section 3.5.2.  Everything that can be told without the resource is checked here: message,
paths, types, mutability.  What clients send beyond the RFC is taken where it can mean only one
thing; each such case is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from scimgw.errors import InvalidPath, InvalidSyntax, InvalidValue, Mutability, NoTarget
from scimgw.scim.filter import parse_path
from scimgw.scim.operation import Op, Operation
from scimgw.scim.path import Path, UnknownAttribute
from scimgw.scim.resource import Unknown, parse_part, parse_value
from scimgw.scim.schema import Attribute, ResourceType, Schema
from scimgw.scim.schema import Mutability as Characteristic
from scimgw.scim.values import show, unassigned

PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_OPS: Final = {op.value: op for op in Op}
_MISSING: Final = object()


def parse(type: ResourceType, body: object, unknown: Unknown) -> list[Operation]:
    """Read a PatchOp message.

    Raises: InvalidSyntax, InvalidPath, InvalidValue, NoTarget, Mutability.
    """
    message = _message(body, "the body")
    schemas = message.get("schemas")
    if not isinstance(schemas, list) or PATCH_OP.casefold() not in [
        str(urn).casefold() for urn in schemas
    ]:
        raise InvalidSyntax(f"schemas must hold {PATCH_OP}")
    listed = message.get("operations")
    if not isinstance(listed, list) or not listed:
        raise InvalidSyntax("Operations must be an array with at least one operation")
    return [operation for entry in listed for operation in _Reader(type, unknown).read(entry)]


def _message(raw: object, what: str) -> Mapping[str, Any]:
    """Give the members of a message by their names in lower case (RFC 7643 section 2.1)."""
    if not isinstance(raw, dict):
        raise InvalidSyntax(f"{what} must be a JSON object, not {show(raw)}")
    return {name.casefold(): value for name, value in raw.items()}


class _Reader:
    """Reads the operations of one message for one resource type."""

    def __init__(self, type: ResourceType, unknown: Unknown) -> None:
        self._type = type
        self._unknown = unknown

    def read(self, entry: object) -> Iterator[Operation]:
        """Read one entry of Operations; it may stand for several operations, or for none."""
        members = _message(entry, "an operation")
        op = _OPS.get(str(members.get("op")).casefold())  # Entra ID sends Add, Replace and Remove
        if op is None:
            raise InvalidSyntax(f"op must be add, remove or replace, not {show(members.get('op'))}")
        value = members.get("value", _MISSING)
        if op is not Op.REMOVE and value is _MISSING:
            raise InvalidValue(f"{op.value} needs a value")
        path = members.get("path")
        if path is None:
            return self._without_path(op, value)
        if not isinstance(path, str):
            raise InvalidPath(f"path must be a string, not {show(path)}")
        return self._at(op, path, value)

    def _at(self, op: Op, text: str, value: Any) -> Iterator[Operation]:
        extension = self._type.extension(text)
        if extension is not None:
            return self._extension(op, extension, value)
        path = self._find(text)
        if path is None:
            self._unknown(text)
            return iter(())
        if path.attribute.name == "schemas" and path.container is None:
            return iter(())  # derived from the data; some clients repeat it
        if path.attribute.read_only or path.leaf.read_only:
            raise Mutability(f"{path} is readOnly")
        return self._operations(op, path, None if value is _MISSING else value)

    def _find(self, text: str) -> Path | None:
        """Find what a path names, None if it is well formed and names nothing.

        Attributes of extensions are found without their URN, as Entra ID names manager.
        """
        prefixes = [""]
        if not text.casefold().startswith("urn:"):
            prefixes += [f"{extension.schema.id}:" for extension in self._type.extensions]
        for prefix in prefixes:
            with suppress(UnknownAttribute):
                return parse_path(prefix + text, self._type)
        return None

    def _without_path(self, op: Op, value: Any) -> Iterator[Operation]:
        if op is Op.REMOVE:
            raise NoTarget("remove needs a path")
        if not isinstance(value, dict):
            raise InvalidValue(f"{op.value} without a path needs an object, not {show(value)}")
        for name, member in value.items():
            yield from self._member(op, name, member)

    def _member(self, op: Op, name: str, value: Any) -> Iterator[Operation]:
        """Read a member of an object that stands for a resource; readOnly is ignored as in PUT.

        With aadOptscim062020, Entra ID sends dotted and URN-qualified names.
        """
        extension = self._type.extension(name)
        if extension is not None:
            yield from self._extension(op, extension, value)
            return
        try:
            path = self._find(name)
        except InvalidPath:
            path = None
        if path is None:
            self._unknown(name)
        elif not (
            path.attribute.read_only or path.leaf.read_only or path.attribute.name == "schemas"
        ):
            yield from self._operations(op, path, value)

    def _extension(self, op: Op, extension: Schema, value: Any) -> Iterator[Operation]:
        if unassigned(value) and op is Op.ADD:
            return
        if op is Op.REMOVE or unassigned(value):
            if any(each.schema is extension and each.required for each in self._type.extensions):
                raise Mutability(f"the extension {extension.id} is required and can't be removed")
            for attribute in extension.attributes:
                if not attribute.read_only:
                    yield from _removals(Path(container=extension.id, attribute=attribute))
            return
        if not isinstance(value, dict):
            raise InvalidValue(f"{extension.id} must be a JSON object, not {show(value)}")
        for name, member in value.items():
            found = extension.find(name)
            if found is None:
                self._unknown(f"{extension.id}:{name}")
            elif not found.read_only:
                path = Path(container=extension.id, attribute=found)
                yield from self._operations(op, path, member)

    def _operations(self, op: Op, path: Path, value: Any) -> Iterator[Operation]:
        """Say what is meant in operations of the form that `Operation` promises."""
        if path.attribute.multi_valued:
            yield self._on_values(op, path, value)
        elif path.leaf.computed:
            # what an address names is set by it; to remove the address alone means nothing
            if op is not Op.REMOVE:
                yield from self._on_members(op, path.root, {path.leaf.name: value})
        elif path.leaf.is_complex:
            yield from self._on_members(op, path, value)
        else:
            yield self._on_one(op, path, _given(path.leaf, value))
            if path.sub is not None:
                yield from _outdated(path, {path.sub.name})

    def _on_one(self, op: Op, path: Path, raw: Any) -> Operation:
        value = None if op is Op.REMOVE else parse_value(path.leaf, raw, str(path), self._unknown)
        if value is not None:
            return Operation(op, path, value)
        if op is Op.ADD and path.leaf.multi_valued:
            return Operation(op, path, [])
        if path.leaf.required:
            raise Mutability(f"{path} is required and can't be removed")
        return Operation(Op.REMOVE, path)

    def _on_members(self, op: Op, path: Path, raw: Any) -> Iterator[Operation]:
        """Take a complex attribute apart; what isn't named stays (section 3.5.2.3)."""
        if path.attribute.required and op is Op.REMOVE:
            raise Mutability(f"{path} is required and can't be removed")
        if op is Op.REMOVE or unassigned(raw):
            yield from _removals(path)
            return
        raw = _unwrapped(path.attribute, raw)
        value = parse_part(path.attribute, raw, str(path), self._unknown) or {}
        for sub in path.attribute.sub_attributes:
            if sub.name in value:
                yield Operation(op, path.to(sub), value[sub.name])
        for sub in _emptied(path.attribute, raw):
            yield self._on_one(Op.REMOVE, path.to(sub), None)
        yield from _outdated(path, set(value))

    def _on_values(self, op: Op, path: Path, raw: Any) -> Operation:
        if path.sub is not None:
            return self._on_sub(op, path, path.sub, raw)
        if path.filter is not None:
            return self._on_selected(op, path, raw)
        if op is Op.REMOVE and raw is not None:
            # Entra ID and authentik list the values to remove beside a path that names all of them
            return Operation(op, path, self._resembling(path, raw))
        values = self._values(path, raw)
        if values or op is Op.ADD:
            return Operation(op, path, values)
        if path.attribute.required:
            raise Mutability(f"{path} is required and can't be removed")
        return Operation(Op.REMOVE, path)

    def _values(self, path: Path, raw: Any) -> list[Any]:
        """Read values given as an array, or as the one that would be in it."""
        return parse_value(path.attribute, _listed(raw), str(path), self._unknown) or []

    def _resembling(self, path: Path, raw: Any) -> list[Any]:
        """Read values that are to be removed, of which less may be told than they hold."""
        attribute = path.attribute
        if attribute.plain:
            return self._values(path, raw)
        parts = [parse_part(attribute, each, str(path), self._unknown) for each in _listed(raw)]
        return [part for part in parts if part is not None]

    def _on_sub(self, op: Op, path: Path, sub: Attribute, raw: Any) -> Operation:
        if sub.computed:
            raise Mutability(f"{path} is made for each answer; change the value that it is of")
        if path.attribute.plain and sub.mutability is Characteristic.IMMUTABLE:
            raise Mutability(f"{path} is immutable; remove the value and add another")
        if sub is path.attribute.value and (op is Op.REMOVE or unassigned(raw)):
            return Operation(Op.REMOVE, path)
        return self._on_one(op, path, _given(sub, raw))

    def _on_selected(self, op: Op, path: Path, raw: Any) -> Operation:
        if op is Op.REMOVE or unassigned(raw):
            return Operation(Op.REMOVE, path)
        listed = _listed(raw)
        if len(listed) != 1:
            raise InvalidValue(f"{path} takes one value, not {show(raw)}")
        value = parse_part(path.attribute, listed[0], str(path), self._unknown)
        if value is None:
            raise InvalidValue(f"{path} takes one value, not {show(raw)}")
        return Operation(op, path, value)


def _removals(path: Path) -> Iterator[Operation]:
    """Remove a whole attribute, with the parts that it can't be without."""
    if path.attribute.is_complex and not path.attribute.multi_valued:
        for sub in path.attribute.sub_attributes:
            yield Operation(Op.REMOVE, path.to(sub))
    else:
        yield Operation(Op.REMOVE, path)


def _listed(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else [raw]


def _given(leaf: Attribute, raw: Any) -> Any:
    """Give what is said of an attribute as many values as it takes."""
    return _listed(raw) if leaf.multi_valued else _unwrapped(leaf, raw)


def _unwrapped(attribute: Attribute, raw: Any) -> Any:
    """Take the one value out of an array or object that Entra ID wraps around it."""
    if isinstance(raw, list) and len(raw) == 1:
        raw = raw[0]
    if isinstance(raw, dict) and not attribute.is_complex and "value" in raw:
        raw = raw["value"]
    return raw


def _emptied(attribute: Attribute, raw: Any) -> list[Attribute]:
    """Name the sub-attributes that an object gives as null or empty."""
    if not isinstance(raw, dict):
        return []
    subs = [attribute.find(name) for name, value in raw.items() if unassigned(value)]
    return [sub for sub in subs if sub is not None and not (sub.read_only or sub.computed)]


def _outdated(path: Path, named: set[str]) -> Iterator[Operation]:
    """Remove what described a reference's former value: a manager's displayName."""
    attribute = path.attribute
    if (
        attribute.value is None
        or attribute.value.name not in named
        or attribute.find("$ref") is None
    ):
        return
    for sub in attribute.sub_attributes:
        described = sub.read_only or sub.name == "$ref"
        if described and not sub.computed and sub.name not in named:
            yield Operation(Op.REMOVE, path.root.to(sub))
