"""How does a SCIM server answer the gateway?

What it can do is learnt from itself, at the first request of each base entity: to start needs no
connection.  Until then it is taken for one that can do all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.restful.learn import ASSUMED
from connectors.restful.remote import Remote
from connectors.restful.settings import Config, EntityConfig
from scimgw.clients import http
from scimgw.connector import (
    Call,
    Capabilities,
    Connector,
    GroupRef,
    Learner,
    Misconfigured,
    PassingThrough,
    Services,
    Stored,
)
from scimgw.errors import NotFound
from scimgw.scim.changes import Changes
from scimgw.scim.query import Page, Query
from scimgw.scim.resource import Resource
from scimgw.scim.schema import ResourceType


class RestfulConnector:
    """SCIM servers, one for each base entity."""

    def __init__(self, config: Config, services: Services) -> None:
        """Prepare clients; nothing is connected yet.

        What the configuration adds to users and groups is taken to be there.

        Raises: Misconfigured.
        """
        self.resource_types: Sequence[ResourceType] = services.resource_types
        self._remotes = {
            entity: self._remote(entity, each, services) for entity, each in config.entity.items()
        }
        self._entities = config.entity

    def _remote(self, entity: str, config: EntityConfig, services: Services) -> Remote:
        settings = config.reached
        try:
            client = http.client(settings, services)
        except Misconfigured as error:
            below = f".entity.{entity}.connection"
            raise Misconfigured([(below + path, fault) for path, fault in error.faults]) from error
        return Remote(client, self.resource_types, services, passed=config.passes_through)

    def passes_through(self, entity: str) -> bool:
        """Ask for them where `connection.auth.type` says so."""
        return entity in self._entities and self._entities[entity].passes_through

    def capabilities(self, type: ResourceType) -> Capabilities:
        """Do all, as far as is known before anybody was asked."""
        return ASSUMED.capabilities(type)

    async def learn(self, call: Call) -> Mapping[ResourceType, Capabilities]:
        """Ask the base entity's server."""
        return (await self._at(call).knowledge(call)).capabilities

    async def search(self, call: Call, query: Query) -> Page:
        """Search there."""
        return await self._at(call).search(call, query)

    async def create(self, call: Call, type: ResourceType, resource: Resource) -> Stored:  # noqa: ARG002 - the resource knows its type
        """Create there."""
        return await self._at(call).create(call, resource)

    async def modify(
        self, call: Call, type: ResourceType, id: str, changes: Changes, if_version: str | None
    ) -> Stored:
        """Change there."""
        return await self._at(call).modify(call, type, id, changes, if_version)

    async def delete(self, call: Call, type: ResourceType, id: str, if_version: str | None) -> None:
        """Delete there."""
        await self._at(call).delete(call, type, id, if_version)

    async def memberships(
        self, call: Call, user_ids: Sequence[str]
    ) -> Mapping[str, Sequence[GroupRef]]:
        """Ask there."""
        return await self._at(call).memberships(call, user_ids)

    async def close(self) -> None:
        """Close all connections."""
        for each in self._remotes.values():
            await each.client.close()

    def _at(self, call: Call) -> Remote:
        remote = self._remotes.get(call.entity)
        if remote is None:
            raise NotFound(f"no base entity {call.entity!r}")
        return remote


_conforms: type[Connector] = RestfulConnector
_learns: type[Learner] = RestfulConnector
_passes: type[PassingThrough] = RestfulConnector
