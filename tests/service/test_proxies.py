"""Gateways behind proxies: the allow list, forwarded addresses, PROXY headers, on real sockets."""

from __future__ import annotations

import socket

from twisted.internet.threads import deferToThread

from scimgw.testing.client import parse
from tests.live.ports import free_port
from tests.service.process import CREDENTIALS, ServiceCase

ALLOWED = ["203.0.113.0/24", "2001:db8::/32"]


def request(path: str, **headers: str) -> bytes:
    """Write a request, the only one of its connection."""
    sent = {"Host": "inner", "Authorization": CREDENTIALS, "Connection": "close", **headers}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    return "\r\n".join([*lines, "", ""]).encode()


class ProxyCase(ServiceCase):
    """Talks over sockets of its own."""

    async def raw(self, port: int, *pieces: bytes, source: str = "127.0.0.1") -> bytes:
        """Send bytes piece by piece, and give all that comes back until the connection ends."""
        here = (source, 0)

        def talk() -> bytes:
            with socket.create_connection(("127.0.0.1", port), 60, here) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                received = []
                try:
                    for piece in pieces:
                        connection.sendall(piece)
                    while part := connection.recv(65536):
                        received.append(part)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                return b"".join(received)

        return await deferToThread(talk)


class AllowListTests(ProxyCase):
    """Without a proxy, and behind one that speaks HTTP."""

    async def test_direct(self) -> None:
        """Another address is answered 403 whatever it asks, and claims to be; the log has it."""
        port = free_port()
        running = await self.start(self.one(port, ipAllowList=ALLOWED))
        for path in ("/ping", "/Users", "/nope"):
            answer = parse(
                await self.raw(port, request(path, **{"X-Forwarded-For": "203.0.113.9"}))
            )
            self.assertEqual(403, answer.status)
        await running.says("127.0.0.1 - GET /nope 403")

    async def test_forwarded(self) -> None:
        """Through two gateways, a proxy before the first tells the last who asks, and for whom."""
        last, first = free_port(), free_port()
        behind = await self.start(self.one(last, ipAllowList=ALLOWED, trustedProxies=["127.0.0.1"]))
        url = f"http://127.0.0.1:{last}"
        await self.start(self.one(first, chainingBaseUrl=url, trustedProxies=["127.0.0.0/8"]))
        headers = {
            "X-Forwarded-For": "198.51.100.1, 203.0.113.9:4711",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "id.example",
        }
        answer = parse(await self.raw(first, request("/scim/Users/bjensen", **headers)))
        self.assertEqual(200, answer.status)
        location = answer.json()["meta"]["location"]
        self.assertEqual("https://id.example/scim/Users/bjensen", location)
        await behind.says("203.0.113.9 gwadmin GET /scim/Users/bjensen 200")
        headers["X-Forwarded-For"] = "203.0.113.9, 198.51.100.1"
        answer = parse(await self.raw(first, request("/Users/bjensen", **headers)))
        self.assertEqual(403, answer.status)


class ProxyProtocolTests(ProxyCase):
    """Behind a proxy that passes connections on."""

    async def test_header(self) -> None:
        """Who the header names is the client; no answer is given without one."""
        port = free_port()
        running = await self.start(
            self.one(port, ipAllowList=ALLOWED, trustedProxies=["127.0.0.1"], proxyProtocol=True)
        )
        asked = request("/Users?count=1")
        whole = b"PROXY TCP4 203.0.113.9 127.0.0.1 56324 443\r\n" + asked
        for pieces in ((whole,), (whole[:3], whole[3:40], whole[40:])):
            answer = parse(await self.raw(port, *pieces))
            self.assertEqual((200, 2), (answer.status, answer.json()["totalResults"]))
        await running.says("203.0.113.9 gwadmin GET /Users 200")
        other = await self.raw(port, b"PROXY TCP4 198.51.100.1 127.0.0.1 1 443\r\n" + asked)
        self.assertEqual(403, parse(other).status)
        second = b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24" + socket.inet_pton(
            socket.AF_INET6, "2001:db8::9"
        )
        self.assertEqual(200, parse(await self.raw(port, second + b"\0" * 20 + asked)).status)
        for malformed in (asked, b"PROXY TCP4 x y 1 2\r\n" + asked, b"PROXY " + b"x" * 500):
            self.assertEqual(b"", await self.raw(port, malformed))
        await running.says("127.0.0.1 didn't send a PROXY header")
        self.assertEqual(0, await running.stop())
        self.assertNotIn(b"Traceback", running.output)

    async def test_untrusted(self) -> None:
        """Who isn't a trusted proxy gets no connection."""
        port = free_port()
        running = await self.start(self.one(port, trustedProxies=["192.0.2.1"], proxyProtocol=True))
        self.assertEqual(b"", await self.raw(port, b"PROXY UNKNOWN\r\n" + request("/ping")))
        await running.says("127.0.0.1 isn't in trustedProxies")
