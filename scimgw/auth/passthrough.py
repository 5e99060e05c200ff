"""Whose credentials are handed to the endpoint, which judges them?

Nothing is verified here, so nobody is known: what goes on is well-formed, and of a scheme that
proves each request by itself (RFC 7617, RFC 6750).  One that would make a connection somebody's, as
Negotiate does, isn't taken: the endpoint's connections serve everybody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from attrs import evolve

from scimgw.auth.basic import BasicAuthenticator, decoded
from scimgw.auth.chain import Authenticator, Credentials
from scimgw.auth.token import TokenAuthenticator
from scimgw.connector import Principal
from scimgw.errors import Unauthorized
from scimgw.secret import Secret

NAME: Final = "passThrough"
"""How the log calls who shows no name, or one that isn't fit for a log."""
_LONGEST: Final = 64
_TOKEN: Final = re.compile(r"[!-+\--~]+")
"""What a header can hold, but for commas, which part several headers."""


class PassedBasic:
    """Hands on names and passwords."""

    challenge: str = BasicAuthenticator.challenge
    description: Mapping[str, str] = BasicAuthenticator.description

    def __init__(self, anybody: Principal) -> None:
        """Let in anybody, to do what `anybody` may."""
        self._anybody = anybody

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        """Take them as they are, the name as unproven."""
        if credentials.scheme != "basic":
            return None
        name, colon, _ = decoded(credentials.value).partition(b":")
        if not colon:
            raise Unauthorized("basic credentials must hold a colon")
        passed = Secret(f"Basic {credentials.value}")
        return evolve(self._anybody, name=_shown(name), credentials=passed)


class PassedToken:
    """Hands on bearer tokens."""

    challenge: str = TokenAuthenticator.challenge
    description: Mapping[str, str] = TokenAuthenticator.description

    def __init__(self, anybody: Principal) -> None:
        """Let in anybody, to do what `anybody` may."""
        self._anybody = anybody

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        """Take it as it is."""
        if credentials.scheme != "bearer":
            return None
        if not _TOKEN.fullmatch(credentials.value):
            raise Unauthorized("a bearer token must be printable ASCII without blanks and commas")
        return evolve(self._anybody, credentials=Secret(f"Bearer {credentials.value}"))


def _shown(name: bytes) -> str:
    text = name.decode("utf-8", "replace")
    fit = (
        0 < len(text) <= _LONGEST
        and text.isprintable()
        and " " not in text
        and "\ufffd" not in text
    )
    return text if fit else NAME


_conforms: tuple[type[Authenticator], ...] = (PassedBasic, PassedToken)
