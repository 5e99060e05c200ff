"""Behind nginx and HAProxy, set up as docs/security.md shows it, and TLS behind a PROXY header."""

from __future__ import annotations

import shutil
import socket
import ssl
from pathlib import Path
from typing import Any

from twisted.internet.ssl import DefaultOpenSSLContextFactory
from twisted.internet.threads import deferToThread
from twisted.protocols.tls import TLSMemoryBIOFactory

from connectors.loki import Config as LokiConfig
from connectors.loki import LokiConnector
from scimgw.networks import parse_network
from scimgw.testing.client import parse
from scimgw.web.perimeter import Perimeter
from scimgw.web.proxyprotocol import ProxiedFactory
from tests.live.certificates import authority
from tests.live.http_case import services
from tests.live.ports import free_port
from tests.live.processes import needed, run
from tests.live.programs import PATH
from tests.live.test_handing_on import SiteCase
from tests.service.process import Json, Running, reactor
from tests.service.test_proxies import ProxyCase, request

ALLOWED = "127.9.0.0/16"
INSIDE, OUTSIDE = "127.9.0.1", "127.8.0.1"
CLAIMED = {"X-Forwarded-For": INSIDE, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil"}

NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{gateway};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
        }}
    }}
}}
"""
HAPROXY_HTTP = """\
    mode http
    option forwardfor
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Host %[req.hdr(Host)]
    server gateway 127.0.0.1:{gateway}
"""
HAPROXY_TCP = """\
    mode tcp
    server gateway 127.0.0.1:{gateway} {send} check inter 100ms
"""
HAPROXY = """\
defaults
    timeout connect 10s
    timeout client 60s
    timeout server 60s
listen scim
    bind 127.0.0.1:{port}
"""


class BehindCase(ProxyCase):
    """Starts a gateway, and a proxy before it."""

    async def gateway(self, **more: Any) -> tuple[int, Running]:
        """Start a gateway that trusts the proxy."""
        port = free_port()
        section: Json = {"ipAllowList": [ALLOWED], "trustedProxies": ["127.0.0.1"], **more}
        return port, await self.start(self.one(port, **section))

    async def before(self, text: str, *command: str, **values: object) -> int:
        """Start a proxy with a configuration, and give its port."""
        program = needed(shutil.which(command[0], path=PATH), command[1])
        folder, port = Path(self.mktemp_folder()), free_port()
        file = folder / "proxy.conf"
        file.write_text(text.format(folder=folder, port=port, **values))
        await run(self, port, [program, *command[2:], str(file)])
        return port

    async def speaks_http(self, proxy: int, running: Running) -> None:
        """Check what is answered through a proxy that speaks HTTP."""
        path = "/Users/bjensen"
        answer = parse(await self.raw(proxy, request(path, Host="id.example:1"), source=INSIDE))
        location = answer.json()["meta"]["location"]
        self.assertEqual((200, f"http://id.example:1{path}"), (answer.status, location))
        await running.says(f"{INSIDE} gwadmin GET {path} 200")
        refused = await self.raw(proxy, request(path, **CLAIMED), source=OUTSIDE)
        self.assertEqual(403, parse(refused).status)
        answer = parse(await self.raw(proxy, request(path, **CLAIMED), source=INSIDE))
        self.assertEqual(f"http://inner{path}", answer.json()["meta"]["location"])
        odd = parse(await self.raw(proxy, request("/Users/a%2Fb"), source=INSIDE))
        self.assertEqual("User 'a/b' not found", odd.json()["detail"])


class NginxTests(BehindCase):
    """nginx, which adds to X-Forwarded-For."""

    async def test_http(self) -> None:
        """The client is whom nginx names, whatever the client claims."""
        gateway, running = await self.gateway()
        port = await self.before(NGINX, "nginx", "nginx-light", "-c", gateway=gateway)
        await self.speaks_http(port, running)


class HaproxyTests(BehindCase):
    """HAProxy, which adds a line of its own, or a PROXY header."""

    async def haproxy(self, text: str, **values: object) -> int:
        """Start it."""
        return await self.before(HAPROXY + text, "haproxy", "haproxy", "-db", "-f", **values)

    async def test_http(self) -> None:
        """The client is whom HAProxy names, whatever the client claims."""
        gateway, running = await self.gateway()
        await self.speaks_http(await self.haproxy(HAPROXY_HTTP, gateway=gateway), running)

    async def test_passed_on(self) -> None:
        """So it is by either version of the PROXY protocol; health checks go unnoticed."""
        for send in ("send-proxy", "send-proxy-v2"):
            gateway, running = await self.gateway(proxyProtocol=True)
            proxy = await self.haproxy(HAPROXY_TCP, gateway=gateway, send=send)
            asked = request("/Users/bjensen", **CLAIMED)
            answer = parse(await self.raw(proxy, asked, source=INSIDE))
            self.assertEqual(
                (200, "http://inner/Users/bjensen"),
                (answer.status, answer.json()["meta"]["location"]),
            )
            await running.says(f"{INSIDE} gwadmin GET /Users/bjensen 200")
            self.assertEqual(403, parse(await self.raw(proxy, asked, source=OUTSIDE)).status)
            self.assertEqual(0, await running.stop())
            self.assertNotIn(b"Traceback", running.output)
            self.assertNotIn(b"didn't send", running.output)


class TlsTests(SiteCase):
    """TLS that a proxy passes on."""

    async def test_header_first(self) -> None:
        """The PROXY header stands before TLS; behind both, client and scheme are what they are."""
        folder = Path(self.mktemp())
        folder.mkdir()
        ca = authority(folder)
        pair = ca.issue("gateway", "localhost")
        drawn = Perimeter.of([parse_network("203.0.113.9")], [parse_network("127.0.0.1")])
        site, _ = self.serve(LokiConnector(LokiConfig(id_from="userName"), services()))
        site.perimeter = drawn
        context = DefaultOpenSSLContextFactory(str(pair.key), str(pair.certificate))
        inside = TLSMemoryBIOFactory(context, isClient=False, wrappedFactory=site)
        factory = ProxiedFactory(inside, drawn, reactor)
        listening = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(listening.stopListening)
        port = listening.getHost().port
        location = "https://inner/Users/bjensen"

        def talk(client: str) -> bytes:
            trusting = ssl.create_default_context(cafile=str(ca.file))
            with socket.create_connection(("127.0.0.1", port), 60) as connection:
                connection.sendall(f"PROXY TCP4 {client} 127.0.0.1 1 443\r\n".encode())
                with trusting.wrap_socket(connection, server_hostname="localhost") as secure:
                    secure.sendall(request("/Users/bjensen"))
                    return b"".join(iter(lambda: secure.recv(65536), b""))

        answer = parse(await deferToThread(talk, "203.0.113.9"))
        self.assertEqual(location, answer.json()["meta"]["location"])
        self.assertEqual(403, parse(await deferToThread(talk, "203.0.113.10")).status)
