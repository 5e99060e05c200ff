"""What can the other side do?

Read out of its /ServiceProviderConfig, /ResourceTypes and /Schemas (RFC 7643 sections 5 to 7); what
these leave open is taken to be as the standard has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen

from scimgw.connector import Capabilities, Paging, Support
from scimgw.scim.filter import Operator
from scimgw.scim.path import Path
from scimgw.scim.schema import COMMON, TEXT, AttributeType, ResourceType

_TEXTUAL: Final = frozenset(each.value for each in TEXT)
_STRING: Final = AttributeType.STRING.value

Known = Mapping[str, bool]
"""Paths that the other side has, in lower case, and whether it compares them with case."""


def _common() -> dict[str, bool]:
    """Name what every resource has, though no schema says so (RFC 7643 section 3.1)."""
    found: dict[str, bool] = {}
    for attribute in COMMON.attributes:
        found[attribute.name.casefold()] = attribute.case_exact
        for sub in attribute.sub_attributes:
            found[f"{attribute.name}.{sub.name}".casefold()] = sub.case_exact
    return found


@frozen(kw_only=True)
class Learnt:
    """What a server says of itself; the defaults are for one that doesn't say."""

    patch: bool = True
    filter: bool = True
    sort: bool = False
    etag: bool = False
    max_results: int | None = None
    endpoints: Mapping[str, str] = field(factory=dict)
    """Where it keeps resources of a type."""
    known: Mapping[str, Known] = field(factory=dict)
    """What it knows of a type; a type that isn't here is as the standard has it."""

    def endpoint(self, type: ResourceType) -> str:
        """Give the path of a type's resources, below the base URL."""
        return self.endpoints.get(type.name, type.endpoint)

    def has(self, type: ResourceType, path: str) -> bool:
        """Whether the other side has an attribute."""
        known = self.known.get(type.name)
        return known is None or path.casefold() in known

    def support(self, type: ResourceType, path: Path) -> Support:
        """Tell how well the other side compares an attribute."""
        if not self.filter:
            return Support.NO
        known = self.known.get(type.name)
        if known is None:
            return Support.EXACT
        with_case = known.get(str(path).casefold())
        if with_case is None:
            return Support.NO
        if with_case == path.leaf.case_exact or path.leaf.type not in TEXT:
            return Support.EXACT
        return Support.SUPERSET if path.leaf.case_exact else Support.NO

    def capabilities(self, type: ResourceType) -> Capabilities:
        """Declare what the gateway needn't do itself."""

        def filter(path: Path, _: Operator) -> Support:
            return self.support(type, path)

        return Capabilities(
            filter=filter,
            value_paths=self.filter,
            sort=lambda path: self.sort and self.has(type, str(path)),
            paging=Paging.INDEX,
            versions=self.etag,
            atomic=True,
            max_count=self.max_results,
        )


ASSUMED: Final = Learnt(sort=True, etag=True)
"""What a server is taken for until it was asked."""


def read(config: Any, types: Any, schemas: Any) -> Learnt:
    """Put together what a server says; None stands for what it doesn't offer.

    What doesn't look as it should says nothing.
    """
    offered = _object(config)
    filter = _object(offered.get("filter"))
    most = filter.get("maxResults")
    attributes = {str(each.get("id")).casefold(): each for each in _listed(schemas)}
    described = [each for each in _listed(types) if isinstance(each.get("name"), str)]
    return Learnt(
        patch=_supported(offered, "patch", assumed=True),
        filter=_supported(offered, "filter", assumed=True),
        sort=_supported(offered, "sort", assumed=False),
        etag=_supported(offered, "etag", assumed=False),
        max_results=most if type(most) is int and most > 0 else None,
        endpoints={each["name"]: _endpoint(each) for each in described if _endpoint(each)},
        known={
            each["name"]: known
            for each in described
            if (known := _known(each, attributes)) is not None
        },
    )


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> Sequence[Mapping[str, Any]]:
    found = value if isinstance(value, list) else _object(value).get("Resources")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _supported(offered: Mapping[str, Any], name: str, *, assumed: bool) -> bool:
    value = _object(offered.get(name)).get("supported")
    return value if isinstance(value, bool) else assumed


def _endpoint(described: Mapping[str, Any]) -> str:
    """Give the path of a type; one that could lead elsewhere is none."""
    text = described.get("endpoint")
    if not isinstance(text, str) or not text.strip("/"):
        return ""
    plain = text.isascii() and all(each.isalnum() or each in "/-_." for each in text)
    return f"/{text.strip('/')}" if plain and ".." not in text and "://" not in text else ""


def _known(described: Mapping[str, Any], schemas: Mapping[str, Any]) -> Known | None:
    core = schemas.get(str(described.get("schema")).casefold())
    if core is None:
        return None
    found = {**_common(), **dict(_paths("", core.get("attributes")))}
    for extension in _listed(described.get("schemaExtensions")):
        urn = str(extension.get("schema"))
        schema = schemas.get(urn.casefold(), {})
        found |= dict(_paths(f"{urn}:", schema.get("attributes")))
    return found


def _paths(prefix: str, attributes: Any) -> Iterator[tuple[str, bool]]:
    for each in _listed(attributes):
        path = f"{prefix}{each.get('name')}"
        textual = each.get("type", _STRING) in _TEXTUAL
        yield path.casefold(), bool(each.get("caseExact", False)) if textual else False
        yield from _paths(f"{path}.", each.get("subAttributes"))
