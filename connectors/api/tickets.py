"""How do the gateway's clients speak of a ticket, and how does the service desk?

| here          | there         |
|---------------|---------------|
| `eventName`   | `title`       |
| `subjectName` | `description` |
| `userID`      | `requester`   |
| `status`      | `status`      |
| `id`          | `id`          |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scimgw.errors import BadGateway, InvalidSyntax, InvalidValue
from scimgw.scim.values import show

_NAMES: Final[Mapping[str, str]] = {
    "eventName": "title",
    "subjectName": "description",
    "userID": "requester",
}
_WRITABLE: Final[Mapping[str, str]] = {**_NAMES, "status": "status"}
STATUSES: Final = ("open", "closed")


def to_desk(body: Any, *, whole: bool) -> dict[str, str]:
    """Read a ticket that a client sends: whole, or at least one member of it.

    Raises: InvalidSyntax, InvalidValue.
    """
    if not isinstance(body, dict):
        raise InvalidSyntax("the body must be a JSON object")
    for name, value in body.items():
        if name not in _WRITABLE:
            raise InvalidValue(f"a ticket has no {show(name)}")
        if not isinstance(value, str) or not value:
            raise InvalidValue(f"{name} must be a string that isn't empty, not {show(value)}")
    if body.get("status", STATUSES[0]) not in STATUSES:
        raise InvalidValue(f"status must be open or closed, not {show(body['status'])}")
    missing = [name for name in _NAMES if name not in body]
    if whole and missing:
        raise InvalidValue(f"{missing[0]} is required")
    if not body:
        raise InvalidValue(f"one of {', '.join(_WRITABLE)} is required")
    return {_WRITABLE[name]: value for name, value in body.items()}


def from_desk(ticket: Any) -> dict[str, Any]:
    """Give a ticket of the service desk as clients see it.

    Raises: BadGateway.
    """
    if not isinstance(ticket, dict) or "id" not in ticket:
        raise BadGateway("the service desk answered something that isn't a ticket")
    said = {name: ticket.get(there) for name, there in _WRITABLE.items()}
    return {"id": ticket["id"], **{name: each for name, each in said.items() if each is not None}}
