"""What is known of a request for resources, and how is a resource shown to who makes it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, NoReturn

from attrs import field, frozen
from twisted.logger import Logger

from scimgw.connector import Call
from scimgw.errors import ScimError
from scimgw.gateway.endpoint import Endpoint
from scimgw.scim.cursor import Cursors
from scimgw.scim.project import Projection
from scimgw.scim.references import Addresses, location
from scimgw.scim.resource import Resource, Unknown, schemas_of
from scimgw.scim.schema import ResourceType
from scimgw.scim.values import show
from scimgw.web.conversation import parameters
from scimgw.web.request import ScimRequest

log = Logger()

_LOGGED: Final = 10
"""Names of unknown attributes that one log line tells."""


@frozen(kw_only=True)
class Limits:
    """What a plugin lets one request ask for, how strictly it is read, and what is shown."""

    max_results: int = 200
    """Resources in one page."""
    max_operations: int = 1000
    """Operations in one bulk request."""
    max_body: int = 1024 * 1024
    """Bytes of a body."""
    max_requests: int = 1000
    """Requests under way."""
    reject_unknown: bool = False
    """Whether attributes that no schema has are refused, not ignored."""
    skip_meta_location: bool = False
    """Whether resources are shown without their address."""
    me: Mapping[str, str] = field(factory=dict)
    """By the name of who makes a request, the userName of who /Me is."""


@frozen(kw_only=True)
class Context:
    """A request, on whose behalf it is carried out, and within which bounds."""

    request: ScimRequest
    endpoint: Endpoint
    call: Call
    base: str
    limits: Limits
    cursors: Cursors


@frozen(kw_only=True)
class Exchange(Context):
    """A request for resources of one type; `id` is None for the collection."""

    type: ResourceType
    id: str | None
    parameters: Mapping[str, str] = field(init=False)

    @parameters.default
    def _read_parameters(self) -> Mapping[str, str]:
        return parameters(self.request)


def represent(context: Context, found: Resource, projection: Projection) -> dict[str, Any]:
    """Show a resource to who makes the request."""
    return _represented(context, found, projection, _addresses(context))


def represent_page(
    context: Context, found: Sequence[Resource], projections: Mapping[ResourceType, Projection]
) -> list[dict[str, Any]]:
    """Show several resources, each as much of it as is shown of its type."""
    addresses = _addresses(context)
    return [_represented(context, each, projections[each.type], addresses) for each in found]


def _addresses(context: Context) -> Addresses:
    endpoint = context.endpoint
    informed = endpoint.informed
    kinds = None if informed is None else partial(informed.kinds, context.call)
    return Addresses(endpoint.beginnings(context.base), kinds)


def _represented(
    context: Context, found: Resource, projection: Projection, addresses: Addresses
) -> dict[str, Any]:
    type = found.type
    meta = {"resourceType": type.name, **found.data.get("meta", {})}
    if context.limits.skip_meta_location:
        meta.pop("location", None)
    else:
        meta["location"] = location(context.base, type.endpoint, found.id)
    data = {**found.data, "meta": meta}
    if "schemas" not in data:
        data = {"schemas": schemas_of(type, data), **data}
    for reference in projection.references:
        if reference.key in data:
            data[reference.key] = addresses.of(reference, data[reference.key])
    return projection.apply(data)


@contextmanager
def unknown(context: Context, fault: type[ScimError]) -> Iterator[Unknown]:
    """Give what is told of attributes that no schema has: they are refused, or logged at the end.

    Raises: the fault.
    """
    if context.limits.reject_unknown:
        yield _refusing(fault)
        return
    names: list[str] = []
    yield names.append
    if names:
        listed = ", ".join(map(show, names[:_LOGGED]))
        log.info(
            "request {id}: not in the schemas, ignored: {names}",
            id=context.call.request_id,
            names=listed,
        )


def _refusing(fault: type[ScimError]) -> Unknown:
    def refuse(name: str) -> NoReturn:
        raise fault(f"no schema has {show(name)}")

    return refuse
