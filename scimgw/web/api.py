"""How are the routes answered that aren't resources?

Discovery (RFC 7644 section 4) and the health check: Klein routes, below whatever prefix the root
has taken off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen
from klein import Klein
from twisted.python.failure import Failure
from twisted.web.http import OK
from twisted.web.iweb import IRequest

from scimgw.errors import Forbidden, NotFound
from scimgw.gateway.endpoint import Endpoint
from scimgw.scim.messages import (
    Features,
    encode_list,
    encode_resource_type,
    encode_schema,
    encode_service_provider_config,
)
from scimgw.scim.references import location
from scimgw.scim.schema import ResourceType, Schema
from scimgw.web.conversation import Answer, parameters, prepare
from scimgw.web.errors import answer_to
from scimgw.web.request import ScimRequest
from scimgw.web.routes import RESOURCE_TYPES, SCHEMAS, SERVICE_PROVIDER_CONFIG

HELLO: Final = b"hello"
DISCOVERY_METHODS: Final = ("GET", "HEAD", "OPTIONS")


@frozen(eq=False)
class Api:
    """The Klein routes of one plugin."""

    endpoint: Endpoint
    features: Features
    app = Klein()
    app.url_map.merge_slashes = False  # nothing redirects: `/Schemas//x` is no schema

    @app.route("/ping")
    def ping(self, request: ScimRequest) -> bytes:
        """Tell that the gateway is alive."""
        request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
        request.setHeader(b"Content-Length", b"%d" % len(HELLO))
        return HELLO

    @app.route("/ServiceProviderConfig")
    def service_provider_config(self, request: ScimRequest) -> bytes:
        """Tell what this plugin can do."""
        address = f"{request.base}/{SERVICE_PROVIDER_CONFIG}"
        return prepare(request, Answer(OK, encode_service_provider_config(self.features, address)))

    @app.route("/Schemas")
    def schemas(self, request: ScimRequest) -> bytes:
        """List the schemas of what this plugin can hold."""
        _refuse_filter(request)
        return _listed(request, [self._schema(request, each) for each in self._schemas().values()])

    @app.route("/Schemas/<path:id>")
    def schema(self, request: ScimRequest, id: str) -> bytes:
        """Give one schema by its URN."""
        schema = self._schemas().get(id.casefold())
        if schema is None:
            raise NotFound(f"no schema {id!r}")
        return prepare(request, Answer(OK, self._schema(request, schema)))

    @app.route("/ResourceTypes")
    def resource_types(self, request: ScimRequest) -> bytes:
        """List the resource types of this plugin."""
        _refuse_filter(request)
        return _listed(
            request, [self._resource_type(request, each) for each in self.endpoint.types.values()]
        )

    @app.route("/ResourceTypes/<path:name>")
    def resource_type(self, request: ScimRequest, name: str) -> bytes:
        """Give one resource type by its name."""
        type = self.endpoint.types.get(name)
        if type is None:
            raise NotFound(f"no resource type {name!r}")
        return prepare(request, Answer(OK, self._resource_type(request, type)))

    @app.handle_errors(Exception)
    def failed(self, request: IRequest, failure: Failure) -> bytes:
        """Answer what a route raised."""
        assert isinstance(request, ScimRequest)
        assert failure.value is not None
        return prepare(request, answer_to(failure.value, request.request_id, ()))

    def _schemas(self) -> Mapping[str, Schema]:
        return {
            schema.id.casefold(): schema
            for type in self.endpoint.types.values()
            for schema in type.schemas
        }

    def _schema(self, request: ScimRequest, schema: Schema) -> dict[str, Any]:
        return encode_schema(schema, f"{request.base}/{SCHEMAS}/{schema.id}")

    def _resource_type(self, request: ScimRequest, type: ResourceType) -> dict[str, Any]:
        return encode_resource_type(type, location(request.base, f"/{RESOURCE_TYPES}", type.name))


def _refuse_filter(request: ScimRequest) -> None:
    """Refuse to filter (RFC 7644 section 4); paging, sorting and projection are ignored."""
    if "filter" in parameters(request):
        raise Forbidden("discovery can't be filtered")


def _listed(request: ScimRequest, resources: list[dict[str, Any]]) -> bytes:
    return prepare(request, Answer(OK, encode_list(resources, len(resources), 1)))
