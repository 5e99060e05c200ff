"""What is said of certificates that aren't taken."""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from scimgw.tls.asking import _verified
from tests.tls.papers import root
from tests.tls.wire import PEER, Peer


class Shown:
    """A certificate that can be read, or can't."""

    def __init__(self, certificate: object) -> None:
        self._certificate = certificate

    def to_cryptography(self) -> object:
        """Read it."""
        if self._certificate is None:
            raise ValueError("not a certificate")
        return self._certificate


class Side:
    """The gateway's side of a connection."""

    def get_app_data(self) -> Peer:
        """Tell what it belongs to."""
        return Peer()


class SaidTests(SynchronousTestCase):
    """The decision is OpenSSL's."""

    def said(self, certificate: object, error: int, good: int) -> list[str]:
        """Verify a certificate, and give what the log has got."""
        side: Any = Side()
        shown: Any = Shown(certificate)
        with capturedLogs() as logs:
            self.assertEqual(bool(good), _verified(side, shown, error, 0, good))
        return [f"{each['client']} {each['said']}" for each in logs]

    def test_taken(self) -> None:
        """Nothing is said of what is taken."""
        self.assertEqual([], self.said(root().certificate, 0, 1))

    def test_refused(self) -> None:
        """A reason that isn't known has its number; what can't be read has no name."""
        certificate = root("x").certificate
        taken = "192.0.2.1 a certificate that isn't taken:"
        self.assertEqual(
            [f"{taken} CN=x,O=Example at depth 0: it has expired"], self.said(certificate, 10, 0)
        )
        self.assertEqual([f"{taken} - at depth 0: error 99 of OpenSSL"], self.said(None, 99, 0))

    def test_other_ends(self) -> None:
        """Nothing is said of a handshake that fails for any other reason."""
        with capturedLogs() as logs:
            for other in (SSL.Error(), SSL.Error([("", "", "no shared cipher")]), ValueError("x")):
                Peer().refusals.broken_off(PEER, other)
        self.assertEqual([], logs)
