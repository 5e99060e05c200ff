"""A gateway that speaks TLS, put together in memory."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from cryptography import x509
from OpenSSL import SSL
from twisted.application.service import MultiService
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from scimgw.config.load import Faults, load
from scimgw.service import PluginService, build, concerns
from scimgw.testing.client import Response, parse
from tests.tls.papers import CLIENTS, DAY, LOCALHOST, Papers, root
from tests.tls.wire import Line, client

ADMIN = "Basic " + b64encode(b"gwadmin:password").decode()
AUTH: dict[str, Any] = {"basic": [{"username": "gwadmin", "password": "password"}]}
CERTIFICATE: dict[str, Any] = {"key": "x.key", "cert": "x.pem"}


class GatewayCase(SynchronousTestCase):
    """Starts gateways."""

    def setUp(self) -> None:
        """Have certificates."""
        self.reactor = MemoryReactorClock()
        self.root, self.clients = root(), root("clients")
        self.folder = Path(self.mktemp())
        certs = self.folder / "certs"
        certs.mkdir(parents=True)
        self.root.issue("localhost", LOCALHOST).write(certs, "x")
        (certs / "clients.pem").write_bytes(self.clients.pem)

    def root_service(self) -> MultiService:
        """Put a gateway together, and give what holds it."""
        parent = self.built().parent
        assert isinstance(parent, MultiService)
        return parent

    def built(self, auth: Any = None, **certificate: Any) -> PluginService:
        """Put a gateway together."""
        section = {
            "port": 8880,
            "auth": AUTH | (auth or {}),
            "certificate": CERTIFICATE | certificate,
        }
        endpoint: dict[str, Any] = {"entity": {"undefined": {}, "clientA": {}}}
        (self.folder / "scimgw.json").write_text('{"plugins": ["plugin-loki"]}')
        document = {"scimgateway": section, "endpoint": endpoint}
        (self.folder / "plugin-loki.json").write_text(json.dumps(document))
        (plugin,) = build(load(self.folder), self.reactor)
        assert isinstance(plugin, PluginService)
        return plugin

    def started(self, auth: Any = None, **certificate: Any) -> PluginService:
        """Start it."""
        plugin = self.built(auth, **certificate)
        plugin.privilegedStartService()
        plugin.startService()
        self.addCleanup(lambda: self.successResultOf(plugin.stopService()))
        return plugin

    def line(self, show: Papers | None = None) -> Line:
        """Connect to what listens."""
        ((_, factory, _, _),) = self.reactor.tcpServers
        line = Line(factory, client(trust=self.root, show=show), self.reactor)
        self.addCleanup(line.lose)
        return line


def ask(line: Line, path: str, authorization: str | None = ADMIN, method: str = "GET") -> Response:
    """Make a request."""
    body = b'{"userName": "x"}' if method == "POST" else b""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost:8880",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *([] if authorization is None else [f"Authorization: {authorization}"]),
    ]
    return parse(line.ask("\r\n".join([*lines, "", ""]).encode() + body), method)


class HttpsTests(GatewayCase):
    """HTTP over TLS."""

    def test_requests(self) -> None:
        """Several requests go over one connection, and URLs are those of https."""
        self.started()
        line = self.line()
        created = ask(line, "/Users", method="POST")
        self.assertEqual(201, created.status)
        where = created.headers["Location"]
        self.assertRegex(where, "^https://localhost:8880/Users/")
        self.assertEqual(where, created.json()["meta"]["location"])
        self.assertEqual(200, ask(line, where.removeprefix("https://localhost:8880")).status)

    def test_no_warning(self) -> None:
        """Nothing is said to be in clear."""
        with capturedLogs() as logs:
            self.started()
        self.assertEqual([], [each for each in logs if each["log_level"] is not LogLevel.info])
        (said,) = [each for each in logs if "listens" in each["log_format"]]
        self.assertEqual("https", said["scheme"])

    def test_in_clear(self) -> None:
        """A request in clear gets no answer, and makes no noise."""
        self.started()
        ((_, factory, _, _),) = self.reactor.tcpServers
        line = Line(factory, client(), self.reactor, shakes=0)
        self.addCleanup(line.lose)
        with capturedLogs() as logs:
            line.protocol.dataReceived(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(line.transport.disconnecting)
        self.assertNotIn(b"HTTP", line.transport.value())
        self.assertEqual([], logs)

    def test_concerns(self) -> None:
        """What needs attention is told before anything starts, too."""
        self.assertEqual([], list(concerns(self.root_service())))
        self.root.issue("old", life=(-2 * DAY, -DAY)).write(self.folder / "certs", "x")
        (told,) = concerns(self.root_service())
        self.assertIn("plugin-loki: the certificate CN=old,O=Example has expired on ", told)

    def test_stop(self) -> None:
        """A client that keeps a connection doesn't keep the gateway from ending."""
        plugin = self.built()
        plugin.privilegedStartService()
        plugin.startService()
        line = self.line()
        self.assertEqual(200, ask(line, "/ping").status)
        stopping = plugin.stopService()
        self.assertTrue(line.transport.disconnecting)
        line.lose()
        self.successResultOf(stopping)

    def test_reload(self) -> None:
        """A plugin without certificates has nothing to read again."""
        self.started().reload()
        plugin = self.built(key=None, cert=None)
        plugin.reload()
        self.assertIsNone(plugin.tls)


class MutualTests(GatewayCase):
    """Clients that are known by their certificates."""

    def setUp(self) -> None:
        """Know three."""
        super().setUp()
        self.known = [
            {"sanUri": "urn:x", "name": "x"},
            {"subjectDn": "CN=reader,O=Example", "readOnly": True},
            {"sanDns": "a.example", "baseEntities": ["clientA"]},
        ]

    def gateway(self, **more: Any) -> PluginService:
        """Start a gateway that asks for certificates."""
        return self.started({"clientCertificate": self.known}, clientCa="clients.pem", **more)

    def papers(self, name: str = "any", *names: x509.GeneralName) -> Papers:
        """Certify a client."""
        return self.clients.issue(name, *names, use=CLIENTS)

    def test_principal(self) -> None:
        """A client is who its certificate says, within what the file says of it."""
        self.gateway()
        line = self.line(self.papers("any", x509.UniformResourceIdentifier("urn:x")))
        with capturedLogs() as logs:
            for path in ("/Users", "/clientA/Users"):
                self.assertEqual(200, ask(line, path, None).status)
            self.assertEqual(201, ask(line, "/Users", None, "POST").status)
        accesses = [each["access"].principal for each in logs if "access" in each]
        self.assertEqual(["x", "x", "x"], accesses)
        line = self.line(self.papers("reader"))
        self.assertEqual(200, ask(line, "/Users", None).status)
        self.assertEqual(403, ask(line, "/Users", None, "POST").status)
        line = self.line(self.papers("any", x509.DNSName("A.example")))
        self.assertEqual(200, ask(line, "/clientA/Users", None).status)
        self.assertEqual(404, ask(line, "/Users", None).status)

    def test_nobody(self) -> None:
        """A certificate that nobody is known by is 401, and so is none."""
        self.gateway()
        with capturedLogs() as logs:
            for papers in (self.papers("mallory"), None):
                answer = ask(self.line(papers), "/Users", None)
                self.assertEqual(401, answer.status)
                challenges = answer.headers.get_all("WWW-Authenticate")
                self.assertIn('TLS-Client-Certificate realm="scimgw"', challenges)
        (told,) = [formatEvent(each) for each in logs if each["log_level"] is LogLevel.warn]
        self.assertIn("no name that is known here; the certificate has subjectDn 'CN=mallory", told)
        self.assertIn("plugin-loki: login refused from ", told)

    def test_ended(self) -> None:
        """A certificate that ends while its connection goes on lets in no more."""
        self.gateway()
        papers = self.papers("reader")
        line = self.line(papers)
        self.assertEqual(200, ask(line, "/Users", None).status)
        end = papers.certificate.not_valid_after_utc.timestamp()
        for seconds, expected in ((end - 1, 200), (end, 401)):
            self.patch(self.reactor, "seconds", lambda now=seconds: now)
            self.assertEqual(expected, ask(line, "/Users", None).status)

    def test_authority_taken_away(self) -> None:
        """Once an authority isn't trusted any more, what it has certified lets in nowhere."""
        gateway = self.gateway()
        shown, none, new = self.line(self.papers("reader")), self.line(), self.line()
        self.assertEqual(200, ask(shown, "/Users", None).status)
        self.assertEqual(200, ask(none, "/Users").status)
        clients = self.folder / "certs" / "clients.pem"
        clients.write_bytes(self.clients.pem + root("others").pem)
        gateway.reload()
        self.assertFalse(shown.transport.disconnecting)
        clients.write_bytes(root("others").pem)
        gateway.reload()
        self.assertTrue(shown.transport.disconnecting)
        self.assertEqual(200, ask(none, "/Users").status)
        self.assertEqual(200, ask(new, "/Users").status)
        self.assertRaises(SSL.Error, ask, self.line(self.papers("reader")), "/Users", None)

    def test_authority_taken_away_meanwhile(self) -> None:
        """A handshake that went by it is no way round: the certificate has to be shown anew."""
        gateway = self.gateway()
        line = self.line(self.papers("reader"))
        (channel,) = gateway.site.channels
        not_yet = self.patch(channel.transport, "getPeerCertificate", lambda: None)
        (self.folder / "certs" / "clients.pem").write_bytes(root("others").pem)
        gateway.reload()
        not_yet.restore()
        answer = ask(line, "/Users", None)
        self.assertEqual((503, "1"), (answer.status, answer.headers["Retry-After"]))
        self.assertEqual("close", answer.headers["Connection"])

    def test_header(self) -> None:
        """The Authorization header decides, where there is one."""
        self.gateway()
        line = self.line(self.papers("reader"))
        self.assertEqual(201, ask(line, "/Users", ADMIN, "POST").status)
        self.assertEqual(401, ask(line, "/Users", "Basic x").status)
        self.assertEqual(403, ask(line, "/Users", None, "POST").status)
        self.assertEqual(200, ask(self.line(), "/Users").status)

    def test_refused(self) -> None:
        """What isn't of the authority doesn't come to make a request."""
        self.gateway()
        for papers in (
            root("clients").issue("reader", use=CLIENTS),
            self.root.issue("reader", use=CLIENTS),
            self.clients.issue("reader", use=CLIENTS, life=(-2 * DAY, -DAY)),
        ):
            self.assertRaises(SSL.Error, ask, self.line(papers), "/ping")

    def test_required(self) -> None:
        """Where one is required there is no connection without, not even with a password."""
        self.gateway(clientRequired=True)
        self.assertRaises(SSL.Error, ask, self.line(), "/Users")
        self.assertEqual(200, ask(self.line(self.papers("mallory")), "/Users").status)
        self.assertEqual(401, ask(self.line(self.papers("mallory")), "/Users", None).status)

    def test_announced(self) -> None:
        """The way is announced."""
        self.gateway()
        schemes = ask(self.line(), "/ServiceProviderConfig", None).json()["authenticationSchemes"]
        self.assertEqual(["httpbasic", "tls_client_auth"], [each["type"] for each in schemes])

    def test_unreachable(self) -> None:
        """A base entity that there isn't is a fault of who is limited to it."""
        self.known.append({"sanDns": "x", "baseEntities": ["nope"]})
        with self.assertRaises(Faults) as raised:
            self.gateway()
        self.assertEqual(
            "plugin-loki.json: $.scimgateway.auth.clientCertificate[3].baseEntities: "
            "there is no base entity 'nope'",
            str(raised.exception),
        )
