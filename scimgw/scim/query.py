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
    """What a client asks for: its parameters, read and bounded.

    `needed` is fetched beside what the client is shown.
    """

    type: ResourceType
    projection: Projection
    filter: Filter | None = None
    sort: Sort | None = None
    start_index: int = 1
    count: int
    needed: frozenset[Path] = frozenset()


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
    by = parameters.get("sortBy")
    return Search(
        type=type,
        projection=parse_projection(type, parameters),
        filter=None if text is None else filters.parse(text, type),
        sort=Sort(_sort_path(type, by), descending=parse_descending(parameters)) if by else None,
        start_index=parse_start_index(parameters),
        count=parse_count(parameters, max_results),
    )


def parse_start_index(parameters: Mapping[str, str]) -> int:
    """Read startIndex, which is 1 at least."""
    return max(1, _integer("startIndex", parameters.get("startIndex", ""), 1))


def parse_count(parameters: Mapping[str, str], max_results: int) -> int:
    """Read count, which is from 0 to the most that is given at once."""
    return min(max(0, _integer("count", parameters.get("count", ""), max_results)), max_results)


def parse_descending(parameters: Mapping[str, str]) -> bool:
    """Read sortOrder."""
    order = parameters.get("sortOrder") or "ascending"
    direction = order.casefold()
    if direction not in {"ascending", "descending"}:
        raise InvalidValue(f"sortOrder must be ascending or descending, not {show(order)}")
    return direction == "descending"


def parse_projection(
    type: ResourceType, parameters: Mapping[str, str], written: frozenset[Path] = frozenset()
) -> Projection:
    """Read attributes and excludedAttributes; `written` is shown where these ask for nothing."""
    return projection(
        type, parameters.get("attributes", ""), parameters.get("excludedAttributes", ""), written
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


def _sort_path(type: ResourceType, by: str) -> Path:
    try:
        return sort_path(resolve(type, by))
    except InvalidPath as fault:
        raise InvalidValue(f"sortBy: {fault.detail}") from None
