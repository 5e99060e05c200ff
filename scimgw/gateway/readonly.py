"""What is left of an endpoint for who may only read?"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Final, NoReturn

from scimgw.connector import (
    ApiAnswer,
    ApiConnector,
    ApiRequest,
    Call,
    Connector,
    Stored,
)
from scimgw.errors import Forbidden
from scimgw.gateway.endpoint import Endpoint
from scimgw.scim.changes import Changes
from scimgw.scim.resource import Resource
from scimgw.scim.schema import ResourceType

READING: Final = frozenset({"GET", "HEAD"})


def read_only(endpoint: Endpoint) -> Endpoint:
    """Give the same endpoint, over a connector that refuses to write."""
    view = copy(endpoint)
    object.__setattr__(view, "connector", _Reading(endpoint.connector))
    if endpoint.api is not None:
        object.__setattr__(view, "api", _ReadingApi(endpoint.api))
    return view


class _Reading:
    """A connector whose writes are forbidden."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self.search = connector.search
        self.memberships = connector.memberships
        self.capabilities = connector.capabilities
        self.close = connector.close

    @property
    def resource_types(self) -> Sequence[ResourceType]:
        return self._connector.resource_types

    async def create(self, call: Call, type: ResourceType, resource: Resource) -> Stored:  # noqa: ARG002 - the contract's
        _refuse(call)

    async def modify(
        self,
        call: Call,
        type: ResourceType,  # noqa: ARG002 - the contract's
        id: str,  # noqa: ARG002 - the contract's
        changes: Changes,  # noqa: ARG002 - the contract's
        if_version: str | None,  # noqa: ARG002 - the contract's
    ) -> Stored:
        _refuse(call)

    async def delete(self, call: Call, type: ResourceType, id: str, if_version: str | None) -> None:  # noqa: ARG002 - the contract's
        _refuse(call)


class _ReadingApi:
    """An ApiConnector of which nothing but GET can be asked."""

    def __init__(self, connector: ApiConnector) -> None:
        self._connector = connector
        self.close = connector.close

    async def api(self, call: Call, request: ApiRequest) -> ApiAnswer:
        if request.method not in READING:
            _refuse(call)
        return await self._connector.api(call, request)


def _refuse(call: Call) -> NoReturn:
    raise Forbidden(f"{call.principal.name!r} may only read")
