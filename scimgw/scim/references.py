"""Where is found what a resource refers to?

RFC 7643 section 2.4: `$ref` is the address of what `value` names.  It is worked out for each answer
below the URL that the client came by, and never stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, unquote

from attrs import define, field, frozen

from scimgw.scim.schema import ResourceType

REF: Final = "$ref"
_VALUE: Final = "value"
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]*", re.ASCII)
"""Characters that stand for themselves in a URL (RFC 3986 section 2.3); most ids hold no others."""

Kinds = Callable[[Sequence[str]], Sequence[str | None]]
"""Names the resource types of ids, None where one isn't known."""


@frozen
class Reference:
    """An attribute of which answers tell `$ref`.

    `key` is under what it is found in a resource's data; `kinds` are the resource types that its
    values may be of, in lower case; `only` is that type if there is one alone.
    """

    container: str | None
    name: str
    multi_valued: bool
    kinds: frozenset[str]
    key: str = field(init=False)
    only: str | None = field(init=False)

    @key.default
    def _key_of_container(self) -> str:
        return self.name if self.container is None else self.container

    @only.default
    def _only_of_kinds(self) -> str | None:
        return next(iter(self.kinds)) if len(self.kinds) == 1 else None

    def names(self, kind: Any) -> bool:
        """Whether something is one of these types; `type` may mean something else."""
        return isinstance(kind, str) and kind.casefold() in self.kinds


def location(base: str, endpoint: str, id: str) -> str:
    """Give the address of a resource below a base URL; whatever could part the id is encoded."""
    segment = id if _UNRESERVED.fullmatch(id) else quote(id, safe="")
    return f"{base}{endpoint}/{segment}"


def referring(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Take the id out of an address where a client gives nothing else."""
    given = {name.casefold(): member for name, member in value.items()}
    address = given.get(REF)
    if given.get(_VALUE) or not isinstance(address, str):
        return value
    path = re.split(r"[?#]", address)[0].rstrip("/")
    return {**value, _VALUE: unquote(path.rpartition("/")[2])}


@lru_cache(maxsize=256)
def references(type: ResourceType) -> tuple[Reference, ...]:
    """Find what of a resource type has addresses."""
    return tuple(
        Reference(
            container,
            attribute.name,
            attribute.multi_valued,
            frozenset(kind.casefold() for kind in address.reference_types),
        )
        for container, attributes in type.containers()
        for attribute in attributes
        if (address := attribute.address) is not None
    )


@define
class Addresses:
    """What one answer tells of where resources are.

    `beginnings` are what addresses begin with, by the names of resource types in lower case;
    `kinds` tells of what type is what doesn't say so, None if nobody knows.
    """

    beginnings: Mapping[str, str]
    kinds: Kinds | None
    _told: dict[int, Mapping[str, Any]] = field(init=False, factory=dict)
    """Values with their addresses by which object they are: users of a page share their groups."""

    def of(self, reference: Reference, held: Any) -> Any:
        """Give with its addresses what a resource holds under a reference's key."""
        if reference.container is None:
            return self._complete(reference, held)
        value = held.get(reference.name)
        return {**held, reference.name: self._complete(reference, value)} if value else held

    def _complete(self, reference: Reference, value: Any) -> Any:
        if reference.only is None:
            if reference.multi_valued:
                return self._by_kind(reference, value)
            return self._by_kind(reference, [value])[0]
        beginning = self.beginnings.get(reference.only)
        if beginning is None:
            return value
        if not reference.multi_valued:
            return _addressed(value, beginning)
        told = self._told
        return [told.get(id(each)) or self._once(each, beginning) for each in value]

    def _once(self, value: Mapping[str, Any], beginning: str) -> Mapping[str, Any]:
        self._told[id(value)] = told = _addressed(value, beginning)
        return told

    def _by_kind(
        self, reference: Reference, values: Sequence[dict[str, Any]]
    ) -> Sequence[Mapping[str, Any]]:
        """Tell the addresses of values that tell their type, or of which it is known."""
        ids = [each.get(_VALUE, "") for each in values]
        kinds = [each.get("type") for each in values]
        strange = {kind for kind in set(kinds) if not reference.names(kind)}
        if strange:
            known = self._hints(reference, values) if self.kinds is None else self.kinds(ids)
            both = zip(kinds, known, strict=True)
            kinds = [other if kind in strange else kind for kind, other in both]
        beginnings = {kind: self._beginning(reference, kind) for kind in set(kinds)}
        if not any(beginnings.values()):
            return values
        # there may be very many: quickly, then, rather than shortly
        if not _UNRESERVED.fullmatch("".join(ids)):
            ids = [quote(id, safe="") for id in ids]
        found = []
        for each, id, kind in zip(values, ids, kinds, strict=True):
            beginning = beginnings[kind]
            told = each
            if beginning is not None and id:
                told = each.copy()
                told[REF] = beginning + id
            found.append(told)
        return found

    def _hints(
        self, reference: Reference, values: Sequence[Mapping[str, Any]]
    ) -> Sequence[str | None]:
        """Tell types by the addresses that a connector gives, wherever these begin."""
        return [self._hinted(reference, each[REF]) if REF in each else None for each in values]

    def _hinted(self, reference: Reference, address: str) -> str | None:
        endpoint = "".join(address.rstrip("/").split("/")[-2:-1])
        found = (kind for kind in reference.kinds if self._is_endpoint(kind, endpoint))
        return next(found, None)

    def _is_endpoint(self, kind: str, endpoint: str) -> bool:
        return self.beginnings.get(kind, "").endswith(f"/{endpoint}/")

    def _beginning(self, reference: Reference, kind: str | None) -> str | None:
        """Give what addresses of a type's resources begin with, None if that isn't certain."""
        name = "" if kind is None else kind.casefold()
        return self.beginnings.get(name) if name in reference.kinds else None


def _addressed(value: Mapping[str, Any], beginning: str) -> Mapping[str, Any]:
    named = value.get(_VALUE)
    return value if named is None else {**value, REF: beginning + _segment(named)}


@lru_cache(maxsize=4096)
def _segment(id: str) -> str:
    return quote(id, safe="")
