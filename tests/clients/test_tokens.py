"""Tokens: one request at a time, replaced before they expire."""

from __future__ import annotations

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as ec_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from scimgw.clients.http import tokens
from scimgw.clients.http.assertion import LIFETIME, Signer
from scimgw.clients.http.build import for_issuer, form, token_url
from scimgw.clients.http.credentials import PassThrough, basic, bearer
from scimgw.clients.http.settings import AuthOptions, Connection, Options, Tls
from scimgw.clients.http.tokens import Token, TokenCredential
from scimgw.errors import BadGateway, Unauthorized, Unavailable
from scimgw.secret import Secret


class TokenTests(SynchronousTestCase):
    """A token and its issuer."""

    def setUp(self) -> None:
        """Begin without a token."""
        self.clock = Clock()
        self.asked: list[Deferred[Token]] = []
        self.credential = TokenCredential(self.ask, self.clock, self.closed)

    def ask(self) -> Deferred[Token]:
        """Be asked for a token."""
        self.asked.append(Deferred())
        return self.asked[-1]

    async def closed(self) -> None:
        """Close nothing."""

    def wanted(self) -> Deferred[str | None]:
        """Ask for the header."""

        async def header() -> str | None:
            found = await self.credential.authorization(None)
            return None if found is None else found.reveal()

        return Deferred.fromCoroutine(header())

    def give(self, value: str, lifetime: float = 3600) -> None:
        """Answer the last request for a token."""
        self.asked[-1].callback(Token(Secret(value), lifetime))

    def test_one_at_a_time(self) -> None:
        """Whoever wants a token meanwhile waits for the same one."""
        waiting = [self.wanted() for _ in range(3)]
        self.give("a")
        self.assertEqual(["Bearer a"] * 3, [self.successResultOf(each) for each in waiting])
        self.assertEqual("Bearer a", self.successResultOf(self.wanted()))
        self.assertEqual(1, len(self.asked))

    def test_replaced_in_time(self) -> None:
        """A token is replaced a minute before it expires, a short-lived one a tenth of its life."""
        for lifetime, last in ((3600, 3539), (100, 89)):
            self.setUp()
            self.wanted()
            self.give("a", lifetime)
            self.clock.advance(last)
            self.assertEqual("Bearer a", self.successResultOf(self.wanted()))
            self.clock.advance(2)
            fresh = self.wanted()
            self.give("b")
            self.assertEqual("Bearer b", self.successResultOf(fresh))

    def test_given_up(self) -> None:
        """One who gives up takes nothing from those who wait with him."""
        first, second = self.wanted(), self.wanted()
        first.cancel()
        self.failureResultOf(first)
        self.give("a")
        self.assertEqual("Bearer a", self.successResultOf(second))

    def test_failure(self) -> None:
        """All who wait are told of a failure; who comes later asks anew."""
        waiting = [self.wanted(), self.wanted()]
        self.asked[0].errback(Unavailable("no"))
        for each in waiting:
            self.failureResultOf(each, Unavailable)
        again = self.wanted()
        self.give("a")
        self.assertEqual("Bearer a", self.successResultOf(again))

    def test_refused(self) -> None:
        """A token that the endpoint refused is replaced, unless it was meanwhile."""
        self.wanted()
        self.give("a")
        self.assertTrue(self.credential.refused(Secret("Bearer older")))
        self.assertEqual("Bearer a", self.successResultOf(self.wanted()))
        self.credential.refused(Secret("Bearer a"))
        self.assertNoResult(self.wanted())


class AnswerTests(SynchronousTestCase):
    """What a token endpoint answers."""

    def test_read(self) -> None:
        """RFC 6749, and what simpler ones call it."""
        for answer, value, lifetime in (
            ({"access_token": "a", "expires_in": 60}, "a", 60.0),
            ({"accessToken": "a", "expires_in": "60"}, "a", 60.0),
            ({"token": "a"}, "a", 3600.0),
            ({"token": "a", "expires_in": "soon"}, "a", 3600.0),
            ({"token": "a", "expires_in": "nan"}, "a", 3600.0),
            ({"token": "a", "expires_in": "inf"}, "a", 3600.0),
            ({"token": "a", "expires_in": -1}, "a", 3600.0),
            ({"token": "a", "expires_in": 10**400}, "a", 3600.0),
        ):
            self.assertEqual(Token(Secret(value), lifetime), tokens.read(answer))

    def test_no_token(self) -> None:
        """What could break a header is no token."""
        answers: list[object] = [{}, [], None, {"token": 1}, {"token": "a\r\nX"}, {"token": "ü"}]
        for answer in answers:
            with self.assertRaises(BadGateway):
                tokens.read(answer)

    def test_refusal(self) -> None:
        """The error code is told, and nothing else of the answer."""
        answer = {"error": "invalid_client", "error_description": "secret hunter2 is wrong"}
        self.assertTrue(tokens.refusal(401, answer).detail.endswith(": invalid_client"))
        self.assertTrue(tokens.refusal(400, {"error": "a\nb"}).detail.endswith(": status 400"))


class RequestTests(SynchronousTestCase):
    """What a token is asked for with."""

    def test_url(self) -> None:
        """Entra ID has an endpoint for resources, and one for scopes."""
        base = "https://login.microsoftonline.com/a%2Fb/oauth2"
        for options, expected in (
            (AuthOptions(token_url="https://x/token"), "https://x/token"),
            (AuthOptions(azure_tenant_id="a/b", scope="s"), f"{base}/v2.0/token"),
            (AuthOptions(azure_tenant_id="a/b", resource="r"), f"{base}/token"),
        ):
            self.assertEqual(expected, token_url(options))

    def test_options(self) -> None:
        """What is said of the endpoint's headers and certificate isn't said of another host."""
        options = Options(headers={"X-Key": Secret("k")}, tls=Tls(reject_unauthorized=False))
        settings = Connection(base_urls=("https://a.example/scim",), options=options)
        for url, verified in (("https://b.example/token", True), ("https://A.example:1/t", False)):
            found = for_issuer(settings, url)
            self.assertEqual(({}, verified), (found.headers, found.tls.reject_unauthorized))

    def test_form(self) -> None:
        """Client credentials with a secret or an assertion, or the assertion as the grant."""
        secret = AuthOptions(client_id="c", client_secret=Secret("s"), scope="x")
        self.assertEqual(
            {
                "grant_type": "client_credentials",
                "client_id": "c",
                "client_secret": "s",
                "scope": "x",
            },
            form(secret, None),
        )
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        self.assertEqual(
            {
                "grant_type": "client_credentials",
                "client_id": "c",
                "client_assertion_type": kind,
                "client_assertion": "j",
            },
            form(AuthOptions(client_id="c"), "j"),
        )
        grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        self.assertEqual(
            {"grant_type": grant, "assertion": "j"}, form(AuthOptions(subject="s"), "j")
        )

    def test_assertion(self) -> None:
        """An assertion is signed, for its audience, and good for a short while."""
        key = ec_key(SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        signed = Signer.load(pem, None).sign(
            issuer="i", subject="s", audience="a", now=1000.9, id="n"
        )
        claims = jwt.decode(signed, public, ["ES256"], audience="a", options={"verify_exp": False})
        self.assertEqual(
            {"iss": "i", "sub": "s", "aud": "a", "iat": 1000, "nbf": 1000, "jti": "n"}
            | {"exp": 1000 + LIFETIME},
            claims,
        )

    def test_not_a_key(self) -> None:
        """What isn't a private key is a fault."""
        with self.assertRaises(ValueError):
            Signer.load(b"x", None)


class FixedTests(SynchronousTestCase):
    """Credentials that stay the same, and those of the caller."""

    def test_fixed(self) -> None:
        """A user with a password is spelled in UTF-8; a token as it is."""
        for credential, expected in (
            (basic("u", Secret("ü")), "Basic dTrDvA=="),
            (bearer(Secret("t")), "Bearer t"),
        ):
            header = self.successResultOf(
                Deferred.fromCoroutine(credential.authorization(Secret("other")))
            )
            self.assertEqual(Secret(expected), header)
            self.assertFalse(credential.refused(Secret(expected)))

    def test_pass_through(self) -> None:
        """The caller's own credentials are handed on; without any there is no way in."""
        credential = PassThrough()
        mine = Secret("Basic x")
        given = Deferred.fromCoroutine(credential.authorization(mine))
        self.assertIs(mine, self.successResultOf(given))
        self.assertFalse(credential.refused(mine))
        self.failureResultOf(Deferred.fromCoroutine(credential.authorization(None)), Unauthorized)
