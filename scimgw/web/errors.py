"""How is a failure answered?"""

from __future__ import annotations

import math

from twisted.logger import Logger
from twisted.python.failure import Failure
from werkzeug.exceptions import HTTPException

from scimgw.errors import (
    InternalError,
    InvalidToken,
    MethodNotAllowed,
    NotFound,
    ScimError,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)
from scimgw.scim.messages import encode_error
from scimgw.web.conversation import Answer

log = Logger()


def answer_to(error: BaseException, request_id: str, challenges: tuple[str, ...]) -> Answer:
    """Turn whatever was raised into an answer; what a client may not learn is logged."""
    failure = _told(error, request_id)
    headers: dict[str, str | tuple[str, ...]] = {}
    match failure:
        case InvalidToken():
            headers["WWW-Authenticate"] = tuple(map(_invalid_token, challenges))
        case Unauthorized():
            headers["WWW-Authenticate"] = challenges
        case MethodNotAllowed():
            headers["Allow"] = ", ".join(failure.allowed)
        case (
            Unavailable(retry_after=float() | int() as seconds)
            | TooManyRequests(retry_after=float() | int() as seconds)
        ):
            headers["Retry-After"] = str(math.ceil(seconds))
    return Answer(failure.status, encode_error(failure), headers)


def _told(error: BaseException, request_id: str) -> ScimError:
    if isinstance(error, ScimError):
        if error.status >= InternalError.status:
            log.warn("request {id}: {detail}", id=request_id, detail=error.detail)
        return error
    if isinstance(error, HTTPException) and error.code == NotFound.status:
        return NotFound("no such endpoint")
    log.failure("request {id} failed", Failure(error), id=request_id)
    return InternalError(f"an unexpected error; the log has it under request {request_id}")


def _invalid_token(challenge: str) -> str:
    """Tell that another token is needed, if a token is what is asked for (RFC 6750 section 3)."""
    return f'{challenge}, error="invalid_token"' if challenge.startswith("Bearer") else challenge
