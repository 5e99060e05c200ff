"""Where a directory is, and how the gateway gets in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ldaptor.protocols import pureldap
from OpenSSL.SSL import Error as TlsError
from service_identity import CertificateError, VerificationError
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import (
    ConnectionDone,
    ConnectionRefusedError,
    NoRouteError,
    TimeoutError,
)
from twisted.trial.unittest import SynchronousTestCase

from connectors.ldap.client import Client
from connectors.ldap.server import Address, Server, Tls, connect, parse_url, trust
from scimgw.errors import Unavailable
from scimgw.secret import Secret
from tests.connectors.ldap.wire import HOST, Network, Wire
from tests.live.certificates import authority

READ = {
    # URL -> what it says
    "ldap://directory.example": Address(host=HOST, port=389, tls=Tls.NONE),
    "LDAPS://directory.example/": Address(host=HOST, port=636, tls=Tls.LDAPS),
    "ldap://10.0.0.1:3890": Address(host="10.0.0.1", port=3890, tls=Tls.NONE),
    "ldaps://[::1]:6360": Address(host="::1", port=6360, tls=Tls.LDAPS),
    "ldap://[fe80::1%eth0]": Address(host="fe80::1%eth0", port=389, tls=Tls.NONE),
}
REFUSED = (
    "",
    "directory.example",
    "http://directory.example",
    "ldapi://%2frun%2fldapi",
    "ldap://",
    "ldap:///dc=example",
    "ldap://:389",
    "ldap://a:0",
    "ldap://a:65536",
    "ldap://a:x",
    "ldap://a:",
    "ldap://a b",
    "ldap://a\n",
    "ldap://user:hush@a",
    "ldap://a/dc=org",
    "ldap://a?x",
    "ldap://a#x",
    "ldap://[::1",
    "ldap://::1",
    "ldap://[1.2.3]",
    "ldap://[::1::2]",
)
REASONS: dict[Exception, str] = {
    # why the connection was lost before an answer -> what is said
    TlsError([("SSL routines", "", "certificate verify failed")]): "that isn't trusted",
    TlsError([("SSL routines", "", "wrong version number")]): "failed to speak TLS",
    VerificationError([]): "for another host name",
    CertificateError("none"): "without a host name",
    ConnectionDone(): "closed the connection",
}
REFUSALS = {
    8: "wants stronger authentication: use ldaps or StartTLS",
    13: "wants a secure connection: use ldaps or StartTLS",
    49: "refused the gateway's credentials",
    51: "refused to let the gateway in: busy (51)",
}


class UrlTests(SynchronousTestCase):
    """URLs of directories."""

    def test_read(self) -> None:
        """A URL names a host, a port and whether there is TLS."""
        for url, address in READ.items():
            self.assertEqual(address, parse_url(url), url)

    def test_refused(self) -> None:
        """Anything else in it is refused, and not repeated."""
        for url in REFUSED:
            error = self.assertRaises(ValueError, parse_url, url)
            self.assertNotIn("hush", str(error))


class ServerTests(SynchronousTestCase):
    """What is known of a directory."""

    def test_password(self) -> None:
        """A name without a password would bind as nobody."""
        self.assertRaises(ValueError, Server, host=HOST, port=389, bind_dn="cn=a")
        shown = repr(Server(host=HOST, port=389, bind_dn="cn=a", password=Secret("hush")))
        self.assertNotIn("hush", shown)

    def test_trust(self) -> None:
        """A PEM file names whom to trust; one without certificates is refused."""
        folder = Path(self.mktemp())
        both = b"".join(authority(folder, name).file.read_bytes() for name in ("a", "b"))
        trust(both)
        for pem in (b"", b"junk", both.replace(b"M", b"N")):
            self.assertRaises(ValueError, trust, pem)


class ConnectCase(SynchronousTestCase):
    """Connects to a directory, which a test plays."""

    def setUp(self) -> None:
        """Begin without a connection."""
        self.network = Network()

    def tearDown(self) -> None:
        """Leave no timer behind."""
        self.assertEqual([], self.network.getDelayedCalls())

    def connect(self, **settings: Any) -> Deferred[None]:
        """Connect within 10 seconds."""
        server = Server(**{"host": HOST, "port": 389, **settings})
        self.client = Client(self.network, 30)
        return Deferred.fromCoroutine(
            connect(self.client, server, self.network, self.network, within=10)
        )

    def fails(self, deferred: Deferred[None], text: str) -> None:
        """Expect that it is no use, and why."""
        failure = self.failureResultOf(deferred, Unavailable)
        self.assertIn(text, failure.value.detail)
        self.assertNotIn("hush", failure.value.detail)


class ConnectTests(ConnectCase):
    """Getting in."""

    def test_bound(self) -> None:
        """A client that is connected is bound."""
        connecting = self.connect(bind_dn="cn=a", password=Secret("hush"))
        host, port, *_ = self.network.tcpClients[0]
        self.assertEqual(("127.0.0.1", 389), (host, port))
        wire = self.network.accept()
        self.assertNoResult(connecting)
        asked = wire.answer(pureldap.LDAPBindResponse(0))
        self.assertEqual((b"cn=a", b"hush"), (asked.dn, asked.auth))
        self.successResultOf(connecting)
        self.assertTrue(self.client.connected)

    def test_start_tls(self) -> None:
        """Where it is wanted, TLS comes before the password."""
        for verify in (True, False):
            connecting = self.connect(tls=Tls.START_TLS, verify=verify)
            wire = self.network.accept()
            asked = wire.answer(pureldap.LDAPExtendedResponse(0))
            self.assertIsInstance(asked, pureldap.LDAPExtendedRequest)
            self.assertIsNotNone(wire.transport.tls)
            wire.answer(pureldap.LDAPBindResponse(0))
            self.successResultOf(connecting)

    def test_start_tls_refused(self) -> None:
        """Where it is refused there is no connection, and no password is sent."""
        connecting = self.connect(tls=Tls.START_TLS, bind_dn="cn=a", password=Secret("hush"))
        wire = self.network.accept()
        wire.answer(pureldap.LDAPExtendedResponse(2))
        self.fails(connecting, "refused StartTLS: protocol error (2)")
        self.assertEqual(([], True), (wire.sent(), wire.over))

    def test_ldaps(self) -> None:
        """With ldaps, nothing is in the clear but a greeting, which names the host."""
        for verify in (True, False):
            connecting = self.connect(tls=Tls.LDAPS, verify=verify)
            wire = self.network.accept()
            greeting = wire.transport.value()
            self.assertEqual(b"\x16\x03", greeting[:2])
            self.assertIn(HOST.encode(), greeting)
            connecting.cancel()
            self.failureResultOf(connecting, CancelledError)
            self.assertTrue(wire.over)

    def test_unverified_address(self) -> None:
        """An address is no name that TLS could give."""
        self.network.names.known = "10.0.0.1"
        connecting = self.connect(host="10.0.0.1", tls=Tls.LDAPS, verify=False)
        greeting = self.network.accept().transport.value()
        self.assertNotIn(b"10.0.0.1", greeting)
        connecting.cancel()
        self.failureResultOf(connecting, CancelledError)

    def test_refused(self) -> None:
        """A directory that refuses to bind says why; its connection is given up."""
        for code, text in REFUSALS.items():
            connecting = self.connect(bind_dn="cn=a", password=Secret("hush"))
            wire = self.network.accept()
            wire.answer(pureldap.LDAPBindResponse(code))
            self.fails(connecting, text)
            self.assertTrue(wire.over)

    def test_no_connection(self) -> None:
        """Where nobody answers, it is said why."""
        for reason, text in (
            (ConnectionRefusedError(), "refused the connection"),
            (TimeoutError(), "didn't answer in time"),
            (NoRouteError(), "can't be reached"),
        ):
            connecting = self.connect()
            self.network.refuse(reason)
            self.fails(connecting, text)

    def test_lost(self) -> None:
        """Where the connection is lost before it is bound, it is said why."""
        for reason, text in REASONS.items():
            connecting = self.connect()
            self.network.accept().lose(reason)
            self.fails(connecting, text)

    def test_unknown_host(self) -> None:
        """A name that nobody knows is told."""
        self.fails(self.connect(host="elsewhere.example"), "can't be resolved")

    def test_cancelled(self) -> None:
        """Who gives up says nothing of the directory, even while its name is looked up."""
        for slow in (False, True):
            self.network.names.slow = slow
            connecting = self.connect()
            connecting.cancel()
            self.failureResultOf(connecting, CancelledError)

    def test_slow_name(self) -> None:
        """A name that is looked up for too long isn't unknown."""
        self.network.names.slow = True
        connecting = self.connect()
        self.network.advance(10)
        self.fails(connecting, "didn't answer in time")

    def test_too_late(self) -> None:
        """Whoever takes too long is given up, wherever it is."""
        connecting = self.connect()
        self.network.advance(10)
        self.fails(connecting, "didn't answer in time")
        connecting = self.connect()
        self.network.tcpClients.pop(0)
        wire = self.network.accept()
        self.network.advance(10)
        self.fails(connecting, "didn't answer in time")
        self.assertTrue(wire.over)

    def test_silence_after_tls(self) -> None:
        """The time is that of all steps together."""
        connecting = self.connect(tls=Tls.START_TLS)
        self.network.advance(6)
        wire: Wire = self.network.accept()
        wire.answer(pureldap.LDAPExtendedResponse(0))
        self.network.advance(4)
        self.fails(connecting, "didn't answer in time")
