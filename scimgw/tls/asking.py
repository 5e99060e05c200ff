"""Whose certificates does a port take, and what is said of those that it doesn't?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cryptography import x509
from OpenSSL import SSL
from OpenSSL.crypto import X509, X509StoreFlags
from twisted.logger import Logger

from scimgw.tls.expiry import title

log = Logger()

_REASONS: Final[Mapping[int, str]] = {
    9: "it isn't valid yet",
    10: "it has expired",
    18: "it is self-signed, and not in clientCa",
    19: "its root isn't in clientCa",
    20: "its issuer isn't in clientCa",
    26: "it isn't meant for clients",
}
"""Results of X509_verify_cert(3) that an operator can do something about."""


def ask(context: SSL.Context, authorities: tuple[x509.Certificate, ...], *, required: bool) -> None:
    """Ask clients for a certificate of some authorities, and take no other."""
    store = context.get_cert_store()
    assert store is not None
    # an authority is trusted as it stands there, be it a root or not
    store.set_flags(X509StoreFlags.PARTIAL_CHAIN)
    for each in authorities:
        store.add_cert(X509.from_cryptography(each))
        context.add_client_ca(each)
    refused = SSL.VERIFY_FAIL_IF_NO_PEER_CERT if required else 0
    context.set_verify(SSL.VERIFY_PEER | refused, _verified)


def _verified(connection: SSL.Connection, shown: X509, error: int, depth: int, good: int) -> bool:
    """Leave the decision to OpenSSL, and tell of a refusal, which the client may not be able to."""
    if not good:
        protocol: Any = connection.get_app_data()
        log.info(
            "{client} shows a certificate that isn't taken: {title} at depth {depth}: {reason}",
            client=getattr(protocol.transport.getPeer(), "host", "-"),
            title=_title(shown),
            depth=depth,
            reason=_REASONS.get(error, f"error {error} of OpenSSL"),
        )
    return bool(good)


def _title(shown: X509) -> str:
    try:
        return title(shown.to_cryptography())
    except ValueError:  # it is anything that a stranger has made up
        return "-"
