"""What does a failure of the other side mean to a client?

RFC 7644 section 3.12.  Its status and scimType become ours; whether the gateway itself is let in is
no business of the client's.  Too many requests, and a server that isn't there, are told by
the HTTP client.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scimgw.clients.http import Response
from scimgw.errors import (
    BadGateway,
    BadRequest,
    Conflict,
    Forbidden,
    InvalidFilter,
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    Mutability,
    NoTarget,
    NotFound,
    PayloadTooLarge,
    ScimError,
    Sensitive,
    TooMany,
    Unauthorized,
    Uniqueness,
)

_OK: Final = range(200, 300)
_LONGEST: Final = 300
_TYPED: Final[Mapping[str, type[ScimError]]] = {
    str(each.scim_type).casefold(): each
    for each in (
        InvalidFilter,
        InvalidPath,
        InvalidSyntax,
        InvalidValue,
        Mutability,
        NoTarget,
        Sensitive,
        TooMany,
        Uniqueness,
    )
}
_BY_STATUS: Final[Mapping[int, type[ScimError]]] = {
    400: BadRequest,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    401: Unauthorized,
    403: Forbidden,
    413: PayloadTooLarge,
}
_REFUSED: Final = frozenset({401, 403})


def check(response: Response, *, creating: bool = False, passed: bool = False) -> None:
    """Let a good answer pass, and raise what a bad one means.

    `creating` tells that a conflict without further word is one of uniqueness; `passed` that the
    client's own credentials were shown.

    Raises: ScimError.
    """
    if response.status in _OK:
        return
    scim_type, detail = _told(response)
    if response.status in _REFUSED and not passed:
        raise BadGateway(f"the endpoint doesn't let the gateway in ({response.status})")
    kind = _kind(response.status, scim_type)
    if kind is Conflict and creating:
        kind = Uniqueness
    raise BadGateway(f"the endpoint failed: {detail}") if kind is None else kind(detail)


def _kind(status: int, scim_type: str) -> type[ScimError] | None:
    typed = _TYPED.get(scim_type)
    return typed if typed is not None and typed.status == status else _BY_STATUS.get(status)


def _told(response: Response) -> tuple[str, str]:
    """Read a SCIM error: its scimType in lower case, and what it says, on one line."""
    try:
        message: Any = response.json()
    except BadGateway:
        message = None
    members: Mapping[str, Any] = message if isinstance(message, dict) else {}
    detail = members.get("detail")
    text = detail if isinstance(detail, str) else ""
    plain = "".join(each if each.isprintable() else " " for each in text[:_LONGEST]).strip()
    scim_type = members.get("scimType")
    kind = scim_type.casefold() if isinstance(scim_type, str) else ""
    return kind, plain or f"the endpoint answered {response.status}"
