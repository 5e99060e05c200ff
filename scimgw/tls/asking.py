"""Whose certificates does a port take, and what is said of those that it doesn't?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final

from cryptography import x509
from OpenSSL import SSL
from OpenSSL.crypto import X509, X509StoreFlags
from twisted.internet.interfaces import IAddress
from twisted.logger import Logger

from scimgw.seldom import Seldom
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
_NONE: Final = "peer did not return a certificate"
"""What OpenSSL says of a client that shows none where one is required."""


class Refusals:
    """Tells of clients that get no connection, once in a while for each reason."""

    def __init__(self, plugin: str, seconds: Callable[[], float]) -> None:
        """Tell of the first at once."""
        self._plugin = plugin
        self._seldom: defaultdict[str, Seldom] = defaultdict(lambda: Seldom(seconds))

    def shown(self, client: IAddress, certificate: X509, depth: int, reason: str) -> None:
        """Tell of a certificate that isn't taken, which the client may not be able to."""
        said = f"a certificate that isn't taken: {_title(certificate)} at depth {depth}: {reason}"
        self._tell(client, reason, said)

    def broken_off(self, client: IAddress, error: object) -> None:
        """Tell of a handshake that failed, if that was for want of a certificate."""
        stack = error.args[0] if isinstance(error, SSL.Error) and error.args else ()
        if any(_NONE in each for each in stack):
            self._tell(client, _NONE, "no certificate, which clientRequired asks for")

    def _tell(self, client: IAddress, reason: str, said: str) -> None:
        times = self._seldom[reason].happened()
        if times:
            log.warn(
                "{plugin}: {client} shows {said} ({times} such since this was told last)",
                plugin=self._plugin,
                client=getattr(client, "host", "-"),
                said=said,
                times=times,
            )


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
    """Leave the decision to OpenSSL, and have a refusal told."""
    if not good:
        protocol: Any = connection.get_app_data()
        reason = _REASONS.get(error, f"error {error} of OpenSSL")
        protocol.refusals.shown(protocol.transport.getPeer(), shown, depth, reason)
    return bool(good)


def _title(shown: X509) -> str:
    try:
        return title(shown.to_cryptography())
    except ValueError:  # it is anything that a stranger has made up
        return "-"
