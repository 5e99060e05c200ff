"""What can be configured about an endpoint that speaks HTTP?

A connector's settings of one base entity derive from `HttpEntity`; that gives them `connection`,
and the older spelling of it (`baseUrls`, `username`, `password`, `proxy`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from attrs import Attribute, field, fields, frozen

from scimgw.connector import Invalid
from scimgw.secret import Secret

Kind = Literal["none", "basic", "bearer", "token", "oauth", "oauthJwtBearer", "passThrough"]

_TOKEN_URL: Final = ("token_url", "azure_tenant_id")
_CLAIMS: Final = ("issuer", "subject", "audience")
_KEYS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    # kind -> keys that it must have, keys that it may have
    "none": ((), ()),
    "passThrough": ((), ()),
    "basic": (("username", "password"), ()),
    "bearer": (("token",), ()),
    "token": (("token_url", "username", "password"), ()),
    "oauth": (("client_id",), (*_TOKEN_URL, "client_secret", "scope", "resource")),
    "oauthJwtBearer": (
        ("key",),
        (*_TOKEN_URL, *_CLAIMS, "certificate", "client_id", "scope", "resource"),
    ),
}


def _positive(_: object, attribute: Attribute[float], value: float) -> None:
    if value <= 0:
        raise Invalid(attribute.name, f"must be more than 0, not {value}")


def _between(low: int, high: int) -> Callable[[object, Attribute[int], int], None]:
    def check(_: object, attribute: Attribute[int], value: int) -> None:
        if not low <= value <= high:
            raise Invalid(attribute.name, f"must be from {low} to {high}, not {value}")

    return check


def _url(_: object, attribute: Attribute[Any], value: str | None) -> None:
    if value is not None:
        check_url(attribute.name, value)


def _in_clear(_: object, attribute: Attribute[Any], value: str | None) -> None:
    _url(_, attribute, value)
    if value is not None and urlsplit(value).scheme != "http":
        raise Invalid(attribute.name, "must be a URL that begins with http://")


def _urls(_: object, attribute: Attribute[Any], value: tuple[str, ...]) -> None:
    for place, each in enumerate(value):
        check_url(f"{attribute.name}[{place}]", each)


def _headers(_: object, attribute: Attribute[Any], value: Mapping[str, Secret]) -> None:
    for name, secret in value.items():
        text = secret.reveal()
        if not name.isascii() or not all(each.isalnum() or each in "-_" for each in name):
            raise Invalid(attribute.name, f"{name!r} can't be the name of a header")
        if not text.isprintable() or not text.isascii():
            raise Invalid(f"{attribute.name}.{name}", "must be printable ASCII")


def check_url(name: str, text: str) -> None:
    """Check that a text is the address of a service, without anything that isn't part of it.

    Raises: Invalid.
    """
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        raise Invalid(name, "isn't a URL") from None
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise Invalid(name, "must be a URL that begins with http:// or https://")
    if url.username is not None or url.password is not None:
        raise Invalid(name, "must not hold credentials")
    if url.query or url.fragment or not text.isascii() or not text.isprintable() or " " in text:
        raise Invalid(name, "must be a plain URL, without query, fragment, and blanks")


@frozen(kw_only=True)
class AuthOptions:
    """What a kind of credentials needs."""

    username: str | None = None
    """User (`basic`, `token`)."""
    password: Secret | None = None
    """Password (`basic`, `token`)."""
    token: Secret | None = None
    """The token itself (`bearer`)."""
    token_url: str | None = field(default=None, validator=_url)
    """Where tokens are asked for (`token`, `oauth`, `oauthJwtBearer`)."""
    azure_tenant_id: str | None = None
    """Tenant of Entra ID, instead of `tokenUrl`; the v1 endpoint if `resource` is given."""
    client_id: str | None = None
    """Client (`oauth`, `oauthJwtBearer`)."""
    client_secret: Secret | None = None
    """Secret of the client (`oauth`); without one, the client certificate of `tls` speaks."""
    scope: str | None = None
    """Scopes, blanks between (OAuth; the v2 endpoint of Entra ID)."""
    resource: str | None = None
    """Resource (the v1 endpoint of Entra ID)."""
    key: str | None = None
    """File of the private key, PEM, that signs assertions (`oauthJwtBearer`)."""
    certificate: str | None = None
    """File of the certificate, PEM, whose thumbprint assertions carry (`oauthJwtBearer`)."""
    issuer: str | None = None
    """Issuer of assertions, if it isn't `clientId`."""
    subject: str | None = None
    """Whom an assertion is about; with it, the assertion is the grant (RFC 7523 section 2.1)."""
    audience: str | None = None
    """Audience of assertions, if it isn't the token endpoint."""


@frozen(kw_only=True)
class Auth:
    """Credentials that the endpoint is shown."""

    type: Kind = "none"
    """Kind of credentials; with mutual TLS alone it is `none`."""
    options: AuthOptions = field(factory=AuthOptions)
    """What that kind needs."""

    def __attrs_post_init__(self) -> None:
        """Refuse what is missing, and what would be ignored.

        Raises: Invalid.
        """
        needed, allowed = _KEYS[self.type]
        for each in fields(AuthOptions):
            given = getattr(self.options, each.name) is not None
            if each.name in needed and not given:
                raise Invalid(f"options.{each.name}", f"{self.type} needs it")
            if given and each.name not in needed + allowed:
                raise Invalid(f"options.{each.name}", f"means nothing for {self.type}")
        if "azure_tenant_id" in allowed and (
            (self.options.token_url is None) == (self.options.azure_tenant_id is None)
        ):
            raise Invalid("options.token_url", "either it or azureTenantId is needed")
        if (
            self.type == "oauthJwtBearer"
            and (self.options.issuer or self.options.client_id) is None
        ):
            raise Invalid("options.client_id", "either it or issuer is needed")


@frozen(kw_only=True)
class Tls:
    """How the endpoint proves who it is, and the gateway does."""

    ca: str | None = None
    """File of the authorities, PEM, that are trusted instead of the system's."""
    cert: str | None = None
    """File of the client's certificate, PEM, its chain after it."""
    key: str | None = None
    """File of the client's key, PEM."""
    reject_unauthorized: bool = True
    """Whether only certificates that can be verified are accepted; they are from a token endpoint
    on another host in any case."""

    def __attrs_post_init__(self) -> None:
        """Refuse half a client certificate."""
        if (self.cert is None) != (self.key is None):
            raise Invalid("key" if self.key is None else "cert", "key and cert belong together")


@frozen(kw_only=True)
class Proxy:
    """A proxy that opens tunnels (HTTP CONNECT)."""

    host: str | None = field(default=None, validator=_in_clear)
    """Its URL, http://; null means that there is none."""
    username: str | None = None
    """User."""
    password: Secret | None = None
    """Password."""
    no_proxy: tuple[str, ...] | None = None
    """Hosts reached without it: names and what is below them, networks, `*`; else those of the
    variable NO_PROXY."""


@frozen(kw_only=True)
class Options:
    """Bounds on time and size, and what else requests carry."""

    headers: Mapping[str, Secret] = field(factory=dict, validator=_headers)
    """Headers sent with each request; their values are secrets, and may be encrypted."""
    tls: Tls = field(factory=Tls)
    """TLS."""
    connect_timeout: float = field(default=5.0, validator=_positive)
    """Seconds for connecting to one address."""
    read_timeout: float = field(default=30.0, validator=_positive)
    """Seconds that the endpoint may be silent, before its answer and in it."""
    abort_timeout: float = field(default=45.0, validator=_positive)
    """Seconds for a whole call, with whatever is repeated."""
    max_connections: int = field(default=16, validator=_between(1, 1000))
    """Requests made at once at most; the others wait their turn."""
    max_response: int = field(default=16 * 1024 * 1024, validator=_between(1024, 1024**3))
    """Bytes of an answer's body at most."""
    retries: int = field(default=2, validator=_between(0, 10))
    """Times that a request which failed is made again, if that is safe."""
    debug: bool = False
    """Whether requests and answers are logged, secrets masked."""


@frozen(kw_only=True)
class Connection:
    """An endpoint, as one or more equal addresses of it."""

    base_urls: tuple[str, ...] = field(validator=_urls)
    """Addresses; the first that works is used."""
    auth: Auth = field(factory=Auth)
    """Credentials."""
    options: Options = field(factory=Options)
    """Bounds and TLS."""
    proxy: Proxy | None = None
    """Proxy in between."""

    def __attrs_post_init__(self) -> None:
        """Refuse an endpoint without an address."""
        if not self.base_urls:
            raise Invalid("base_urls", "must hold at least one entry")


@frozen(kw_only=True)
class HttpEntity:
    """How the endpoint of one base entity is reached: `connection`, or the older keys."""

    connection: Connection | None = None
    """The endpoint."""
    base_urls: tuple[str, ...] = field(default=(), validator=_urls)
    """Older spelling of `connection.baseUrls`."""
    username: str | None = None
    """Older spelling: user of HTTP Basic authentication."""
    password: Secret | None = None
    """Older spelling: password."""
    proxy: Proxy | None = None
    """Older spelling of `connection.proxy`."""

    def __attrs_post_init__(self) -> None:
        """Refuse both spellings at once, and neither."""
        older = self.base_urls or self.username or self.password or self.proxy
        if self.connection is not None and older:
            raise Invalid("connection", "says what baseUrls, username, password and proxy say too")
        if self.connection is None and not self.base_urls:
            raise Invalid("connection", "required")
        if (self.username is None) != (self.password is None):
            raise Invalid("password", "username and password belong together")

    @property
    def passes_through(self) -> bool:
        """Whether the endpoint is shown the caller's own credentials."""
        return self.reached.auth.type == "passThrough"

    @property
    def reached(self) -> Connection:
        """Give the connection, however it is spelled."""
        if self.connection is not None:
            return self.connection
        auth = Auth()
        if self.username is not None:
            options = AuthOptions(username=self.username, password=self.password)
            auth = Auth(type="basic", options=options)
        return Connection(base_urls=self.base_urls, auth=auth, proxy=self.proxy)
