"""What does the gateway make of a connector that speaks no SCIM?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

from scimgw.connector import ApiConnector, Call, Capabilities, GroupRef, Stored
from scimgw.errors import NotFound
from scimgw.scim.changes import Changes
from scimgw.scim.query import Page, Query
from scimgw.scim.resource import Resource
from scimgw.scim.schema import ResourceType


class ApiOnly:
    """Stands for it where a Connector is wanted: one that holds no resources of any type."""

    resource_types: Sequence[ResourceType] = ()

    def __init__(self, api: ApiConnector) -> None:
        """Stand for a connector."""
        self.api = api

    def capabilities(self, type: ResourceType) -> Capabilities:
        """Know no such type."""
        _unknown(type)

    async def search(self, call: Call, query: Query) -> Page:  # noqa: ARG002 - the contract's
        """Know no such type."""
        _unknown(query.type)

    async def create(self, call: Call, type: ResourceType, resource: Resource) -> Stored:  # noqa: ARG002 - the contract's
        """Know no such type."""
        _unknown(type)

    async def modify(
        self,
        call: Call,  # noqa: ARG002 - the contract's
        type: ResourceType,
        id: str,  # noqa: ARG002 - the contract's
        changes: Changes,  # noqa: ARG002 - the contract's
        if_version: str | None,  # noqa: ARG002 - the contract's
    ) -> Stored:
        """Know no such type."""
        _unknown(type)

    async def delete(self, call: Call, type: ResourceType, id: str, if_version: str | None) -> None:  # noqa: ARG002 - the contract's
        """Know no such type."""
        _unknown(type)

    async def memberships(
        self,
        call: Call,  # noqa: ARG002 - the contract's
        user_ids: Sequence[str],  # noqa: ARG002 - the contract's
    ) -> Mapping[str, Sequence[GroupRef]]:
        """Know no groups."""
        return {}

    async def close(self) -> None:
        """Close what this stands for."""
        await self.api.close()


def _unknown(type: ResourceType) -> NoReturn:
    raise NotFound(f"no resource type {type.name!r}")
