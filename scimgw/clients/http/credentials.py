"""How does the gateway prove to an endpoint who it is?"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable
from typing import Protocol

from attrs import frozen

from scimgw.errors import Unauthorized
from scimgw.secret import Secret


class Credential(Protocol):
    """One kind of credentials, of one base entity."""

    def authorization(self, passed: Secret | None) -> Awaitable[Secret | None]:
        """Give the Authorization header, None for none; `passed` is the caller's own.

        Raises: Unauthorized, Unavailable, BadGateway.
        """

    def refused(self, authorization: Secret) -> bool:
        """Learn that the endpoint refused a header; tell whether there may be a better one."""

    def close(self) -> Awaitable[None]:
        """Give back connections."""


@frozen
class Fixed:
    """The same header always, or none."""

    header: Secret | None = None

    async def authorization(self, _passed: Secret | None) -> Secret | None:
        """Give it."""
        return self.header

    def refused(self, _authorization: Secret) -> bool:
        """Know no better."""
        return False

    async def close(self) -> None:
        """Hold nothing."""


class PassThrough:
    """The caller's own header, kept nowhere."""

    async def authorization(self, passed: Secret | None) -> Secret | None:
        """Hand it on.

        Raises: Unauthorized, if there is none.
        """
        if passed is None:
            raise Unauthorized("the endpoint wants credentials of the caller's own")
        return passed

    def refused(self, _authorization: Secret) -> bool:
        """Know no better."""
        return False

    async def close(self) -> None:
        """Hold nothing."""


def basic(username: str, password: Secret) -> Fixed:
    """Give the credential of a user with a password (RFC 7617), in UTF-8."""
    token = b64encode(f"{username}:{password.reveal()}".encode()).decode()
    return Fixed(Secret(f"Basic {token}"))


def bearer(token: Secret) -> Fixed:
    """Give the credential of a token (RFC 6750)."""
    return Fixed(Secret(f"Bearer {token.reveal()}"))
