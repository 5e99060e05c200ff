"""Whom does a request come from?

Authenticators are asked in order; the first that knows the credentials decides.  One that refuses
them is no obstacle to another that takes the same scheme.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol

from attrs import frozen

from scimgw.connector import Principal
from scimgw.errors import Unauthorized
from scimgw.tls.names import Name


@frozen
class Credentials:
    """An Authorization header: its scheme in lower case, and what follows it.

    Without the header, which decides where there is one, the names of the client's certificate.
    """

    scheme: str
    value: str
    certificate: frozenset[Name] | None = None

    @classmethod
    def parse(cls, header: str) -> Credentials:
        """Read the header."""
        scheme, _, value = header.strip().partition(" ")
        return cls(scheme.casefold(), value.strip())


class Authenticator(Protocol):
    """One way to prove who one is."""

    @property
    def challenge(self) -> str:
        """What WWW-Authenticate says to ask for it."""

    @property
    def description(self) -> Mapping[str, str]:
        """Its entry in authenticationSchemes of /ServiceProviderConfig (RFC 7643 section 5)."""

    def authenticate(self, credentials: Credentials) -> Awaitable[Principal | None]:
        """Tell whose credentials they are; None if they are of another kind.

        Raises: Unauthorized, if they are of this kind and wrong.
        """


class Chain:
    """The ways that a plugin allows, in order."""

    def __init__(self, authenticators: Sequence[Authenticator]) -> None:
        """Allow some ways."""
        self._authenticators = authenticators

    @property
    def challenges(self) -> tuple[str, ...]:
        """What WWW-Authenticate says."""
        return tuple(each.challenge for each in self._authenticators)

    @property
    def descriptions(self) -> tuple[Mapping[str, str], ...]:
        """What /ServiceProviderConfig says."""
        return tuple(each.description for each in self._authenticators)

    async def authenticate(
        self, header: str | None, certificate: frozenset[Name] | None = None
    ) -> Principal:
        """Tell whom a request comes from, by its Authorization header, or else by a certificate.

        Raises: Unauthorized.
        """
        if header is not None:
            credentials = Credentials.parse(header)
        elif certificate is not None:
            credentials = Credentials("", "", certificate)
        else:
            raise Unauthorized("credentials are required")
        refusal = None
        for each in self._authenticators:
            try:
                principal = await each.authenticate(credentials)
            except Unauthorized as error:
                refusal = refusal or error
                continue
            if principal is not None:
                return principal
        if header is None:
            raise refusal or Unauthorized("credentials are required")
        raise refusal or Unauthorized(
            "the Authorization header has a scheme that isn't offered here"
        )
