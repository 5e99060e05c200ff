"""The HTTP client, and servers that hang, reset, trickle, lie, redirect, or answer HTML."""

from __future__ import annotations

import contextlib
import tracemalloc
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import Clock, deferLater
from twisted.logger import capturedLogs, formatEvent

from scimgw.clients.http import HttpClient, Request
from scimgw.errors import BadGateway, ScimError, Unavailable
from tests.live.faulty import FaultyServer
from tests.live.http_case import PATIENT, HttpCase, reactor
from tests.live.ports import free_port


class FaultCase(HttpCase):
    """Has a faulty server, and checks that no connection is left to it."""

    def setUp(self) -> None:
        """Listen."""
        self.server, self.url = self.listen()
        self.clock = Clock()
        self.http = self.client(self.url)

    def listen(self) -> tuple[FaultyServer, str]:
        """Start a faulty server."""
        server = FaultyServer()
        port = server.listen()
        self.addCleanup(port.stopListening)
        return server, f"http://127.0.0.1:{port.getHost().port}"

    async def get(self, path: str, method: str = "GET", using: HttpClient | None = None) -> int:
        """Make a request, and give the status of its answer."""
        return (await (using or self.http).request(Request(method=method, path=path))).status

    def failing(self, path: str, method: str = "GET", **options: Any) -> Deferred[ScimError]:
        """Make a request that is to fail, with a client for whom time passes as the test says."""
        self.http = self.client(self.url, options=evolve(PATIENT, **options), clock=self.clock)
        return Deferred.fromCoroutine(self.fails(Unavailable, self.http, path, method))

    async def heard(self) -> None:
        """Wait until the client has heard something of a body just now, by its clock."""
        due = self.clock.seconds() + PATIENT.read_timeout
        await self.until(lambda: due in {call.getTime() for call in self.clock.getDelayedCalls()})

    async def nothing_left(self) -> None:
        """Check that neither side holds a connection."""
        await self.until(lambda: not self.http.connections and not self.server.connections)
        self.assertEqual(PATIENT.max_connections, self.http._slots.tokens)
        self.assertEqual([], self.http._slots.waiting)

    async def none_but_idle(self, http: HttpClient) -> None:
        """Check that a whole answer leaves one idle connection at most, and closing none."""
        self.assertEqual(PATIENT.max_connections, http._slots.tokens)
        kept = [each for some in http._pool._connections.values() for each in some]
        self.assertEqual(http.connections, len(kept))
        self.assertLessEqual(len(kept), 1)
        await http.close()
        await self.nothing_left()


class FaultTests(FaultCase):
    """Each fault ends in the right error, in time, and leaves no connection."""

    async def test_hang(self) -> None:
        """A server that doesn't answer is given up after the time for silence."""
        failing = self.failing("/hang", retries=0)
        await self.until(lambda: bool(self.server.requests))
        self.clock.advance(PATIENT.connect_timeout + PATIENT.read_timeout - 1)
        self.assertFalse(failing.called)
        self.clock.advance(1)
        self.assertIn("too long", (await failing).detail)
        await self.nothing_left()

    async def test_hang_is_bounded_in_all(self) -> None:
        """However often it is tried, a call ends in its time."""
        failing = self.failing("/hang", retries=10)
        while not failing.called:
            self.clock.advance(1)
            await deferLater(reactor, 0)
        self.assertLess(self.clock.seconds(), 2 * PATIENT.abort_timeout)
        await failing
        await self.nothing_left()

    async def test_no_answer(self) -> None:
        """A reset, or the end of the connection, instead of an answer."""
        for path in ("/reset", "/close"):
            error = await self.fails(Unavailable, self.http, path, "POST")
            self.assertIn("broke off", error.detail)
        await self.nothing_left()

    async def test_trickle(self) -> None:
        """An answer that drips is cut off when the time for the whole call is over."""
        failing = self.failing("/trickle")
        for _ in range(4):
            await self.heard()
            self.assertFalse(failing.called)
            self.clock.advance(PATIENT.abort_timeout / 4)
        self.assertIn("too long", (await failing).detail)
        await self.nothing_left()

    async def test_shorter_than_announced(self) -> None:
        """A body that ends before its Content-Length isn't taken for whole."""
        error = await self.fails(Unavailable, self.http, "/short", "POST")
        self.assertIn("no whole answer", error.detail)
        await self.nothing_left()

    async def test_silence_in_a_body(self) -> None:
        """A body that stops coming is given up after the time for silence."""
        failing = self.failing("/half", "POST")
        await self.heard()
        self.clock.advance(PATIENT.read_timeout)
        self.assertIn("too long", (await failing).detail)
        await self.nothing_left()

    async def test_longer_than_announced(self) -> None:
        """What comes after a body isn't taken for the answer to the next request."""
        self.assertEqual(200, await self.get("/more", "POST"))
        self.assertEqual(200, await self.get("/good", "POST"))
        self.assertEqual(2, len(self.server.requests))
        await self.none_but_idle(self.http)

    async def test_redirect(self) -> None:
        """A redirect isn't followed: credentials would go where nobody sent them."""
        error = await self.fails(BadGateway, self.http, "/redirect")
        self.assertIn("redirects (302)", error.detail)
        await self.none_but_idle(self.http)

    async def test_html(self) -> None:
        """HTML in place of JSON is no answer."""
        answer = await self.http.request(Request(method="GET", path="/html"))
        with self.assertRaisesRegex(BadGateway, "text/html"):
            answer.json()
        await self.none_but_idle(self.http)

    async def test_garbage(self) -> None:
        """What isn't HTTP is no answer."""
        await self.fails(Unavailable, self.http, "/garbage", "POST")
        await self.nothing_left()

    async def test_too_large(self) -> None:
        """A body past the bound is refused, announced or not, and not asked for again."""
        for path in ("/large", "/endless"):
            error = await self.fails(BadGateway, self.http, path)
            self.assertIn("larger", error.detail)
        self.assertEqual(2, len(self.server.requests))
        await self.nothing_left()

    async def test_compressed(self) -> None:
        """What a body unpacks to is bounded while it is unpacked; what can't be is no answer."""
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        error = await self.fails(BadGateway, self.http, "/bomb")
        self.assertIn("larger", error.detail)
        self.assertLess(tracemalloc.get_traced_memory()[1], 20 * 1024 * 1024)
        await self.nothing_left()
        answer = await self.http.request(Request(method="POST", path="/torn"))
        with self.assertRaisesRegex(BadGateway, "isn't JSON"):
            answer.json()
        await self.nothing_left()

    async def test_closed(self) -> None:
        """To close ends what is under way, which doesn't begin again."""
        running = Deferred.fromCoroutine(self.get("/hang"))
        await self.until(lambda: bool(self.server.requests))
        await self.http.close()
        self.failureResultOf(running, Unavailable)
        await self.nothing_left()
        self.assertEqual(1, len(self.server.requests))

    async def test_nobody_listens(self) -> None:
        """A port that nobody listens on, and a name that nobody has."""
        for url in (f"http://127.0.0.1:{free_port()}", "http://nobody.invalid"):
            # a resolver may take its time
            http = self.client(url, options=evolve(PATIENT, connect_timeout=1, retries=0))
            error = await self.fails(Unavailable, http, "/good", "POST")
            self.assertIn("can't be reached", error.detail)

    async def test_caller_gives_up(self) -> None:
        """A request that is cancelled leaves no connection."""
        running = Deferred.fromCoroutine(self.get("/hang"))
        await self.until(lambda: bool(self.server.requests))
        running.addErrback(lambda _: None).cancel()
        await running
        await self.nothing_left()
        self.assertEqual(1, len(self.server.requests))

    async def test_deadline(self) -> None:
        """A caller's deadline holds where it is sooner than the client's own bound."""
        http = self.client(self.url, clock=self.clock)
        asked = Request(method="GET", path="/hang", deadline=self.clock.seconds() + 2)
        running = Deferred.fromCoroutine(http.request(asked))
        await self.until(lambda: bool(self.server.requests))
        self.clock.advance(1)
        self.assertFalse(running.called)
        self.clock.advance(1)
        with self.assertRaises(Unavailable):
            await running


class RepeatTests(FaultCase):
    """What is made again, and what isn't."""

    async def test_safe(self) -> None:
        """A GET is made again after a reset, and the caller is told of it."""
        answer = await self.http.request(Request(method="GET", path="/reset-then-good"))
        self.assertEqual((200, True), (answer.status, answer.repeated))

    async def test_unsafe(self) -> None:
        """A POST or PATCH that may have been carried out is made once only."""
        for method in ("POST", "PATCH"):
            await self.fails(Unavailable, self.http, "/reset-then-good", method)
        self.assertEqual(2, len(self.server.requests))

    async def test_stale(self) -> None:
        """On a connection that the server has given up, a GET is made again and a POST isn't."""
        for method, expected in (("DELETE", 3), ("GET", 6)):
            await self.get("/stale", method)
            self.assertEqual(200, await self.get("/good", method))
            self.assertEqual(expected, len(self.server.requests))
            await self.http._pool.closeCachedConnections()
        await self.get("/stale")
        await self.fails(Unavailable, self.http, "/good", "POST")
        self.assertEqual(8, len(self.server.requests))

    async def test_busy(self) -> None:
        """Retry-After is heeded if there is time for it, and told to the caller if there isn't."""
        http = self.client(self.url, options=evolve(PATIENT, abort_timeout=16))
        for path, seconds in (("/busy", 17.0), ("/down", 3600.0)):
            error = await self.fails(Unavailable, http, path, "POST")
            assert isinstance(error, Unavailable)
            self.assertEqual(seconds, error.retry_after)
        self.assertEqual(2, len(self.server.requests))

    async def test_connections_are_kept(self) -> None:
        """One connection serves one request after the other."""
        for _ in range(5):
            await self.get("/good")
        self.assertEqual((5, 1), (len(self.server.requests), self.server.accepted))

    async def test_bounded(self) -> None:
        """No more requests at once than are allowed; the others wait."""
        http = self.client(self.url, options=evolve(PATIENT, max_connections=2))
        await gatherResults(
            [Deferred.fromCoroutine(self.get("/good", using=http)) for _ in range(20)]
        )
        self.assertEqual((20, 2), (len(self.server.requests), self.server.accepted))

    async def test_no_cookies(self) -> None:
        """What a server sets for one request isn't sent with the next."""
        await self.get("/cookie")
        await self.get("/good")
        self.assertNotIn(b"ookie:", self.server.requests[1])


class FailoverTests(FaultCase):
    """Several addresses."""

    async def test_first_that_works(self) -> None:
        """A POST too goes on to the next address if it was never sent, and stays there."""
        dead = f"http://127.0.0.1:{free_port()}"
        http = self.client(dead, self.url)
        for _ in range(3):
            self.assertEqual(200, await self.get("/good", "POST", http))
        self.assertEqual(1, http._targets.all[0].failures)

    async def test_returns(self) -> None:
        """The first address is used again once it is back."""
        other, port = FaultyServer(), free_port()
        http = self.client(f"http://127.0.0.1:{port}", self.url)
        await self.get("/good", using=http)
        listening = other.listen(port)
        self.addCleanup(listening.stopListening)
        await self.get("/good", using=http)
        self.assertEqual(0, len(other.requests))
        http._targets.all[0]._failed_at -= 60
        await self.get("/good", using=http)
        self.assertEqual((1, 2), (len(other.requests), len(self.server.requests)))

    async def test_circuit(self) -> None:
        """An address that fails again and again is left alone, and the client told for how long."""
        http = self.client(self.url, options=evolve(PATIENT, retries=0))
        for _ in range(5):
            await self.fails(Unavailable, http, "/reset", "POST")
        error = await self.fails(Unavailable, http, "/good")
        assert isinstance(error, Unavailable)
        assert error.retry_after is not None
        self.assertTrue(0 < error.retry_after <= 10)
        self.assertEqual(5, len(self.server.requests))
        http._targets.all[0]._failed_at -= 60
        self.assertEqual(200, await self.get("/good", using=http))


class ToldTests(FaultCase):
    """What the log tells of an endpoint that isn't well."""

    async def told(self, request: Request) -> list[tuple[str, str]]:
        """Make a request, whatever comes of it, and give what is logged, with its level."""
        with capturedLogs() as events, contextlib.suppress(Unavailable):
            await self.client(self.url).request(request)
        return [
            (each["log_level"].name, str(formatEvent(each)))
            for each in events
            if each["log_namespace"].startswith("scimgw.")
        ]

    async def test_made_again(self) -> None:
        """A connection that was closed in vain is worth a note, whoever has made the request."""
        for id, whose in ((None, "a request of the gateway's own"), ("r-1", "request r-1")):
            ((level, line),) = await self.told(
                Request(method="GET", path=f"/{id}/close-then-good", request_id=id)
            )
            self.server.seen.clear()
            self.assertEqual("info", level)
            self.assertTrue(line.startswith(f"{whose}: GET {self.url}: ConnectionDone"), line)
            self.assertTrue(line.endswith("; it is made again"), line)

    async def test_given_up(self) -> None:
        """What isn't made again is a warning."""
        ((level, line),) = await self.told(Request(method="POST", path="/close"))
        self.assertEqual("warn", level)
        self.assertNotIn("made again", line)


class DebugTests(FaultCase):
    """What is logged of bodies."""

    async def test_debug(self) -> None:
        """Nothing, or, if so configured, bodies without their secrets and headers not at all."""
        request = Request(
            method="POST",
            path="/good",
            body=b'{"userName": "bjensen", "password": "hunter2"}',
            headers={"Content-Type": "application/json", "X-Key": "hunter2"},
            request_id="r-1",
        )
        for debug, expected in ((False, []), (True, ["POST", "200"])):
            options = evolve(PATIENT, debug=debug)
            with capturedLogs() as events:
                await self.client(self.url, options=options).request(request)
            lines = [str(formatEvent(each)) for each in events]
            mine = [line for line in lines if line.startswith("request r-1: ")]
            self.assertEqual(expected, [line.split()[2].strip(":") for line in mine])
            self.assertNotIn("hunter2", "".join(lines))
            self.assertEqual(debug, "bjensen" in "".join(lines))
