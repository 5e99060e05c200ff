"""What is a client told when a directory fails?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from connectors.ldap.result import LdapError, NoBase, ResultCode, TransportError
from scimgw.errors import (
    BadGateway,
    Conflict,
    Forbidden,
    InvalidValue,
    Mutability,
    NotFound,
    ScimError,
    TooMany,
    Unavailable,
    Uniqueness,
)

_KINDS: Final[Mapping[int, type[ScimError]]] = {
    ResultCode.SIZE_LIMIT_EXCEEDED: TooMany,
    ResultCode.ADMIN_LIMIT_EXCEEDED: TooMany,
    ResultCode.TIME_LIMIT_EXCEEDED: TooMany,
    ResultCode.NO_SUCH_ATTRIBUTE: InvalidValue,
    ResultCode.UNDEFINED_ATTRIBUTE_TYPE: InvalidValue,
    ResultCode.INAPPROPRIATE_MATCHING: InvalidValue,
    ResultCode.CONSTRAINT_VIOLATION: InvalidValue,
    ResultCode.ATTRIBUTE_OR_VALUE_EXISTS: Conflict,
    ResultCode.INVALID_ATTRIBUTE_SYNTAX: InvalidValue,
    ResultCode.NO_SUCH_OBJECT: NotFound,
    ResultCode.INVALID_DN_SYNTAX: InvalidValue,
    ResultCode.INSUFFICIENT_ACCESS_RIGHTS: Forbidden,
    ResultCode.UNWILLING_TO_PERFORM: InvalidValue,
    ResultCode.NAMING_VIOLATION: InvalidValue,
    ResultCode.OBJECT_CLASS_VIOLATION: InvalidValue,
    ResultCode.NOT_ALLOWED_ON_NON_LEAF: Conflict,
    ResultCode.NOT_ALLOWED_ON_RDN: Mutability,
    ResultCode.ENTRY_ALREADY_EXISTS: Uniqueness,
    ResultCode.OBJECT_CLASS_MODS_PROHIBITED: InvalidValue,
}
_NOT_UNIQUE: Final = ("not unique", "000021c7", "000021c8")
"""What a violated constraint says in OpenLDAP's overlay, and in Active Directory, of names."""
_LONGEST: Final = 300


def told(error: LdapError, what: str) -> ScimError:
    """Translate what a directory answered; its reason is the client's to read."""
    if isinstance(error, NoBase):
        unseen = "isn't there, or hidden from the gateway's account"
        return BadGateway(f"the directory refused {what}: the base {error.base!r} {unseen}")
    kind = _KINDS.get(error.code, Unavailable)
    reason = "".join(each if each.isprintable() else " " for each in error.message).strip()
    if kind is InvalidValue and any(mark in reason.lower() for mark in _NOT_UNIQUE):
        kind = Uniqueness
    said = f"{ResultCode(error.code).name}" if error.code in set(ResultCode) else str(error.code)
    detail = f"the directory refused {what}: {said.replace('_', ' ').lower()}"
    return kind(f"{detail}: {reason[:_LONGEST]}" if reason else detail)


@contextmanager
def translated(what: str, *, writing: bool = False) -> Iterator[None]:
    """Raise what a client may be told instead of what happened.

    Raises: ScimError; Unavailable, where there was no answer.
    """
    try:
        yield
    except LdapError as error:
        raise told(error, what) from error
    except TransportError as error:
        doubt = "; whether it was carried out isn't known" if writing else ""
        raise Unavailable(f"{what}: {error}{doubt}") from error
