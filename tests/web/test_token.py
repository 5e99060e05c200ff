"""The token endpoint: RFC 6749 sections 2.3, 4.4 and 5, RFC 6750."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from urllib.parse import quote_plus, urlencode

from twisted.logger import capturedLogs, formatEvent

from scimgw.auth.basic import BasicAuthenticator
from scimgw.auth.chain import Chain
from scimgw.auth.issuers import SignedTokens
from scimgw.auth.oauth import DESCRIPTION, OAuthClient, TokenIssuer
from scimgw.auth.throttle import FORGIVEN
from scimgw.connector import NO_ENTITY, Principal
from scimgw.gateway.endpoint import Endpoint
from scimgw.scim.cursor import Cursors
from scimgw.secret import Secret
from scimgw.testing.client import Client, Response
from scimgw.web.request import ScimRequest
from scimgw.web.root import Limits
from scimgw.web.site import ScimSite
from tests.web.world import WebCase

FORM = "application/x-www-form-urlencoded"
ODD = "p%41+ss:wörd/="
"""A secret that is another once it is decoded, though no configuration would take it."""
GRANT = {"grant_type": "client_credentials"}
OKTA = {"client_id": "okta", "client_secret": "secret"}


def basic(id: str, secret: str) -> str:
    """Spell the header."""
    return "Basic " + b64encode(f"{id}:{secret}".encode()).decode()


class TokenCase(WebCase):
    """Has a site that gives tokens."""

    def setUp(self) -> None:
        """Know a user and some clients."""
        super().setUp()
        self.clock.advance(1_800_000_000)
        clients = [
            (Principal("okta"), "secret"),
            (Principal("reader", read_only=True), ODD),
            (Principal("tenant", entities=frozenset({"clientA"})), "a+b"),
        ]
        issuer = TokenIssuer(
            [
                OAuthClient(principal=principal, secret=Secret(secret), lifetime=600)
                for principal, secret in clients
            ],
            b"k" * 32,
            "plugin",
            self.clock.seconds,
            bytes,
        )
        chain = Chain(
            [
                BasicAuthenticator([(Principal("gwadmin"), Secret("password"))]),
                SignedTokens([issuer.issuer], self.clock.seconds, DESCRIPTION),
            ]
        )
        self.endpoint = Endpoint(connector=self.loki(), clock=self.clock)
        self.site = ScimSite(
            self.endpoint,
            chain,
            frozenset({NO_ENTITY, "clientA"}),
            Limits(),
            self.clock,
            cursors=Cursors(key=b"k" * 32, lifetime=60),
        )
        self.site.give_tokens(issuer)
        self.client = Client(self.site)

    def ask(
        self,
        body: Any = None,
        authorization: str | None = None,
        kind: str = FORM,
        path: str = "/oauth/token",
    ) -> Response:
        """Ask for a token, not too soon after another."""
        self.clock.advance(FORGIVEN)
        content = urlencode(body).encode() if isinstance(body, dict) else body
        headers = {"Authorization": authorization, "Content-Type": kind}
        return self.client.request("POST", path, content, headers)

    def token(self, answer: Response) -> str:
        """Check that a token is given as section 5.1 says, and give it."""
        self.assertEqual(200, answer.status, answer.body)
        names = ("Content-Type", "Cache-Control", "Pragma")
        self.assertEqual(
            ["application/json", "no-store", "no-cache"], [answer.headers[each] for each in names]
        )
        body = answer.json()
        token: str = body.pop("access_token")
        self.assertEqual({"token_type": "Bearer", "expires_in": 600}, body)
        return token

    def refused(self, status: int, code: str, answer: Response) -> str:
        """Check that none is given, as section 5.2 says, and tell why."""
        body = answer.json()
        self.assertEqual((status, code), (answer.status, body["error"]), body)
        self.assertEqual("no-store", answer.headers["Cache-Control"])
        asked = answer.headers["WWW-Authenticate"]
        self.assertEqual('Basic realm="scimgw"' if status == 401 else None, asked)
        self.assertEqual({"error", "error_description"}, body.keys())
        self.assertNotIn(b"secret:", answer.body)
        why: str = body["error_description"]
        return why

    def using(self, token: str) -> Client:
        """Log in by a token."""
        return Client(self.site, headers={"Authorization": f"Bearer {token}"})


class GrantTests(TokenCase):
    """Who gets a token, and what it is good for."""

    def test_spellings(self) -> None:
        """Credentials may be in a form, in JSON, or in a header, encoded or not."""
        as_json = json.dumps({**GRANT, **OKTA}).encode()
        odd = quote_plus(ODD)
        for answer in (
            self.ask({**GRANT, **OKTA, "scope": "x", "unknown": "y", "audience": ""}),
            self.ask(as_json, kind="application/json"),
            self.ask(as_json, kind="application/json; charset=utf-8"),
            self.ask(GRANT, basic("okta", "secret")),
            self.ask({**GRANT, "client_id": "okta"}, basic("okta", "secret")),
            self.ask(GRANT, basic("reader", odd)),
            self.ask({**GRANT, "client_id": "reader", "client_secret": ODD}),
            self.ask(GRANT, basic("reader", ODD)),
            self.ask(GRANT, basic("tenant", "a%2Bb")),
            self.ask(GRANT, basic("tenant", "a+b")),
            self.ask(GRANT, basic("okta", "secret"), kind=f"{FORM};charset=UTF-8"),
        ):
            self.token(answer)

    def test_used(self) -> None:
        """A token lets in as the client that it is for, within what that one may do."""
        token = self.token(self.ask({**GRANT, **OKTA}))
        self.assertEqual(201, self.using(token).post("/Users", {"userName": "x"}).status)
        token = self.token(self.ask(GRANT, basic("reader", ODD)))
        self.assertEqual(200, self.using(token).get("/Users").status)
        self.assertEqual(403, self.using(token).post("/Users", {"userName": "y"}).status)

    def test_places(self) -> None:
        """It is given at the base URL and at each base entity that there is for the client."""
        for prefix in ("", "/clientA", "/scim/v2", "/clientA/scim", "/clientA/v2"):
            path = f"{prefix}/oauth/token"
            token = self.token(self.ask(GRANT, basic("tenant", "a+b"), path=path))
            self.assertEqual(200, self.using(token).get("/clientA/Users").status)
            self.assertEqual(404, self.using(token).get("/Users").status)
        for entity in ("clientB", NO_ENTITY):
            path = f"/{entity}/oauth/token"
            self.assertEqual(404, self.ask({**GRANT, **OKTA}, path=path).status)
            self.refused(401, "invalid_client", self.ask(GRANT, basic("okta", "x"), path=path))

    def test_expired(self) -> None:
        """A token that is over says so to whoever can get another."""
        token = self.token(self.ask({**GRANT, **OKTA}))
        self.clock.advance(631)
        answer = self.using(token).get("/Users")
        self.assertIn("expired", self.error(401, answer))
        challenges = answer.headers.get_all("WWW-Authenticate")
        assert challenges is not None
        self.assertEqual('Bearer realm="scimgw", error="invalid_token"', challenges[1])
        self.assertNotIn("error", challenges[0])
        none = self.client.request("GET", "/Users", headers={"Authorization": None})
        self.assertNotIn("invalid_token", str(none.headers))

    def test_described(self) -> None:
        """What there is to log in by is told."""
        schemes = self.client.get("/ServiceProviderConfig").json()["authenticationSchemes"]
        self.assertEqual(["httpbasic", "oauth2"], [each["type"] for each in schemes])

    def test_behind_another(self) -> None:
        """A gateway that hands on gives its own tokens itself."""

        async def hand_on(request: ScimRequest) -> None:
            request.setResponseCode(299)
            request.finish()

        self.site.hand_on(hand_on)
        token = self.token(self.ask({**GRANT, **OKTA}, path="/elsewhere/oauth/token"))
        self.assertEqual(299, self.using(token).get("/elsewhere/Users").status)
        tenants = self.ask(GRANT, basic("tenant", "a+b"), path="/elsewhere/oauth/token")
        self.assertEqual(404, tenants.status)


class RefusalTests(TokenCase):
    """Who gets none."""

    def test_wrong_client(self) -> None:
        """Whoever isn't a client, or doesn't prove it, is told so alike."""
        unknown = self.ask({**GRANT, "client_id": "nobody", "client_secret": "secret"})
        wrong = self.ask({**GRANT, **OKTA, "client_secret": "x"})
        self.assertEqual(
            self.refused(401, "invalid_client", unknown), self.refused(401, "invalid_client", wrong)
        )
        for answer in (
            self.ask(GRANT),
            self.ask({**GRANT, "client_id": "okta"}),
            self.ask({**GRANT, "client_secret": "secret"}),
            self.ask({**GRANT, **OKTA, "client_secret": ""}),
            self.ask(GRANT, basic("okta", "wrong")),
            self.ask(GRANT, basic("gwadmin", "password")),
            self.ask(GRANT, "Basic !!!"),
            self.ask(GRANT, "Basic " + b64encode(b"okta").decode()),
            self.ask(GRANT, "Basic " + b64encode(b"\xff:\xff").decode()),
            self.ask(GRANT, "Bearer secret"),
            self.ask(GRANT, "Basic"),
            self.ask(GRANT, path="/oauth/token?client_id=okta&client_secret=secret"),
        ):
            self.refused(401, "invalid_client", answer)

    def test_guessed(self) -> None:
        """Whoever guesses is slowed down."""
        self.patch(self.clock, "advance", lambda _: None)
        body = {**GRANT, "client_id": "okta"}
        answered = [self.ask({**body, "client_secret": f"x{n}"}) for n in range(20)]
        self.refused(401, "invalid_client", answered[0])
        self.refused(429, "temporarily_unavailable", answered[-1])
        self.assertEqual("1", answered[-1].headers["Retry-After"])

    def test_log(self) -> None:
        """The log tells which client is refused, and nothing of the secret."""
        with capturedLogs() as events:
            self.ask({**GRANT, **OKTA, "client_secret": "hunter2"})
        (told,) = [text for text in map(formatEvent, events) if "login refused" in text]
        self.assertIn(" as 'okta': wrong client id or client secret (request ", told)
        self.assertNotIn("hunter2", told)

    def test_busy(self) -> None:
        """What isn't the client's fault is said in the same words, and when to come again."""
        self.site.resource._limits = Limits(max_requests=0)
        answer = self.ask({**GRANT, **OKTA})
        self.refused(503, "temporarily_unavailable", answer)
        self.assertEqual("1", answer.headers["Retry-After"])

    def test_large(self) -> None:
        """So is that a body is larger than any may be, and that there is no such base entity."""
        self.site.max_body = 1000
        self.refused(413, "invalid_request", self.ask({**GRANT, "x": "y" * 2000}))
        why = self.refused(
            404, "invalid_request", self.ask({**GRANT, **OKTA}, path="/%22\\%C3%BC/oauth/token")
        )
        self.assertRegex(why, r"\A[ !#-\[\]-~]+\Z")

    def test_bug(self) -> None:
        """So is an error that nobody has thought of, which says nothing of itself."""
        self.patch(TokenIssuer, "issue", lambda *_: 1 // 0)
        why = self.refused(500, "server_error", self.ask({**GRANT, **OKTA}))
        self.assertNotIn("division", why)
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_malformed(self) -> None:
        """What can't be read, or could be in two ways, is refused."""
        header = basic("okta", "secret")
        for answer in (
            self.ask(None, header),
            self.ask({"scope": "x"}, header),
            self.ask({**GRANT, **OKTA}, header),
            self.ask({**GRANT, "client_id": "other"}, header),
            self.ask(b"grant_type=client_credentials&grant_type=client_credentials", header),
            self.ask(b"grant_type=client_credentials&x=%FF", header),
            self.ask(b"grant_type=client_credentials&x=\xff", header),
            self.ask(json.dumps(GRANT).encode(), header),
            self.ask(b"{", header, kind="application/json"),
            self.ask(b"[]", header, kind="application/json"),
            self.ask(b'{"grant_type":["client_credentials"]}', header, kind="application/json"),
            self.ask(
                b'{"grant_type":"client_credentials","client_id":5}',
                header,
                kind="application/json",
            ),
            self.ask(b'{"grant_type":"a","grant_type":"b"}', header, kind="application/json"),
            self.ask(urlencode(GRANT).encode(), header, kind="multipart/form-data; boundary=x"),
            self.ask({**GRANT, "x": "y" * 20_000}, header),
        ):
            self.refused(400, "invalid_request", answer)

    def test_other_grants(self) -> None:
        """Tokens are given for client credentials only."""
        for grant in ("password", "refresh_token", "authorization_code", "CLIENT_CREDENTIALS"):
            answer = self.ask({**OKTA, "grant_type": grant})
            self.refused(400, "unsupported_grant_type", answer)

    def test_methods(self) -> None:
        """A token is asked for by POST."""
        for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
            answer = self.client.request(method, "/oauth/token")
            self.assertEqual((405, "POST, OPTIONS"), (answer.status, answer.headers["Allow"]))
            if method != "HEAD":
                self.refused(405, "invalid_request", answer)
        answer = self.client.request("OPTIONS", "/oauth/token")
        self.assertEqual((204, "POST, OPTIONS"), (answer.status, answer.headers["Allow"]))

    def test_nearby(self) -> None:
        """What isn't the endpoint is as any path that there isn't."""
        for path in ("/oauth", "/oauth/other", "/oauth/token/x", "/clientA/oauth/x", "/OAuth"):
            self.assertEqual(401, self.ask({**GRANT, **OKTA}, path=path).status)
            for method in ("GET", "POST", "OPTIONS"):
                self.assertEqual(404, self.client.request(method, path).status)

    def test_none(self) -> None:
        """Without clients there is no endpoint, nor a base entity of that name."""
        super(TokenCase, self).setUp()
        for path in ("/oauth/token", "/clientA/oauth/token", "/oauth/Users"):
            self.assertEqual(401, self.ask({**GRANT, **OKTA}, path=path).status)
            self.assertEqual(404, self.client.post(path, {}).status)
