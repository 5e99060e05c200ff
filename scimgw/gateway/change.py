"""How is one resource changed while nobody else changes it?

Where an endpoint has versions, what was read to work a change out is still true when it is written;
where it has none, one process changes a resource once at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from attrs import frozen

from scimgw.connector import Call, Stored
from scimgw.errors import Conflict, NotFound, PreconditionFailed
from scimgw.gateway.endpoint import Endpoint
from scimgw.scim.changes import Changes
from scimgw.scim.path import Path
from scimgw.scim.project import NEEDED
from scimgw.scim.query import Query
from scimgw.scim.resource import Resource
from scimgw.scim.schema import ResourceType
from scimgw.scim.version import Conditions

ATTEMPTS: Final = 8
"""Times that a change is worked out anew because somebody else was faster."""

T = TypeVar("T")


@frozen
class Change:
    """One resource about to be changed, under the conditions that the request sets."""

    endpoint: Endpoint
    call: Call
    type: ResourceType
    id: str
    conditions: Conditions

    async def alone(self, write: Coroutine[Any, Any, T]) -> T:
        """Keep other changes of the resource out, where no version would tell of them."""
        if self._versions:
            return await write
        async with self.endpoint.locks.holding((self.call.entity, self.type.name, self.id)):
            return await write

    async def given(self, changes: Changes) -> Stored:
        """Make changes that didn't have to be worked out from the resource."""
        if not changes:
            return Stored(id=self.id, version=(await self._read(frozenset())).version)
        version = await self.demanded_version()
        with self.precondition():
            return await self._modify(changes, version)

    async def computed(
        self, attributes: frozenset[Path], work_out: Callable[[Resource], Changes]
    ) -> Stored:
        """Make changes that depend on attributes of the resource, while those stay as they were."""
        for _ in range(ATTEMPTS):
            current = await self._read(attributes)
            changes = work_out(current)
            if not changes:
                return Stored(id=self.id, version=current.version)
            try:
                return await self._modify(changes, current.version)
            except Conflict:
                continue
        raise Conflict(f"{self.type.name} {self.id!r} is being changed by others; try again")

    async def demanded_version(self) -> str | None:
        """Give the version that the resource must have when it is written; None if any will do."""
        demanded = self.conditions.if_match
        if self.conditions.if_none_match is None:
            if demanded is None or demanded.any:
                return None
            if self._versions and len(demanded.opaque) == 1:
                return f'W/"{demanded.opaque[0]}"'
        return (await self._read(frozenset())).version

    @contextmanager
    def precondition(self) -> Iterator[None]:
        """Tell a client that set conditions that they no longer hold."""
        try:
            yield
        except Conflict as conflict:
            if self.conditions:
                raise self._failed() from conflict
            raise

    @property
    def _versions(self) -> bool:
        return self.endpoint.capabilities[self.type].versions

    async def _read(self, attributes: frozenset[Path]) -> Resource:
        query = Query(type=self.type, ids=(self.id,), attributes=NEEDED | attributes)
        page = await self.endpoint.connector.search(self.call, query)
        if not page.resources:
            raise NotFound(f"{self.type.name} {self.id!r} not found")
        if self.conditions and not self.conditions.hold(page.resources[0].version):
            raise self._failed()
        return page.resources[0]

    async def _modify(self, changes: Changes, version: str | None) -> Stored:
        stored = await self.endpoint.connector.modify(
            self.call, self.type, self.id, changes, version
        )
        return stored or Stored(id=self.id)

    def _failed(self) -> PreconditionFailed:
        return PreconditionFailed(
            f"{self.type.name} {self.id!r} has another version than the request demands"
        )
