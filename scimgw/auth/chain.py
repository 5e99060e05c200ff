"""Whom does a request come from?

Authenticators are asked in order; the first that knows the credentials decides.  One that refuses
them, or can't tell, is no obstacle to another that takes the same scheme.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from scimgw.connector import Principal
from scimgw.errors import InvalidToken, Unauthorized, Unavailable
from scimgw.tls.names import Name


@frozen
class Credentials:
    """An Authorization header: its scheme in lower case, and what follows it.

    Without the header, which decides where there is one, the names of the client's certificate.
    """

    scheme: str
    value: str = field(repr=False)
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

        Raises: Unauthorized, if they are of this kind and wrong; Unavailable, if nobody can tell.
        """


@runtime_checkable
class Unguessable(Protocol):
    """A way in by what nobody can guess, so that a look at it gives nothing away."""

    def proven(self, credentials: Credentials) -> Awaitable[Principal | None]:
        """Tell whose credentials they are; None if they let nobody in."""


class Chain:
    """The ways that a plugin allows, in order."""

    def __init__(self, authenticators: Sequence[Authenticator], *, elsewhere: bool = False) -> None:
        """Allow some ways; `elsewhere` tells that the endpoint judges whom they let in."""
        self._authenticators = authenticators
        self.elsewhere = elsewhere

    @property
    def challenges(self) -> tuple[str, ...]:
        """What WWW-Authenticate says, of each kind once."""
        return tuple(dict.fromkeys(each.challenge for each in self._authenticators))

    @property
    def descriptions(self) -> tuple[Mapping[str, str], ...]:
        """What /ServiceProviderConfig says, of each kind once."""
        all = [each.description for each in self._authenticators]
        return tuple(each for place, each in enumerate(all) if each not in all[:place])

    async def authenticate(
        self, header: str | None, certificate: frozenset[Name] | None = None
    ) -> Principal:
        """Tell whom a request comes from, by its Authorization header, or else by a certificate.

        Raises: Unauthorized, Unavailable (who it is can't be told now).
        """
        if header is not None:
            credentials = Credentials.parse(header)
        elif certificate is not None:
            credentials = Credentials("", "", certificate)
        else:
            raise Unauthorized("credentials are required")
        failure: Unauthorized | Unavailable | None = None
        for each in self._authenticators:
            try:
                principal = await each.authenticate(credentials)
            except Unauthorized as error:
                failure = failure or error
            except Unavailable as error:
                failure = error
            else:
                if principal is not None:
                    return principal
        raise failure or self._unknown(credentials.scheme)

    async def proven(self, header: str) -> Principal | None:
        """Tell whom a request comes from, if its Authorization header can't have been guessed."""
        credentials = Credentials.parse(header)
        for each in self._authenticators:
            if isinstance(each, Unguessable):
                principal = await each.proven(credentials)
                if principal is not None:
                    return principal
        return None

    def _unknown(self, scheme: str) -> Unauthorized:
        if not scheme:
            return Unauthorized("credentials are required")
        offered = {each.partition(" ")[0].casefold() for each in self.challenges}
        if scheme == "bearer" and scheme in offered:
            return InvalidToken("wrong bearer token")
        return Unauthorized("the Authorization header has a scheme that isn't offered here")
