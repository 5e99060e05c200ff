"""Which values may a key have?

Validators of attrs fields, which raise `Invalid`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Final, NewType

from attrs import Attribute

from scimgw.clients.http.settings import check_url
from scimgw.clients.issuer import check_address
from scimgw.config import foreign
from scimgw.connector import Invalid
from scimgw.scrypt import MOST_WORK, BadHash, Scrypt, work
from scimgw.secret import Secret

_KEY_LENGTH: Final = 32
_HASHING: Final = "`python -m scimgw.secrets hash`"


class Unbuilt(Enum):
    """The only value of a key that is known and does nothing yet."""

    OFF = "off"


Never = NewType("Never", object)
"""The value of a key that other programs know, and that is refused unless it is off."""
Texts = NewType("Texts", tuple[str, ...])
"""Text, or a list of it."""
NONE: Final = Texts(())
Span = NewType("Span", float)
"""Seconds, written as a number or as text with a unit."""


def never(why: str) -> Callable[[object, Attribute[Any], Any], None]:
    """Take nothing, and say why."""

    def check(_: object, attribute: Attribute[Any], value: Any) -> None:
        if value is not None and value is not False:
            raise Invalid(attribute.name, why)

    return check


def between(low: int, high: int) -> Callable[[object, Attribute[int], int], None]:
    """Take whole numbers within bounds, both included."""

    def check(_: object, attribute: Attribute[int], value: int) -> None:
        if not low <= value <= high:
            raise Invalid(attribute.name, f"must be from {low} to {high}, not {value}")

    return check


def user_name(_: object, attribute: Attribute[str], value: str) -> None:
    """Take what can be the user of HTTP Basic (RFC 7617 section 2)."""
    if not value or ":" in value:
        raise Invalid(attribute.name, "must be a name without a colon")


def sendable(_: object, attribute: Attribute[Secret], value: Secret) -> None:
    """Take secrets that can stand in a header."""
    if not re.fullmatch(r"[!-~]+", value.reveal()):
        raise Invalid(attribute.name, "must be printable ASCII without blanks, as headers are")


def verifiable(_: object, attribute: Attribute[Secret], value: Secret) -> None:
    """Take secrets in clear, and hashes of secrets that can be verified, and are worth it.

    A hash of another kind would be taken for the secret, which nobody would ever present.
    """
    kind = foreign.kind(value.reveal())
    if kind is not None:
        fault = (
            f"is {kind} hash, which can't be verified here: hash the secret itself by {_HASHING}"
        )
        raise Invalid(attribute.name, fault)
    try:
        Scrypt.of(value)
    except BadHash as fault:
        raise Invalid(attribute.name, str(fault)) from None


def check_work(name: str, secrets: Iterable[tuple[str, Secret]]) -> None:
    """Check that what is presented can be compared with all hashes in bearable time.

    Secrets come with the name that is presented with each, "" where they are presented alone.

    Raises: Invalid.
    """
    hashes = [(named, found) for named, each in secrets if (found := Scrypt.of(each)) is not None]
    if work(hashes) > MOST_WORK:
        fault = "each login would take too long: fewer hashes, or cheaper ones of one kind, are due"
        raise Invalid(name, fault)


def long(_: object, attribute: Attribute[Secret | None], value: Secret | None) -> None:
    """Take secrets long enough to be a key."""
    if value is not None and len(value.reveal()) < _KEY_LENGTH:
        raise Invalid(attribute.name, f"must have at least {_KEY_LENGTH} characters")


def url(_: object, attribute: Attribute[str | None], value: str | None) -> None:
    """Take URLs of HTTP."""
    if value is not None:
        check_url(attribute.name, value)


def some(_: object, attribute: Attribute[tuple[object, ...]], value: tuple[object, ...]) -> None:
    """Take lists that hold something."""
    if not value:
        raise Invalid(attribute.name, "must hold at least one entry")


def issuer_url(_: object, attribute: Attribute[Any], value: str | None) -> None:
    """Take addresses where keys may be fetched."""
    if value is not None:
        check_address(attribute.name, value)


def authority_url(_: object, attribute: Attribute[str], value: str) -> None:
    """Take addresses below which keys may be fetched."""
    check_url(attribute.name, value)
    check_address(attribute.name, value)


def guid(_: object, attribute: Attribute[Any], value: str | None) -> None:
    """Take ids of tenants."""
    if value is not None and not re.fullmatch(
        r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value
    ):
        raise Invalid(attribute.name, "must be a GUID, such as that of a tenant of Entra ID")


def client_id(_: object, attribute: Attribute[str], value: str) -> None:
    """Take ids of OAuth clients, which also stand in the log (RFC 6749 appendix A.1)."""
    if not re.fullmatch(r"[!-~]{1,255}", value):
        raise Invalid(attribute.name, "must be printable ASCII without blanks")
