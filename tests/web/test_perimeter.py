"""From where requests come: the allow list on every route, and what proxies are believed."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve
from hypothesis import assume, example, given, settings
from hypothesis import strategies as some
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from scimgw.networks import parse_address, parse_network
from scimgw.testing.client import Client, Connection, Response
from scimgw.web.chaining import outgoing
from scimgw.web.perimeter import HOPS, OPEN, Perimeter, Source, Unnamed
from scimgw.web.request import LINGER, Access, ScimRequest
from tests.web.test_access import READS, WRITES, AccessCase
from tests.web.world import WebCase

PROXY = "10.0.0.1"
CHUNKED = b"Transfer-Encoding: chunked"


def perimeter(*allowed: str, trusted: tuple[str, ...] = ()) -> Perimeter:
    """Draw one out of text."""
    return Perimeter.of([*map(parse_network, allowed)], [*map(parse_network, trusted)])


def four(host: str) -> IAddress:
    """Connect from an address of IPv4."""
    return IPv4Address("TCP", host, 4711)


class SourceTests(SynchronousTestCase):
    """Who the client is."""

    drawn = perimeter("203.0.113.0/24", "2001:db8::/32", trusted=("10.0.0.0/8", "fd00::/8"))

    def client(self, forwarded_for: str | None, peer: str = PROXY) -> str:
        """Tell who it is."""
        return self.drawn.source(four(peer), forwarded_for).client

    def test_open(self) -> None:
        """Without lists everybody may, and nobody is believed."""
        self.assertTrue(OPEN.open)
        self.assertTrue(Perimeter.of((), ()).open)
        source = OPEN.source(four("192.0.2.1"), "203.0.113.9")
        self.assertEqual(Source(client="192.0.2.1", proxied=False, allowed=True), source)
        self.assertFalse(self.drawn.open)

    def test_untrusted(self) -> None:
        """Who isn't a trusted proxy isn't believed: it is the client itself."""
        for peer, allowed in (("203.0.113.7", True), ("192.0.2.1", False)):
            source = self.drawn.source(four(peer), "203.0.113.9")
            self.assertEqual(Source(client=peer, proxied=False, allowed=allowed), source)

    def test_last_that_is_not_trusted(self) -> None:
        """The client is the last address that isn't a trusted proxy; before it anything may be."""
        for header in (
            "203.0.113.9",
            "203.0.113.9, 10.0.0.2",
            "203.0.113.9,10.0.0.2 ,\tfd00::1, ::ffff:10.0.0.3",
            "198.51.100.1, 203.0.113.9, 10.0.0.2",
            "10.0.0.2, 203.0.113.9",
            "garbage\x00, ' OR 1=1, 203.0.113.9, 10.0.0.2",
            ",, 203.0.113.9, ,10.0.0.2,",
        ):
            self.assertEqual("203.0.113.9", self.client(header), header)

    def test_spellings(self) -> None:
        """Ports, brackets and quotes are taken off; the address is told in one way."""
        for header, client in {
            "203.0.113.9:4711": "203.0.113.9",
            '"203.0.113.9:4711"': "203.0.113.9",
            "2001:DB8:0::9": "2001:db8::9",
            "[2001:db8::9]": "2001:db8::9",
            '"[2001:db8::9]:4711"': "2001:db8::9",
            "::ffff:203.0.113.9": "203.0.113.9",
            "[::ffff:203.0.113.9]:1": "203.0.113.9",
        }.items():
            self.assertEqual(client, self.client(header), header)

    def test_illegible(self) -> None:
        """What a trusted proxy doesn't say legibly is nobody, who isn't in any list."""
        for header in (
            "unknown",
            "203.0.113.9, unknown",
            "203.0.113.9, _hidden, 10.0.0.2",
            "203.0.113.9%eth0",
            "fe80::1%\x1b[31m",
            "203.0.113.9:",
            "203.0.113.9:999999",
            "[203.0.113.9",
            "2001:db8::9]:1",
            "203.0.113.9 10.0.0.2",
            "203.0.113.999",
            'for="203.0.113.9"',
            '"',
            '""',
        ):
            everywhere = perimeter("0.0.0.0/0", "::/0", trusted=(PROXY, "10.0.0.2"))
            source = everywhere.source(four(PROXY), header)
            self.assertEqual(Source(client=PROXY, proxied=True, allowed=False), source, header)

    def test_proxy_itself(self) -> None:
        """A trusted proxy that names nobody, or trusted ones only, is the client."""
        for header, client in {
            None: PROXY,
            "": PROXY,
            " , ": PROXY,
            "10.0.0.2": "10.0.0.2",
            "10.0.0.3, 10.0.0.2": "10.0.0.3",
        }.items():
            source = self.drawn.source(four(PROXY), header)
            self.assertEqual(Source(client=client, proxied=True, allowed=False), source)

    def test_many_hops(self) -> None:
        """However many are listed, few are looked at; who is behind too many isn't known."""
        trusted = ", 10.0.0.2"
        self.assertEqual("203.0.113.9", self.client("203.0.113.9" + trusted * HOPS))
        self.assertEqual(PROXY, self.client("203.0.113.9" + trusted * (HOPS + 1)))
        source = self.drawn.source(four(PROXY), "203.0.113.9, " * 10_000 + "10.0.0.2")
        self.assertEqual(("203.0.113.9", True), (source.client, source.allowed))
        source = self.drawn.source(four(PROXY), "203.0.113.9" + trusted * 10_000)
        self.assertFalse(source.allowed)

    def test_unnamed(self) -> None:
        """A proxy that doesn't tell for whom it connects is the client, and isn't believed."""
        drawn = perimeter(PROXY, trusted=(PROXY,))
        source = drawn.source(Unnamed(PROXY, 1), "203.0.113.9")
        self.assertEqual(Source(client=PROXY, proxied=False, allowed=True), source)

    def test_other_addresses(self) -> None:
        """A zone doesn't matter to a list; what has no address is in none."""
        peer = IPv6Address("TCP", "fe80::1%eth0", 1)
        self.assertTrue(perimeter("fe80::/10").source(peer, None).allowed)
        source = perimeter("::/0", "0.0.0.0/0").source(UNIXAddress(b"/run/x"), None)
        self.assertEqual(Source(client="-", proxied=False, allowed=False), source)

    @settings(deadline=None)
    @given(some.text(max_size=60), some.ip_addresses(v=4))
    @example("%", parse_address("203.0.113.9"))
    def test_nothing_before_matters(self, anything: str, client: object) -> None:
        """Whatever a client writes itself, it is who the proxy says that it is."""
        drawn = perimeter(trusted=("10.0.0.0/8",))
        last = drawn.source(four(PROXY), f"{client}")
        assume(not str(client).startswith("10."))
        self.assertEqual(last, drawn.source(four(PROXY), f"{anything},{client}"))
        self.assertEqual(str(client), last.client)

    @settings(deadline=None)
    @given(some.text(max_size=60))
    def test_anything(self, header: str) -> None:
        """Whatever a header holds, the client is an address."""
        client = self.drawn.source(four(PROXY), header).client
        self.assertEqual(client, str(parse_address(client)))


class AllowListTests(AccessCase):
    """Every route."""

    def setUp(self) -> None:
        """Allow one address."""
        super().setUp()
        self.site.perimeter = perimeter("203.0.113.9/32", trusted=(PROXY,))
        self.at = evolve(self.client, address="203.0.113.9")
        self.away = evolve(self.client, address="203.0.113.10")

    ROUTES: Final = (
        *READS,
        *WRITES,
        ("GET", "/ping", None),
        ("HEAD", "/ping", None),
        ("GET", "/ServiceProviderConfig", None),
        ("GET", "/pub/api", None),
        ("GET", "/nope", None),
        ("GET", "/%FF", None),
        ("GET", "/oauth/token", None),
        ("POST", "/oauth/token", b"grant_type=client_credentials"),
        ("TRACE", "/", None),
    )

    def test_refused(self) -> None:
        """Nothing is answered another address but 403, whatever it asks, with whichever login."""
        for client in (self.away, evolve(self.away, password="wrong")):
            for prefix in ("", "/clientA", "/scim/v2", "/nowhere"):
                answered = self.statuses(client, self.ROUTES, prefix)
                self.assertEqual(dict.fromkeys(answered, 403), answered)
        self.assertEqual(403, self.away.request("OPTIONS", "*").status)
        self.assertEqual(403, self.away.request("GET", "http://gateway.example/ping").status)
        self.assertEqual(200, self.at.get(f"/clientA/Users/{self.user}").status)

    def test_allowed(self) -> None:
        """Who may is answered what it would be answered without a list."""
        routes = [each for each in self.ROUTES if each not in WRITES]
        allowed = self.statuses(self.at, routes, "/clientA")
        self.assertEqual({200, 204, 400, 404, 405}, set(allowed.values()))
        self.site.perimeter = OPEN
        self.assertEqual(allowed, self.statuses(self.away, routes, "/clientA"))

    def test_answer(self) -> None:
        """The answer is a SCIM error that tells nothing of the gateway, and the last one."""
        answer = self.away.get("/Users")
        self.assertEqual("no request may be made from this address", self.error(403, answer))
        self.assertEqual("close", answer.headers["Connection"])
        self.assertNotIn("WWW-Authenticate", answer.headers)
        head = self.away.request("HEAD", "/Users")
        self.assertEqual((403, b""), (head.status, head.body))
        connection = Connection(self.site, "203.0.113.10")
        connection.send(b"HEAD /Users HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(connection.received().endswith(b"\r\n\r\n"))

    def test_before_the_body(self) -> None:
        """It comes before anything of a body is asked for or received, however large that is."""
        for length in (b"Content-Length: 5", b"Content-Length: 9999999", CHUNKED):
            connection = Connection(self.site, "203.0.113.10")
            connection.send(b"POST /Users HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n")
            connection.send(length + b"\r\n\r\n")
            self.assertEqual(403, connection.response().status)
            self.clock.advance(LINGER + 1)
            self.assertTrue(connection.transport.aborted)

    def test_through_proxy(self) -> None:
        """Behind a trusted proxy each request is asked anew, on the same connection."""
        connection = Connection(self.site, PROXY)
        statuses = []
        for client in ("203.0.113.9", "203.0.113.9, 203.0.113.10", "203.0.113.9"):
            headers = {"X-Forwarded-For": client}
            connection.send(self.client.encoded("GET", "/ping", headers=headers))
            statuses.append(connection.response().status)
            if connection.transport.disconnecting:
                break
        self.assertEqual([200, 403], statuses)
        self.assertEqual(403, evolve(self.client, address=PROXY).get("/ping").status)

    def test_several_lines(self) -> None:
        """Several headers of the name are one list."""
        connection = Connection(self.site, PROXY)
        connection.send(b"GET /ping HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\n")
        connection.send(b"X-Forwarded-For: 203.0.113.10\r\n\r\n")
        self.assertEqual(403, connection.response().status)

    def test_claimed(self) -> None:
        """Who claims to be somebody else in a header isn't."""
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP"):
            for value in ("203.0.113.9", "for=203.0.113.9"):
                self.assertEqual(403, self.away.get("/ping", **{name: value}).status)


class AddressedTests(WebCase):
    """How the client addressed the gateway."""

    def setUp(self) -> None:
        """Trust one proxy."""
        super().setUp()
        self.site.perimeter = perimeter(trusted=(PROXY, "10.0.0.2"))

    def answer(self, address: str = PROXY, **headers: str) -> Response:
        """Create a user."""
        spelled = {name.replace("_", "-"): value for name, value in headers.items()}
        client = Client(self.site, address=address, headers=spelled)
        return client.post("/scim/Users", {"userName": f"u{next(self.numbers)}"})

    numbers = iter(range(1000))

    def base(self, address: str = PROXY, **headers: str) -> str:
        """Tell the URL that a created user is said to have, in both places."""
        response = self.answer(address, **headers)
        user = self.json(201, response)
        self.assertEqual(user["meta"]["location"], response.headers["Location"])
        base: str = user["meta"]["location"].removesuffix(f"/scim/Users/{user['id']}")
        return base

    def test_trusted(self) -> None:
        """A trusted proxy tells scheme and host; of several values the last is its own."""
        for headers, base in (
            ({}, "http://gateway.example"),
            ({"X_Forwarded_Proto": "https"}, "https://gateway.example"),
            ({"X_Forwarded_Host": "id.example:8443"}, "http://id.example:8443"),
            ({"X_Forwarded_Host": "evil.example, [2001:db8::1]:1"}, "http://[2001:db8::1]:1"),
            (
                {"X_Forwarded_Proto": "http,https", "X_Forwarded_Host": "id.example"},
                "https://id.example",
            ),
        ):
            self.assertEqual(base, self.base(**headers))

    def test_untrusted(self) -> None:
        """Nobody else does, and nothing is said of it."""
        headers = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "evil.example"}
        with capturedLogs() as logged:
            self.assertEqual("http://gateway.example", self.base("192.0.2.1", **headers))
        self.assertEqual([], [event for event in logged if "ignored" in event["log_format"]])

    def test_garbage(self) -> None:
        """What isn't a scheme or a host is ignored, and logged on one line."""
        for name, value in (
            ("Proto", "javascript"),
            ("Proto", "https\x1b[31m"),
            ("Proto", "HTTPS://"),
            ("Host", "evil.example/path"),
            ("Host", "user@evil.example"),
            ("Host", "evil.example?x"),
            ("Host", "a b"),
            ("Host", "\x1b[31m" + "x" * 1000),
            ("Host", "id.example,"),
        ):
            with capturedLogs() as logged:
                base = self.base(**{f"X_Forwarded_{name}": value})
            self.assertEqual("http://gateway.example", base, value)
            (line,) = [formatEvent(event) for event in logged if "ignored" in event["log_format"]]
            self.assertTrue(line.isprintable() and len(line) < 400, line)

    def test_line_breaks(self) -> None:
        """A header that would be two isn't a request."""
        for name in ("Proto", "Host", "For"):
            for text in ("id.example\nLocation: x", "id.example\rx", "id.example\0"):
                client = Client(self.site, address=PROXY, headers={f"X-Forwarded-{name}": text})
                answer = client.get("/Users/bjensen")
                self.assertIn("isn't HTTP", self.error(400, answer))
                self.assertIsNone(answer.headers["Location"])

    def test_own_host(self) -> None:
        """The Host header needn't be one where the proxy tells it."""
        self.assertEqual("http://id.example", self.base(Host="a b", X_Forwarded_Host="id.example"))
        self.error(400, self.answer(Host="a b"), "invalidValue")

    def test_discovery(self) -> None:
        """Discovery and lists are addressed in the same way."""
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "id.example"}
        client = Client(self.site, address=PROXY, headers=headers)
        for path in ("/Users?count=1", "/Schemas", "/ServiceProviderConfig"):
            answer = self.json(200, client.get(path))
            meta = answer.get("Resources", [answer])[0]["meta"]
            self.assertTrue(meta["location"].startswith("https://id.example/"), meta)

    def test_log(self) -> None:
        """The access log names the client, in one spelling, whatever was forwarded."""
        with capturedLogs() as logged:
            for header in ("::ffff:203.0.113.9, 10.0.0.2", "203.0.113.9\x1b[31m", "a\nb c"):
                Client(self.site, address=PROXY).get("/ping", **{"X-Forwarded-For": header})
        lines = [event["access"] for event in logged if "access" in event]
        self.assertEqual(["203.0.113.9", PROXY, PROXY], [line.client for line in lines])
        self.assertTrue(all(isinstance(line, Access) and str(line).isprintable() for line in lines))


class HandedOnTests(AccessCase):
    """What another gateway is told."""

    def setUp(self) -> None:
        """Trust one proxy, and hand everything on."""
        super().setUp()
        self.site.perimeter = perimeter(trusted=(PROXY,))

        async def hand_on(request: ScimRequest) -> None:
            self.sent = outgoing(request)
            request.setResponseCode(299)
            request.finish()

        self.site.hand_on(hand_on)

    def told(self, address: str, **headers: str) -> list[Any]:
        """Make a request, and give what goes on of client, scheme and host."""
        self.assertEqual(299, evolve(self.client, address=address).get("/Users", **headers).status)
        return [self.sent.getRawHeaders(f"X-Forwarded-{name}") for name in ("For", "Proto", "Host")]

    FORWARDED: Final = {
        "X-Forwarded-For": "198.51.100.1, 203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "id.example",
    }

    def test_through_proxy(self) -> None:
        """What a trusted proxy tells goes on, and nothing that the client wrote before it."""
        told = self.told(PROXY, **self.FORWARDED)
        self.assertEqual([["203.0.113.9"], ["https"], ["id.example"]], told)

    def test_untrusted(self) -> None:
        """What a client says of itself doesn't go on."""
        told = self.told("192.0.2.1", **self.FORWARDED)
        self.assertEqual([["192.0.2.1"], ["http"], ["gateway.example"]], told)

    def test_other_names(self) -> None:
        """Nor does it under any other name that a gateway may look for."""
        names = (
            "Forwarded",
            "Forwarded-For",
            "X-Forwarded",
            "X-Forwarded-Port",
            "X-Forwarded-Prefix",
            "X-Forwarded-Server",
            "X-Client-IP",
            "X-Real-IP",
            "X-Cluster-Client-IP",
            "True-Client-IP",
            "Client-IP",
            "Fastly-Client-IP",
            "CF-Connecting-IP",
            "CF-Connecting-IPv6",
            "CF-Pseudo-IPv4",
            "X-Appengine-User-IP",
            "X-Original-Host",
            "X_Forwarded_For",
            "X-Real_IP",
        )
        for address in ("192.0.2.1", PROXY):
            self.told(address, **dict.fromkeys(names, "203.0.113.9"), X="1")
            self.assertEqual([], [name for name in names if self.sent.hasHeader(name)])
            self.assertTrue(self.sent.hasHeader("X"))

    def test_host(self) -> None:
        """A Host that is none goes no further."""
        self.error(400, self.client.get("/Users", Host="a b"), "invalidValue")
