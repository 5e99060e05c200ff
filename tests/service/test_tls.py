"""TLS of the real process: real connections, files replaced under it, and signals."""

from __future__ import annotations

import contextlib
import socket
import ssl
from http.client import HTTPSConnection
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from tests.fakes.slow import WAITS
from tests.live.ports import free_port
from tests.service.process import CREDENTIALS, Json, Running, ServiceCase
from tests.tls.papers import CLIENTS, DAY, LOCALHOST, Papers, pem, root

LOOPBACK = x509.IPAddress(ip_address("127.0.0.1"))
PAIR: Json = {"key": "x.key", "cert": "x.pem"}
HEADERS = {"Authorization": CREDENTIALS}


class TlsCase(ServiceCase):
    """Starts gateways that speak TLS."""

    def setUp(self) -> None:
        """Found an authority."""
        self.root = root()
        self.port = free_port()

    def configured(self, certificate: Json, endpoint: Json | None = None, **more: Any) -> Path:
        """Write a configuration, with a certificate of the first name."""
        folder = self.one(self.port, endpoint, certificate=certificate, **more)
        self.certs = folder / "certs"
        self.certs.mkdir()
        self.renew("first")
        return folder

    def renew(self, name: str, **more: Any) -> None:
        """Replace key and certificate."""
        self.issue(name, **more).write(self.certs, "x")

    def issue(self, name: str, by: Papers | None = None, **more: Any) -> Papers:
        """Certify the gateway."""
        return (by or self.root).issue(name, LOCALHOST, LOOPBACK, **more)

    def context(self, show: Papers | None = None) -> ssl.SSLContext:
        """Trust the authority, and nobody else."""
        made = ssl.create_default_context(cadata=pem(self.root.certificate).decode())
        if show is not None:
            file = Path(self.mktemp())
            file.write_bytes(show.pem + show.key_pem())
            made.load_cert_chain(file)
        return made

    async def connected(self, context: ssl.SSLContext | None = None) -> Client:
        """Connect, and keep the connection."""
        http = HTTPSConnection(
            "127.0.0.1", self.port, context=context or self.context(), timeout=60
        )
        client = Client(http)
        self.addCleanup(http.close)
        await deferToThread(http.connect)
        return client

    async def shown(self) -> str:
        """Tell which certificate a new connection is shown."""
        return (await self.connected()).shown

    async def refused(self, context: ssl.SSLContext) -> str:
        """Check that no request can be made, and tell why."""
        try:
            client = await self.connected(context)
            await client.get("/ping")
        except ssl.SSLError as error:
            return str(error)
        raise self.failureException("a request was answered")


class Client:
    """A connection to a gateway, by which another thread asks."""

    def __init__(self, http: HTTPSConnection) -> None:
        self.http = http

    @property
    def socket(self) -> ssl.SSLSocket:
        """What is below."""
        assert isinstance(self.http.sock, ssl.SSLSocket)
        return self.http.sock

    @property
    def shown(self) -> str:
        """The name in the gateway's certificate."""
        certificate: Any = self.socket.getpeercert()
        return str(certificate["subject"][-1][0][1])

    def get(self, path: str, headers: dict[str, str] | None = None) -> Deferred[tuple[int, bytes]]:
        """Ask for something."""
        given = HEADERS if headers is None else headers
        deferred: Deferred[tuple[int, bytes]] = deferToThread(self._get, path, given)
        return deferred

    def _get(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        self.http.request("GET", path, headers=headers)
        response = self.http.getresponse()
        return response.status, response.read()


class StartTests(TlsCase):
    """What is shown from the start."""

    async def test_pem(self) -> None:
        """With a key, a certificate, and several of authorities, all that clients need is sent."""
        middle = self.root.authority("middle")
        below = middle.authority("below")
        ca = ["root.pem", "middle.pem", "below.pem"]
        folder = self.configured({**PAIR, "ca": ca}, localhostonly=False)
        papers = self.issue("by below", below)
        (self.certs / "x.pem").write_bytes(pem(papers.certificate))
        (self.certs / "x.key").write_bytes(papers.key_pem())
        for name, each in zip(ca, (self.root, middle, below), strict=True):
            (self.certs / name).write_bytes(pem(each.certificate))
        running = await self.start(folder)
        client = await self.connected()
        self.assertEqual("by below", client.shown)
        self.assertEqual((200, b"hello"), await client.get("/ping"))
        status, body = await client.get("/Users/bjensen")
        self.assertEqual(200, status)
        self.assertIn(f"https://127.0.0.1:{self.port}/Users/bjensen".encode(), body)
        self.assertEqual(0, await running.stop())
        self.assertIn(f":{self.port}, https".encode(), running.output)
        self.assertNotIn(b"in clear", running.output)

    async def test_pfx(self) -> None:
        """A bundle holds all of it."""
        folder = self.configured({"pfx": {"bundle": "x.pfx", "password": "hunter2"}})
        papers = self.issue("bundled", self.root.authority("below"))
        (self.certs / "x.pfx").write_bytes(papers.pfx(b"hunter2"))
        await self.start(folder)
        self.assertEqual("bundled", await self.shown())

    async def test_faults(self) -> None:
        """Faults of files are told as all others are, without a secret, and nothing starts."""
        pfx = {"bundle": "x.pem", "password": "hunter2"}
        folder = self.configured({"key": "x.key", "cert": "no.pem", "pfx": pfx})
        where = "plugin-loki.json: $.scimgateway.certificate"
        gone = (self.certs / "no.pem").absolute()
        expected = [
            f"{where}.cert: {gone} can't be read: No such file or directory",
            f"{where}.pfx.bundle: x.pem isn't PKCS#12, or pfx.password isn't its password",
        ]
        for options in ((), ("--check",)):
            ended = await self.ends("-n", "scimgw", "-c", str(folder), *options)
            self.assertEqual((78, expected), (ended.status, sorted(ended.err.splitlines())))

    async def test_ending(self) -> None:
        """What ends soon is told at start; what has ended too, and is no fault."""
        folder = self.configured(PAIR)
        self.renew("short", life=(-DAY, 10 * DAY))
        running = await self.start(folder)
        await running.says("the certificate CN=short,O=Example expires on ")
        await running.stop()
        self.renew("late", life=(-2 * DAY, -DAY))
        running = await self.start(folder)
        await running.says("the certificate CN=late,O=Example has expired on ")


class SpokenTests(TlsCase):
    """What OpenSSL on the other side finds."""

    async def test_versions(self) -> None:
        """TLS 1.2 and 1.3 are spoken, older ones and weak suites aren't."""
        await self.start(self.configured(PAIR))
        for version, name in (
            (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
            (ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
        ):
            context = self.context()
            context.minimum_version = context.maximum_version = version
            context.set_alpn_protocols(["h2", "http/1.1"])
            client = await self.connected(context)
            self.assertEqual((200, b"hello"), await client.get("/ping"))
            self.assertEqual(
                (name, "http/1.1", None),
                (
                    client.socket.version(),
                    client.socket.selected_alpn_protocol(),
                    client.socket.compression(),
                ),
            )
        context = self.context()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        self.assertIn("PROTOCOL_VERSION", await self.refused(context))
        for suites in ("ECDHE+AES+SHA256", "kRSA", "DHE", "aNULL"):
            context = self.context()
            context.set_ciphers(f"{suites}:!AESGCM:!CHACHA20:@SECLEVEL=0")
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            self.assertIn("HANDSHAKE_FAILURE", await self.refused(context))

    async def test_proxied(self) -> None:
        """A PROXY header comes in clear, before TLS, and says whose connection it is."""
        folder = self.configured(PAIR, proxyProtocol=True, trustedProxies=["127.0.0.1"])
        running = await self.start(folder)
        received = await deferToThread(self.through, b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")
        self.assertIn(b"200 OK", received)
        await running.says("192.0.2.1 - GET /ping 200")

    def through(self, header: bytes) -> bytes:
        """Pass a connection on, as a proxy does, and make a request by it."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        with contextlib.closing(plain):
            plain.sendall(header)
            with self.context().wrap_socket(plain, server_hostname="localhost") as secure:
                secure.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                received = b""
                while data := secure.recv(4096):
                    received += data
                return received

    async def test_noise(self) -> None:
        """Whoever knocks without TLS, or goes away half-way, fills no log."""
        running = await self.start(self.configured(PAIR))
        await self.shown()
        before = len(running.output.splitlines())
        request = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
        for sent in (request, b"", b"\x16\x03\x01\x00\x05", b"\0" * 99):
            self.assertNotIn(b"HTTP", await deferToThread(knock, self.port, sent))
        client = await self.connected()
        self.assertEqual((200, b"hello"), await client.get("/ping"))
        await running.says("GET /ping 200")
        self.assertNotIn(b"Traceback", running.output)
        self.assertEqual(before + 1, len(running.output.splitlines()))


class RenewedTests(TlsCase):
    """Files replaced under a running gateway."""

    def hangup(self, running: Running) -> None:
        """Tell the process to read its files again."""
        assert running.transport is not None
        running.transport.signalProcess("HUP")

    async def test_hangup(self) -> None:
        """On SIGHUP new connections get what is new; those that there are go on undisturbed."""
        gate = Path(self.mktemp()).absolute()
        slow = {"gate": str(gate)}
        folder = self.configured(PAIR, slow, connector="tests.fakes.slow:PLUGIN")
        running = await self.start(folder)
        kept, busy = await self.connected(), await self.connected()
        self.assertEqual((200, b"hello"), await kept.get("/ping"))
        under_way = busy.get("/Users?filter=title%20pr")
        await running.says(WAITS)
        self.renew("second")
        self.hangup(running)
        await running.says("shows the certificate CN=second,O=Example")
        self.assertFalse(under_way.called)
        self.assertEqual("second", await self.shown())
        gate.touch()
        self.assertEqual(200, (await under_way)[0])
        for client in (kept, busy):
            self.assertEqual((200, b"hello"), await client.get("/ping"))
            self.assertEqual("first", client.shown)

    async def test_faulty(self) -> None:
        """What can't be used is told, and the gateway goes on with what it has."""
        running = await self.start(self.configured(PAIR))
        (self.certs / "x.key").write_text("rubbish")
        self.hangup(running)
        await running.says(
            "plugin-loki goes on with the certificate that it has: "
            "certificate.key: x.key isn't a private key in PEM"
        )
        self.assertEqual("first", await self.shown())

    async def test_noticed(self) -> None:
        """Without a signal the files are noticed before long."""
        running = await self.start(self.configured(PAIR))
        kept = await self.connected()
        self.renew("second")
        await running.says("shows the certificate CN=second,O=Example")
        self.assertEqual("second", await self.shown())
        self.assertEqual((200, b"hello"), await kept.get("/ping"))

    async def test_without_tls(self) -> None:
        """SIGHUP does no harm to a gateway that has nothing to read."""
        running = await self.start(self.one(self.port))
        self.hangup(running)
        await running.says("files are read again")
        self.assertEqual(200, (await self.request(self.port, "/Users")).status)


class MutualTests(TlsCase):
    """Clients that show certificates."""

    async def test_clients(self) -> None:
        """Who shows a certificate that is known gets in; others need a password."""
        authority = root("clients")
        auth: Json = {
            "basic": [{"username": "gwadmin", "password": "password"}],
            "clientCertificate": [{"subjectDn": "CN=idp,O=Example", "readOnly": True}],
        }
        folder = self.configured({**PAIR, "clientCa": "clients.pem"}, auth=auth)
        (self.certs / "clients.pem").write_bytes(pem(authority.certificate))
        running = await self.start(folder)
        client = await self.connected(self.context(authority.issue("idp", use=CLIENTS)))
        self.assertEqual(200, (await client.get("/Users", {}))[0])
        await running.says("127.0.0.1 clientCertificate[0] GET /Users 200")
        self.assertEqual(200, (await client.get("/Users"))[0])
        await running.says("127.0.0.1 gwadmin GET /Users 200")
        for show in (authority.issue("mallory", use=CLIENTS), None):
            client = await self.connected(self.context(show))
            self.assertEqual(401, (await client.get("/Users", {}))[0])
            self.assertEqual(200, (await client.get("/Users"))[0])
        self.assertIn("UNKNOWN_CA", await self.refused(self.context(root("x").issue("idp"))))
        shown = "plugin-loki: 127.0.0.1 shows a certificate that isn't taken: CN=idp,O=Example"
        await running.says(shown)
        self.assertNotIn(b"Traceback", running.output)


def knock(port: int, sent: bytes) -> bytes:
    """Send something in clear, and give what comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
        plain.sendall(sent)
        if not sent.startswith(b"GET"):
            plain.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while data := plain.recv(4096):
                received += data
        return received
