"""What can be configured?

One attrs class for each object of the configuration files, one docstring for each key.  Keys are
spelled in camelCase in the files.  A key that is known and not built yet is here too, so that
setting it is refused rather than ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import Attribute, field, frozen

from scimgw.config.checks import Unbuilt, between, long, some, url
from scimgw.config.identities import Auth
from scimgw.connector import Invalid
from scimgw.networks import Network
from scimgw.secret import Secret
from scimgw.tls.settings import Certificate


def _one(_: object, attribute: Attribute[int], value: int) -> None:
    if value != 1:
        raise Invalid(attribute.name, "more than one isn't supported yet")


@frozen(kw_only=True)
class Scim:
    """What of SCIM is spoken, and how much at once."""

    version: Literal["2.0"] = "2.0"
    """Version spoken where the URL names none."""
    max_results: int = field(default=200, validator=between(1, 10_000))
    """Resources in one page at most."""
    max_scan: int = field(default=100_000, validator=between(1, 100_000_000))
    """Resources read at most to evaluate, for one request, what the endpoint can't."""
    max_operations: int = field(default=1000, validator=between(1, 100_000))
    """Operations in one bulk request at most."""
    cursor_timeout: int = field(default=3600, validator=between(1, 7 * 24 * 3600))
    """Seconds for which a cursor can be followed."""
    custom_schema: str | None = None
    """File in `schemas/` with attributes that join User and Group; see docs/schemas.md."""
    resource_types: tuple[str, ...] = ()
    """Files in `schemas/` with resource types of one's own, and their schemas."""
    unknown_attributes: Literal["ignore", "reject"] = "ignore"
    """Whether attributes that no schema has are ignored, and logged, or refused."""
    me: Mapping[str, str] = field(factory=dict)
    """By the name of an identity, such as a Basic user, the userName of the user who `/Me` is."""
    skip_meta_location: bool = False
    """Whether resources are shown without `meta.location`; the header Location is sent all the
    same."""
    skip_type_convert: Unbuilt = Unbuilt.OFF
    """A switch of the original gateway."""
    group_member_of_user: Unbuilt = Unbuilt.OFF
    """Whether groups are written through the user."""
    use_put_soft_sync: Unbuilt = Unbuilt.OFF
    """Whether PUT keeps what it doesn't name."""


@frozen(kw_only=True)
class Gateway:
    """One plugin's port, and what is served on it."""

    port: int = field(validator=between(1, 65_535))
    """Port to listen on."""
    auth: Auth
    """The ways in; without any, nothing starts."""
    localhostonly: bool = False
    """Whether to listen on 127.0.0.1 only, not on every address of IPv4 and IPv6."""
    scim: Scim = field(factory=Scim)
    """What of SCIM is spoken."""
    payload_size: int = field(default=1024 * 1024, validator=between(1024, 1024**3))
    """Bytes of a request's body at most."""
    chaining_base_url: str | None = field(default=None, validator=url)
    """Another gateway, which requests are handed on to instead of the connector."""
    connector: str | None = None
    """Connector, built in or `module:NAME`, where the file's name doesn't tell it."""
    ip_allow_list: tuple[Network, ...] = ()
    """Addresses and networks that requests may come from, IPv4 and IPv6; empty: any.  See
    docs/security.md."""
    trusted_proxies: tuple[Network, ...] = ()
    """Addresses and networks of proxies that are believed who the client is (X-Forwarded-For) and
    how it addressed the gateway (X-Forwarded-Proto, X-Forwarded-Host)."""
    proxy_protocol: bool = False
    """Whether every connection begins with a PROXY header, version 1 or 2; `trustedProxies` alone
    may then connect."""
    log: Unbuilt = Unbuilt.OFF
    """Levels, files and masking."""
    certificate: Certificate | None = None
    """Key and certificate: without, the port speaks no TLS; see docs/security.md."""
    email_on_error: Unbuilt = Unbuilt.OFF
    """Mail about errors."""
    email: Unbuilt = Unbuilt.OFF
    """Mail about errors."""
    actions: Unbuilt = Unbuilt.OFF
    """What to do before and after changes of groups."""
    idle_timeout: int = field(default=120, validator=between(10, 24 * 3600))
    """Seconds until an idle connection is closed."""
    max_requests: int = field(default=1000, validator=between(1, 1_000_000))
    """Requests under way at most, of which a write counts as two; more are answered 503."""
    max_connections: int = field(default=256, validator=between(1, 100_000))
    """Connections from one address at most, and half of those that there may be in all; more are
    closed at once.  Loopback and `trustedProxies` may have more."""
    kubernetes: Unbuilt = Unbuilt.OFF
    """Health endpoints of the original gateway."""
    azure_relay: Unbuilt = Unbuilt.OFF
    """Azure Relay."""
    stream: Unbuilt = Unbuilt.OFF
    """The original gateway's stream."""

    def __attrs_post_init__(self) -> None:
        """Refuse a port that nobody could connect to, or clients that nobody asks who they are."""
        if self.proxy_protocol and not self.trusted_proxies:
            raise Invalid("proxy_protocol", "needs trustedProxies, which alone may send the header")
        asked = self.certificate is not None and self.certificate.client_ca
        if self.auth.client_certificate and not asked:
            raise Invalid("certificate.client_ca", "required by auth.clientCertificate")
        required = self.certificate is not None and self.certificate.client_required
        if asked and not required and not self.auth.client_certificate:
            fault = "asks in vain: set auth.clientCertificate, or clientRequired"
            raise Invalid("certificate.client_ca", fault)


@frozen(kw_only=True)
class Main:
    """`scimgw.json`."""

    plugins: tuple[str, ...] = field(validator=some)
    """Plugins to start, by the names of their files."""
    data_directory: str = "../data"
    """Where generated keys are kept, relative to this file; made if it isn't there."""
    secret_key: Secret | None = field(default=None, validator=long)
    """What cursors and the tokens of `bearerOAuth` are signed and secrets encrypted with, at least
    32 characters; the same for all replicas.  Without it a key is made, and kept in the data
    directory."""
    workers: int = field(default=1, validator=_one)
    """Processes that share the ports."""
