"""What is known of a request for resources, and how is a resource shown to who makes it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen
from twisted.logger import Logger
from twisted.web.server import Request

from scimgw.connector import Call
from scimgw.gateway.endpoint import Endpoint
from scimgw.scim.cursor import Cursors
from scimgw.scim.project import Projection
from scimgw.scim.resource import Resource, schemas_of
from scimgw.scim.schema import ResourceType
from scimgw.scim.values import show
from scimgw.web.conversation import parameters
from scimgw.web.routes import location

log = Logger()

_LOGGED: Final = 10
"""Names of unknown attributes that one log line tells."""


@frozen(kw_only=True)
class Context:
    """A request, on whose behalf it is carried out, and within which bounds."""

    request: Request
    endpoint: Endpoint
    call: Call
    base: str
    max_results: int
    max_operations: int
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


def represent(base: str, found: Resource, projection: Projection) -> dict[str, Any]:
    """Show a resource below a base URL."""
    type = found.type
    address = location(base, type.endpoint, found.id)
    meta = {"resourceType": type.name, **found.data.get("meta", {}), "location": address}
    data = {**found.data, "meta": meta}
    if "schemas" not in data:
        data = {"schemas": schemas_of(type, data), **data}
    return projection.apply(data)


def tell(call: Call, unknown: Sequence[str]) -> None:
    """Log what a client sent that no schema has; it is ignored."""
    if unknown:
        names = ", ".join(map(show, unknown[:_LOGGED]))
        log.info(
            "request {id}: not in the schemas, ignored: {names}", id=call.request_id, names=names
        )
