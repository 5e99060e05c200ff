"""Tickets in a service desk, opened and closed through a gateway: all real processes."""

from __future__ import annotations

import socket
import struct
import sys
from typing import Any
from urllib.parse import quote

from twisted.internet.defer import Deferred

from tests.live.ports import free_port
from tests.live.processes import run
from tests.service.process import Answer, ServiceCase, section

TICKET = {"eventName": "AssignRole", "subjectName": "Admins", "userID": "bjensen"}
HOSTILE = "../health?x=1#/\r\n"


class ServiceDeskTests(ServiceCase):
    """The example, as it is shipped."""

    def setUp(self) -> Any:
        """Start the service desk, and a gateway over it."""
        return Deferred.fromCoroutine(self.begin())

    async def begin(self) -> None:
        """Start both."""
        self.port, desk = free_port(), free_port()
        command = [sys.executable, "-m", "connectors.api.service_desk", "--port", str(desk)]
        self.desk = await run(self, desk, command)
        self.address = ("127.0.0.1", desk)
        urls = [f"http://127.0.0.1:{desk}"]
        entity = {"baseUrls": urls, "username": "desk", "password": "password"}
        refused = {"baseUrls": urls, "username": "desk", "password": "hunter2"}
        endpoint = {"entity": {"undefined": entity, "refused": refused}}
        plugin = {"scimgateway": section(self.port), "endpoint": endpoint}
        await self.start(self.folder(scimgw={"plugins": ["plugin-api"]}, plugin_api=plugin))

    async def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Make a request of the gateway."""
        return await self.request(self.port, path, method, body)

    async def test_life_of_a_ticket(self) -> None:
        """It is opened, found, changed, closed, replaced, and removed."""
        opened = await self.ask("POST", "/api", TICKET)
        self.assertEqual(201, opened.status)
        self.assertEqual({**TICKET, "id": "1", "status": "open"}, opened.json())
        self.assertEqual([opened.json()], (await self.ask("GET", "/api?status=open")).json())
        self.assertEqual(b'{"open":1}', (await self.ask("GET", "/pub/api")).body)
        closed = await self.ask("PATCH", "/api/1", {"status": "closed"})
        self.assertEqual((200, "closed"), (closed.status, closed.json()["status"]))
        self.assertEqual([], (await self.ask("GET", "/api?status=open")).json())
        self.assertEqual(b'{"open":0}', (await self.ask("GET", "/pub/api")).body)
        replaced = await self.ask("PUT", "/api/1", {**TICKET, "userID": "jsmith"})
        self.assertEqual(("jsmith", "open"), (replaced.json()["userID"], replaced.json()["status"]))
        self.assertEqual(204, (await self.ask("DELETE", "/api/1")).status)
        self.assertEqual(404, (await self.ask("GET", "/api/1")).status)

    async def test_refused(self) -> None:
        """What can't be done is told, with the status that it has."""
        for method, path, body, status in (
            ("POST", "/api", {"eventName": "x"}, 400),
            ("GET", "/api?status=ajar", None, 400),
            ("PATCH", "/api/9", {"status": "closed"}, 404),
            ("DELETE", "/api/9", None, 404),
            ("GET", f"/api/{quote(HOSTILE, safe='')}", None, 404),
            ("GET", "/api/..", None, 404),
            ("POST", "/pub/api", TICKET, 405),
            ("GET", "/pub/api/1", None, 404),
            ("GET", "/refused/api", None, 502),
            ("GET", "/Users", None, 404),
        ):
            answer = await self.ask(method, path, body)
            self.assertEqual(status, answer.status, (method, path, answer.body))
            self.assertNotIn(b"hunter2", answer.body)

    async def test_gone(self) -> None:
        """Who leaves in the midst of a request is nothing that the desk makes a fuss of."""
        for sent in (b"", b"GET /tick", b"POST /tickets HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"):
            with socket.create_connection(self.address) as leaving:
                leaving.sendall(b"GET /tickets HTTP/1.1\r\n\r\n")
                leaving.recv(1)
                leaving.sendall(sent)
                # closed with something unread, which resets the connection
                leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.assertEqual([], (await self.ask("GET", "/api")).json())
        self.assertNotIn(b"Traceback", self.desk.output)
