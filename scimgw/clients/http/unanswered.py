"""What does it mean that no whole answer came?"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.web._newclient import (
    RequestGenerationFailed,
    RequestNotSent,
    RequestTransmissionFailed,
)
from twisted.web.client import ResponseFailed
from twisted.web.iweb import IResponse

from scimgw.clients.http import body as bodies
from scimgw.clients.http import wire
from scimgw.clients.http.retry import Lost, NotSent, Outcome
from scimgw.errors import BadGateway, ScimError, Unavailable


async def within(seconds: float, begun: Deferred[Any], clock: IReactorTime) -> IResponse:
    """Wait for the head of an answer.

    Twisted wraps a cancellation, so that it must be told from a failure here.

    Raises: Silent, CancelledError, whatever the agent raises.
    """
    late = clock.callLater(seconds, begun.cancel)
    try:
        answer: IResponse = await begun
    except Exception as error:
        if not late.active():
            raise bodies.Silent from error
        if any(isinstance(each, CancelledError) for each in _reasons(error)):
            raise CancelledError from error
        raise
    finally:
        if late.active():
            late.cancel()
    return answer


def outcome_of(error: Exception) -> NotSent | Lost:
    """Tell whether anything of a request that failed may have reached the endpoint."""
    unsent = isinstance(error, wire.NotConnected | RequestNotSent) or _unverified(error)
    return NotSent() if unsent else Lost()


def told(outcome: Outcome, error: Exception) -> ScimError:
    """Say of the endpoint what a client may be told."""
    if isinstance(error, bodies.TooLarge):
        return BadGateway("the endpoint's answer is larger than is allowed")
    if isinstance(outcome, NotSent):
        return Unavailable("the endpoint can't be reached")
    if isinstance(error, bodies.Silent):
        return Unavailable("the endpoint took too long to answer")
    return Unavailable("the endpoint broke off, and gave no whole answer")


def _reasons(error: BaseException) -> list[BaseException]:
    """Unwrap what Twisted wraps."""
    if isinstance(error, ResponseFailed | RequestTransmissionFailed | RequestGenerationFailed):
        return [each.value for each in error.reasons if each.value is not None]
    return [error]


def reason(error: Exception) -> str:
    """Tell an operator why."""
    told = ", ".join(f"{type(each).__name__} {each}".strip() for each in _reasons(error))
    return told[:300].rstrip(".")


def _unverified(error: Exception) -> bool:
    """Whether the endpoint's certificate was found wanting: then nothing was sent to it."""
    return any(
        type(each).__name__ in {"VerificationError", "CertificateError"}
        or "certificate verify failed" in str(each)
        for each in _reasons(error)
    )
