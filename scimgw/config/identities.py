"""Who is let in, and what may they do?

One attrs class for each object below `scimgateway.auth`; see `scimgw.config.model`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import field, fields, frozen

from scimgw.config.checks import Unbuilt, check_work, sendable, user_name, verifiable
from scimgw.connector import Invalid
from scimgw.secret import Secret
from scimgw.tls import names


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
class ClientCertificate(Identity):
    """A client that shows a certificate of `certificate.clientCa`.

    Exactly one of its names is given, as in RFC 8705 section 2.1.2.
    """

    subject_dn: str | None = None
    """Subject, as RFC 4514 spells it: `CN=client,O=Example`."""
    san_dns: str | None = None
    """Name of a host among the subject alternative names."""
    san_uri: str | None = None
    """URI among them."""
    san_ip: str | None = None
    """Address of IP among them."""
    san_email: str | None = None
    """Address of mail among them."""
    name: str | None = None
    """How the log and `scim.me` call the client; else `clientCertificate[0]`, by its place."""

    def __attrs_post_init__(self) -> None:
        """Refuse several names, and what can't be one."""
        found = self._given()
        if len(found) != 1:
            spelled = "subjectDn, sanDns, sanUri, sanIp or sanEmail"
            raise ValueError(f"must hold one of {spelled}, not {len(found)}")
        ((key, text),) = found
        try:
            _NAMES[key](text)
        except ValueError as error:
            raise Invalid(key, str(error)) from error

    @property
    def known_by(self) -> names.Name:
        """The name that a certificate must have."""
        ((key, text),) = self._given()
        return _NAMES[key](text)

    def _given(self) -> list[tuple[str, str]]:
        given = ((key, getattr(self, key)) for key in _NAMES)
        return [(key, text) for key, text in given if text is not None]


_NAMES: Final[dict[str, Callable[[str], names.Name]]] = {
    "subject_dn": names.subject,
    "san_dns": names.dns,
    "san_uri": names.uri,
    "san_ip": names.ip,
    "san_email": names.email,
}


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
    client_certificate: tuple[ClientCertificate, ...] = ()
    """Clients that show a certificate."""
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
            if not self.basic and not self.bearer_token and not self.client_certificate:
                raise ValueError(
                    "must hold at least one way in: basic, bearerToken or clientCertificate"
                )
        elif any(
            getattr(self, each.name) not in ((), None, Unbuilt.OFF)
            for each in fields(Auth)
            if each.name != "pass_through"
        ):
            fault = "stands alone: who is known here has no credentials for the endpoint"
            raise Invalid("pass_through", fault)
