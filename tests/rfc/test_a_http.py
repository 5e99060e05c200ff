"""A: HTTP, authentication, media types."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from OpenSSL import SSL
from twisted.internet.testing import MemoryReactorClock

from scimgw.scim.several import SEARCH_REQUEST
from scimgw.testing.client import Client, parse
from scimgw.tls.context import ready, reason
from scimgw.tls.listening import Tls
from scimgw.tls.settings import Certificate
from tests.rfc.case import IOP, MAY, MUST, SHOULD, RfcCase, row
from tests.tls.papers import root
from tests.tls.wire import Line, client
from tests.web.world import ERROR, LIST

SCIM = "application/scim+json"


class HttpTests(RfcCase):
    """RFC 7644 sections 2, 3.8, 3.12, 3.13; RFC 9110."""

    @row(MUST, "7644 3.8")
    def test_A01_scim_json(self) -> None:
        """Answers to who accepts SCIM JSON are of that type."""
        response = self.client.get("/Users?count=1", Accept=SCIM)
        self.assertEqual((200, SCIM), (response.status, response.headers["Content-Type"]))

    @row(SHOULD, "7644 3.8")
    def test_A02_plain_json(self) -> None:
        """Who accepts plain JSON only, or likes it better, gets it."""
        plain = "application/json"
        for accept, expected in (
            (plain, plain),
            (f"{plain}, {SCIM};q=0", plain),
            (f"{SCIM};q=0.5, {plain}; q=0.8", plain),
            (f"{SCIM}; q=0.8, {plain};q=0.5", SCIM),
            (f"{plain}, {SCIM}", SCIM),
            (f"{plain}, text/plain, */*", SCIM),
        ):
            response = self.client.get("/Users?count=1", Accept=accept)
            self.assertEqual(expected, response.headers["Content-Type"], accept)

    @row(SHOULD, "7644 3.8")
    def test_A03_no_accept(self) -> None:
        """Who says nothing of what it accepts, or accepts everything, gets SCIM JSON."""
        self.json(200, self.client.get("/Users"))
        self.json(200, self.client.get("/Users", Accept="*/*"))

    @row(MUST, "7644 3.8")
    def test_A04_unicode(self) -> None:
        """Any text survives, in UTF-8."""
        name = 'Žluťoučký 日本 😀 "q" \\ \t end'
        user = self.user(displayName=name)
        self.assertEqual(name, self.again(user)["displayName"])

    @row(SHOULD, "7644 3.8")
    def test_A05_json_bodies(self) -> None:
        """A body may be sent as plain JSON."""
        headers = {"Content-Type": "application/json"}
        self.json(201, self.client.request("POST", "/Users", {"userName": "x"}, headers))

    @row(IOP, "Okta, OneLogin")
    def test_A06_charset(self) -> None:
        """The media type of a body may name UTF-8 as its charset."""
        headers = {"Content-Type": f"{SCIM}; charset=utf-8", "Accept-Charset": "utf-8"}
        self.json(201, self.client.request("POST", "/Users", {"userName": "x"}, headers))

    @row(IOP, "scim2-tester, scimverify")
    def test_A07_no_parameter(self) -> None:
        """The media type of an answer has no parameter."""
        self.assertEqual(SCIM, self.client.get("/Users").headers["Content-Type"])

    @row(MUST, "7644 2, 7.4")
    def test_A08_anonymous(self) -> None:
        """Without credentials no resource is shown or changed."""
        for method, path in (
            ("GET", "/Users"),
            ("POST", "/Users"),
            ("GET", "/Users/bjensen"),
            ("DELETE", "/Users/bjensen"),
            ("GET", "/"),
            ("POST", "/.search"),
            ("POST", "/Bulk"),
            ("GET", "/Me"),
            ("GET", "/Schemas"),
        ):
            response = self.client.request(method, path, headers={"Authorization": None})
            self.assertEqual(401, response.status, path)

    @row(MUST, "7644 2; 9110 11.6.1")
    def test_A09_challenge(self) -> None:
        """A 401 names the schemes that are offered."""
        response = self.client.request("GET", "/Users", headers={"Authorization": None})
        self.assertIn("Basic", response.headers["WWW-Authenticate"])

    @row(MUST, "7644 3.12")
    def test_A10_challenge_body(self) -> None:
        """A 401 has the body of a SCIM error."""
        response = self.client.request("GET", "/Users", headers={"Authorization": None})
        body = self.json(401, response)
        self.assertEqual(([ERROR], "401"), (body["schemas"], body["status"]))

    @row(MUST, "9110 11")
    def test_A11_wrong_credentials(self) -> None:
        """Wrong credentials are 401."""
        self.error(401, self.client.get("/Users", Authorization="Basic bm86bm8="))

    @row(IOP, "Okta")
    def test_A12_unknown_scheme(self) -> None:
        """A scheme that isn't known is 401, and says so."""
        for value in ("non-token", "Bearer", "Basic %%%", "Negotiate YII="):
            self.assertTrue(self.error(401, self.client.get("/Users", Authorization=value)))

    @row(SHOULD, "6585 4")
    def test_A24_too_many(self) -> None:
        """Who presents wrong credentials again and again is told when to come back."""
        for each in range(20):
            refused = Client(self.site, password=f"{each}").get("/Users")
        self.error(429, refused)
        self.assertGreater(int(refused.headers["Retry-After"]), 0)

    @row(MAY, "9110 15.5.15; 6585 5")
    def test_A25_too_long(self) -> None:
        """A URL that is too long is 414, headers that are too large 431, with a SCIM error."""
        self.error(414, self.client.get("/Users/" + "x" * 20_000))
        self.error(431, self.client.get("/Users", Cookie="x" * 20_000))

    @row(MUST, "7644 7.2")
    def test_A13_tls(self) -> None:
        """TLS 1.2 or later protects every exchange, where a certificate is configured."""
        authority, reactor = root(), MemoryReactorClock()
        folder = Path(self.mktemp())
        certs = folder / "certs"
        certs.mkdir(parents=True)
        authority.issue("localhost").write(certs, "x")
        settings = Certificate(key="x.key", cert="x.pem")
        tls = Tls("x", settings, folder, ready(settings, folder), reactor, now=lambda: 0)
        port = tls.around(self.site)
        for version in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION):
            line = Line(port, client(version, trust=authority), reactor)
            answer = parse(line.ask(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"))
            self.assertEqual((200, b"hello"), (answer.status, answer.body))
            line.lose()
        with self.assertRaises(SSL.Error) as raised:
            Line(port, client(SSL.TLS1_1_VERSION), reactor)
        self.assertIn("protocol version", reason(raised.exception))

    @row(SHOULD, "9110 15.5.6")
    def test_A14_methods(self) -> None:
        """A method that a path doesn't take is 405, and nothing is done."""
        for method, path in (("PUT", "/Users"), ("DELETE", "/Users"), ("POST", "/Users/bjensen")):
            self.error(405, self.client.request(method, path, {"userName": "y"}))
        self.assertEqual(["bjensen", "jsmith"], self.names("/Users"))

    @row(MUST, "7644 3.12")
    def test_A15_unknown_endpoint(self) -> None:
        """An endpoint that isn't there is 404, with a SCIM error."""
        for path in ("/NoSuchEndpoint", "/scim/v2/NoSuchEndpoint", "/NoSuchEndpoint/x"):
            self.error(404, self.client.get(path))

    @row(MUST, "7644 3.12")
    def test_A16_malformed_json(self) -> None:
        """What isn't JSON is 400 invalidSyntax."""
        for body in (b'{"userName":', b"{'a': 1}", b"\xff", b'{"a":1,"a":2}', b"[" * 100_000):
            self.error(400, self.client.post("/Users", body), "invalidSyntax")

    @row(MUST, "7644 3.12")
    def test_A17_not_an_object(self) -> None:
        """A body that isn't an object is 400."""
        for body in (b"[]", b'"x"', b"1", b"null"):
            for method, path in (("POST", "/Users"), ("PUT", "/Users/bjensen")):
                self.error(400, self.client.request(method, path, body), "invalidSyntax")

    @row(MUST, "7644 3.12")
    def test_A18_no_body(self) -> None:
        """A missing body is 400."""
        for method, path in (("POST", "/Users"), ("PATCH", "/Users/bjensen"), ("POST", "/Bulk")):
            self.error(400, self.client.request(method, path), "invalidSyntax")

    @row(SHOULD, "9110 15.5.16")
    def test_A19_other_media_type(self) -> None:
        """A body of another media type is 415."""
        headers = {"Content-Type": "text/plain"}
        self.error(415, self.client.request("POST", "/Users", {"userName": "x"}, headers))

    @row(IOP, "Entra ID")
    def test_A20_trailing_slash(self) -> None:
        """A slash before the query is nothing."""
        self.assertEqual(["bjensen"], self.ids('userName eq "bjensen"', "/Users/"))

    @row(MUST, "7644 3.13")
    def test_A21_version(self) -> None:
        """A version that isn't served is refused."""
        self.error(404, self.client.get("/v9/Users"))
        self.error(404, self.client.get("/scim/v9/Users"))
        self.json(200, self.client.get("/v2/Users"))

    @row(IOP, "Entra ID")
    def test_A22_plus(self) -> None:
        """A plus in a query is a blank."""
        found = self.resources("/Users?filter=userName+eq+%22bjensen%22")
        self.assertEqual(["bjensen"], [each["id"] for each in found])

    @row(SHOULD, "7644 7.5.2")
    def test_A23_out_of_urls(self) -> None:
        """What a filter holds can be kept out of URLs."""
        text = 'emails.value eq "babs@jensen.org"'
        message = {"schemas": [SEARCH_REQUEST], "filter": text}
        body = self.json(200, self.client.post("/Users/.search", message))
        self.assertEqual([LIST], body["schemas"])
        self.assertEqual(self.found(text), body["Resources"])
        self.assertEqual(1, len(self.resources(f"/Users?filter={quote(text)}")))
