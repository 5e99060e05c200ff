"""What does a client ask a collection for, and what is asked of an endpoint?

RFC 7644 section 3.4.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from scimgw.errors import InvalidPath, InvalidValue
from scimgw.scim import filter as filters
from scimgw.scim.filter import Filter
from scimgw.scim.match import sort_path
from scimgw.scim.path import Path, resolve
from scimgw.scim.project import Projection, projection
from scimgw.scim.resource import Resource
from scimgw.scim.schema import ResourceType
from scimgw.scim.values import show

_INTEGER: Final = re.compile(r"\s*([-+]?)0*(\d+)\s*", re.ASCII)
_DIGITS: Final = 9
"""An index of more digits is beyond any collection, and is cut to the largest that has so many."""


@frozen
class Sort:
    """By what resources are ordered; those without a value come last, descending first."""

    path: Path
    descending: bool = False


@frozen(kw_only=True)
class Search:
    """What a client asks for: its parameters, read and bounded."""

    type: ResourceType
    projection: Projection
    filter: Filter | None = None
    sort: Sort | None = None
    start_index: int = 1
    count: int


@frozen(kw_only=True)
class Query:
    """What the gateway asks of a connector.

    `ids`, where it isn't None, is all that selects: the fast path of reading one resource or
    several.  Else `filter` holds only what the connector declared, and None selects everything.
    `attributes` of None means all that are returned by default; else nothing beyond them need be
    fetched, and members that aren't named never are. `start_index` counts from 1; `count` of None
    means no limit.  `cursor` is the `next` of the page before.
    """

    type: ResourceType
    ids: tuple[str, ...] | None = None
    filter: Filter | None = None
    attributes: frozenset[Path] | None = None
    sort: Sort | None = None
    start_index: int = 1
    count: int | None = None
    cursor: str | None = None


@frozen(kw_only=True)
class Page:
    """What a connector found: resources, how many in all if it knows, and where to go on."""

    resources: Sequence[Resource]
    total: int | None = None
    next: str | None = None


def parse_search(type: ResourceType, parameters: Mapping[str, str], max_results: int) -> Search:
    """Read the parameters of a query; names that no query has are left alone.

    Raises: InvalidFilter, InvalidValue, Sensitive.
    """
    text = parameters.get("filter")
    return Search(
        type=type,
        projection=parse_projection(type, parameters),
        filter=None if text is None else filters.parse(text, type),
        sort=_sort(type, parameters.get("sortBy"), parameters.get("sortOrder")),
        start_index=max(1, _integer("startIndex", parameters.get("startIndex", ""), 1)),
        count=min(max(0, _integer("count", parameters.get("count", ""), max_results)), max_results),
    )


def parse_projection(type: ResourceType, parameters: Mapping[str, str]) -> Projection:
    """Read attributes and excludedAttributes."""
    return projection(
        type, parameters.get("attributes", ""), parameters.get("excludedAttributes", "")
    )


def _integer(name: str, text: str, default: int) -> int:
    if not text.strip():
        return default
    found = _INTEGER.fullmatch(text)
    if found is None:
        raise InvalidValue(f"{name} must be an integer, not {show(text)}")
    sign, digits = found.groups()
    value = int(digits) if len(digits) <= _DIGITS else 10**_DIGITS
    return -value if sign == "-" else value


def _sort(type: ResourceType, by: str | None, order: str | None) -> Sort | None:
    if not by:
        return None
    direction = (order or "ascending").casefold()
    if direction not in {"ascending", "descending"}:
        raise InvalidValue(f"sortOrder must be ascending or descending, not {show(order)}")
    try:
        path = resolve(type, by)
    except InvalidPath as fault:
        raise InvalidValue(f"sortBy: {fault.detail}") from None
    return Sort(sort_path(path), descending=direction == "descending")
