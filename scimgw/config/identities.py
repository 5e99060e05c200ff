"""Who is let in, and what may they do?

One attrs class for each object below `scimgateway.auth`; see `scimgw.config.model`.
"""

from __future__ import annotations

from attrs import field, fields, frozen

from scimgw.config.checks import Unbuilt, check_work, sendable, user_name, verifiable
from scimgw.connector import Invalid
from scimgw.secret import Secret


@frozen(kw_only=True)
class Identity:
    """What anybody who is let in may do."""

    read_only: bool = False
    """Whether it may only read and search."""
    base_entities: tuple[str, ...] = ()
    """The base entities that there are for it, `undefined` for the one without a name in the URL;
    empty: all."""


@frozen(kw_only=True)
class Basic(Identity):
    """A user of HTTP Basic authentication."""

    username: str = field(validator=user_name)
    """Name of the user."""
    password: Secret = field(validator=verifiable)
    """Password: in clear, encrypted, or its scrypt hash."""


@frozen(kw_only=True)
class BearerToken(Identity):
    """A token that was agreed upon."""

    token: Secret = field(validator=[sendable, verifiable])
    """The token: in clear, encrypted, or its scrypt hash."""
    name: str | None = None
    """How the log and `scim.me` call who sends it; else `bearerToken[0]`, by its place."""


@frozen(kw_only=True)
class PassThrough(Identity):
    """Whoever has credentials that the endpoint may judge."""

    enabled: bool
    """Whether they are handed to the endpoint, and nobody is known here."""


@frozen(kw_only=True)
class Auth:
    """The ways in."""

    basic: tuple[Basic, ...] = ()
    """Users with passwords."""
    bearer_token: tuple[BearerToken, ...] = ()
    """Tokens that were agreed upon."""
    bearer_jwt: Unbuilt = Unbuilt.OFF
    """Signed tokens."""
    bearer_jwt_azure: Unbuilt = Unbuilt.OFF
    """Tokens of Entra ID's provisioning service."""
    bearer_o_auth: Unbuilt = Unbuilt.OFF
    """Clients of the gateway's own token endpoint."""
    pass_through: PassThrough | None = None
    """Handing the caller's credentials to the endpoint."""

    def __attrs_post_init__(self) -> None:
        """Refuse to let in nobody, or everybody; or what would take too long.

        Raises: Invalid.
        """
        check_work("basic", ((each.username, each.password) for each in self.basic))
        check_work("bearer_token", (("", each.token) for each in self.bearer_token))
        if self.pass_through is None:
            if not self.basic and not self.bearer_token:
                raise ValueError("must hold at least one way in: basic or bearerToken")
        elif any(
            getattr(self, each.name) not in ((), None, Unbuilt.OFF)
            for each in fields(Auth)
            if each.name != "pass_through"
        ):
            fault = "stands alone: who is known here has no credentials for the endpoint"
            raise Invalid("pass_through", fault)
