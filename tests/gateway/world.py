"""A gateway over a fake connector, for tests of the use cases."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from scimgw.connector import NO_ENTITY, Call, Capabilities, Principal
from scimgw.gateway import reads, writes
from scimgw.gateway.change import Change
from scimgw.gateway.endpoint import Endpoint
from scimgw.gateway.reads import Found
from scimgw.scim import patch, resource
from scimgw.scim.query import Query, parse_search
from scimgw.scim.resource import Resource
from scimgw.scim.schema import GROUP, USER, ResourceType
from scimgw.scim.version import Conditions
from tests.fakes.memory import POOR, MemoryConnector

T = TypeVar("T")
Json = dict[str, Any]


class GatewayCase(SynchronousTestCase):
    """Stands before a fake connector that can do as much as a test says."""

    def before(
        self, offered: Capabilities = POOR, *, counts: bool = True, max_scan: int = 1000
    ) -> MemoryConnector:
        """Begin with an empty connector."""
        self.clock = Clock()
        self.connector = MemoryConnector(offered, counts=counts)
        self.endpoint = Endpoint(connector=self.connector, clock=self.clock, max_scan=max_scan)
        self.call = Call(
            entity=NO_ENTITY, principal=Principal("tester"), request_id="1", deadline=60.0
        )
        return self.connector

    def result(self, awaitable: Awaitable[T]) -> T:
        """Give what is there at once."""

        async def waiting() -> T:
            return await awaitable

        found: T = self.successResultOf(Deferred.fromCoroutine(waiting()))
        return found

    def failing(self, error: type[Exception], awaitable: Awaitable[Any]) -> Exception:
        """Give what is raised at once."""

        async def waiting() -> Any:
            return await awaitable

        failure = self.failureResultOf(Deferred.fromCoroutine(waiting()), error)
        assert isinstance(failure.value, Exception)
        return failure.value

    def create(self, type: ResourceType, body: Json) -> str:
        """Create a resource past the gateway, and forget that it was called."""
        parsed = resource.parse(type, body, self.fail)
        id = self.result(self.connector.create(self.call, type, parsed)).id
        self.connector.calls.clear()
        return id

    def users(self, *names: str) -> list[str]:
        """Create users."""
        return [
            self.create(USER, {"userName": name, "displayName": name.upper()}) for name in names
        ]

    def group(self, *members: str) -> str:
        """Create a group."""
        return self.create(
            GROUP, {"displayName": "g", "members": [{"value": id} for id in members]}
        )

    def search(self, type: ResourceType = USER, **parameters: str) -> Found:
        """Search through the gateway."""
        search = parse_search(type, parameters, 100)
        return self.result(reads.search(self.endpoint, self.call, search))

    def names(self, **parameters: str) -> list[str]:
        """Search users, and give their names."""
        return [each.data["userName"] for each in self.search(USER, **parameters).resources]

    def change(self, type: ResourceType, id: str, conditions: Conditions | None = None) -> Change:
        """Set out to change a resource."""
        return Change(self.endpoint, self.call, type, id, conditions or Conditions())

    def patch(
        self, type: ResourceType, id: str, *operations: Json, conditions: Conditions | None = None
    ) -> Any:
        """Set out to carry out a PATCH request."""
        message = {"schemas": [patch.PATCH_OP], "Operations": list(operations)}
        return writes.patch(
            self.change(type, id, conditions), patch.parse(type, message, self.fail)
        )

    def held(self, type: ResourceType, id: str) -> Resource:
        """Read a resource past the gateway."""
        page = self.result(self.connector.search(self.call, Query(type=type, ids=(id,))))
        self.connector.calls.clear()
        return page.resources[0]

    def members(self, id: str) -> Sequence[str]:
        """Read the members of a group past the gateway."""
        return [each["value"] for each in self.held(GROUP, id).data.get("members", ())]
