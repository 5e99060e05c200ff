"""Clients that show a certificate."""

from __future__ import annotations

import base64

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from scimgw.auth.basic import BasicAuthenticator
from scimgw.auth.certificate import CertificateAuthenticator
from scimgw.auth.chain import Chain
from scimgw.connector import Principal
from scimgw.errors import Unauthorized
from scimgw.secret import Secret
from scimgw.tls.names import Name, dns, subject, uri

NAMES = frozenset({subject("CN=x"), dns("x.example"), uri("urn:x")})
STRANGER = frozenset({subject("CN=y")})
ADMIN = "Basic " + base64.b64encode(b"admin:password").decode()


class CertificateTests(SynchronousTestCase):
    """Whose a certificate is."""

    def setUp(self) -> None:
        """Know a user and three clients, two of which one certificate fits."""
        clients = [
            (Principal("other"), uri("urn:other")),
            (Principal("host"), dns("x.example")),
            (Principal("subject"), subject("CN=x")),
            (Principal("again"), dns("x.example")),
        ]
        users = BasicAuthenticator([(Principal("admin"), Secret("password"))])
        self.chain = Chain([users, CertificateAuthenticator(clients)])

    def authenticate(
        self, header: str | None, certificate: frozenset[Name] | None
    ) -> Deferred[Principal]:
        """Make a request."""
        return Deferred.fromCoroutine(self.chain.authenticate(header, certificate))

    def refused(self, header: str | None, certificate: frozenset[Name] | None) -> str:
        """Check that a request isn't let in, and tell why."""
        failure = self.failureResultOf(self.authenticate(header, certificate), Unauthorized)
        detail: str = failure.value.detail
        return detail

    def test_known(self) -> None:
        """The first entry that fits says who it is."""
        self.assertEqual("host", self.successResultOf(self.authenticate(None, NAMES)).name)

    def test_unknown(self) -> None:
        """A certificate that nobody is known by lets nobody in."""
        for names in (STRANGER, frozenset[Name]()):
            self.assertEqual(
                "the client certificate has no name that is known here", self.refused(None, names)
            )
        self.assertEqual("credentials are required", self.refused(None, None))

    def test_header_decides(self) -> None:
        """Where there is an Authorization header it decides, be it right or wrong."""
        self.assertEqual("admin", self.successResultOf(self.authenticate(ADMIN, NAMES)).name)
        for header in ("Basic x", "Bearer x", "", "TLS-Client-Certificate", "tls_client_auth x"):
            self.assertTrue(self.refused(header, NAMES), header)
            self.assertTrue(self.refused(header, None), header)

    def test_not_configured(self) -> None:
        """Where no client is known by a certificate, one is worth nothing."""
        self.chain = Chain([BasicAuthenticator([])])
        self.assertEqual("credentials are required", self.refused(None, NAMES))

    def test_announced(self) -> None:
        """It is among the schemes that are told, and a 401 names it."""
        self.assertEqual("tls_client_auth", self.chain.descriptions[1]["type"])
        self.assertIn('TLS-Client-Certificate realm="scimgw"', self.chain.challenges)
