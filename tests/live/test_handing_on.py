"""Chaining and the service desk, the gateway's part in this process."""

from __future__ import annotations

import json
import sys
from typing import Any

from twisted.internet.defer import Deferred

from connectors.api import Config, ServiceDeskConnector
from connectors.api.settings import EntityConfig
from connectors.loki import Config as LokiConfig
from connectors.loki import LokiConnector
from scimgw.auth.basic import BasicAuthenticator
from scimgw.auth.chain import Chain
from scimgw.clients.http.forward import Forwarder
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
from tests.live.processes import run
from tests.service.process import ServiceCase, free_port


class SiteCase(ServiceCase):
    """Serves connectors on ports."""

    timeout = 60

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

    def before(self, next: int) -> int:
        """Hand on to a port."""
        site, port = self.serve(LokiConnector(LokiConfig(), services()))
        forwarder = Forwarder(f"http://127.0.0.1:{next}", services())
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
        alone = self.before(free_port())
        for _ in range(6):
            self.assertEqual(503, (await self.request(alone, "/Users")).status)


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
