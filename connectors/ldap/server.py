"""Where is a directory, and how does the gateway get in?"""

from __future__ import annotations

import re
from enum import Enum
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from attrs import field, frozen
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates
from OpenSSL import SSL
from service_identity import CertificateError, VerificationError
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import (
    ConnectError,
    ConnectionRefusedError,
    DNSLookupError,
)
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.internet.interfaces import IAddress, IOpenSSLClientConnectionCreator, IReactorTime
from twisted.internet.protocol import Factory
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    optionsForClientTLS,
    trustRootFromCertificates,
)
from zope.interface import implementer

from connectors.ldap.client import Client
from connectors.ldap.result import (
    ConnectionLost,
    LdapError,
    ResultCode,
    TimedOut,
    TransportError,
    describe,
)
from scimgw.errors import Unavailable
from scimgw.secret import Secret

_URL: Final = re.compile(
    r"(ldaps?)://"
    r"(?:([A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}))|\[([0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._-]{1,15})?)\])"
    r"(?::([0-9]{1,5}))?/?",
    re.IGNORECASE,
)
_PORTS: Final = {"ldap": 389, "ldaps": 636}
_LAST_PORT: Final = 65535


class Tls(Enum):
    """How a connection is made secure."""

    NONE = "none"
    LDAPS = "ldaps"
    START_TLS = "startTLS"


@frozen(kw_only=True)
class Address:
    """What a URL says; StartTLS isn't a matter of URLs."""

    host: str
    """A name, or a literal address without brackets."""
    port: int
    tls: Tls


@frozen(kw_only=True)
class Server:
    """A directory, and who the gateway is there."""

    host: str
    port: int
    tls: Tls = Tls.NONE
    trust_root: Any = None  # Twisted exports no type for it
    """Who may vouch for it; whom the system trusts, if None."""
    verify: bool = True
    """Whether somebody has to."""
    bind_dn: str = ""
    """A DN, or what else a directory takes for a name; the gateway is nobody if empty."""
    password: Secret = field(default=Secret(""))

    @password.validator
    def _needed(self, _: object, password: Secret) -> None:
        if self.bind_dn and not password.reveal():
            raise ValueError("who binds needs a password")

    @property
    def is_here(self) -> bool:
        """Whether nothing that is sent leaves this machine."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"


def parse_url(url: str) -> Address:
    """Read `ldap://host:port` or `ldaps://host:port`; the port may be left out.

    Raises: ValueError, if there is anything else; the message doesn't hold the URL, nor a password
    that it may have.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError("must be ldap://host:port or ldaps://host:port, and no more")
    scheme, name, literal, port = found.groups()
    if literal:
        IPv6Address(literal)
    number = int(port or _PORTS[scheme.lower()])
    if not 1 <= number <= _LAST_PORT:
        raise ValueError(f"must have a port from 1 to {_LAST_PORT}, not {number}")
    tls = Tls.LDAPS if scheme.lower() == "ldaps" else Tls.NONE
    return Address(host=literal or name, port=number, tls=tls)


def trust(pem: bytes) -> Any:
    """Trust those whom the certificates of a PEM file vouch for, and nobody else.

    Raises: ValueError, if it holds none, or what isn't one.
    """
    certificates = load_pem_x509_certificates(pem)
    return trustRootFromCertificates(
        [Certificate.loadPEM(each.public_bytes(Encoding.PEM)) for each in certificates]
    )


async def connect(
    client: Client, server: Server, reactor: Any, clock: IReactorTime, *, within: float
) -> None:
    """Connect a client, turn to TLS if it is wanted, and bind, within so many seconds.

    Raises: Unavailable, which says why, in words that a SCIM client may read.
    """
    opening = Deferred.fromCoroutine(_open(client, server, reactor, within))
    try:
        await opening.addTimeout(within, clock)
    except (ConnectError, DNSLookupError, DeferredTimeout, TransportError, LdapError) as error:
        raise Unavailable(f"the directory {_reason(error)}") from error


async def _open(client: Client, server: Server, reactor: Any, within: float) -> None:
    endpoint: Any = HostnameEndpoint(reactor, server.host, server.port, timeout=within)
    if server.tls is Tls.LDAPS:
        endpoint = wrapClientTLS(_options(server), endpoint)
    await _connected(endpoint.connect(_Once(client)))
    try:
        if server.tls is Tls.START_TLS:
            await _start_tls(client, server)
        await client.bind(server.bind_dn, server.password)
        client.transport.setTcpKeepAlive(True)
    except BaseException:
        client.abort()
        raise


class _Once(Factory):
    """Has one client to connect, and says nothing of it in the log."""

    noisy = False

    def __init__(self, client: Client) -> None:
        self._client = client

    def buildProtocol(self, _: IAddress | None) -> Client:
        return self._client


async def _connected(connecting: Deferred[Client]) -> None:
    """Wait for a connection; what an endpoint says when it is cancelled isn't always that.

    While a name is resolved, it says that there is no such host.
    """
    awaited: Deferred[Client] = Deferred()
    connecting.chainDeferred(awaited)
    try:
        await awaited
    except CancelledError:
        connecting.cancel()
        raise


async def _start_tls(client: Client, server: Server) -> None:
    try:
        await client.start_tls(_options(server))
    except LdapError as error:
        raise Unavailable(f"the directory refused StartTLS: {describe(error.code)}") from error


def _options(server: Server) -> IOpenSSLClientConnectionCreator:
    if not server.verify:
        return _Unverified(server.host)
    options: IOpenSSLClientConnectionCreator = optionsForClientTLS(
        server.host, trustRoot=server.trust_root
    )
    return options


@implementer(IOpenSSLClientConnectionCreator)
class _Unverified:
    """TLS with whoever answers, for directories whose certificates can't be verified."""

    def __init__(self, host: str) -> None:
        self._host = host

    def clientConnectionForTLS(self, tlsProtocol: object) -> SSL.Connection:  # noqa: ARG002, N803 - Twisted's own
        """Begin a connection."""
        connection = SSL.Connection(CertificateOptions().getContext(), None)
        if not isIPAddress(self._host) and not isIPv6Address(self._host):
            connection.set_tlsext_host_name(self._host.encode("ascii"))
        return connection


_REASONS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (ConnectionRefusedError, "refused the connection"),
    (DNSLookupError, "has a host name that can't be resolved"),
    (DeferredTimeout, "didn't answer in time"),
    (ConnectTimeout, "didn't answer in time"),
    (TimedOut, "didn't answer in time"),
    (VerificationError, "has a certificate for another host name"),
    (CertificateError, "has a certificate without a host name"),
    (ConnectError, "can't be reached"),
    (ConnectionLost, "closed the connection"),
)
_REFUSALS: Final[dict[int, str]] = {
    ResultCode.INVALID_CREDENTIALS: "refused the gateway's credentials",
    ResultCode.STRONGER_AUTH_REQUIRED: "wants stronger authentication: use ldaps or StartTLS",
    ResultCode.CONFIDENTIALITY_REQUIRED: "wants a secure connection: use ldaps or StartTLS",
}


def _reason(error: BaseException) -> str:
    """Say what a directory did, so that an operator knows what to do."""
    if isinstance(error, LdapError):
        refusal = f"refused to let the gateway in: {describe(error.code)}"
        return _REFUSALS.get(error.code, refusal)
    if isinstance(error.__cause__, SSL.Error):
        untrusted = "verify failed" in str(error.__cause__)
        return "has a certificate that isn't trusted" if untrusted else "failed to speak TLS"
    # whatever is caught has a row
    return next(
        reason
        for each in (error.__cause__, error)
        for kind, reason in _REASONS
        if isinstance(each, kind)
    )
