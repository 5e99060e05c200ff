"""Chaining and the service desk, the gateway's part in this process."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.logger import capturedLogs, formatEvent

from connectors.api import Config, ServiceDeskConnector
from connectors.api.settings import EntityConfig
from connectors.loki import Config as LokiConfig
from connectors.loki import LokiConnector
from scimgw.auth.basic import BasicAuthenticator
from scimgw.auth.chain import Chain
from scimgw.clients.http.forward import SILENCE, Forwarder
from scimgw.connector import NO_ENTITY, Connector, Principal
from scimgw.gateway.apionly import ApiOnly
from scimgw.gateway.endpoint import Endpoint
from scimgw.scim.cursor import Cursors
from scimgw.secret import Secret
from scimgw.web.chaining import Chaining
from scimgw.web.root import Limits
from scimgw.web.site import ScimSite
from tests.live.faulty import FaultyServer
from tests.live.http_case import reactor, services
from tests.live.ports import free_port
from tests.live.processes import run
from tests.service.process import ServiceCase


async def raw(port: int, request: bytes) -> bytes:
    """Send bytes, and give what comes back until the connection ends."""

    def talk() -> bytes:
        parts = []
        with (
            socket.create_connection(("127.0.0.1", port), 60) as connection,
            contextlib.suppress(OSError),
        ):
            connection.sendall(request)
            while part := connection.recv(65536):
                parts.append(part)
        return b"".join(parts)

    return await deferToThread(talk)


class SiteCase(ServiceCase):
    """Serves connectors on ports."""

    def serve(self, connector: Connector) -> tuple[ScimSite, int]:
        """Serve a connector, and give its port."""
        endpoint = Endpoint(connector=connector, clock=reactor)
        chain = Chain([BasicAuthenticator([(Principal("gwadmin"), Secret("password"))])])
        cursors = Cursors(key=b"k" * 32)
        site = ScimSite(endpoint, chain, frozenset({NO_ENTITY}), Limits(), reactor, cursors=cursors)
        listening = reactor.listenTCP(0, site, interface="127.0.0.1")
        self.addCleanup(listening.stopListening)
        self.addCleanup(site.close)
        return site, listening.getHost().port


class ChainingTests(SiteCase):
    """One site before another server."""

    def before(self, next: int | None, clock: IReactorTime = reactor) -> int:
        """Hand on to a port, None for one's own."""
        site, port = self.serve(LokiConnector(LokiConfig(), services()))
        forwarder = Forwarder(f"http://127.0.0.1:{next or port}", services(clock=clock))
        self.addCleanup(lambda: Deferred.fromCoroutine(forwarder.close()))
        site.hand_on(Chaining(forwarder).answer)
        return port

    async def test_resources(self) -> None:
        """Requests and answers go through, bodies and all."""
        _, next = self.serve(LokiConnector(LokiConfig(), services()))
        port = self.before(next)
        body = {"userName": "x", "title": "y" * 300_000}
        created = await self.request(port, "/Users", "POST", body)
        self.assertEqual((201, body["title"]), (created.status, created.json()["title"]))
        path = f"/Users/{created.json()['id']}"
        self.assertEqual(200, (await self.request(port, path, "HEAD")).status)
        self.assertEqual(204, (await self.request(port, path, "DELETE")).status)
        self.assertEqual(401, (await self.request(port, "/Users", Authorization="Basic x")).status)

    async def test_faults(self) -> None:
        """A next gateway that isn't well is told as such."""
        server = FaultyServer()
        listening = server.listen()
        self.addCleanup(listening.stopListening)
        port = self.before(listening.getHost().port)
        for path in ("/reset", "/garbage"):
            self.assertEqual(503, (await self.request(port, path)).status)
        self.assertEqual(200, (await self.request(port, "/stale")).status)
        nobody = free_port()
        alone = self.before(nobody)
        with capturedLogs() as events:
            for _ in range(6):
                self.assertEqual(503, (await self.request(alone, "/Users")).status)
        lines = [str(formatEvent(each)) for each in events]
        told = f"the next gateway, http://127.0.0.1:{nobody}: NotConnected Connection was refused"
        self.assertEqual(5, sum(line.startswith(told) for line in lines), lines)

    async def test_silence(self) -> None:
        """A next gateway that says nothing is waited for once, not twice."""
        server = FaultyServer()
        listening = server.listen()
        self.addCleanup(listening.stopListening)
        clock = Clock()
        port = self.before(listening.getHost().port, clock)
        asked = Deferred.fromCoroutine(self.request(port, "/hang"))
        await self.until(lambda: bool(server.requests))
        clock.advance(SILENCE)
        answer = await asked
        self.assertEqual((503, 1), (answer.status, len(server.requests)))
        self.assertIn("took too long", answer.json()["detail"])

    async def test_circle(self) -> None:
        """Gateways that hand on in a circle say so, and don't go on until all is used up."""
        answer = await self.request(self.before(None), "/Users")
        self.assertEqual(502, answer.status)
        self.assertIn("too many gateways", answer.json()["detail"])


class DeskTests(SiteCase):
    """The service desk, asked directly."""

    async def test_too_large(self) -> None:
        """A body past the bound is refused with its connection: no rest of it is a request."""
        desk = free_port()
        await run(
            self, desk, [sys.executable, "-m", "connectors.api.service_desk", "--port", str(desk)]
        )
        for head in (
            "Content-Length: 70000",
            "Content-Length: -1",
            "Content-Length: x",
            "Transfer-Encoding: chunked",
        ):
            request = f"POST /tickets HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode()
            rest = b"x" * 65536 + b"GET /tickets HTTP/1.1\r\n\r\n"
            answer = await raw(desk, request + rest.ljust(70000))
            self.assertEqual(1, answer.count(b"HTTP/1.1 "), head)


class TicketTests(SiteCase):
    """The service desk, asked from here."""

    async def test_tickets(self) -> None:
        """A ticket is opened, closed, and removed."""
        desk = free_port()
        command = [sys.executable, "-m", "connectors.api.service_desk", "--port", str(desk)]
        await run(self, desk, command)
        url = f"http://127.0.0.1:{desk}"
        entity = EntityConfig(base_urls=(url,), username="desk", password=Secret("password"))
        connector = ServiceDeskConnector(Config(entity={NO_ENTITY: entity}), services())
        self.addCleanup(lambda: Deferred.fromCoroutine(connector.close()))
        _, port = self.serve(ApiOnly(connector))
        ticket: dict[str, Any] = {"eventName": "e", "subjectName": "s", "userID": "u"}
        rows: list[tuple[str, str, Any, int]] = [
            ("POST", "/api", ticket, 201),
            ("GET", "/api?status=open", None, 200),
            ("GET", "/api?status=ajar", None, 400),
            ("GET", "/api/1", None, 200),
            ("PUT", "/api/1", ticket, 200),
            ("PATCH", "/api/1", {"status": "closed"}, 200),
            ("GET", "/pub/api", None, 200),
            ("POST", "/pub/api", ticket, 405),
            ("GET", "/pub/api/1", None, 404),
            ("DELETE", "/api/1", None, 204),
            ("GET", "/api/1", None, 404),
            ("GET", "/api/..", None, 404),
        ]
        for method, path, body, status in rows:
            answer = await self.request(port, path, method, body)
            self.assertEqual(status, answer.status, (method, path, json.dumps(body)))
