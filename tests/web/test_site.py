"""What guards a site and leads to its resources: login, entities, methods, discovery, the log."""

from __future__ import annotations

import tempfile
import time
from errno import EMFILE
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from scimgw.auth.throttle import FORGIVEN
from scimgw.connector import Call
from scimgw.errors import InvalidFilter, MethodNotAllowed, PartialWrite, Unavailable
from scimgw.scim.query import Page, Query
from scimgw.scim.resource import Resource
from scimgw.scim.schema import USER
from scimgw.testing.client import Client, Connection, Response, parse
from scimgw.web.request import IN_MEMORY, LINGER, Access
from scimgw.web.root import Limits
from scimgw.web.routes import Routes
from tests.fakes.memory import MemoryConnector
from tests.web.world import BASE, CORE, ENTERPRISE, WebCase

ANONYMOUS = {"Authorization": None}
POST = b"POST /Users HTTP/1.1\r\nHost: x\r\n"


class LoginTests(WebCase):
    """Who gets in."""

    def test_required(self) -> None:
        """Everything but the health check and ServiceProviderConfig asks who it is."""
        for path in (
            "/Users",
            "/Users/bjensen",
            "/Schemas",
            "/ResourceTypes",
            "/nope",
            "/clientA/Users",
            "/nope/Users",
            "/clientA/ping",
        ):
            for headers in (
                ANONYMOUS,
                {"Authorization": "Basic bm86bm8="},
                {"Authorization": "non-token"},
            ):
                self.clock.advance(FORGIVEN)
                response = self.client.request("GET", path, headers=headers)
                self.assertTrue(self.error(401, response))
                self.assertEqual(
                    'Basic realm="scimgw", charset="UTF-8"', response.headers["WWW-Authenticate"]
                )

    def test_no_path(self) -> None:
        """What is about the server as a whole asks it as well (RFC 9110 section 9.3.7)."""
        response = self.client.request("OPTIONS", "*", headers=ANONYMOUS)
        self.assertEqual(401, response.status)
        self.assertEqual("scimgw", response.headers["Server"])
        self.assertEqual(204, self.client.request("OPTIONS", "*").status)

    def test_public(self) -> None:
        """Those two don't, whatever is presented."""
        for path in ("/ping", "/ServiceProviderConfig", "/clientA/scim/v2/ServiceProviderConfig"):
            for headers in (ANONYMOUS, {"Authorization": "Basic bm86bm8="}):
                self.assertEqual(200, self.client.request("GET", path, headers=headers).status)

    def test_nothing_is_done_first(self) -> None:
        """Who isn't let in changes nothing."""
        wrong = Client(self.site, password="wrong")
        self.error(401, wrong.delete("/Users/bjensen"))
        self.error(401, wrong.post("/Users", {"userName": "x"}))
        self.assertEqual(["bjensen", "jsmith"], self.names("/Users"))


class RouteTests(WebCase):
    """What a path addresses."""

    def test_entities(self) -> None:
        """A base entity that isn't declared doesn't exist, nor has one the name of none."""
        for path in (
            "/nope/Users",
            "/undefined/Users",
            "/v9/Users",
            "/v1/Users",
            "/CLIENTA/Users",
            "/clientA/nope/Users",
            "/scim/nope",
        ):
            self.error(404, self.client.get(path))

    def test_found(self) -> None:
        """Entity, prefixes, route and id are told apart; names of routes have no case."""
        routes = Routes([USER])
        for path, expected in {
            b"/Users": (None, "", "Users", ()),
            b"/users/": (None, "", "Users", ()),
            b"/Users/a%2Fb": (None, "", "Users", ("a/b",)),
            b"/Users/a/b": (None, "", "Users", ("a", "b")),
            b"/scim/Users": (None, "/scim", "Users", ()),
            b"/scim/v2/Users/x": (None, "/scim/v2", "Users", ("x",)),
            b"/client%20B/v2/Users": ("client B", "/client%20B/v2", "Users", ()),
            b"/a%2Fb/Users": ("a/b", "/a%2Fb", "Users", ()),
            b"/Schemas/urn:x:y": (None, "", "Schemas", ("urn:x:y",)),
            b"/nope": ("nope", "/nope", "", ()),
            b"/a/nope": ("a", "/a", None, ()),
            b"/v2": (None, "/v2", "", ()),
            b"/": (None, "", "", ()),
            b"http://host:1/scim/Users/x": (None, "/scim", "Users", ("x",)),
            b"http://host": (None, "", "", ()),
            "/Users/\u00fc".encode(): (None, "", "Users", ("\u00fc",)),
        }.items():
            target = routes.find(path)
            self.assertEqual(
                expected, (target.entity, target.prefix, target.route, target.rest), path
            )
        self.assertLessEqual({"users", "ping", "scim", "v2", "schemas"}, routes.names)

    def test_methods(self) -> None:
        """A method that a path doesn't take is 405, with those that it does."""
        for path, allowed in {
            "/Users": "GET, HEAD, POST, OPTIONS",
            "/Users/bjensen": "GET, HEAD, PUT, PATCH, DELETE, OPTIONS",
            "/Schemas": "GET, HEAD, OPTIONS",
            "/ServiceProviderConfig": "GET, HEAD, OPTIONS",
            "/ping": "GET, HEAD, OPTIONS",
            "/": "GET, HEAD, OPTIONS",
            "/.search": "POST, OPTIONS",
        }.items():
            headers = self.empty(204, self.client.request("OPTIONS", path))
            self.assertEqual(allowed, headers["Allow"])
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "NONSENSE"} - set(
                allowed.split(", ")
            ):
                response = self.client.request(method, path, {"userName": "x"})
                self.assertTrue(self.error(405, response))
                self.assertEqual(allowed, response.headers["Allow"])
        self.assertEqual(["bjensen", "jsmith"], self.names("/Users"))

    def test_location_follows_the_client(self) -> None:
        """Addresses are made of what the client addressed."""
        for host, expected in {
            "localhost:8880": "http://localhost:8880",
            "[::1]:8880": "http://[::1]:8880",
        }.items():
            user = self.json(200, self.client.get("/scim/Users/bjensen", Host=host))
            self.assertEqual(f"{expected}/scim/Users/bjensen", user["meta"]["location"])
        for host in ("a b", 'x"y', "host/evil", "", "http://x"):
            self.error(400, self.client.get("/Users/bjensen", Host=host), "invalidValue")

    def test_whole_url(self) -> None:
        """A target that is a whole URL says which host it is, whatever the header Host says."""
        for target in ("http://id.example:1/Users/bjensen", "HTTPS://id.example:1/Users/bjensen"):
            user = self.json(200, self.client.get(target, Host="other.example"))
            self.assertEqual("http://id.example:1/Users/bjensen", user["meta"]["location"])
        self.assertEqual(200, self.client.get("http://id.example?count=1").status)
        self.error(400, self.client.get("http://me@id.example/Users/bjensen"), "invalidValue")

    def test_target(self) -> None:
        """A target of no form that is for servers is refused, and the connection closed."""
        for method, target in (
            ("GET", "Users"),
            ("GET", "*"),
            ("POST", "*"),
            ("GET", "?://x/Users"),
            ("GET", "http:/Users"),
            ("GET", "http:///Users"),
            ("GET", "ftp://gateway.example/Users"),
            ("GET", "http://x#y"),
            ("CONNECT", "gateway.example:443"),
            ("GET", "gateway.example:443"),
            ("OPTIONS", "**"),
        ):
            answer = self.client.request(method, target)
            self.error(400, answer)
            self.assertEqual("close", answer.headers["Connection"])

    def test_hosts(self) -> None:
        """So is a request that names two hosts, or none in HTTP/1.1 (RFC 9112 section 3.2)."""
        for headers in (b"", b"Host: a\r\nHost: b\r\n", b"Host: a\r\nhost: a\r\n"):
            for target in (b"/ping", b"http://a/ping"):
                connection = Connection(self.site)
                connection.send(b"GET " + target + b" HTTP/1.1\r\n" + headers + b"\r\n")
                self.error(400, connection.response())
                self.assertTrue(connection.transport.disconnecting)

    def test_without_host(self) -> None:
        """A client that names no host gets the address that it reached."""
        connection = Connection(self.site)
        credentials = (
            self.client.encoded("GET", "/", None).split(b"Authorization: ")[1].split(b"\r\n")[0]
        )
        connection.send(
            b"GET /Users/bjensen HTTP/1.0\r\nAuthorization: " + credentials + b"\r\n\r\n"
        )
        self.assertEqual(
            "http://10.0.0.1:12345/Users/bjensen",
            connection.response().json()["meta"]["location"],
        )


class DiscoveryTests(WebCase):
    """RFC 7644 section 4."""

    def test_service_provider_config(self) -> None:
        """What the plugin can do is announced, and nothing beyond the schema."""
        config = self.json(200, self.client.get("/scim/ServiceProviderConfig"))
        self.assertEqual(
            {
                "schemas",
                "patch",
                "bulk",
                "filter",
                "changePassword",
                "sort",
                "etag",
                "authenticationSchemes",
                "pagination",
                "meta",
            },
            set(config),
        )
        self.assertEqual(
            {
                "cursor": True,
                "index": True,
                "defaultPaginationMethod": "index",
                "defaultPageSize": 200,
                "maxPageSize": 200,
                "cursorTimeout": 60,
            },
            config["pagination"],
        )
        self.assertEqual({"supported": True}, config["etag"])
        self.assertEqual(["httpbasic"], [each["type"] for each in config["authenticationSchemes"]])
        self.assertEqual(f"{BASE}/scim/ServiceProviderConfig", config["meta"]["location"])
        self.assertEqual(200, self.client.get("/ServiceProviderConfig?filter=x").status)

    def test_schemas(self) -> None:
        """Every schema of every resource type is listed, and found by its URN."""
        listed = self.json(200, self.client.get("/Schemas"))
        ids = [each["id"] for each in listed["Resources"]]
        self.assertEqual([CORE, ENTERPRISE, CORE.replace("User", "Group")], ids)
        for schema in listed["Resources"]:
            self.assertEqual(schema, self.json(200, self.client.get(f"/Schemas/{schema['id']}")))
            self.assertEqual(f"{BASE}/Schemas/{schema['id']}", schema["meta"]["location"])
        self.assertEqual(CORE, self.json(200, self.client.get(f"/Schemas/{CORE.upper()}"))["id"])
        self.error(404, self.client.get("/Schemas/urn:x:nope"))
        self.error(404, self.client.get("/Schemas/a/b"))

    def test_resource_types(self) -> None:
        """Every resource type is listed, found by its name, and its endpoint exists."""
        listed = self.json(200, self.client.get("/clientA/ResourceTypes"))
        self.assertEqual(["User", "Group"], [each["id"] for each in listed["Resources"]])
        for type in listed["Resources"]:
            self.assertEqual(
                type, self.json(200, self.client.get(f"/clientA/ResourceTypes/{type['name']}"))
            )
            self.json(200, self.client.get(type["endpoint"]))
        self.error(404, self.client.get("/ResourceTypes/Nope"))
        self.error(404, self.client.get("/ServiceProviderConfig/x"))

    def test_slashes(self) -> None:
        """Slashes aren't merged: what follows two of them is no name, and nothing redirects."""
        for path in ("/Schemas//x", "/Schemas//%3F", "/ResourceTypes//User", "/ping//", "/ping//x"):
            self.error(404, self.client.get(path))

    def test_no_queries(self) -> None:
        """Discovery can't be filtered; paging and sorting leave it as it is."""
        for path in ("/Schemas", "/ResourceTypes"):
            self.error(403, self.client.get(f"{path}?filter=id%20pr"))
            whole = self.json(200, self.client.get(path))
            self.assertEqual(
                whole,
                self.json(
                    200, self.client.get(f"{path}?startIndex=2&count=1&sortBy=id&attributes=id")
                ),
            )

    def test_exact_per_plugin(self) -> None:
        """What a connector can't hold isn't announced, nor are its routes there."""
        self.serve(MemoryConnector(resource_types=(USER,)))
        self.assertEqual(["User"], [each["id"] for each in self.resources("/ResourceTypes")])
        self.assertEqual([CORE, ENTERPRISE], [each["id"] for each in self.resources("/Schemas")])
        self.error(404, self.client.get("/Groups"))

    def test_failure(self) -> None:
        """A route that breaks tells no more than any other failure."""
        object.__setattr__(self.endpoint, "types", _Broken())
        detail = self.error(500, self.client.get("/ResourceTypes"))
        self.assertNotIn("inside", detail)
        self.assertEqual(1, len(self.flushLoggedErrors(RuntimeError)))


class _Broken(dict[str, Any]):
    """Fails when it is looked into."""

    def values(self) -> Any:
        raise RuntimeError("inside")


class BadBodyTests(WebCase):
    """Bodies that aren't what they should be."""

    def post(self, body: bytes, **headers: str) -> Response:
        """Send bytes."""
        return self.client.request(
            "POST",
            "/Users",
            body,
            {name.replace("_", "-"): value for name, value in headers.items()},
        )

    def test_not_json(self) -> None:
        """What isn't JSON is invalidSyntax, with the place and the reason."""
        for body, reason in (
            (b'{"userName":', "not JSON"),
            (b'{"userName": "x"} trailing', "Extra data"),
            (b" ", "empty"),
            (b'{"userName": "\xff"}', "not UTF-8 at byte 14"),
            (b'{"userName": "x", "userName": "y"}', "'userName' stands twice"),
            (b'{"userName": "x", "name": {"a": 1, "a": 2}}', "'a' stands twice"),
            (b'{"userName": NaN}', "NaN isn't JSON"),
            (b'{"userName": ' + b"9" * 5000 + b"}", "too many digits"),
            (b'{"userName": "a\tb"}', "Invalid control character"),
        ):
            self.assertIn(reason, self.error(400, self.post(body), "invalidSyntax"))

    def test_many_names(self) -> None:
        """Which of very many names stands twice is found without comparing each with all."""
        names = ",".join(f'"{each}": 0' for each in [*range(60_000), 59_999])
        began = time.process_time()
        self.assertIn(
            "'59999' stands twice",
            self.error(400, self.post(f"{{{names}}}".encode()), "invalidSyntax"),
        )
        self.assertLess(time.process_time() - began, 5)  # it was half a minute

    def test_nested(self) -> None:
        """What is nested without end is refused, and hurts nobody."""
        for depth in (500, 10_000, 50_000):
            for open_, close in ((b"[", b"]"), (b'{"a":', b"}")):
                inner = open_ * depth + b"1" + close * depth
                self.assertEqual(400, self.post(inner).status)
                response = self.post(b'{"userName": ' + inner + b"}")
                self.assertEqual(400, response.status)
                response = self.post(
                    b'{"userName": "x%d%d", "nope": %s}' % (depth, len(close + open_), inner)
                )
                self.assertIn(response.status, {201, 400})
        self.assertEqual(200, self.client.get("/Users").status)

    def test_wrong_text(self) -> None:
        """Half a character, or none, isn't text."""
        self.assertIn(
            "lone surrogates",
            self.error(400, self.post(b'{"userName": "\\ud800"}'), "invalidValue"),
        )
        self.assertEqual(201, self.post(b'{"userName": "x", "\\ud800": 1}').status)
        self.error(
            400,
            self.post(b'{"userName": "x", "urn:\\ud800": 1, "active": "\\ud800"}'),
            "invalidValue",
        )

    def test_numbers(self) -> None:
        """A number beyond all bounds is no value of anything."""
        for number in (b"1e999", b"-1e999", b"1" * 400):
            self.error(400, self.post(b'{"userName": "x", "active": %s}' % number), "invalidValue")

    def test_no_body(self) -> None:
        """A body that isn't there is told as such."""
        for method, path in (
            ("POST", "/Users"),
            ("PUT", "/Users/bjensen"),
            ("PATCH", "/Users/bjensen"),
        ):
            self.assertIn(
                "empty", self.error(400, self.client.request(method, path), "invalidSyntax")
            )

    def test_media_types(self) -> None:
        """SCIM JSON and JSON are read, with or without their charset; nothing else is."""
        for number, kind in enumerate(
            (
                "application/scim+json",
                "application/json",
                "application/scim+json; charset=utf-8",
                'APPLICATION/JSON;charset="UTF-8"',
                "",
            )
        ):
            body = b'{"userName": "u%d"}' % number
            self.assertEqual(201, self.post(body, Content_Type=kind).status, kind)
        for kind in (
            "text/plain",
            "application/xml",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=utf-16",
        ):
            self.error(415, self.post(b'{"userName": "x"}', Content_Type=kind))


class LengthTests(WebCase):
    """Requests of which it can't be told where they end."""

    def test_refused(self) -> None:
        """They are answered 400, and whatever follows them isn't another request."""
        behind = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
        for headers in (
            b"Content-Length: " + b"9" * 5000 + b"\r\n",
            b"Content-Length: " + b"9" * 5000 + b"\r\nX: y\r\nZ: z\r\n",
            b"Content-Length: -1\r\n",
            b"Content-Length: +1\r\n",
            b"Content-Length: 1\r\n 2\r\n",
            b"Content-Length: 1\r\nContent-Length: 1\r\nX: y\r\n",
            b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            b"Transfer-Encoding: gzip, chunked\r\n",
            b"Transfer-Encoding : chunked\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        ):
            connection = Connection(self.site)
            connection.send(POST + headers + b"\r\n0\r\n\r\n" + behind)
            answers = connection.received()
            self.assertEqual(1, answers.count(b"HTTP/1.1 "), headers[:60])
            self.assertIn("isn't HTTP", self.error(400, parse(answers)))
            self.assertTrue(connection.transport.disconnecting)


class LargeBodyTests(WebCase):
    """Bodies beyond the limit."""

    def setUp(self) -> None:
        """Set a limit."""
        super().setUp()
        self.serve(self.loki(), Limits(max_body=1000))
        self.connection = Connection(self.site)

    def refused(self) -> None:
        """Check that the answer is there, and says why."""
        response = self.connection.response()
        self.assertIn("larger than 1000 bytes", self.error(413, response))
        self.assertEqual("close", response.headers["Connection"])

    def test_limit(self) -> None:
        """A body of just the limit is read."""
        body = b'{"userName": "x", "title": "' + b"y" * 970 + b'"}'
        self.assertEqual(1000, len(body))
        self.assertEqual(201, self.client.request("POST", "/Users", body).status)

    def test_announced(self) -> None:
        """One that is announced larger is refused before any of it has come."""
        self.connection.send(
            b"POST /Users HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"
        )
        self.refused()
        for _ in range(100):
            self.connection.send(b"x" * 1_000_000)
        self.assertEqual(b"", self.connection.received())
        self.assertTrue(self.connection.transport.disconnecting)

    def test_not_announced(self) -> None:
        """One that comes in chunks is refused as soon as it is too large."""
        self.connection.send(
            b"POST /Users HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"190\r\n" + b"x" * 400 + b"\r\n"
        self.connection.send(chunk * 2)
        self.assertEqual(b"", self.connection.received())
        self.connection.send(chunk)
        self.refused()
        self.connection.send(chunk * 100 + b"0\r\n\r\n")
        self.assertTrue(self.connection.transport.disconnecting)

    def test_expected(self) -> None:
        """Who asks first whether to go on isn't told to."""
        self.connection.send(POST + b"Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n")
        self.refused()

    def test_endless(self) -> None:
        """Who doesn't stop sending is cut off."""
        self.connection.send(
            b"POST /Users HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        self.connection.send(b"7D0\r\n" + b"x" * 2000 + b"\r\n")
        self.refused()
        self.clock.advance(LINGER + 1)
        self.assertTrue(self.connection.transport.aborted)

    def test_no_file(self) -> None:
        """One that hasn't come takes no file, so that announcing many doesn't exhaust them."""

        def made(*_: object, **__: object) -> None:
            raise OSError(EMFILE, "too many open files")

        self.serve(self.loki())
        self.patch(tempfile, "TemporaryFile", made)
        for length in (b"Content-Length: 1000000", b"Transfer-Encoding: chunked"):
            connection = Connection(self.site)
            connection.send(POST + length + b"\r\n\r\n" + b"1\r\nx\r\n")
            self.assertEqual(b"", connection.received())
            connection.lose()

    def test_in_file(self) -> None:
        """A long one is read as it was sent, be its length announced or not."""
        self.serve(self.loki())
        body = b'{"userName": "%b", "title": "' + b"y" * 3 * IN_MEMORY + b'"}'
        self.assertEqual(201, self.client.request("POST", "/Users", body % b"a").status)
        self.connection = Connection(self.site)
        chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body) - 1, body % b"b")
        headers = {"Content-Length": None, "Transfer-Encoding": "chunked"}
        self.connection.send(self.client.encoded("POST", "/Users", chunk, headers))
        self.assertEqual(201, self.connection.response().status)

    def test_others_go_on(self) -> None:
        """Other requests aren't disturbed meanwhile."""
        self.test_announced()
        self.assertEqual(["bjensen", "jsmith"], self.names("/Users"))
        self.connection.lose()
        calls = [str(call) for call in self.clock.getDelayedCalls()]
        self.assertFalse([call for call in calls if "forceAbortClient" in call])


class FailureTests(WebCase):
    """Failures of endpoints, and bugs."""

    def failing(self, error: Exception) -> MemoryConnector:
        """Serve a connector whose searches fail."""
        connector = MemoryConnector()

        async def fail(_method: str, _id: str) -> None:
            raise error

        connector.interlude = fail
        self.serve(connector)
        return connector

    def test_unavailable(self) -> None:
        """An endpoint that can't be reached is 503, with when to try again."""
        self.failing(Unavailable("the directory is down", retry_after=2.5))
        response = self.client.get("/Users")
        self.assertEqual(
            ("the directory is down", "3"),
            (self.error(503, response), response.headers["Retry-After"]),
        )
        self.failing(Unavailable("down"))
        self.assertNotIn("Retry-After", self.client.get("/Users").headers)

    def test_partial_write(self) -> None:
        """A write that was done in part says which part."""
        self.failing(PartialWrite("half", ["a", "b"], ["c"]))
        self.assertEqual(
            "half; applied: a, b; not applied: c", self.error(500, self.client.get("/Users"))
        )

    def test_bug(self) -> None:
        """A bug tells the client nothing but where the log has it."""
        for error in (RuntimeError("secret detail"), KeyError("x"), RecursionError()):
            self.failing(error)
            response = self.client.get("/Users/x")
            detail, number = self.error(500, response), response.headers["X-Request-Id"]
            self.assertEqual(
                f"an unexpected error; the log has it under request {number}",
                detail,
            )
            self.assertEqual(1, len(self.flushLoggedErrors(type(error))))

    def test_cancelled_inside(self) -> None:
        """An endpoint that cancels on its own account is a bug, not a hanging request."""
        self.failing(CancelledError())
        self.error(500, self.client.get("/Users"))
        self.assertEqual(1, len(self.flushLoggedErrors(CancelledError)))

    def test_what_cannot_be_encoded(self) -> None:
        """A connector that gives what isn't JSON is a bug, not a hanging request."""
        connector = MemoryConnector()
        self.serve(connector)
        user = self.create(userName="x")
        connector._data[USER][user["id"]]["title"] = object()
        self.error(500, self.client.get(f"/Users/{user['id']}"))
        self.assertEqual(1, len(self.flushLoggedErrors(TypeError)))

    def test_errors_name_themselves(self) -> None:
        """Each error has its status, and its scimType where there is one."""
        self.assertEqual(
            (400, "invalidFilter"), (InvalidFilter.status, InvalidFilter("x").scim_type)
        )
        self.assertEqual(("GET",), MethodNotAllowed("x", ["GET"]).allowed)


class Slow(MemoryConnector):
    """Answers a search when the test says so."""

    def __init__(self, *, stubborn: bool = False) -> None:
        super().__init__()
        self.gates: list[Deferred[Page]] = []
        self.cancelled = 0
        self.stubborn = stubborn

    def search(self, call: Call, query: Query) -> Any:
        """Wait."""

        def cancel(deferred: Deferred[Page]) -> None:
            self.cancelled += 1
            if self.stubborn:
                deferred.callback(Page(resources=[]))

        self.gates.append(Deferred(cancel))
        return self.gates[-1]


class LifeTests(WebCase):
    """Requests that take their time."""

    def begin(self, connector: Slow) -> Connection:
        """Begin a search."""
        self.serve(connector)
        connection = Connection(self.site)
        connection.send(self.client.encoded("GET", "/Users"))
        self.assertEqual(b"", connection.received())
        return connection

    def test_waits(self) -> None:
        """An answer is given when there is one."""
        connector = Slow()
        connection = self.begin(connector)
        idle = self.endpoint.pending.none()
        self.assertNoResult(idle)
        connector.gates[0].callback(Page(resources=[Resource(USER, {"id": "1", "userName": "x"})]))
        self.assertEqual(200, connection.response().status)
        self.successResultOf(idle)

    def test_client_leaves(self) -> None:
        """A read whose client has left is cancelled, and logged."""
        lines = self.logged()
        for stubborn in (False, True):
            connector = Slow(stubborn=stubborn)
            connection = self.begin(connector)
            connection.lose()
            self.assertEqual(1, connector.cancelled)
            self.successResultOf(self.endpoint.pending.none())
        self.assertEqual(["499", "499"], [line.split()[5] for line in lines])

    def test_closing(self) -> None:
        """When the gateway stops, connections are closed after the present request."""
        connector = Slow()
        connection = self.begin(connector)
        self.site.close()
        second = Connection(self.site)
        second.send(self.client.encoded("GET", "/ServiceProviderConfig"))
        self.assertEqual("close", second.response().headers["Connection"])
        self.assertTrue(second.transport.disconnecting)
        connector.gates[0].callback(Page(resources=[]))
        self.assertEqual(200, connection.response().status)

    def test_closed(self) -> None:
        """When all are closed it is told once, though one may still come that was under way."""
        closed = self.site.close()
        self.successResultOf(closed)
        Connection(self.site).lose()
        self.assertEqual(set(), self.site.channels)

    def test_one_connection(self) -> None:
        """Requests that come together are answered in turn, on one connection."""
        connection = Connection(self.site)
        connection.send(
            self.client.encoded("GET", "/Users/bjensen")
            + self.client.encoded("DELETE", "/Users/jsmith")
        )
        data = connection.received()
        self.assertEqual(2, data.count(b"HTTP/1.1 "))
        self.assertIn(b"HTTP/1.1 204 No Content", data)

    def logged(self) -> list[str]:
        """Collect the lines of the access log."""
        lines: list[str] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            if "access" in event:
                lines.append(str(event["access"]))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        return lines

    def test_one_line_each(self) -> None:
        """Each request is one line, without the query, the credentials, or any body."""
        lines = self.logged()
        self.client.get("/Users/bjensen")
        self.client.request(
            "GET",
            "/Users?filter=userName%20eq%20%22secret%22",
            headers={"Authorization": "Basic bm86bm8="},
        )
        self.client.post("/Users", {"userName": "x", "password": "hunter2"})
        self.client.get("/ping")
        self.client.get("/Users/a%0Ab%1b[31m")
        words = [line.split() for line in lines]
        self.assertEqual(
            [
                ["192.0.2.7", "gwadmin", "GET", "/Users/bjensen", "200"],
                ["192.0.2.7", "-", "GET", "/Users", "401"],
                ["192.0.2.7", "gwadmin", "POST", "/Users", "201"],
                ["192.0.2.7", "-", "GET", "/ping", "200"],
                ["192.0.2.7", "gwadmin", "GET", "/Users/a%0Ab%1b[31m", "404"],
            ],
            [line[1:6] for line in words],
        )
        self.assertFalse(
            any("secret" in line or "hunter2" in line or "\n" in line for line in lines)
        )

    def test_refused_line(self) -> None:
        """A body that is too large is logged with its path, though not all of it is sent."""
        self.serve(self.loki(), Limits(max_body=1000))
        lines = self.logged()
        for sent in (2000, 10):
            connection = Connection(self.site)
            connection.send(POST + b"Content-Length: 2000\r\n\r\n" + b"x" * sent)
            connection.lose()
        self.assertEqual(
            [["-", "POST", "/Users", "413"]] * 2,
            [line.split()[2:6] for line in lines],
        )

    def test_hostile_line(self) -> None:
        """Whatever a client sends stays on one line, and commands no terminal."""
        lines = self.logged()
        for path in (b"/Users/\x1b[31m", "/Users/\u2028".encode(), b"/Users/\x00", b"/'\"\\"):
            connection = Connection(self.site)
            connection.send(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b"HTTP/1.1 40", connection.received())
        self.assertTrue(all(line.isprintable() for line in lines), lines)
        self.assertEqual(["401"], [line.split()[5] for line in lines[-1:]])

    def test_line(self) -> None:
        """The line tells who, what, how it ended, how large, how long, and by which number."""
        access = Access(
            plugin="plugin-x",
            client="::1",
            principal="p",
            method="GET",
            path="/x",
            status=200,
            size=5,
            seconds=0.0123,
            request_id="a-1",
        )
        self.assertEqual("plugin-x ::1 p GET /x 200 5 12.3ms a-1", str(access))
