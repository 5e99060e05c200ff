"""chainingBaseUrl: gateways that hand requests on, each a process of its own."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from tests.fakes.slow import WAITS
from tests.live.faulty import FaultyServer
from tests.live.ports import free_port
from tests.service.process import CREDENTIALS, Running, ServiceCase

reactor: Any = installed


class ChainingCase(ServiceCase):
    """Starts gateways that hand on."""

    async def before(self, next: int, **more: Any) -> tuple[int, Running]:
        """Start one that hands on to a port."""
        port = free_port()
        url = f"http://127.0.0.1:{next}"
        return port, await self.start(self.one(port, chainingBaseUrl=url, **more))

    def faulty(self) -> tuple[FaultyServer, int]:
        """Listen, and misbehave."""
        server = FaultyServer()
        listening = server.listen()
        self.addCleanup(listening.stopListening)
        return server, listening.getHost().port

    async def raw(self, port: int, request: bytes) -> bytes:
        """Send bytes, and give all that comes back until the end of the connection."""

        def talk() -> bytes:
            with socket.create_connection(("127.0.0.1", port), 60) as connection:
                connection.sendall(request)
                parts = []
                while part := connection.recv(65536):
                    parts.append(part)
                return b"".join(parts)

        return await deferToThread(talk)


class ChainTests(ChainingCase):
    """Three in a row."""

    async def test_three(self) -> None:
        """Each asks who it is, and the last answers; what is said of addresses fits the first."""
        last = free_port()
        entity: dict[str, Any] = {"undefined": {}, "x y": {}}
        await self.start(self.one(last, {"idFrom": "userName", "entity": entity}))
        middle, _ = await self.before(last)
        first, running = await self.before(middle)
        got = await self.request(first, "/Users/bjensen?attributes=userName")
        self.assertEqual(200, got.status)
        via = ", ".join(got.headers.getRawHeaders("Via", []))
        self.assertEqual("1.1 scimgw, 1.1 scimgw", via)
        created = await self.request(first, "/x%20y/scim/Users", "POST", {"userName": "a/b"})
        address = f"http://127.0.0.1:{first}/x%20y/scim/Users/a%2Fb"
        self.assertEqual(201, created.status)
        self.assertEqual([address], created.headers.getRawHeaders("Location"))
        self.assertEqual(200, (await self.request(last, "/x%20y/Users/a%2Fb")).status)
        again = await self.request(first, "/x%20y/Users", "POST", {"userName": "A/B"})
        self.assertEqual((409, "uniqueness"), (again.status, again.json()["scimType"]))
        deleted = await self.request(first, "/x%20y/Users/a%2Fb", "DELETE")
        self.assertEqual((204, b""), (deleted.status, deleted.body))
        self.assertEqual(404, (await self.request(first, "/nothing/here")).status)
        self.assertIn(b"gwadmin GET /Users/bjensen 200", running.output)

    async def test_own_authentication(self) -> None:
        """Nobody gets past the first one without its leave; the health check is its own."""
        server, next = self.faulty()
        first, _ = await self.before(next)
        for path in ("/good", "/Users", "/pub/api", "/ServiceProviderConfig/x"):
            refused = await self.request(first, path, Authorization="Basic x")
            self.assertEqual(401, refused.status)
        self.assertEqual(b"hello", (await self.request(first, "/ping")).body)
        self.assertEqual([], server.requests)

    async def test_headers(self) -> None:
        """What concerns one connection goes no further; who asked, and how, is told."""
        server, next = self.faulty()
        first, _ = await self.before(next)
        sent = (
            f"GET /good HTTP/1.1\r\nHost: 127.0.0.1:{first}\r\nAuthorization: {CREDENTIALS}\r\n"
            "Connection: close\r\nConnection: X-Secret\r\nX-Secret: 1\r\nX-Other: 2\r\n"
            "TE: trailers\r\n"
            "Proxy-Authorization: Basic x\r\nX-Forwarded-For: 192.0.2.1\r\nX-Request-Id: mine\r\n"
            "\r\n"
        )
        await self.raw(first, sent.encode())
        lines = [line.lower() for line in server.requests[0].split(b"\r\n")]
        names = {line.partition(b":")[0] for line in lines}
        self.assertEqual(set(), names & {b"x-secret", b"te", b"proxy-authorization"})
        for line in (
            b"x-other: 2",
            b"x-forwarded-for: 127.0.0.1",
            b"x-forwarded-proto: http",
            b"via: 1.1 scimgw",
            f"host: 127.0.0.1:{first}".encode(),
            f"authorization: {CREDENTIALS}".lower().encode(),
        ):
            self.assertIn(line, lines)
        self.assertFalse(any(b"mine" in line for line in lines))

    async def test_hostile_targets(self) -> None:
        """However a request spells its target, it goes to the next gateway and nowhere else."""
        server, next = self.faulty()
        first, _ = await self.before(next)
        head = f" HTTP/1.1\r\nHost: x\r\nAuthorization: {CREDENTIALS}\r\nConnection: close\r\n\r\n"
        for target in (b"//evil.example/good", b"http://evil.example/good", b"/good?a=\xff"):
            await self.raw(first, b"GET " + target + head.encode())
        paths = [request.split(b" ")[1] for request in server.requests]
        self.assertEqual([b"//evil.example/good", b"/good"], paths)


class StreamTests(ChainingCase):
    """Bodies of any size."""

    async def test_large(self) -> None:
        """A large body goes through both ways, up to the bound of each gateway."""
        last = free_port()
        big = 32 * 1024 * 1024
        await self.start(self.one(last, connector="tests.fakes.echo:PLUGIN", payloadSize=big))
        first, _ = await self.before(last, payloadSize=big)
        kind = {"Content-Type": "application/octet-stream"}
        content = bytes(range(256)) * 40_000
        echoed = await self.request(first, "/api", "POST", content, **kind)
        self.assertEqual(content.hex(), echoed.json()["body"])
        streamed = await self.request(first, "/api/stream")
        self.assertEqual(b"".join(b"%08d" % each for each in range(100_000)), streamed.body)
        refused = await self.request(first, "/api", "POST", b"x" * (big + 1), **kind)
        self.assertEqual(413, refused.status)
        answer = await self.raw(first, _slow_reader_request())
        self.assertTrue(answer.endswith(b"0\r\n\r\n"))

    async def test_cut_off(self) -> None:
        """An answer that breaks off, or stops, isn't taken for whole."""
        server, next = self.faulty()
        first, _ = await self.before(next)
        request = f"GET /short HTTP/1.1\r\nHost: x\r\nAuthorization: {CREDENTIALS}\r\n\r\n".encode()
        head, _, body = (await self._aborted(first, request)).partition(b"\r\n\r\n")
        self.assertIn(b"Content-Length: 100", head)
        self.assertLess(len(body), 100)
        await self.nothing_left(server)

    async def _aborted(self, port: int, request: bytes) -> bytes:
        """Send bytes, and give what comes back before the connection is cut."""

        def talk() -> bytes:
            parts = []
            with socket.create_connection(("127.0.0.1", port), 60) as connection:
                connection.sendall(request)
                try:
                    while part := connection.recv(65536):
                        parts.append(part)
                except ConnectionResetError:
                    pass
            return b"".join(parts)

        return await deferToThread(talk)

    async def test_client_leaves(self) -> None:
        """A client that leaves in the middle leaves no connection to the next gateway."""
        server, next = self.faulty()
        first, _ = await self.before(next)
        for path in ("/trickle", "/hang"):
            leaving = socket.create_connection(("127.0.0.1", first))
            line = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {CREDENTIALS}\r\n\r\n"
            leaving.sendall(line.encode())
            await self.until(lambda: bool(server.requests))
            server.requests.clear()
            self.assertEqual(1, len(server.connections))
            leaving.close()
            await self.nothing_left(server)

    async def nothing_left(self, server: FaultyServer) -> None:
        """Wait until nobody is connected to a server any more."""
        await self.until(lambda: not server.connections)


class FaultTests(ChainingCase):
    """The next gateway isn't well."""

    async def test_faults(self) -> None:
        """Nobody there, no answer, no HTTP."""
        server, next = self.faulty()
        first, _ = await self.before(next)
        for path, requests in (("/reset", 2), ("/garbage", 2)):
            server.requests.clear()
            answer = await self.request(first, path)
            self.assertEqual((503, requests), (answer.status, len(server.requests)))
            self.assertEqual("503", answer.json()["status"])
        server.requests.clear()
        self.assertEqual(503, (await self.request(first, "/reset", "POST", {})).status)
        self.assertEqual(1, len(server.requests))
        alone, _ = await self.before(free_port())
        for _ in range(5):
            self.assertEqual(503, (await self.request(alone, "/Users")).status)
        answer = await self.request(alone, "/Users")
        self.assertEqual(503, answer.status)
        self.assertTrue(answer.headers.hasHeader("Retry-After"))

    async def test_stops(self) -> None:
        """A gateway that hands on stops like any other, what is under way first."""
        last, gate = free_port(), Path(self.mktemp()).absolute()
        slow = self.one(last, {"gate": str(gate)}, connector="tests.fakes.slow:PLUGIN")
        behind = await self.start(slow)
        first, running = await self.before(last)
        asked = Deferred.fromCoroutine(self.request(first, "/Users?filter=title%20pr"))
        await behind.says(WAITS)
        stopped = Deferred.fromCoroutine(running.stop())
        await running.says("Received SIGTERM")
        gate.touch()
        self.assertEqual(200, (await asked).status)
        self.assertEqual(0, await stopped)

    async def test_configuration(self) -> None:
        """What isn't a URL is a fault."""
        folder = self.one(free_port(), chainingBaseUrl="gateway:8880")
        ended = await self.ends("scimgw", "-c", str(folder), "--check")
        self.assertEqual(78, ended.status)
        self.assertIn("$.scimgateway.chainingBaseUrl: must be a URL", ended.err)


def _slow_reader_request() -> bytes:
    return (
        f"GET /api/stream HTTP/1.1\r\nHost: x\r\nAuthorization: {CREDENTIALS}\r\n"
        "Connection: close\r\n\r\n"
    ).encode()
