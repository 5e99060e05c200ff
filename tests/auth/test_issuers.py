"""Signed tokens as a way in: several issuers, and what is remembered of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from scimgw.auth import issuers, keys, signed
from scimgw.auth.basic import BasicAuthenticator
from scimgw.auth.chain import Chain
from scimgw.auth.claims import Rules
from scimgw.auth.issuers import REMEMBERED, FixedKey, Issuer, Keys, SignedTokens
from scimgw.auth.published import Published
from scimgw.auth.token import TokenAuthenticator
from scimgw.connector import Principal
from scimgw.errors import InvalidToken, Unauthorized, Unavailable
from scimgw.secret import Secret
from tests.auth.test_basic import basic
from tests.auth.tokens import OCT, OTHER_RSA, RSA, SECRET, pem, token

STATIC = token(OTHER_RSA, {"iss": "old", "exp": 1})
"""A token that was agreed upon, and looks like a signed one."""
STATIC_OF_DOWN = token(OTHER_RSA, {"iss": "down", "exp": 1})
"""The same, of an issuer whose keys can't be had."""


class _Down:
    """The keys of an issuer that is down."""

    issuer: str | None = None

    async def get(self, _id: str | None) -> Published:
        raise Unavailable("down", 30)


class _Telling:
    """Keys that come with the name of their issuer."""

    def __init__(self) -> None:
        self.issuer: str | None = None
        self.got = 0

    async def get(self, _id: str | None) -> Published:
        self.got += 1
        self.issuer = "told"
        return Published((keys.of_pem(pem(RSA)),), "told")


def issuer(name: str, source: Keys, *algorithms: str, who: str = "") -> Issuer:
    """Trust somebody."""
    return Issuer(
        keys=source,
        algorithms=frozenset(algorithms),
        rules=Rules(issuers=frozenset({name} if name else ()), tolerance=0),
        principal=lambda claims: Principal(who or claims["sub"]),
    )


class IssuersCase(SynchronousTestCase):
    """Trusts several issuers, beside other ways in."""

    def setUp(self) -> None:
        """Begin."""
        self.clock = Clock()
        self.clock.advance(1_800_000_000)
        self.telling = _Telling()
        of_secret, of_rsa = (
            FixedKey(keys.of_secret(SECRET.encode())),
            FixedKey(keys.of_pem(pem(RSA))),
        )
        self.signed = SignedTokens(
            [
                issuer("hmac", of_secret, "HS256"),
                issuer("rsa", FixedKey(keys.of_pem(pem(OTHER_RSA))), "RS256", who="first"),
                issuer("rsa", of_rsa, "RS256"),
                issuer("both", _Down(), "RS256"),
                issuer("both", of_rsa, "RS256"),
                issuer("down", of_rsa, "PS256"),
                issuer("down", _Down(), "RS256"),
            ],
            self.clock.seconds,
        )
        self.chain = Chain(
            [
                BasicAuthenticator([(Principal("gwadmin"), Secret("password"))]),
                self.signed,
                SignedTokens([issuer("", self.telling, "RS256")], self.clock.seconds),
                TokenAuthenticator(
                    (Principal("static"), Secret(each)) for each in (STATIC, STATIC_OF_DOWN)
                ),
            ]
        )

    def claims(self, name: str, **more: Any) -> Mapping[str, Any]:
        """Say what is good for a minute."""
        return {"iss": name, "sub": "me", "exp": self.clock.seconds() + 60, **more}

    def bearer(self, text: str) -> Deferred[Principal]:
        """Present a token."""
        return Deferred.fromCoroutine(self.chain.authenticate(f"Bearer {text}"))

    def named(self, text: str) -> str:
        """Present a token that is good, and tell whose it is."""
        return self.successResultOf(self.bearer(text)).name

    def refused(self, text: str, kind: type[Exception] = InvalidToken) -> str:
        """Present a token that isn't good, and tell why."""
        return str(self.failureResultOf(self.bearer(text), kind).value)


class SignedTests(IssuersCase):
    """Who gets in."""

    def test_right(self) -> None:
        """Whichever of the issuers of that name has signed it, it is good."""
        self.assertEqual("me", self.named(token(OCT, self.claims("hmac"), "HS256")))
        self.assertEqual("me", self.named(token(RSA, self.claims("rsa"))))
        self.assertEqual("first", self.named(token(OTHER_RSA, self.claims("rsa"))))

    def test_static(self) -> None:
        """A token that was agreed upon is good, even if it looks like a signed one."""
        for each in (STATIC, STATIC_OF_DOWN):
            self.assertEqual("static", self.named(each))
        found = Deferred.fromCoroutine(self.chain.authenticate(basic("gwadmin:password")))
        self.assertEqual("gwadmin", self.successResultOf(found).name)

    def test_another_scheme(self) -> None:
        """A signed token is a bearer token."""
        text = token(OCT, self.claims("hmac"), "HS256")
        for scheme in ("Basic", "Token", "DPoP"):
            refused = Deferred.fromCoroutine(self.chain.authenticate(f"{scheme} {text}"))
            self.assertIs(Unauthorized, type(self.failureResultOf(refused).value))

    def test_wrong(self) -> None:
        """What a token lacks is told."""
        for text, why in (
            ("opaque", "wrong bearer token"),
            (token(RSA, self.claims("stranger")), "wrong bearer token"),
            (token(RSA, self.claims("hmac")), "algorithm"),
            (token(OTHER_RSA, self.claims("hmac"), "RS256"), "algorithm"),
            (token(RSA, self.claims("rsa", exp=5)), "expired"),
            (token(RSA, self.claims("rsa", aud="other")), "audience"),
            (token(RSA, {"sub": "me"}), "wrong bearer token"),
            (token(RSA, self.claims("rsa", iss=["rsa"])), "wrong bearer token"),
        ):
            self.assertIn(why, self.refused(text))

    def test_nothing_else(self) -> None:
        """Where no other tokens are known, what isn't a signed one is a wrong one."""
        for text in ("opaque", token(RSA, self.claims("stranger"))):
            found = Deferred.fromCoroutine(Chain([self.signed]).authenticate(f"Bearer {text}"))
            self.assertIn("wrong bearer token", str(self.failureResultOf(found, InvalidToken)))

    def test_keys_of_another(self) -> None:
        """An issuer's keys are good for its own tokens only."""
        self.assertIn("algorithm", self.refused(token(OCT, self.claims("rsa"), "HS256")))
        self.assertIn("key", self.refused(token(OTHER_RSA, self.claims("told"))))

    def test_down(self) -> None:
        """That an issuer is down is told to those only who depend on it."""
        self.assertEqual("me", self.named(token(RSA, self.claims("both"))))
        self.refused(token(RSA, self.claims("down")), Unavailable)
        self.assertIn("expired", self.refused(token(RSA, self.claims("rsa", exp=5))))

    def test_told(self) -> None:
        """Where the issuer's name comes with its keys, it is asked for once."""
        self.assertEqual("me", self.named(token(RSA, self.claims("told"))))
        self.assertIn("wrong bearer", self.refused(token(RSA, self.claims("stranger"))))
        self.assertEqual(1, self.telling.got)

    def test_configured_name(self) -> None:
        """A name that is configured counts, whichever comes with the keys."""
        self.chain = Chain(
            [SignedTokens([issuer("named", self.telling, "RS256")], self.clock.seconds)]
        )
        for each in ("first", "with the keys there"):
            self.assertEqual("me", self.named(token(RSA, self.claims("named", jti=each))))
            self.assertIn("wrong bearer", self.refused(token(RSA, self.claims("told"))))

    def test_offered(self) -> None:
        """Bearer tokens are asked for once, and the kinds of them told."""
        self.assertEqual(1, sum(each.startswith("Bearer") for each in self.chain.challenges))
        types = [each["type"] for each in self.chain.descriptions]
        self.assertEqual(["httpbasic", "oauthbearertoken", "oauthbearertoken"], types)
        none = Chain([BasicAuthenticator([])])
        refused = Deferred.fromCoroutine(none.authenticate("Bearer x"))
        self.assertIs(Unauthorized, type(self.failureResultOf(refused).value))


class RememberedTests(IssuersCase):
    """What was verified isn't verified again at once."""

    def setUp(self) -> None:
        """Count what is verified."""
        super().setUp()
        self.verified = 0
        check: Callable[..., None] = signed.check_signature

        def counted(*arguments: Any) -> None:
            self.verified += 1
            check(*arguments)

        self.patch(issuers, "check_signature", counted)

    def test_once(self) -> None:
        """A token is verified once, and again after a minute."""
        long = token(OCT, self.claims("hmac", exp=self.clock.seconds() + 3600), "HS256")
        for _ in range(3):
            self.assertEqual("me", self.named(long))
        self.assertEqual(1, self.verified)
        self.clock.advance(REMEMBERED)
        self.assertEqual("me", self.named(long))
        self.assertEqual(2, self.verified)

    def test_expiry(self) -> None:
        """A token is remembered no longer than it is good."""
        short = token(OCT, self.claims("hmac", exp=self.clock.seconds() + 5), "HS256")
        self.named(short)
        self.clock.advance(4.9)
        self.named(short)
        self.clock.advance(0.2)
        self.assertIn("expired", self.refused(short))

    def test_another(self) -> None:
        """What is like a token that is remembered isn't it."""
        good = token(OCT, self.claims("hmac"), "HS256")
        self.named(good)
        self.refused(good[:-1])
        self.refused(good + "A")

    def test_bounded(self) -> None:
        """Not all tokens are remembered for ever."""
        self.patch(issuers, "_MOST", 2)
        first, *others = (
            token(OCT, self.claims("hmac", jti=each), "HS256") for each in ("1", "2", "3")
        )
        for each in (first, *others):
            self.named(each)
        self.named(others[-1])
        self.assertEqual(3, self.verified)
        self.named(first)
        self.assertEqual(4, self.verified)
