"""Who may do what, by each kind of token: every route, with tokens that are good and that were."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from scimgw.auth import keys
from scimgw.auth.chain import Authenticator, Chain
from scimgw.auth.claims import Rules
from scimgw.auth.issuers import FixedKey, Issuer, SignedTokens
from scimgw.auth.oauth import DESCRIPTION, OAuthClient, TokenIssuer
from scimgw.auth.published import Published, PublishedKeys
from scimgw.auth.throttle import FREE
from scimgw.auth.token import TokenAuthenticator
from scimgw.connector import Principal
from scimgw.secret import Secret
from scimgw.testing.client import Client, Connection
from tests.auth.tokens import OCT, OTHER_RSA, RSA, SECRET, pem, token
from tests.web import test_access
from tests.web.test_access import READS, USERS, WRITES

NOW = 1_800_000_000
LIFETIME = 20 * 24 * 3600
"""Seconds; a walk takes its time, so that nobody is slowed down."""
BY_NAME = {each.name: each for each in USERS}


class TokenWalkTests(test_access.AccessCase):
    """Every route, by tokens that were agreed upon, that an issuer signs, and of the gateway."""

    def setUp(self) -> None:
        """Begin at a time when tokens are good."""
        self.issuing: TokenIssuer
        super().setUp()
        self.clock.advance(NOW)

    def ways(self) -> list[Authenticator]:
        """Let in the same identities by each kind of token too."""
        now = self.clock.seconds
        clients = [
            OAuthClient(principal=each, secret=Secret("secret"), lifetime=LIFETIME)
            for each in USERS
        ]
        self.issuing = TokenIssuer(clients, b"k" * 32, "plugin", now, bytes)
        issuers = [
            Issuer(
                keys=FixedKey(key),
                algorithms=key.algorithms,
                rules=Rules(issuers=frozenset({name})),
                principal=lambda claims: BY_NAME[claims["sub"]],
            )
            for name, key in (
                ("hmac", keys.of_secret(SECRET.encode())),
                ("rsa", keys.of_pem(pem(RSA))),
            )
        ]
        return [
            *super().ways(),
            TokenAuthenticator((each, Secret(f"token-of-{each.name}")) for each in USERS),
            SignedTokens([self.issuing.issuer], now, DESCRIPTION),
            SignedTokens(issuers, now),
        ]

    def signed(self, who: Principal) -> list[str]:
        """Give tokens of each kind that ends."""
        claims = {"sub": who.name, "exp": int(self.clock.seconds()) + LIFETIME}
        client = OAuthClient(principal=who, secret=Secret("secret"), lifetime=LIFETIME)
        return [
            token(OCT, {**claims, "iss": "hmac"}, "HS256"),
            token(RSA, {**claims, "iss": "rsa"}),
            self.issuing.issue(client).reveal(),
        ]

    def using(self, text: str) -> Client:
        """Log in by a token."""
        return Client(self.site, headers={"Authorization": f"Bearer {text}"})

    def test_read_only(self) -> None:
        """Who may only read is answered whatever reads, and 403 whatever writes."""
        expected = self.statuses(self.client, READS, "/clientA")
        reader = BY_NAME["reader"]
        for text in ("token-of-reader", *self.signed(reader)):
            client = self.using(text)
            self.assertEqual(expected, self.statuses(client, READS, "/clientA"))
            answered = self.statuses(client, WRITES, "/clientA")
            self.assertEqual(dict.fromkeys(answered, 403), answered)

    def test_another_tenant(self) -> None:
        """A base entity of others is 404 throughout."""
        for text in ("token-of-tenant", *self.signed(BY_NAME["tenant"])):
            client = self.using(text)
            for prefix in ("", "/scim/v2", "/nowhere"):
                answered = self.statuses(client, READS + WRITES, prefix)
                self.assertEqual(dict.fromkeys(answered, 404), answered)
            answered = self.statuses(client, READS, "/clientA")
            self.assertLessEqual(set(answered.values()), {200, 204})

    def test_expired(self) -> None:
        """A token that was good, even a moment ago, lets in nowhere."""
        good = [self.using(text) for text in self.signed(BY_NAME["gwadmin"])]
        for client in good:
            self.assertEqual(200, client.get("/Users").status)
        self.clock.advance(LIFETIME + 60)
        for client in good:
            for prefix in ("", "/clientA", "/scim/v2", "/nowhere"):
                answered = self.statuses(client, READS + WRITES, prefix)
                self.assertEqual(dict.fromkeys(answered, 401), answered)

    def test_others_guess(self) -> None:
        """A signed token that is new gets in where somebody guesses, and a forged one doesn't."""
        for each in range(FREE):
            self.assertEqual(401, self.using(f"guess{each}").get("/Users").status)
        for text in self.signed(BY_NAME["gwadmin"]):
            self.assertEqual(200, self.using(text).get("/Users").status)
        claims = {"iss": "rsa", "sub": "gwadmin", "exp": NOW + LIFETIME}
        for text in (token(OTHER_RSA, claims), "token-of-gwadmin"):
            self.assertEqual(429, self.using(text).get("/Users").status)

    def test_nothing_is_waited_for(self) -> None:
        """In a pause keys are asked for, and a token that needs them is answered at once."""
        asked = self.publish()
        for each in range(FREE):
            self.using(f"guess{each}").get("/Users")
        claims = {"iss": "published", "sub": "gwadmin", "exp": NOW + LIFETIME}
        client = self.using(token(RSA, claims))
        self.assertEqual(429, client.get("/Users").status)
        self.assertEqual(429, client.get("/Users").status)
        self.assertEqual(1, len(asked))
        asked[0].callback(Published((keys.of_pem(pem(RSA)),)))
        self.assertEqual(200, client.get("/Users").status)

    def test_others_wait(self) -> None:
        """A signed token waits for nobody: neither for others' keys, nor for others who wait."""
        asked = self.publish()
        claims = {"iss": "published", "sub": "gwadmin", "exp": NOW + LIFETIME}
        waiting = [self.begun(token(RSA, {**claims, "jti": f"{each}"})) for each in range(2 * FREE)]
        known = self.begun("token-of-gwadmin")
        for text in self.signed(BY_NAME["gwadmin"]):
            self.assertEqual(200, self.using(text).get("/Users").status)
        self.assertEqual(b"", b"".join(each.received() for each in (*waiting, known)))
        asked[0].callback(Published((keys.of_pem(pem(RSA)),)))
        self.assertEqual({200}, {each.response().status for each in (*waiting, known)})

    def begun(self, text: str) -> Connection:
        """Begin a request with a token."""
        connection = Connection(self.site)
        connection.send(self.using(text).encoded("GET", "/Users"))
        return connection

    def publish(self) -> list[Deferred[Published]]:
        """Trust an issuer whose keys are still to come, and give who asks for them."""
        asked: list[Deferred[Published]] = []

        async def ask() -> Published:
            asked.append(Deferred())
            return await asked[-1]

        source = PublishedKeys(ask, self.clock.seconds, "test")
        key = keys.of_pem(pem(RSA))
        published = Issuer(
            keys=source,
            algorithms=key.algorithms,
            rules=Rules(issuers=frozenset({"published"})),
            principal=lambda claims: BY_NAME[claims["sub"]],
        )
        tokens = SignedTokens([published], self.clock.seconds)
        self.serve(self.loki(), chain=Chain([*self.ways(), tokens]))
        self.clock.advance(-self.clock.seconds() + NOW)
        return asked

    def test_forged(self) -> None:
        """A token that somebody else has signed lets in nowhere."""
        claims = {"iss": "rsa", "sub": "gwadmin", "exp": NOW + LIFETIME}
        client = self.using(token(OTHER_RSA, claims))
        for prefix in ("", "/clientA", "/nowhere"):
            answered = self.statuses(client, READS + WRITES, prefix)
            self.assertEqual(dict.fromkeys(answered, 401), answered)
