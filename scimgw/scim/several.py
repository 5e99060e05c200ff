"""What does a query over several resource types ask of each of them?

RFC 7644 sections 3.4.2.1 and 3.4.3.  An attribute that a type hasn't is one without a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, assert_never

from attrs import frozen

from scimgw.errors import (
    InvalidCount,
    InvalidCursor,
    InvalidFilter,
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    ScimError,
)
from scimgw.scim.filter import (
    And,
    Compare,
    Filter,
    Not,
    Operator,
    Or,
    Present,
    ValuePath,
    conjunction,
    disjunction,
    parse_by,
)
from scimgw.scim.match import predicate, sort_path
from scimgw.scim.path import Path, UnknownAttribute, resolve
from scimgw.scim.query import (
    Search,
    Sort,
    parse_count,
    parse_descending,
    parse_projection,
    parse_start_index,
)
from scimgw.scim.schema import TEXT, AttributeType, ResourceType
from scimgw.scim.values import show

SEARCH_REQUEST: Final = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
_NAMES: Final = {
    name.casefold(): name
    for name in (
        "attributes",
        "excludedAttributes",
        "filter",
        "sortBy",
        "sortOrder",
        "startIndex",
        "count",
        "cursor",
    )
}
_LISTS: Final = frozenset({"attributes", "excludedAttributes"})
_NUMBERS: Final = frozenset({"startIndex", "count"})
_CURSOR_FAULTS: Final[Mapping[str, type[ScimError]]] = {
    "cursor": InvalidCursor,
    "count": InvalidCount,
}
"""What is wrong with a search by cursor (RFC 9865 section 2.1)."""


@frozen(kw_only=True)
class Several:
    """A query over several types: what it asks of those that can hold a match, in their order.

    Where it is to be sorted, a search whose type hasn't the attribute has no `sort`.
    """

    searches: tuple[Search, ...]
    sorted: bool
    descending: bool
    start_index: int
    count: int


def parse_several(
    types: Sequence[ResourceType], parameters: Mapping[str, str], max_results: int
) -> Several:
    """Read the parameters of a query over several types.

    Raises: InvalidFilter, InvalidValue, Sensitive.
    """
    count, start_index = parse_count(parameters, max_results), parse_start_index(parameters)
    by, descending = parameters.get("sortBy"), parse_descending(parameters)
    paths = _sort_paths(types, by) if by else {}
    searches = []
    for type, filter in zip(types, _filters(types, parameters.get("filter")), strict=True):
        if filter is not False:
            search = Search(
                type=type,
                projection=parse_projection(type, parameters),
                filter=None if filter is True else filter,
                sort=Sort(paths[type], descending) if type in paths else None,
                count=count,
            )
            searches.append(search)
    return Several(
        searches=tuple(searches),
        sorted=bool(paths),
        descending=descending,
        start_index=start_index,
        count=count,
    )


def _filters(types: Sequence[ResourceType], text: str | None) -> list[Filter | bool]:
    """Read what a filter asks of each type: True for everything, False for nothing.

    A type whose attribute of a name is of another kind, so that the filter can't be read, holds no
    match, if it can be read for some type.
    """
    if text is None:
        return [True] * len(types)
    read: list[Filter | bool] = []
    faults: list[InvalidFilter] = []
    for type in types:
        try:
            read.append(reduced(parse_by(text, partial(_resolve, [type, *types])), type))
        except InvalidFilter as fault:
            read.append(False)
            faults.append(fault)
    if len(faults) == len(types):
        raise faults[0]
    return read


def _resolve(types: Sequence[ResourceType], name: str) -> Path:
    """Find an attribute where it is first found."""
    for type in types:
        try:
            return resolve(type, name)
        except UnknownAttribute:
            continue
    raise UnknownAttribute(f"no resource type has an attribute {show(name)}")


def reduced(filter: Filter, type: ResourceType) -> Filter | bool:
    """Decide what is the same for all resources of a type, and leave the rest."""
    match filter:
        case Compare(path, operator):
            if str(path) == "meta.resourceType":
                return predicate(filter)({"meta": {"resourceType": type.name}})
            return filter if _has(type, path) else operator is Operator.NE
        case Present(path) | ValuePath(path):
            return filter if _has(type, path) else False
        case And(terms):
            parts = [reduced(term, type) for term in terms]
            left = [part for part in parts if not isinstance(part, bool)]
            return False if False in parts else conjunction(left) if left else True
        case Or(terms):
            parts = [reduced(term, type) for term in terms]
            left = [part for part in parts if not isinstance(part, bool)]
            return True if True in parts else disjunction(left) if left else False
        case Not(term):
            part = reduced(term, type)
            return not part if isinstance(part, bool) else Not(part)
        case _:
            assert_never(filter)


def _has(type: ResourceType, path: Path) -> bool:
    schema = type if path.container is None else type.extension(path.container)
    return schema is not None and schema.find(path.attribute.name) is path.attribute


def _sort_paths(types: Sequence[ResourceType], by: str) -> dict[ResourceType, Path]:
    """Find what each type that has the attribute is sorted by."""
    paths: dict[ResourceType, Path] = {}
    for type in types:
        try:
            paths[type] = sort_path(resolve(type, by))
        except UnknownAttribute:
            continue
        except InvalidPath as fault:
            raise InvalidValue(f"sortBy: {fault.detail}") from None
    if not paths:
        raise InvalidValue(f"sortBy: no resource type has an attribute {show(by)}")
    if len({_order(path.leaf.type) for path in paths.values()}) > 1:
        raise InvalidValue(f"sortBy: {show(by)} has different types in different resource types")
    return paths


def _order(type: AttributeType) -> AttributeType:
    """Name the types whose values can be compared with each other by one of them."""
    if type in TEXT:
        return AttributeType.STRING
    return AttributeType.DECIMAL if type is AttributeType.INTEGER else type


def parse_search_request(body: object) -> Mapping[str, str]:
    """Read a SearchRequest (RFC 7644 section 3.4.3) as the parameters that a URL would have.

    Raises: InvalidSyntax, InvalidValue, InvalidCursor, InvalidCount.
    """
    if not isinstance(body, dict):
        raise InvalidSyntax(f"the body must be a JSON object, not {show(body)}")
    members = {name.casefold(): value for name, value in body.items()}
    schemas = members.get("schemas")
    if not isinstance(schemas, list) or SEARCH_REQUEST.casefold() not in [
        str(urn).casefold() for urn in schemas
    ]:
        raise InvalidSyntax(f"schemas must hold {SEARCH_REQUEST}")
    given = {name: members[folded] for folded, name in _NAMES.items() if folded in members}
    found = {name: value for name, value in given.items() if value is not None}
    faults = _CURSOR_FAULTS if "cursor" in found else {}
    return {
        name: _parameter(name, value, faults.get(name, InvalidValue))
        for name, value in found.items()
    }


def _parameter(name: str, value: Any, fault: type[ScimError]) -> str:
    if name in _LISTS and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    if name in _NUMBERS and type(value) is int:
        return str(value)
    if not isinstance(value, str):
        raise fault(f"{name} can't be {show(value)}")
    return value
