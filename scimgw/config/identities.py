"""Who is let in, and what may they do?

One attrs class for each object below `scimgateway.auth`; see `scimgw.config.model`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from attrs import Attribute, field, fields, frozen

from scimgw.clients.http import Proxy
from scimgw.config.checks import (
    NONE,
    Never,
    Span,
    Texts,
    authority_url,
    between,
    check_work,
    client_id,
    guid,
    issuer_url,
    never,
    sendable,
    user_name,
    verifiable,
)
from scimgw.connector import Invalid
from scimgw.secret import Secret
from scimgw.tls import names

Algorithm = Literal[
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
]
_TOLERANCE: Final = 60
_OFF: Final = Never(None)
_DAY: Final = 24 * 3600


def _more_than_none(_: object, attribute: Attribute[Span | None], value: Span | None) -> None:
    if value is not None and value <= 0:
        raise Invalid(attribute.name, "must be more than 0 seconds")


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
class JwtOptions:
    """What a signed token must say."""

    issuer: Texts = NONE
    """Who issues the tokens (`iss`), one name or several.  Needed, but where `wellKnownUri` is a
    discovery document, which tells it."""
    audience: Texts = NONE
    """Whom the tokens are for (`aud`): one of these names.  Without it a token that names any
    audience is refused; `wellKnownUri` needs it."""
    subject: Texts = NONE
    """Whom the tokens may be about (`sub`); empty: anybody."""
    algorithms: tuple[Algorithm, ...] = ()
    """Algorithms that are accepted; empty: all that suit the key.  HS256, HS384 and HS512 are for a
    `secret` of 32, 48 and 64 bytes, RS and PS for RSA, ES256, ES384 and ES512 for the curves P-256,
    P-384 and P-521, EdDSA for Ed25519 and Ed448, Ed25519 for the former."""
    max_age: Span | None = field(default=None, validator=_more_than_none)
    """Seconds, or text such as `"2h"`, after their issue (`iat`) for which tokens are good at most.
    Without it tokens must say when they expire (`exp`)."""
    clock_tolerance: int = field(default=_TOLERANCE, validator=between(0, 3600))
    """Seconds by which the issuer's clock may differ."""
    ignore_expiration: Never = field(
        default=_OFF, validator=never("tokens that never expire aren't taken: see maxAge")
    )
    clock_timestamp: Never = field(
        default=_OFF, validator=never("tokens would be held against a clock that stands still")
    )
    jwtid: Never = field(
        default=_OFF, validator=never("would be good for one token only: subject names a client")
    )
    nonce: Never = field(
        default=_OFF, validator=never("belongs to logins by browser, which don't come here")
    )
    complete: Never = field(
        default=_OFF, validator=never("says nothing of which tokens are good: leave it out")
    )
    allow_invalid_asymmetric_key_types: Never = field(
        default=_OFF, validator=never("an algorithm is taken with keys of its kind only")
    )


@frozen(kw_only=True)
class BearerJwt(Identity):
    """An issuer of signed tokens: one of `secret`, `publicKey`, `wellKnownUri`, `azureTenantId`."""

    secret: Secret | None = None
    """What tokens are signed with, 32 bytes at least."""
    public_key: str | None = None
    """File of the public key or certificate, PEM, in `certs/`."""
    well_known_uri: str | None = field(default=None, validator=issuer_url)
    """Where the issuer publishes its keys: a discovery document of OpenID Connect or OAuth, or a
    set of keys (JWKS); https, but on loopback."""
    azure_tenant_id: str | None = field(default=None, validator=guid)
    """As `tenantIdGUID` of `bearerJwtAzure`."""
    proxy: Proxy | None = None
    """Proxy between the gateway and the issuer's keys, as `connection.proxy`."""
    options: JwtOptions = field(factory=JwtOptions)
    """What tokens must say."""
    name: str | None = None
    """How the log and `scim.me` call who sends a token; else `bearerJwt[0]:`, by its place, and the
    token's subject, encoded as in URLs."""

    def __attrs_post_init__(self) -> None:
        """Refuse no key and several, and what would let in too many.

        Raises: Invalid.
        """
        ways = (self.secret, self.public_key, self.well_known_uri, self.azure_tenant_id)
        if sum(each is not None for each in ways) != 1:
            fault = "exactly one of secret, publicKey, wellKnownUri, azureTenantId is needed"
            raise ValueError(fault)
        asked, azure = self.options, self.azure_tenant_id is not None
        proxied = self.proxy is not None and self.proxy.host is not None
        if proxied and not azure and self.well_known_uri is None:
            raise Invalid("proxy", "means nothing for a key that isn't fetched")
        if azure and asked != JwtOptions(audience=asked.audience):
            raise Invalid("options", "but for audience they mean nothing for azureTenantId")
        if not asked.issuer and not azure and not self.discovered:
            raise Invalid("options.issuer", "required")
        if self.well_known_uri is not None and not asked.audience:
            fault = "wellKnownUri needs it, since the issuer's tokens for others are signed as well"
            raise Invalid("options.audience", fault)
        of_secrets = [each.startswith("HS") for each in asked.algorithms]
        if self.secret is not None and not all(of_secrets):
            raise Invalid("options.algorithms", "must be those of secrets: HS256, HS384, HS512")
        if self.secret is None and any(of_secrets):
            raise Invalid("options.algorithms", "a secret's algorithm isn't for a public key")

    @property
    def discovered(self) -> bool:
        """Whether the address is that of a discovery document, by its name."""
        name = "/.well-known/"
        _, _, file = (self.well_known_uri or "").partition(name)
        return file.startswith(("openid-configuration", "oauth-authorization-server"))


@frozen(kw_only=True)
class BearerJwtAzure(Identity):
    """A tenant of Entra ID, whose provisioning service sends its own tokens."""

    tenant_id_g_u_i_d: str = field(validator=guid)
    """Id of the tenant."""
    audience: Texts = NONE
    """More audiences: the application's id, where the application is one of the gallery."""
    authority: str = field(default="https://login.microsoftonline.com", validator=authority_url)
    """Where the tenant's keys are: another one in national clouds."""
    proxy: Proxy | None = None
    """Proxy between the gateway and the tenant's keys, as `connection.proxy`."""
    name: str | None = None
    """How the log and `scim.me` call it; else `bearerJwtAzure[0]`, by its place."""


@frozen(kw_only=True)
class BearerOAuth(Identity):
    """A client of the gateway's own token endpoint, `POST /oauth/token`."""

    client_id: str = field(validator=client_id)
    """Id of the client, which the log and `scim.me` call it by."""
    client_secret: Secret = field(validator=[sendable, verifiable])
    """Secret of the client: in clear, encrypted, or its scrypt hash; an entry more with the same id
    lets both secrets be used."""
    expires_in: int = field(default=3600, validator=between(1, 31 * _DAY))
    """Seconds for which a token is good; also spelled `expires_in`."""


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
    bearer_jwt: tuple[BearerJwt, ...] = ()
    """Issuers of signed tokens."""
    bearer_jwt_azure: tuple[BearerJwtAzure, ...] = ()
    """Tenants of Entra ID, whose provisioning service sends its own tokens."""
    bearer_o_auth: tuple[BearerOAuth, ...] = ()
    """Clients of the gateway's own token endpoint."""
    pass_through: PassThrough | None = None
    """Handing the caller's credentials to the endpoint."""

    def __attrs_post_init__(self) -> None:
        """Refuse to let in nobody, or everybody; or what would take too long.

        Raises: Invalid.
        """
        check_work("basic", ((each.username, each.password) for each in self.basic))
        check_work("bearer_token", (("", each.token) for each in self.bearer_token))
        clients = ((each.client_id, each.client_secret) for each in self.bearer_o_auth)
        check_work("bearer_o_auth", clients)
        others = [
            each.name
            for each in fields(Auth)
            if each.name != "pass_through" and getattr(self, each.name)
        ]
        if self.pass_through is None and not others:
            raise ValueError(
                "must hold at least one way in: basic, bearerToken, bearerJwt, bearerJwtAzure, "
                "bearerOAuth or clientCertificate"
            )
        if self.pass_through is not None and others:
            fault = "stands alone: who is known here has no credentials for the endpoint"
            raise Invalid("pass_through", fault)
