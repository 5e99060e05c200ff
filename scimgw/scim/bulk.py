"""Which operations does a bulk request hold, and in what order can they be carried out?

RFC 7644 section 3.7.  An operation may refer to a resource that another one makes, before or after
it, by `bulkId:` and that one's bulkId: as a value, at the end of a `$ref`, in its path, or in the
value filter of a PATCH path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from attrs import field, frozen

from scimgw.errors import (
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    NotFound,
    PayloadTooLarge,
    ScimError,
)
from scimgw.scim.patch import PATCH_OP
from scimgw.scim.schema import ResourceType
from scimgw.scim.values import show, unassigned

BULK_REQUEST: Final = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_RESPONSE: Final = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
METHODS: Final = ("POST", "PUT", "PATCH", "DELETE")
_WITHOUT_DATA: Final = "DELETE"
_DEPTH: Final = 12
"""Levels of a body below which there is no attribute, and so no reference."""
_REFERENCE: Final = re.compile(r"((?:.*/)?)bulkId:([^/]+)", re.DOTALL)
_COMPARED: Final = re.compile(r'"bulkId:([^"\\]+)"')


@frozen(kw_only=True)
class BulkOperation:
    """One operation; `target` is the id in its path, or a reference, None for POST."""

    method: str
    type: ResourceType
    target: str | None = None
    bulk_id: str | None = None
    version: str | None = None
    data: Any = None

    @property
    def references(self) -> frozenset[str]:
        """The bulkIds of the operations that this one refers to."""
        return frozenset(_references([self.target, self.data]))


@frozen(kw_only=True)
class Refused:
    """An operation that can't be carried out as it stands."""

    method: str | None
    bulk_id: str | None
    error: ScimError


@frozen(kw_only=True)
class BulkRequest:
    """All operations; after `fail_on_errors` failures, unless it is 0, no more are run."""

    operations: tuple[BulkOperation | Refused, ...]
    fail_on_errors: int = 0


def parse(types: Sequence[ResourceType], body: object, max_operations: int) -> BulkRequest:
    """Read a BulkRequest; a faulty operation in it is refused by itself.

    Raises: InvalidSyntax, InvalidValue, PayloadTooLarge.
    """
    message = _members(body, "the body")
    schemas = message.get("schemas")
    if not isinstance(schemas, list) or BULK_REQUEST.casefold() not in [
        str(urn).casefold() for urn in schemas
    ]:
        raise InvalidSyntax(f"schemas must hold {BULK_REQUEST}")
    listed = message.get("operations")
    if not isinstance(listed, list) or not listed:
        raise InvalidSyntax("Operations must be an array with at least one operation")
    if len(listed) > max_operations:
        raise PayloadTooLarge(
            f"{len(listed)} operations are more than maxOperations, {max_operations}"
        )
    reader = _Reader(types)
    entries = [_members(each, "an operation") for each in listed]
    return BulkRequest(
        operations=tuple(map(reader.read, entries)),
        fail_on_errors=_fail_on_errors(message.get("failonerrors")),
    )


def _members(raw: object, what: str) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise InvalidSyntax(f"{what} must be a JSON object, not {show(raw)}")
    return {name.casefold(): value for name, value in raw.items()}


def _fail_on_errors(value: object) -> int:
    if value is None:
        return 0
    if type(value) is not int or value < 0:
        raise InvalidValue(f"failOnErrors must be a number of errors, not {show(value)}")
    return value


@frozen
class _Reader:
    """Reads the operations of one request."""

    types: Sequence[ResourceType]
    taken: set[str] = field(factory=set)
    """The bulkIds read so far."""

    def read(self, entry: Mapping[str, Any]) -> BulkOperation | Refused:
        method, bulk_id = entry.get("method"), entry.get("bulkid")
        method = method.upper() if isinstance(method, str) else None
        try:
            return self._operation(method, bulk_id, entry)
        except ScimError as error:
            return Refused(
                method=method, bulk_id=bulk_id if isinstance(bulk_id, str) else None, error=error
            )

    def _operation(
        self, method: str | None, bulk_id: object, entry: Mapping[str, Any]
    ) -> BulkOperation:
        if method not in METHODS:
            raise InvalidSyntax(f"method must be one of {', '.join(METHODS)}")
        type, target = self._address(entry.get("path"))
        if method == "POST" and target is not None:
            raise InvalidPath("POST takes the path of a resource type")
        if method != "POST" and target is None:
            raise InvalidPath(f"{method} takes the path of a resource")
        if method != _WITHOUT_DATA and "data" not in entry:
            raise InvalidSyntax(f"{method} needs data")
        version = entry.get("version")
        if version is not None and not isinstance(version, str):
            raise InvalidSyntax(f"version must be a string, not {show(version)}")
        return BulkOperation(
            method=method,
            type=type,
            target=target,
            bulk_id=self._bulk_id(method, bulk_id),
            version=version,
            data=_data(method, entry.get("data")),
        )

    def _address(self, path: object) -> tuple[ResourceType, str | None]:
        """Read `/Users` or `/Users/<id>`."""
        if not isinstance(path, str):
            raise InvalidSyntax(f"path must be a string, not {show(path)}")
        name, _, id = path.removeprefix("/").removesuffix("/").partition("/")
        for type in self.types:
            if type.endpoint.strip("/").casefold() == name.casefold() and "/" not in id:
                return type, unquote(id) if id else None
        raise NotFound(f"no such endpoint: {show(path)}")

    def _bulk_id(self, method: str, bulk_id: object) -> str | None:
        if unassigned(bulk_id):
            if method == "POST":
                raise InvalidSyntax("POST needs a bulkId")
            return None
        if not isinstance(bulk_id, str):
            raise InvalidSyntax(f"bulkId must be a string, not {show(bulk_id)}")
        if bulk_id in self.taken:
            raise InvalidValue(f"bulkId {show(bulk_id)} stands at two operations")
        self.taken.add(bulk_id)
        return bulk_id


def _data(method: str, data: Any) -> Any:
    """Give the body that an operation would have by itself."""
    if method == _WITHOUT_DATA:
        return None
    if method == "PATCH" and isinstance(data, list):
        # the example of RFC 7644 section 3.7.3 has the bare operations
        return {"schemas": [PATCH_OP], "Operations": data}
    return data


def _references(value: Any, depth: int = 0) -> Iterator[str]:
    """Find the bulkIds that are referred to."""
    match value:
        case str():
            if found := _REFERENCE.fullmatch(value):
                yield found[2]
        case dict() if depth < _DEPTH:
            for name, member in value.items():
                if name.casefold() == "path" and isinstance(member, str):
                    yield from _COMPARED.findall(member)
                else:
                    yield from _references(member, depth + 1)
        case list() if depth < _DEPTH:
            for element in value:
                yield from _references(element, depth + 1)


def resolved(value: Any, ids: Mapping[str, str]) -> Any:
    """Put ids where they are referred to; all that are must be known."""
    return _resolved(value, lambda bulk_id: ids[bulk_id], 0)


def _resolved(value: Any, id_of: Callable[[str], str], depth: int) -> Any:
    match value:
        case str():
            found = _REFERENCE.fullmatch(value)
            return value if found is None else found[1] + id_of(found[2])
        case dict() if depth < _DEPTH:
            return {
                name: _COMPARED.sub(lambda found: _quoted(id_of(found[1])), member)
                if name.casefold() == "path" and isinstance(member, str)
                else _resolved(member, id_of, depth + 1)
                for name, member in value.items()
            }
        case list() if depth < _DEPTH:
            return [_resolved(element, id_of, depth + 1) for element in value]
        case _:
            return value


def _quoted(id: str) -> str:
    text = id.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


@frozen
class Step:
    """An operation's place in the request, and the references that can't be followed yet."""

    place: int
    deferred: frozenset[str] = frozenset()


def order(operations: Sequence[BulkOperation | Refused]) -> list[Step]:
    """Put operations in the order of the request, but each behind those that it refers to.

    Where they refer to each other in a circle, one has to go first; it is told what it must do
    without.
    """
    makers = {
        each.bulk_id: place
        for place, each in enumerate(operations)
        if isinstance(each, BulkOperation) and each.bulk_id is not None
    }
    steps: list[Step] = []
    deferred: dict[int, set[str]] = {}
    done: set[int] = set()
    for first in range(len(operations)):
        stack = [] if first in done else [first]
        while stack:
            place = stack[-1]
            if place not in deferred:
                deferred[place] = set()
                entry = operations[place]
                needed = entry.references if isinstance(entry, BulkOperation) else frozenset()
                for bulk_id in sorted(needed, key=lambda each: -makers.get(each, 0)):
                    maker = makers.get(bulk_id)
                    if maker is not None and maker not in deferred:
                        stack.append(maker)
                    elif maker is not None and maker not in done:
                        deferred[place].add(bulk_id)
                continue
            stack.pop()
            if place not in done:
                done.add(place)
                steps.append(Step(place, frozenset(deferred[place])))
    return steps


def without(data: Any, bulk_ids: frozenset[str]) -> tuple[Any, list[dict[str, Any]]]:
    """Part what refers to some bulkIds from a new resource, as PATCH operations that add it."""
    if not isinstance(data, dict):
        return data, []
    rest: dict[str, Any] = {}
    added: list[dict[str, Any]] = []
    for name, value in data.items():
        if ":" in name and isinstance(value, dict):
            rest[name], inner = without(value, bulk_ids)
            added += [{**each, "path": f"{name}:{each['path']}"} for each in inner]
            continue
        values = value if isinstance(value, list) else [value]
        waiting = [not bulk_ids.isdisjoint(_references(each)) for each in values]
        added += [
            {"op": "add", "path": name, "value": [each] if isinstance(value, list) else each}
            for each, waits in zip(values, waiting, strict=True)
            if waits
        ]
        if isinstance(value, list):
            rest[name] = [each for each, waits in zip(values, waiting, strict=True) if not waits]
        elif not waiting[0]:
            rest[name] = value
    return rest, added


def encode_bulk(operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Wrap the results of operations."""
    return {"schemas": [BULK_RESPONSE], "Operations": operations}
