"""Callers who are known to the endpoint only: gateways that are processes of their own."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from typing import Any
from urllib.parse import quote

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol

from tests.live.ports import free_port
from tests.live.processes import run
from tests.service.process import Answer, Json, Running, ServiceCase, reactor, section

BOTH = ['Basic realm="scimgw", charset="UTF-8"', 'Bearer realm="scimgw"']
ON = {"passThrough": {"enabled": True}}


def basic(pair: str) -> str:
    """Spell credentials."""
    return "Basic " + b64encode(pair.encode()).decode()


ADMIN, READER = basic("admin:4dm1n-password"), basic("reader:r34der-password")
TENANT = "Bearer t3nant-token"


class PassedCase(ServiceCase):
    """Has a gateway that knows nobody, before one that knows three."""

    def setUp(self) -> Any:
        """Start both."""
        return Deferred.fromCoroutine(self.begin())

    async def begin(self) -> None:
        """Start both."""
        last, self.port = free_port(), free_port()
        auth = {
            "basic": [
                {"username": "admin", "password": "4dm1n-password"},
                {"username": "reader", "password": "r34der-password", "readOnly": True},
            ],
            "bearerToken": [
                {"name": "tenant", "token": "t3nant-token", "baseEntities": ["clientA"]}
            ],
        }
        store: Json = {"idFrom": "userName", "entity": {"undefined": {}, "clientA": {}}}
        self.last = await self.start(self.one(last, store, auth=auth))
        self.first = await self.over(last)

    async def over(self, last: int) -> Running:
        """Start the gateway in front."""
        entity = {
            name: {
                "connection": {
                    "baseUrls": [f"http://127.0.0.1:{last}{path}"],
                    "auth": {"type": "passThrough"},
                    "options": {"debug": True},
                }
            }
            for name, path in (("undefined", ""), ("clientA", "/clientA"))
        }
        plugin = {"scimgateway": section(self.port) | {"auth": ON}, "endpoint": {"entity": entity}}
        folder = self.folder(scimgw={"plugins": ["plugin-restful"]}, plugin_restful=plugin)
        return await self.start(folder)

    async def ask(self, who: str, path: str, method: str = "GET", body: Any = None) -> Answer:
        """Make a request of the gateway in front, as somebody."""
        return await self.request(self.port, path, method, body, Authorization=who)


class PassedTests(PassedCase):
    """Each has the rights that the endpoint gives."""

    async def test_rights(self) -> None:
        """Who may write there writes, who may only read reads, a tenant sees its own."""
        for who, path, method, status in (
            (ADMIN, "/Users", "POST", 201),
            (READER, "/Users", "POST", 403),
            (READER, "/Users", "GET", 200),
            (TENANT, "/Users", "GET", 404),
            (TENANT, "/clientA/Users", "GET", 200),
            (TENANT, "/clientA/Users", "POST", 201),
            (ADMIN, "/Users/new", "DELETE", 204),
            (READER, "/clientA/Users/new", "DELETE", 403),
        ):
            body = {"userName": "new"} if method == "POST" else None
            answer = await self.ask(who, path, method, body)
            self.assertEqual(status, answer.status, (who, path, method, answer.body))

    async def test_refused(self) -> None:
        """Whom the endpoint doesn't know is answered 401, and asked for credentials."""
        for who in (basic("admin:wrong"), basic("nobody:x"), "Bearer wrong"):
            for path in ("/Users", "/Users/bjensen", "/clientA/Groups"):
                answer = await self.ask(who, path)
                self.assertEqual(401, answer.status)
                self.assertEqual(BOTH, answer.headers.getRawHeaders("WWW-Authenticate"))
        # what one was told isn't what another is
        self.assertEqual(200, (await self.ask(ADMIN, "/Users")).status)
        self.assertEqual(401, (await self.ask(basic("admin:wrong"), "/Users")).status)

    async def test_at_once(self) -> None:
        """Callers who come at the same time, over the same connections, are kept apart."""
        asked = [
            (who, path, status)
            for _ in range(4)
            for who, path, status in (
                (ADMIN, "/Users/bjensen", 200),
                (TENANT, "/Users/bjensen", 404),
                (basic("admin:wrong"), "/Users/bjensen", 401),
                (TENANT, "/clientA/Users/bjensen", 200),
            )
        ]
        answers = await gatherResults(
            [Deferred.fromCoroutine(self.ask(who, path)) for who, path, _ in asked]
        )
        self.assertEqual([status for *_, status in asked], [each.status for each in answers])

    async def test_guessing(self) -> None:
        """Who is refused there five times is kept back here for a while."""
        answers = [await self.ask(f"Bearer guess{each}", "/Users") for each in range(6)]
        self.assertEqual([401] * 5 + [429], [each.status for each in answers])

    async def test_cursor(self) -> None:
        """A cursor serves nobody but who got it."""
        page = (await self.ask(ADMIN, "/Users?count=1&cursor=")).json()
        path = f"/Users?count=1&cursor={quote(page['nextCursor'], safe='')}"
        self.assertEqual(200, (await self.ask(ADMIN, path)).status)
        answer = await self.ask(READER, path)
        self.assertEqual((400, "invalidCursor"), (answer.status, answer.json()["scimType"]))
        self.assertEqual(401, (await self.ask(basic("admin:wrong"), path)).status)

    async def test_scheme(self) -> None:
        """Both kinds are announced, and no other is taken."""
        config = (await self.ask("", "/ServiceProviderConfig")).json()
        kinds = [each["type"] for each in config["authenticationSchemes"]]
        self.assertEqual(["httpbasic", "oauthbearertoken"], kinds)
        self.assertEqual(401, (await self.ask("Negotiate abc", "/Users")).status)

    async def test_log(self) -> None:
        """The log tells whose name was shown, and no password or token, nor does an answer."""
        for who in (ADMIN, TENANT, basic("evil\nname:hunter2"), "Bearer hunter2"):
            answer = await self.ask(who, "/clientA/Users")
            self.assertNotIn(b"hunter2", answer.body)
        await self.first.says("passThrough GET /clientA/Users 401")
        self.assertIn(b" admin GET /clientA/Users 200 ", self.first.output)
        for running in (self.first, self.last):
            for who in (ADMIN, TENANT, "4dm1n-password", "hunter2"):
                self.assertNotIn(who.rpartition(" ")[2].encode(), running.output)

    async def test_control_characters(self) -> None:
        """Bytes that could part a header get to no endpoint."""
        for value in (b"Bearer a\x00b", b"Bearer a\x0bb", b"Bearer a\rX-Evil: b", b"Bearer \xff"):
            self.assertIn(await self.raw(value), {400, 401}, value)
        self.assertEqual(200, (await self.ask(ADMIN, "/Groups")).status)
        await self.last.says("GET /Groups 200")
        self.assertNotIn(b"/Users", self.last.output)

    async def raw(self, value: bytes) -> int:
        """Send an Authorization header as it is, and give the status of the answer."""
        connected = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)
        protocol = await connectProtocol(connected, _Raw())
        assert protocol.transport is not None
        head = b"GET /Users HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: "
        protocol.transport.write(head + value + b"\r\n\r\n")
        return int((await protocol.done).split()[1])


class _Raw(Protocol):
    def __init__(self) -> None:
        self.received = b""
        self.done: Deferred[bytes] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: object = None) -> None:
        self.done.callback(self.received)


class HandedOnTests(ServiceCase):
    """The same with `chainingBaseUrl`."""

    async def test_next_judges(self) -> None:
        """Whoever shows something is handed on, and the next gateway judges."""
        last, port = free_port(), free_port()
        await self.start(self.one(last))
        await self.start(self.one(port, chainingBaseUrl=f"http://127.0.0.1:{last}", auth=ON))
        self.assertEqual(200, (await self.request(port, "/Users")).status)
        wrong = await self.request(port, "/Users", Authorization=basic("gwadmin:x"))
        self.assertEqual(401, wrong.status)

    async def test_guessing(self) -> None:
        """What the next gateway refuses counts at this one, which then hands nothing on."""
        last, port = free_port(), free_port()
        behind = await self.start(self.one(last))
        await self.start(self.one(port, chainingBaseUrl=f"http://127.0.0.1:{last}", auth=ON))
        asked = [basic(f"guess{each}:x") for each in range(6)]
        answers = [await self.request(port, "/Users", Authorization=each) for each in asked]
        self.assertEqual([401] * 5 + [429], [each.status for each in answers])
        self.assertEqual(0, await behind.stop())
        self.assertEqual((5, 0), (behind.output.count(b" 401 "), behind.output.count(b" 429 ")))


class ServiceDeskTests(ServiceCase):
    """The same before a service desk."""

    async def test_desk(self) -> None:
        """Its 401 is the caller's own."""
        port, desk = free_port(), free_port()
        command = [sys.executable, "-m", "connectors.api.service_desk", "--port", str(desk)]
        await run(self, desk, command)
        connection = {"baseUrls": [f"http://127.0.0.1:{desk}"], "auth": {"type": "passThrough"}}
        endpoint = {"entity": {"undefined": {"connection": connection}}}
        plugin = {"scimgateway": section(port) | {"auth": ON}, "endpoint": endpoint}
        await self.start(self.folder(scimgw={"plugins": ["plugin-api"]}, plugin_api=plugin))
        for who, status in ((basic("desk:password"), 200), (basic("desk:x"), 401), ("", 401)):
            answer = await self.request(port, "/api", Authorization=who)
            self.assertEqual(status, answer.status)
        self.assertEqual(401, (await self.request(port, "/pub/api")).status)


class RefusedTests(ServiceCase):
    """What doesn't start."""

    async def test_not_agreed(self) -> None:
        """Neither without the connector's asking, nor without being on."""
        asking = {"baseUrls": ["http://127.0.0.1:1"], "auth": {"type": "passThrough"}}
        entity = {"undefined": {"connection": asking}}
        for name, endpoint, auth, fault in (
            ("loki", {}, ON, "$.scimgateway.auth.passThrough: base entity 'undefined' doesn't ask"),
            (
                "restful",
                {"entity": entity},
                {"basic": [{"username": "a", "password": "b"}]},
                "$.endpoint.entity.undefined: wants the callers' own credentials",
            ),
        ):
            plugin = {"scimgateway": section(free_port()) | {"auth": auth}, "endpoint": endpoint}
            files = {"scimgw": {"plugins": [f"plugin-{name}"]}, f"plugin_{name}": plugin}
            folder = self.folder(**json.loads(json.dumps(files)))
            for check in ((), ("--check",)):
                ended = await self.ends("-n", "scimgw", "-c", str(folder), *check)
                self.assertEqual(78, ended.status)
                self.assertIn(f"plugin-{name}.json: {fault}", ended.err)
