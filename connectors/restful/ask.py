"""How is a query spelled for the other side?

RFC 7644 sections 3.4.1 and 3.4.2.  Whatever comes from a client is percent-encoded, whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, unquote

from scimgw.errors import BadGateway, NotFound
from scimgw.scim.filter import Compare, Filter, Operator, disjunction
from scimgw.scim.path import Path, resolve
from scimgw.scim.project import NEEDED, projection
from scimgw.scim.query import Query
from scimgw.scim.schema import ResourceType
from scimgw.scim.several import SEARCH_REQUEST

LONGEST: Final = 6000
"""Characters of a filter that names ids; servers bound the length of URLs."""
LONGEST_URL: Final = 7500
"""Characters of a path with its query: servers take 8000 at least (RFC 9110 section 4.1)."""
SEARCH: Final = ".search"
_LISTS: Final = frozenset({"attributes", "excludedAttributes"})
_NUMBERS: Final = frozenset({"startIndex", "count"})


def item(endpoint: str, id: str) -> str:
    """Give the path of a resource.

    Raises: NotFound, for an id that makes of it the path of something else (RFC 3986 5.2.4).
    """
    if id in {"", ".", ".."}:
        raise NotFound(f"{id!r} not found")
    return f"{endpoint}/{quote(id, safe='')}"


def id_at(address: str | None) -> str:
    """Give the id of the resource that an address is of.

    Raises: BadGateway, if there is no such address.
    """
    path = re.split(r"[?#]", address or "")[0].rstrip("/")
    id = unquote(path.rpartition("/")[2])
    if not id:
        raise BadGateway("the endpoint has created something, and doesn't say what")
    return id


def with_parameters(path: str, parameters: Mapping[str, str]) -> str:
    """Add a query to a path."""
    pairs = [f"{name}={quote(value, safe='')}" for name, value in parameters.items()]
    return f"{path}?{'&'.join(pairs)}" if pairs else path


def parameters(query: Query) -> dict[str, str]:
    """Spell filter, sort, paging and projection."""
    found = shown(query.type, query.attributes)
    if query.filter is not None:
        found["filter"] = str(query.filter)
    if query.sort is not None:
        found["sortBy"] = str(query.sort.path)
        found["sortOrder"] = "descending" if query.sort.descending else "ascending"
    if query.start_index > 1:
        found["startIndex"] = str(query.start_index)
    if query.count is not None:
        found["count"] = str(query.count)
    return found


def search_request(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Spell the same as a body (RFC 7644 section 3.4.3)."""
    message: dict[str, Any] = {"schemas": [SEARCH_REQUEST]}
    for name, value in parameters.items():
        if name in _LISTS:
            message[name] = value.split(",")
        else:
            message[name] = int(value) if name in _NUMBERS else value
    return message


def shown(type: ResourceType, attributes: frozenset[Path] | None) -> dict[str, str]:
    """Say which attributes are wanted, in the shorter way."""
    if attributes is None:
        return {}
    by_default = projection(type, "", "").paths
    missing = by_default - attributes
    if attributes <= by_default and len(missing) < len(attributes):
        return {"excludedAttributes": _names(missing)} if missing else {}
    return {"attributes": _names((attributes - NEEDED) | {resolve(type, "id"), *_meta(type)})}


def _meta(type: ResourceType) -> Iterator[Path]:
    """Ask for the version, which the gateway needs."""
    yield resolve(type, "meta")


def _names(paths: frozenset[Path] | set[Path]) -> str:
    return ",".join(sorted(map(str, paths)))


def by_ids(type: ResourceType, ids: Sequence[str], most: int) -> Iterator[tuple[Filter, int]]:
    """Give filters that together select resources by id, each with how many it names."""
    return any_of(resolve(type, "id"), ids, most)


def any_of(path: Path, values: Sequence[str], most: int) -> Iterator[tuple[Filter, int]]:
    """Give filters that together select what has one of some values, each not too long."""
    few: list[Filter] = []
    length = 0
    for value in values:
        one = Compare(path, Operator.EQ, value)
        size = len(quote(str(one))) + len(" or ")
        if few and (length + size > LONGEST or len(few) >= most):
            yield disjunction(few), len(few)
            few, length = [], 0
        few.append(one)
        length += size
    if few:
        yield disjunction(few), len(few)
