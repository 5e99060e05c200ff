"""How is a bulk request answered?

RFC 7644 section 3.7: 200, whatever became of the operations, each of which has a status of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from twisted.web.http import CREATED, NO_CONTENT, OK

from scimgw.auth.throttle import Verdict
from scimgw.errors import InvalidSyntax, MethodNotAllowed, Unauthorized
from scimgw.gateway.bulk import Outcome, carry_out
from scimgw.scim.bulk import Refused, encode_bulk, parse
from scimgw.scim.references import location
from scimgw.web.conversation import Answer, body
from scimgw.web.errors import answer_to
from scimgw.web.exchange import Context, unknown

ON_BULK: Final = ("POST", "OPTIONS")
_DONE: Final = {"POST": CREATED, "PUT": OK, "PATCH": OK, "DELETE": NO_CONTENT}


async def bulk(context: Context) -> Answer:
    """Carry a bulk request out."""
    if context.request.method != b"POST":
        raise MethodNotAllowed("a bulk request is posted", ON_BULK)
    types = [*context.endpoint.types.values()]
    request = parse(types, body(context.request), context.limits.max_operations)
    with unknown(context, InvalidSyntax) as told:
        outcomes = await carry_out(context.endpoint, context.call, request, told)
    context.request.verdict = _verdict(outcomes)
    return Answer(OK, encode_bulk([_encoded(context, each) for each in outcomes]))


def _verdict(outcomes: Sequence[Outcome]) -> Verdict:
    """Say what the endpoint says of the credentials, where it is the one that judges them."""
    if any(isinstance(each.error, Unauthorized) for each in outcomes):
        return Verdict.WRONG
    done = any(each.error is None for each in outcomes)
    return Verdict.RIGHT if done else Verdict.UNTOLD


def _encoded(context: Context, outcome: Outcome) -> dict[str, Any]:
    """Tell what became of one operation; the body of a success isn't repeated."""
    operation = outcome.operation
    encoded: dict[str, Any] = {
        name: value
        for name, value in (
            ("method", operation.method),
            ("bulkId", operation.bulk_id),
            ("version", outcome.version),
        )
        if value is not None
    }
    if outcome.id is not None and not isinstance(operation, Refused):
        encoded["location"] = location(context.base, operation.type.endpoint, outcome.id)
    if outcome.error is None:
        assert operation.method is not None
        return {**encoded, "status": str(_DONE[operation.method])}
    failed = answer_to(outcome.error, context.call.request_id, ())
    return {**encoded, "response": failed.body, "status": str(failed.status)}
