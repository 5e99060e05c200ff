"""How do creations, changes and deletions reach the endpoint, each either done or not done?

A write, once begun, survives the client's disconnect.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from scimgw.connector import Call, Stored
from scimgw.deferred import finish
from scimgw.gateway.change import Change
from scimgw.gateway.endpoint import Endpoint
from scimgw.gateway.membership import has_groups, leave_groups
from scimgw.scim.changes import Changes, changed, joined, replacement, replay, value_at
from scimgw.scim.direct import by_attribute, direct
from scimgw.scim.operation import Operation
from scimgw.scim.path import Path
from scimgw.scim.required import check_left, demanded
from scimgw.scim.resource import Resource, writable
from scimgw.scim.schema import ResourceType

T = TypeVar("T")


async def create(endpoint: Endpoint, call: Call, resource: Resource) -> Stored:
    """Add a resource.

    Raises: Uniqueness, InvalidValue.
    """

    async def write() -> Stored:
        return await endpoint.connector.create(call, resource.type, resource)

    return await _shielded(endpoint, call, resource.type, write())


async def patch(change: Change, operations: Sequence[Operation]) -> Stored:
    """Carry out a PATCH request, reading only what its operations can't do without.

    Raises: NotFound, NoTarget, Mutability, PreconditionFailed, Conflict.
    """
    known: list[Changes] = []
    unknown: dict[Path, list[Operation]] = {}
    grouped = by_attribute(operations)
    needed = demanded(change.type, grouped)
    for root, own in grouped.items():
        changes = direct(own)
        if changes is None:
            unknown[root] = own
        else:
            known.append(changes)

    def work_out(current: Resource) -> Changes:
        data = current.data
        replayed = [replay(own, value_at(data, root)) for root, own in unknown.items()]
        changes = joined([*known, *replayed])
        if needed:
            check_left(change.type, needed, data, changed(change.type, data, changes))
        return changes

    reading = needed | frozenset(unknown)
    write = change.computed(reading, work_out) if reading else change.given(joined(known))
    return await _written(change, write)


async def replace(change: Change, resource: Resource) -> Stored:
    """Carry out a PUT request.

    Raises: NotFound, Mutability, PreconditionFailed, Conflict.
    """

    def work_out(current: Resource) -> Changes:
        return replacement(current, resource)

    return await _written(change, change.computed(writable(change.type), work_out))


async def delete(change: Change) -> None:
    """Remove a resource, and with it its memberships.

    Raises: NotFound, PreconditionFailed, PartialWrite.
    """
    endpoint, call, type, id = change.endpoint, change.call, change.type, change.id

    async def write() -> None:
        version = await change.demanded_version()
        groups = []
        if has_groups(type) and not endpoint.capabilities[type].removes_members:
            groups = [*(await endpoint.connector.memberships(call, [id])).get(id, ())]
        with change.precondition():
            await endpoint.connector.delete(call, type, id, version)
        await leave_groups(endpoint, call, id, groups)

    await _written(change, write())


async def _written(change: Change, write: Coroutine[Any, Any, T]) -> T:
    return await _shielded(change.endpoint, change.call, change.type, change.alone(write))


async def _shielded(
    endpoint: Endpoint, call: Call, type: ResourceType, write: Coroutine[Any, Any, T]
) -> T:
    async def counted() -> T:
        with endpoint.pending:
            return await write

    return await finish(counted(), f"a write of a {type.name} (request {call.request_id})")
