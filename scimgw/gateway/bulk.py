"""How are the operations of a bulk request carried out, each by itself?

RFC 7644 section 3.7.  One after the other, in the order of the request, references apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, evolve, field, frozen
from twisted.internet.defer import CancelledError

from scimgw.connector import Call
from scimgw.deferred import Turns, finish
from scimgw.errors import Conflict, InvalidValue
from scimgw.gateway import writes
from scimgw.gateway.change import Change
from scimgw.gateway.endpoint import Endpoint
from scimgw.scim import patch, resource
from scimgw.scim.bulk import (
    BulkOperation,
    BulkRequest,
    Refused,
    Step,
    order,
    resolved,
    without,
)
from scimgw.scim.resource import Unknown
from scimgw.scim.values import show
from scimgw.scim.version import Conditions, Tags


@frozen(kw_only=True)
class Outcome:
    """What became of an operation: the resource's id and version, or what went wrong, or both."""

    operation: BulkOperation | Refused
    id: str | None = None
    version: str | None = None
    error: Exception | None = None


async def carry_out(
    endpoint: Endpoint, call: Call, request: BulkRequest, unknown: Unknown
) -> Sequence[Outcome]:
    """Carry out all operations, or as many as `failOnErrors` allows; it isn't broken off half-way.

    Gives the outcomes in the order of the request.
    """
    job = _Job(endpoint=endpoint, call=call, request=request, unknown=unknown)

    async def counted() -> Sequence[Outcome]:
        with endpoint.pending:
            return await job.run()

    return await finish(counted(), f"a bulk request (request {call.request_id})")


@frozen
class _Waiting:
    """A resource that was made without what refers to resources not made yet."""

    place: int
    operation: BulkOperation
    added: list[dict[str, Any]]


@define(kw_only=True)
class _Job:
    endpoint: Endpoint
    call: Call
    request: BulkRequest
    unknown: Unknown
    seconds: float = field(init=False)
    """Within which each operation is to be carried out."""
    ids: dict[str, str] = field(init=False, factory=dict)
    """By bulkId, of what has been made so far."""
    waiting: list[_Waiting] = field(init=False, factory=list)
    outcomes: dict[int, Outcome] = field(init=False, factory=dict)
    """By place in the request."""
    failed: int = field(init=False, default=0)
    names: frozenset[str | None] = field(init=False)
    """All bulkIds of the request."""

    @seconds.default
    def _seconds_of_call(self) -> float:
        return self.call.deadline - self.endpoint.clock.seconds()

    @names.default
    def _names_of_request(self) -> frozenset[str | None]:
        return frozenset(each.bulk_id for each in self.request.operations)

    async def run(self) -> Sequence[Outcome]:
        turns = Turns(self.endpoint.clock)
        limit = self.request.fail_on_errors
        for step in order(self.request.operations):
            await self._take(step)
            if limit and self.failed >= limit:
                break
            await turns.breathe()
        for each in self.waiting:
            names = ", ".join(sorted(show(name) for name in self._missing(each)))
            self._note(each, Conflict(f"made, but without its references to bulkId {names}"))
        return [self.outcomes[place] for place in sorted(self.outcomes)]

    async def _take(self, step: Step) -> None:
        """Carry out one operation, then what waited for it."""
        operation = self.request.operations[step.place]
        if isinstance(operation, Refused):
            self.outcomes[step.place] = Outcome(operation=operation, error=operation.error)
            self.failed += 1
            return
        try:
            self.outcomes[step.place] = await self._carry_out(operation, step)
        except CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - what one raises is told of that one alone
            self.outcomes[step.place] = Outcome(
                operation=operation, id=self._target(operation), error=error
            )
            self.failed += 1
        else:
            await self._complete()

    def _target(self, operation: BulkOperation) -> str | None:
        """Give the id of what an operation is about, as far as it is known."""
        if operation.target is None:
            return None
        try:
            target: str = resolved(operation.target, self.ids)
        except KeyError:
            return None
        return target

    async def _carry_out(self, operation: BulkOperation, step: Step) -> Outcome:
        self._check(operation, step)
        data: Any = operation.data
        later: list[dict[str, Any]] = []
        if step.deferred:
            data, later = without(data, step.deferred)
        target = None if operation.target is None else resolved(operation.target, self.ids)
        id, version = await self._write(operation, target, resolved(data, self.ids))
        if operation.bulk_id is not None:
            self.ids[operation.bulk_id] = id
        if later:
            self.waiting.append(_Waiting(step.place, operation, later))
        return Outcome(operation=operation, id=id, version=version)

    def _check(self, operation: BulkOperation, step: Step) -> None:
        """Refuse what refers to what isn't there, and circles that can't be closed afterwards.

        Raises: InvalidValue, Conflict.
        """
        for bulk_id in sorted(operation.references - step.deferred - self.ids.keys()):
            if bulk_id not in self.names:
                raise InvalidValue(f"no operation has the bulkId {show(bulk_id)}")
            raise Conflict(f"the operation with the bulkId {show(bulk_id)} failed")
        if step.deferred and operation.method != "POST":
            raise Conflict(f"bulkId {show(operation.bulk_id)} is referred to in a circle")

    async def _write(
        self, operation: BulkOperation, target: str | None, data: Any
    ) -> tuple[str, str | None]:
        """Make one write, and give the id and the version that it leaves."""
        type = operation.type
        call = self._call()
        if target is None:
            new = resource.parse(type, data, self.unknown)
            created = await writes.create(self.endpoint, call, new)
            return created.id, created.version
        tags = None if operation.version is None else Tags.parse(operation.version)
        change = Change(self.endpoint, call, type, target, Conditions(if_match=tags))
        match operation.method:
            case "PUT":
                new = resource.parse(type, data, self.unknown)
                return target, (await writes.replace(change, new)).version
            case "PATCH":
                operations = patch.parse(type, data, self.unknown)
                return target, (await writes.patch(change, operations)).version
            case _:
                await writes.delete(change)
                return target, None

    def _call(self) -> Call:
        return evolve(self.call, deadline=self.endpoint.clock.seconds() + self.seconds)

    async def _complete(self) -> None:
        """Add references to what has been made meanwhile."""
        for each in [each for each in self.waiting if not self._missing(each)]:
            self.waiting.remove(each)
            made = self.outcomes[each.place]
            assert made.id is not None
            body = {
                "schemas": [patch.PATCH_OP],
                "Operations": resolved(each.added, self.ids),
            }
            try:
                operations = patch.parse(each.operation.type, body, self.unknown)
                change = Change(
                    self.endpoint, self._call(), each.operation.type, made.id, Conditions()
                )
                stored = await writes.patch(change, operations)
            except CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - as above
                self._note(each, error)
            else:
                self.outcomes[each.place] = evolve(made, version=stored.version or made.version)

    def _missing(self, waiting: _Waiting) -> frozenset[str]:
        held: Mapping[str, str] = self.ids
        references = evolve(waiting.operation, data=waiting.added, target=None).references
        return references - held.keys()

    def _note(self, waiting: _Waiting, error: Exception) -> None:
        self.outcomes[waiting.place] = evolve(self.outcomes[waiting.place], error=error)
