"""The gateway's own tokens: who gets them, and when they are good."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from joserfc import jwt
from joserfc.jwk import OctKey
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from scimgw.auth.chain import Chain
from scimgw.auth.issuers import SignedTokens
from scimgw.auth.oauth import DESCRIPTION, OAuthClient, TokenIssuer
from scimgw.connector import Principal
from scimgw.errors import InvalidToken, Unauthorized
from scimgw.scrypt import Cost
from scimgw.secret import Secret
from tests.auth.test_hashed import Beside, hashed
from tests.auth.tokens import token

KEY = b"k" * 32
OKTA = OAuthClient(principal=Principal("okta"), secret=Secret("one"), lifetime=600)
NEWER = OAuthClient(principal=Principal("okta"), secret=Secret("two"), lifetime=600)
READER = OAuthClient(
    principal=Principal("reader", read_only=True), secret=Secret("one"), lifetime=60
)


class OAuthTests(SynchronousTestCase):
    """Clients, and replicas."""

    def setUp(self) -> None:
        """Know some clients."""
        self.clock = Clock()
        self.clock.advance(1_800_000_000)
        self.issuer = self.replica(OKTA, NEWER, READER)

    def replica(self, *clients: OAuthClient, key: bytes = KEY, plugin: str = "p") -> TokenIssuer:
        """Begin another gateway."""
        return TokenIssuer(clients, key, plugin, self.clock.seconds, lambda n: bytes(range(n)))

    def login(self, *shown: tuple[str, str]) -> Deferred[OAuthClient]:
        """Show credentials."""
        return Deferred.fromCoroutine(self.issuer.login(shown))

    def at(self, issuer: TokenIssuer, text: str) -> Deferred[Principal]:
        """Use a token."""
        chain = Chain([SignedTokens([issuer.issuer], self.clock.seconds, DESCRIPTION)])
        return Deferred.fromCoroutine(chain.authenticate(f"Bearer {text}"))

    def refused(self, issuer: TokenIssuer, text: str) -> str:
        """Use a token in vain, and tell why."""
        return str(self.failureResultOf(self.at(issuer, text), InvalidToken).value)

    def test_login(self) -> None:
        """A client gets in by each of its secrets, and by nobody else's."""
        self.assertIs(OKTA, self.successResultOf(self.login(("okta", "one"))))
        self.assertIs(NEWER, self.successResultOf(self.login(("okta", "two"))))
        self.assertIs(READER, self.successResultOf(self.login(("x", "y"), ("reader", "one"))))

    def test_hashed(self) -> None:
        """A secret of which there is only a hash is verified beside the reactor."""
        beside = Beside()
        client = evolve(OKTA, secret=Secret(str(hashed("one", Cost(14, 8, 1)))))
        issuer = TokenIssuer([client, READER], KEY, "p", self.clock.seconds, bytes, beside=beside)
        found = Deferred.fromCoroutine(issuer.login([("okta", "one")]))
        self.assertIs(client, self.successResultOf(found))
        self.assertEqual(1, len(beside.asked))
        for shown in (("okta", client.secret.reveal()), ("okta", "two"), ("nobody", "one")):
            self.failureResultOf(Deferred.fromCoroutine(issuer.login([shown])), Unauthorized)
        given = issuer.issue(client).reveal()
        self.assertEqual("okta", self.successResultOf(self.at(issuer, given)).name)
        for wrong in (
            ("reader", "two"),
            ("okta", ""),
            ("", "one"),
            ("OKTA", "one"),
            ("okta", "one "),
            ("okta\0one", ""),
            ("okta", "\ud800"),
            ("nobody", "one"),
        ):
            self.failureResultOf(self.login(wrong), Unauthorized)
        self.failureResultOf(self.login(), Unauthorized)

    def test_token(self) -> None:
        """A token names its client, holds no secret, and another library reads it."""
        read = jwt.decode(self.issuer.issue(READER).reveal(), OctKey.import_key(KEY))
        self.assertEqual({"alg": "HS256", "typ": "at+jwt"}, read.header)
        mark = read.claims.pop("mark")
        self.assertNotIn("one", mark)
        expected = {
            "iss": "scimgw",
            "aud": "p",
            "sub": "reader",
            "client_id": "reader",
            "iat": 1_800_000_000,
            "exp": 1_800_000_060,
            "jti": bytes(range(16)).hex(),
        }
        self.assertEqual(expected, read.claims)

    def test_replicas(self) -> None:
        """Every replica takes it, and grants what it itself knows of the client."""
        text = self.issuer.issue(READER).reveal()
        self.assertEqual(READER.principal, self.successResultOf(self.at(self.issuer, text)))
        more = evolve(READER, principal=Principal("reader", entities=frozenset({"a"})))
        found = self.successResultOf(self.at(self.replica(OKTA, more), text))
        self.assertEqual(more.principal, found)

    def test_elsewhere(self) -> None:
        """Neither another plugin takes it, nor a gateway with another key."""
        text = self.issuer.issue(OKTA).reveal()
        self.assertIn("audience", self.refused(self.replica(OKTA, plugin="q"), text))
        self.assertIn("key", self.refused(self.replica(OKTA, key=b"x" * 32), text))

    def test_revoked(self) -> None:
        """The tokens of a client that is removed, or whose secret is another, are good no more."""
        text = self.issuer.issue(OKTA).reveal()
        self.assertIn("client", self.refused(self.replica(NEWER, READER), text))
        self.assertIn("client", self.refused(self.replica(), text))

    def test_expired(self) -> None:
        """A token ends, but for what the clocks of replicas may differ."""
        text = self.issuer.issue(READER).reveal()
        self.clock.advance(89)
        self.successResultOf(self.at(self.issuer, text))
        self.clock.advance(1)
        self.assertIn("expired", self.refused(self.issuer, text))

    def test_forged(self) -> None:
        """Whoever hasn't the key makes no token, nor a better one of one that is good."""
        key = OctKey.import_key(KEY)
        claims = dict(jwt.decode(self.issuer.issue(READER).reveal(), key).claims)
        others: list[dict[str, Any]] = [{"mark": "x"}, {"mark": None}, {"mark": ["x"]}]
        for wrong in others:
            self.refused(self.issuer, token(key, {**claims, **wrong}, "HS256"))
        self.refused(self.issuer, token(OctKey.import_key("x" * 32), claims, "HS256"))
        self.refused(self.issuer, token(OctKey.import_key(KEY * 2), claims, "HS512"))
