"""How is the endpoint's certificate verified, and which one is it shown?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from attrs import frozen
from OpenSSL import SSL
from OpenSSL.crypto import X509
from OpenSSL.crypto import Error as CryptoError
from twisted.internet.error import VerifyError
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    PrivateCertificate,
    TLSVersion,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.compat import nativeString
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from scimgw.clients.http.settings import Tls
from scimgw.connector import Misconfigured

_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_LEAST: Final = TLSVersion.TLSv1_2
_UNREADABLE: Final = (SSL.Error, CryptoError, VerifyError, ValueError, TypeError)


@implementer(IPolicyForHTTPS)
class Verifying:
    """Trusts some authorities, asks for the host's name, shows a certificate if there is one."""

    def __init__(self, ca: Path | None, cert: Path | None, key: Path | None) -> None:
        """Read the files.

        Raises: Misconfigured.
        """
        self._trust = (
            platformTrust() if ca is None else trustRootFromCertificates(_certificates("ca", ca))
        )
        self._own, self._chain = _own(cert, key)

    def creatorForNetloc(self, hostname: bytes, _port: int) -> IOpenSSLClientConnectionCreator:
        """Prepare a connection to a host."""
        more = {"extraCertChain": self._chain} if self._chain else {}
        return optionsForClientTLS(
            nativeString(hostname),
            trustRoot=self._trust,
            clientCertificate=self._own,
            extraCertificateOptions={"raiseMinimumTo": _LEAST, **more},
        )


@implementer(IPolicyForHTTPS)
class Trusting:
    """Takes whatever certificate it is shown: for endpoints that have none to be verified."""

    def __init__(self, cert: Path | None, key: Path | None) -> None:
        """Read the files.

        Raises: Misconfigured.
        """
        own, chain = _own(cert, key)
        options = CertificateOptions(
            privateKey=None if own is None else own.privateKey.original,
            certificate=None if own is None else own.original,
            extraCertChain=chain or None,
            verify=False,
            raiseMinimumTo=_LEAST,
        )
        self._context = options.getContext()

    def creatorForNetloc(self, hostname: bytes, _port: int) -> IOpenSSLClientConnectionCreator:
        """Prepare a connection to a host."""
        return _Unverified(self._context, hostname)


@implementer(IOpenSSLClientConnectionCreator)
@frozen
class _Unverified:
    context: SSL.Context
    host: bytes

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: ARG002, N803 - Twisted's names
        connection = SSL.Connection(self.context, None)
        connection.set_tlsext_host_name(self.host)
        return connection


def policy(tls: Tls, folder: Path) -> IPolicyForHTTPS:
    """Make the policy of settings whose files are relative to a folder.

    Raises: Misconfigured.
    """
    ca, cert, key = (
        None if each is None else folder / each for each in (tls.ca, tls.cert, tls.key)
    )
    return Verifying(ca, cert, key) if tls.reject_unauthorized else Trusting(cert, key)


def _own(cert: Path | None, key: Path | None) -> tuple[PrivateCertificate | None, list[X509]]:
    if cert is None or key is None:
        return None, []
    first, *chain = _certificates("cert", cert)
    try:
        own = PrivateCertificate.loadPEM(read("key", key) + b"\n" + first.dumpPEM())
    except _UNREADABLE as error:
        fault = f"{key.name} isn't a private key in PEM, or not that of the certificate"
        raise Misconfigured([(".key", fault)]) from error
    return own, [each.original for each in chain]


def _certificates(name: str, path: Path) -> list[Certificate]:
    try:
        found = [Certificate.loadPEM(each) for each in _PEM.findall(read(name, path))]
    except _UNREADABLE as error:
        raise Misconfigured([(f".{name}", f"{path.name} isn't PEM")]) from error
    if not found:
        raise Misconfigured([(f".{name}", f"{path.name} holds no certificate in PEM")])
    return found


def read(name: str, path: Path) -> bytes:
    """Read a file that a key names.

    Raises: Misconfigured.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misconfigured([(f".{name}", f"{path} can't be read: {error.strerror}")]) from error
