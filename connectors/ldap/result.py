"""How does an operation fail?

LdapError             the directory answered, and the answer isn't success
`-- NoBase            there isn't what was to be searched
TransportError        no answer: whether the operation was carried out isn't known
|-- ConnectionLost
`-- TimedOut
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum


class ResultCode(IntEnum):
    """What directories answer: RFC 4511 appendix A."""

    SUCCESS = 0
    OPERATIONS_ERROR = 1
    PROTOCOL_ERROR = 2
    TIME_LIMIT_EXCEEDED = 3
    SIZE_LIMIT_EXCEEDED = 4
    COMPARE_FALSE = 5
    COMPARE_TRUE = 6
    AUTH_METHOD_NOT_SUPPORTED = 7
    STRONGER_AUTH_REQUIRED = 8
    REFERRAL = 10
    ADMIN_LIMIT_EXCEEDED = 11
    UNAVAILABLE_CRITICAL_EXTENSION = 12
    CONFIDENTIALITY_REQUIRED = 13
    SASL_BIND_IN_PROGRESS = 14
    NO_SUCH_ATTRIBUTE = 16
    UNDEFINED_ATTRIBUTE_TYPE = 17
    INAPPROPRIATE_MATCHING = 18
    CONSTRAINT_VIOLATION = 19
    ATTRIBUTE_OR_VALUE_EXISTS = 20
    INVALID_ATTRIBUTE_SYNTAX = 21
    NO_SUCH_OBJECT = 32
    ALIAS_PROBLEM = 33
    INVALID_DN_SYNTAX = 34
    ALIAS_DEREFERENCING_PROBLEM = 36
    INAPPROPRIATE_AUTHENTICATION = 48
    INVALID_CREDENTIALS = 49
    INSUFFICIENT_ACCESS_RIGHTS = 50
    BUSY = 51
    UNAVAILABLE = 52
    UNWILLING_TO_PERFORM = 53
    LOOP_DETECT = 54
    NAMING_VIOLATION = 64
    OBJECT_CLASS_VIOLATION = 65
    NOT_ALLOWED_ON_NON_LEAF = 66
    NOT_ALLOWED_ON_RDN = 67
    ENTRY_ALREADY_EXISTS = 68
    OBJECT_CLASS_MODS_PROHIBITED = 69
    AFFECTS_MULTIPLE_DSAS = 71
    OTHER = 80


class LdapError(Exception):
    """What a directory answered, in its own words; `code` may be one that RFC 4511 doesn't have."""

    def __init__(
        self, code: int, message: str, matched_dn: str = "", referrals: Sequence[str] = ()
    ) -> None:
        super().__init__(f"{describe(code)}: {message}" if message else describe(code))
        self.code = code
        self.message = message
        self.matched_dn = matched_dn
        self.referrals = tuple(referrals)


class NoBase(LdapError):
    """There isn't what everything is below, which says nothing of what was looked for."""

    def __init__(self, base: str, error: LdapError) -> None:
        super().__init__(error.code, error.message, error.matched_dn, error.referrals)
        self.base = base


class TransportError(Exception):
    """There is no answer."""


class ConnectionLost(TransportError):
    """The connection ended before the answer; `__cause__` is why, if that is known."""


class TimedOut(TransportError):
    """The answer took too long, and the connection was given up."""


def describe(code: int) -> str:
    """Say what a code means: `size limit exceeded (4)`."""
    try:
        return f"{ResultCode(code).name.replace('_', ' ').lower()} ({code})"
    except ValueError:
        return f"result code {code}"
