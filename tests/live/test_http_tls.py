"""The HTTP client over TLS, and through a real proxy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trustme
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    PrivateCertificate,
    trustRootFromCertificates,
)
from twisted.internet.task import Clock

from scimgw.clients.http import HttpClient, Proxy, Request, Tls
from scimgw.connector import Misconfigured
from scimgw.errors import Unavailable
from scimgw.secret import Secret
from tests.live.faulty import FaultyServer
from tests.live.http_case import HASTY, PATIENT, HttpCase, reactor
from tests.live.ports import free_port
from tests.live.processes import TINYPROXY, needed, run

GOOD = Request(method="GET", path="/good")


class TlsCase(HttpCase):
    """Has an authority, and a server with a certificate of it."""

    def setUp(self) -> None:
        """Issue certificates."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.ca, self.other = trustme.CA(), trustme.CA()
        self.ca.cert_pem.write_to_path(str(self.folder / "ca.pem"))
        self.other.cert_pem.write_to_path(str(self.folder / "other.pem"))
        own = self.ca.issue_cert("gateway@example.com")
        own.private_key_pem.write_to_path(str(self.folder / "key.pem"))
        for number, pem in enumerate(own.cert_chain_pems):
            pem.write_to_path(str(self.folder / "cert.pem"), append=number > 0)
        self.server = FaultyServer()

    def listen(self, *names: str, **options: Any) -> str:
        """Serve under a certificate for some names."""
        issued = self.ca.issue_cert(*names)
        pem = issued.private_key_pem.bytes() + issued.cert_chain_pems[0].bytes()
        own = PrivateCertificate.loadPEM(pem)
        context = CertificateOptions(own.privateKey.original, own.original, **options)
        port = reactor.listenSSL(0, self.server, context, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        return f"https://localhost:{port.getHost().port}"

    def over(
        self, url: str, proxy: Proxy | None = None, clock: IReactorTime = reactor, **tls: Any
    ) -> HttpClient:
        """Make a client with settings of TLS."""
        options = evolve(PATIENT, tls=Tls(**tls), retries=0)
        return self.client(url, options=options, folder=self.folder, clock=clock, proxy=proxy)

    async def status(self, http: HttpClient) -> int:
        """Make a request."""
        return (await http.request(GOOD)).status


class TlsTests(TlsCase):
    """Who the server is, and who the gateway."""

    async def test_verified(self) -> None:
        """A certificate of a trusted authority for the host's name, or address, is accepted."""
        url = self.listen("localhost", "127.0.0.1")
        self.assertEqual(200, await self.status(self.over(url, ca="ca.pem")))
        by_address = url.replace("localhost", "127.0.0.1")
        self.assertEqual(200, await self.status(self.over(by_address, ca="ca.pem")))

    async def test_refused(self) -> None:
        """Another authority's, or another host's, isn't, and nothing is sent."""
        url = self.listen("localhost")
        wrong_name = self.listen("elsewhere.example")
        for http in (
            self.over(url),
            self.over(url, ca="other.pem"),
            self.over(wrong_name, ca="ca.pem"),
        ):
            error = await self.fails(Unavailable, http, "/good", "POST")
            self.assertIn("can't be reached", error.detail)
            await self.until(lambda http=http: not http.connections)  # type: ignore[misc]
        self.assertEqual([], self.server.requests)

    async def test_accepted_unverified(self) -> None:
        """If so configured any certificate is accepted."""
        url = self.listen("elsewhere.example")
        self.assertEqual(200, await self.status(self.over(url, reject_unauthorized=False)))

    async def test_client_certificate(self) -> None:
        """The gateway shows its own certificate where it has one, verifying or not."""
        trusted = trustRootFromCertificates([Certificate.loadPEM(self.ca.cert_pem.bytes())])
        url = self.listen("localhost", trustRoot=trusted)
        own: dict[str, Any] = {"cert": "cert.pem", "key": "key.pem"}
        self.assertEqual(200, await self.status(self.over(url, ca="ca.pem", **own)))
        unverified = self.over(url, reject_unauthorized=False, **own)
        self.assertEqual(200, await self.status(unverified))
        await self.fails(Unavailable, self.over(url, ca="ca.pem"), "/good")

    async def test_hanging(self) -> None:
        """A connection that the server doesn't close is closed all the same."""
        clock = Clock()
        http = self.over(self.listen("localhost"), clock=clock, ca="ca.pem")
        failing = Deferred.fromCoroutine(self.fails(Unavailable, http, "/half"))
        await self.until(lambda: bool(self.server.requests))
        clock.advance(PATIENT.abort_timeout)
        await failing
        await self.until(lambda: not http.connections)

    def test_files(self) -> None:
        """A file that can't be used is a fault of the configuration, with its path."""
        bad = "-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----"
        (self.folder / "bad.pem").write_text(bad)
        rows: list[tuple[dict[str, Any], str]] = [
            ({"ca": "nowhere.pem"}, "ca"),
            ({"ca": "key.pem"}, "ca"),
            ({"ca": "bad.pem"}, "ca"),
            ({"cert": "cert.pem", "key": "ca.pem"}, "key"),
            ({"cert": "ca.pem", "key": "key.pem"}, "key"),
            ({"cert": "ca.pem", "key": "key.pem", "reject_unauthorized": False}, "key"),
        ]
        for tls, path in rows:
            with self.assertRaises(Misconfigured) as raised:
                self.over("https://localhost", **tls)
            self.assertEqual(f".options.tls.{path}", raised.exception.faults[0][0])


class ProxyTests(TlsCase):
    """tinyproxy, with a user."""

    async def proxy(self) -> str:
        """Start the proxy, and give its URL."""
        program, port = needed(TINYPROXY, "tinyproxy-bin"), free_port()
        config = self.folder / "tinyproxy.conf"
        config.write_text(
            f"Port {port}\nListen 127.0.0.1\nTimeout 60\nBasicAuth user pass\nAllow 127.0.0.1\n"
        )
        await run(self, port, [program, "-d", "-c", str(config)])
        return f"http://127.0.0.1:{port}"

    async def test_tunnel(self) -> None:
        """Requests go through the tunnel, in clear and over TLS, the server verified."""
        proxy = Proxy(host=await self.proxy(), username="user", password=Secret("pass"))
        url = self.listen("localhost")
        plain = self.server.listen()
        self.addCleanup(plain.stopListening)
        in_clear = f"http://127.0.0.1:{plain.getHost().port}"
        self.assertEqual(200, await self.status(self.over(url, proxy, ca="ca.pem")))
        self.assertEqual(200, await self.status(self.over(in_clear, proxy)))
        self.assertNotIn(b"Proxy-Authorization", b"".join(self.server.requests))
        await self.fails(Unavailable, self.over(url, proxy, ca="other.pem"), "/good")

    async def test_refused(self) -> None:
        """A proxy that doesn't know the gateway, and one that isn't there."""
        url = self.listen("localhost")
        wrong = Proxy(host=await self.proxy(), username="user", password=Secret("hunter2"))
        nobody = Proxy(host=f"http://127.0.0.1:{free_port()}")
        for proxy in (wrong, nobody):
            http = self.over(url, proxy, ca="ca.pem")
            error = await self.fails(Unavailable, http, "/good", "POST")
            self.assertEqual("the endpoint can't be reached", error.detail)
            await self.until(lambda http=http: not http.connections)  # type: ignore[misc]
        self.assertEqual([], self.server.requests)

    async def test_passed_by(self) -> None:
        """A host that is to be reached without the proxy is."""
        nobody = Proxy(host=f"http://127.0.0.1:{free_port()}", no_proxy=("localhost",))
        http = self.over(self.listen("localhost"), nobody, ca="ca.pem")
        self.assertEqual(200, await self.status(http))

    async def test_hanging(self) -> None:
        """A proxy that never answers is given up in the time for connecting."""
        silent = self.server.listen()
        self.addCleanup(silent.stopListening)
        proxy = Proxy(host=f"http://127.0.0.1:{silent.getHost().port}")
        options = evolve(HASTY, retries=0, read_timeout=600, abort_timeout=600)
        http = self.client("http://localhost/hang", options=options, proxy=proxy)
        self.server.answers = False
        await self.fails(Unavailable, http, "/hang", "POST")
        await self.until(lambda: not self.server.connections)
