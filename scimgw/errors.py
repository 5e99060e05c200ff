"""Which failures can a SCIM client be told?

Every class stands for one row of RFC 7644 section 3.12 (table 8: HTTP status, table 9: scimType) or
of RFC 9110.

    ScimError
    |-- BadRequest 400
    |   |-- InvalidFilter  InvalidPath  InvalidSyntax  InvalidValue  Mutability  NoTarget  TooMany
    |   |-- InvalidCursor  ExpiredCursor  InvalidCount (RFC 9865 section 2.1)
    |-- Unauthorized 401
    |   `-- InvalidToken
    |-- Forbidden 403
    |   `-- Sensitive
    |-- NotFound 404
    |-- MethodNotAllowed 405
    |-- RequestTimeout 408
    |-- Conflict 409
    |-- Uniqueness 409
    |-- PreconditionFailed 412
    |-- PayloadTooLarge 413
    |-- UriTooLong 414
    |-- UnsupportedMediaType 415
    |-- TooManyRequests 429
    |-- HeadersTooLarge 431
    |-- InternalError 500
    |   `-- PartialWrite
    |-- NotSupported 501
    |-- BadGateway 502
    `-- Unavailable 503
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class ScimError(Exception):
    """Say what went wrong in words that a client may read.

    The detail is lower case, names the attribute and the value at fault, and never holds a secret
    or a stack.
    """

    status: ClassVar[int]
    scim_type: ClassVar[str | None] = None

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class BadRequest(ScimError):
    """The request can't be carried out as it stands."""

    status = 400


class InvalidFilter(BadRequest):
    """A filter is malformed, or compares what can't be compared."""

    scim_type = "invalidFilter"


class InvalidPath(BadRequest):
    """The path of a PATCH operation is malformed."""

    scim_type = "invalidPath"


class InvalidSyntax(BadRequest):
    """A body isn't JSON, or isn't the message that the request needs."""

    scim_type = "invalidSyntax"


class InvalidValue(BadRequest):
    """A value is missing, of the wrong type, or not allowed for its attribute."""

    scim_type = "invalidValue"


class Mutability(BadRequest):
    """A change is asked of what can't be changed: a readOnly, immutable or required attribute."""

    scim_type = "mutability"


class NoTarget(BadRequest):
    """The path of a PATCH operation selects nothing that could be changed."""

    scim_type = "noTarget"


class TooMany(BadRequest):
    """Answering would mean reading more of the endpoint than is allowed."""

    scim_type = "tooMany"


class InvalidCursor(BadRequest):
    """A cursor was never given, or for another query."""

    scim_type = "invalidCursor"


class ExpiredCursor(BadRequest):
    """A cursor is too old, or what it stood for is gone."""

    scim_type = "expiredCursor"


class InvalidCount(BadRequest):
    """The count of a query by cursor can't be read."""

    scim_type = "invalidCount"


class Unauthorized(ScimError):
    """No credentials, or wrong ones."""

    status = 401


class InvalidToken(Unauthorized):
    """A bearer token is wrong, or isn't good any more or yet (RFC 6750 section 3.1)."""


class Forbidden(ScimError):
    """The identity is known and may not do this."""

    status = 403


class Sensitive(Forbidden):
    """A secret would have to be compared or sorted by."""

    scim_type = "sensitive"


class NotFound(ScimError):
    """No such resource or endpoint."""

    status = 404


class MethodNotAllowed(ScimError):
    """The path exists and doesn't take this method; `allowed` names those that it does."""

    status = 405

    def __init__(self, detail: str, allowed: Sequence[str]) -> None:
        super().__init__(detail)
        self.allowed = tuple(allowed)


class RequestTimeout(ScimError):
    """The client took too long to send its request."""

    status = 408


class Conflict(ScimError):
    """The resource isn't, or is no longer, in the state that the change was made for.

    A connector raises it when `if_version` isn't the version that the endpoint holds.
    """

    status = 409


class Uniqueness(ScimError):
    """Another resource has that value, and no two may."""

    status = 409
    scim_type = "uniqueness"


class PreconditionFailed(ScimError):
    """If-Match or If-None-Match doesn't hold (RFC 7644 section 3.14)."""

    status = 412


class PayloadTooLarge(ScimError):
    """The body is larger than the configured limit."""

    status = 413


class UriTooLong(ScimError):
    """The URL is longer than can be received."""

    status = 414


class UnsupportedMediaType(ScimError):
    """The body isn't sent as SCIM JSON or plain JSON."""

    status = 415


class TooManyRequests(ScimError):
    """The client has to wait before it tries again; `retry_after` is in seconds."""

    status = 429

    def __init__(self, detail: str, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class HeadersTooLarge(ScimError):
    """The headers are more, or longer, than can be received."""

    status = 431


class InternalError(ScimError):
    """A failure that isn't the client's; the detail names the request, never the cause."""

    status = 500


class PartialWrite(InternalError):
    """An endpoint without transactions failed half-way.

    `applied` and `failed` list, in the field's own terms, what was done and what was not.
    """

    def __init__(self, detail: str, applied: Sequence[str], failed: Sequence[str]) -> None:
        done, left = ", ".join(applied) or "nothing", ", ".join(failed)
        super().__init__(f"{detail}; applied: {done}; not applied: {left}")
        self.applied = tuple(applied)
        self.failed = tuple(failed)


class NotSupported(ScimError):
    """What is asked for isn't offered here, or not to this client."""

    status = 501


class BadGateway(ScimError):
    """The endpoint failed, refused the gateway, or answered what can't be understood."""

    status = 502


class Unavailable(ScimError):
    """The endpoint can't be reached, or is too busy; `retry_after` is in seconds, when known."""

    status = 503

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
