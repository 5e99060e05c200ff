"""/api and /pub/api."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from connectors.loki import LokiConnector
from scimgw.connector import ApiAnswer, ApiConnector, ApiRequest, Call
from scimgw.gateway.apionly import ApiOnly
from scimgw.testing.client import Client, Connection, Response
from scimgw.web.stream import Flow
from tests.fakes.echo import EchoConnector
from tests.web.world import WebCase


class Both(LokiConnector):
    """A SCIM connector that answers /api as well."""

    async def api(self, call: Call, request: ApiRequest) -> ApiAnswer:
        """Tell the base entity."""
        return ApiAnswer(body=f"{call.entity} {request.id}")


class ApiCase(WebCase):
    """Has a site over a connector that speaks no SCIM."""

    def setUp(self) -> None:
        """Serve it."""
        super().setUp()
        self.echo = EchoConnector()
        self.serve(ApiOnly(self.echo))

    def told(self, response: Response, status: int = 200) -> Any:
        """Give the JSON of an answer."""
        self.assertEqual(status, response.status, response.body)
        self.assertEqual("application/json", response.headers["Content-Type"])
        return response.json()


class RequestTests(ApiCase):
    """What the connector is asked."""

    def test_methods(self) -> None:
        """Each method reaches it, with the id where there is one, below a base entity too."""
        for method, path, id, status in (
            ("GET", "/api", None, 200),
            ("POST", "/api", None, 201),
            ("GET", "/api/1", "1", 200),
            ("PUT", "/api/1", "1", 200),
            ("PATCH", "/api/1", "1", 200),
            ("DELETE", "/api/a%2Fb%20c", "a/b c", 200),
        ):
            for prefix in ("", "/clientA", "/scim"):
                entity = prefix[1:] if prefix == "/clientA" else "undefined"
                told = self.told(self.client.request(method, prefix + path), status)
                expected = (method, id, entity)
                self.assertEqual(expected, (told["method"], told["id"], told["entity"]))

    def test_query(self) -> None:
        """The query is read."""
        told = self.told(self.client.get("/api?a=b%26c&d"))
        self.assertEqual({"a": "b&c", "d": ""}, told["query"])

    def test_bodies(self) -> None:
        """A body is what its media type says, that of a GET too."""
        rows: list[tuple[str | None, bytes, Any]] = [
            ("application/json", b'{"a": [1]}', {"a": [1]}),
            ("application/vnd.x+json; charset=utf-8", b"1", 1),
            (None, b"true", True),
            ("text/plain", "grüße".encode(), "grüße"),
            ("application/x-www-form-urlencoded", b"a=b+c&d=", {"a": "b c", "d": ""}),
            ("application/octet-stream", b"\0\xff", "00ff"),
        ]
        for method in ("POST", "GET"):
            for kind, content, expected in rows:
                response = self.client.request(method, "/api", content, {"Content-Type": kind})
                self.assertEqual(expected, response.json()["body"], kind)
        self.assertIsNone(self.told(self.client.get("/api"))["body"])

    def test_bad_bodies(self) -> None:
        """A body that isn't what its type says is refused."""
        form = "application/x-www-form-urlencoded"
        rows = (("application/json", b"{"), ("text/plain", b"\xff"), (form, b"a&" * 20_000))
        for kind, content in rows:
            response = self.client.request("POST", "/api", content, {"Content-Type": kind})
            self.error(400, response, "invalidSyntax")

    def test_refused(self) -> None:
        """Other methods, longer paths, and other entities are refused."""
        for method, path in (("DELETE", "/api"), ("POST", "/api/1"), ("TRACE", "/api")):
            response = self.client.request(method, path)
            self.error(405, response)
            self.assertIn("GET", response.headers["Allow"])
        for path in ("/api/1/2", "/nobody/api", "/undefined/api"):
            self.error(404, self.client.get(path))
        self.error(401, Client(self.site, password="x").get("/api"))
        self.assertEqual([], self.echo.done)

    def test_options(self) -> None:
        """OPTIONS tells the methods."""
        for path, expected in (("/api", "POST"), ("/api/1", "PATCH"), ("/pub/api", "POST")):
            self.assertIn(expected, self.client.request("OPTIONS", path).headers["Allow"])


class AnswerTests(ApiCase):
    """What the client is answered."""

    def test_kinds(self) -> None:
        """Text, bytes, nothing, and whatever the connector says itself."""
        for id, status, kind, content in (
            ("text", 200, "text/plain; charset=utf-8", "grüße".encode()),
            ("bytes", 200, "image/png", b"\0\1"),
            ("nothing", 204, None, b""),
            ("teapot", 418, "application/json", b'{"tea":null}'),
        ):
            response = self.client.get(f"/api/{id}")
            told = (response.status, response.headers["Content-Type"], response.body)
            self.assertEqual((status, kind, content), told)
            self.assertEqual("nosniff", response.headers["X-Content-Type-Options"])
        self.assertEqual("green", response.headers["X-Tea"])

    def test_head(self) -> None:
        """HEAD has no body."""
        response = self.client.request("HEAD", "/api/text")
        self.assertEqual((b"", "7"), (response.body, response.headers["Content-Length"]))

    def test_stream(self) -> None:
        """A stream is sent as it comes."""
        connection = Connection(self.site)
        connection.send(self.client.encoded("GET", "/api/stream"))
        body = connection.response().body
        self.assertEqual(b"".join(b"%08d" % each for each in range(100_000)), body)

    def test_flow(self) -> None:
        """The source waits while the client can't take more, but not for one that has left."""
        flow = Flow()
        self.successResultOf(Deferred.fromCoroutine(flow.open()))
        for go_on in (flow.resumeProducing, flow.stopProducing):
            flow.pauseProducing()
            flow.pauseProducing()
            waiting = Deferred.fromCoroutine(flow.open())
            self.assertNoResult(waiting)
            go_on()
            self.successResultOf(waiting)

    def test_broken(self) -> None:
        """A stream that fails half-way is cut off, and can't be taken for whole."""
        connection = Connection(self.site)
        connection.send(self.client.encoded("GET", "/api/broken"))
        self.assertTrue(connection.transport.aborted)
        self.assertIn(b"begun", connection.received())

    def test_failures(self) -> None:
        """What the connector raises is told as in SCIM; a bug isn't told."""
        self.error(409, self.client.get("/api/twice"), "uniqueness")
        detail = self.error(500, self.client.get("/api/bug"))
        self.assertNotIn("hunter2", detail)
        self.assertEqual(1, len(self.flushLoggedErrors(KeyError)))

    def test_disconnect(self) -> None:
        """A client that leaves cancels what is read, not what is written."""
        for method, path, done in (("GET", "/api", []), ("POST", "/api", ["POST"])):
            waiting: Deferred[None] = Deferred()
            self.echo.wait = lambda waiting=waiting: waiting
            connection = Connection(self.site)
            connection.send(self.client.encoded(method, path))
            connection.lose()
            if not waiting.called:
                waiting.callback(None)
            self.assertEqual(done, self.echo.done)


class PublicTests(ApiCase):
    """/pub/api."""

    def test_anybody(self) -> None:
        """No credentials are asked for, and none looked at."""
        for headers in ({"Authorization": None}, {"Authorization": "Basic x"}):
            response = self.client.request("GET", "/clientA/pub/api/1", headers=headers)
            expected = {"principal": "-", "entity": "clientA", "id": "1"}
            self.assertEqual(expected, self.told(response))

    def test_nothing_else(self) -> None:
        """Nothing else is public."""
        for path in ("/pub", "/pub/Users", "/pub/api/1/2", "/nobody/pub/api", "/undefined/pub/api"):
            self.error(404, self.client.request("GET", path, headers={"Authorization": None}))


class OtherConnectorTests(WebCase):
    """Connectors that answer both, and that answer neither."""

    def test_neither(self) -> None:
        """Without an ApiConnector there is no such endpoint, and the names are free."""
        for path in ("/api", "/api/1", "/pub/api"):
            self.error(404, self.client.get(path))

    def test_both(self) -> None:
        """A SCIM connector may be an ApiConnector as well."""
        both = Both(*self.loki_arguments())
        self.serve(both)
        self.assertEqual(b"clientA 7", self.client.get("/clientA/api/7").body)
        self.assertEqual(2, len(self.resources("/Users")))
        self.error(404, self.client.get("/pub/api"))

    def test_only(self) -> None:
        """A connector that speaks no SCIM has no resources, and is closed."""
        echo: ApiConnector = EchoConnector()
        alone = ApiOnly(echo)
        self.serve(alone)
        self.error(404, self.client.get("/Users"))
        self.assertEqual([], self.resources("/ResourceTypes"))
        self.successResultOf(Deferred.fromCoroutine(alone.close()))
        assert isinstance(echo, EchoConnector)
        self.assertTrue(echo.closed)
