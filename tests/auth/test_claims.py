"""Whether the claims of a token hold, and until when."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from scimgw.auth.claims import Demand, Rules, subject
from scimgw.errors import InvalidToken

NOW = 1_800_000_000.0
RULES = Rules(issuers=frozenset({"a", "b"}), audiences=frozenset({"x", "y"}), tolerance=5)
GOOD = {"iss": "a", "aud": "x", "exp": NOW + 100}


class ClaimsTests(SynchronousTestCase):
    """The registered claims."""

    rules = RULES

    def until(self, **more: Any) -> float:
        """Give the time until which a token holds that is good but for what is said."""
        claims = {**GOOD, **more}
        return self.rules.check({k: v for k, v in claims.items() if v != "absent"}, NOW)

    def refused(self, **more: Any) -> str:
        """Check that it is refused, and tell why."""
        detail: str = self.assertRaises(InvalidToken, self.until, **more).detail
        return detail

    def test_issuer(self) -> None:
        """The issuer is one of those that are trusted, to the letter."""
        self.until(iss="b")
        for wrong in ("absent", "", "A", "a/", "c", None, 5, ["a"], {"a": 1}):
            self.assertIn("issuer", self.refused(iss=wrong))

    def test_audience(self) -> None:
        """One of the audiences is one of ours."""
        for right in ("y", ["x"], ["z", "y"]):
            self.until(aud=right)
        others: list[Any] = ["absent", "", "X", "z", None, [], ["z"], 5, ["x", 5], {"x": 1}]
        for wrong in others:
            self.assertIn("audience", self.refused(aud=wrong))

    def test_no_audience(self) -> None:
        """Whoever is no audience takes only tokens that are for nobody in particular."""
        self.rules = evolve(RULES, audiences=frozenset())
        self.until(aud="absent")
        others: list[Any] = ["x", ["x"], [], 5]
        for wrong in others:
            self.assertIn("audience", self.refused(aud=wrong))

    def test_expiry(self) -> None:
        """A token ends when it says so, and a little later as clocks differ."""
        self.assertEqual(NOW + 105, self.until())
        self.assertEqual(NOW + 0.5, self.until(exp=NOW - 4.5))
        for wrong in (NOW - 5, 0, 1):
            self.assertIn("expired", self.refused(exp=wrong))
        self.assertIn("when it expires", self.refused(exp="absent"))

    def test_not_yet(self) -> None:
        """A token of the future, or that begins then, isn't good now."""
        self.until(nbf=NOW + 5, iat=NOW + 5)
        for name in ("nbf", "iat"):
            self.assertIn("yet", self.refused(**{name: NOW + 6}))

    def test_times(self) -> None:
        """What isn't a time isn't taken for one."""
        for name in ("exp", "nbf", "iat"):
            others: list[Any] = [None, "5", str(NOW), True, [], -1, 1e300, 10**400, float("inf")]
            for wrong in others:
                self.assertIn("isn't a time", self.refused(**{name: wrong}))

    def test_age(self) -> None:
        """A token that is limited in age tells its age; it needs no other end then."""
        self.rules = evolve(RULES, max_age=60.0)
        self.assertEqual(NOW + 55, self.until(iat=NOW - 10))
        self.assertEqual(NOW + 55, self.until(iat=NOW - 10, exp="absent"))
        self.assertEqual(NOW + 6, self.until(iat=NOW - 10, exp=NOW + 1))
        self.assertIn("expired", self.refused(iat=NOW - 65))
        self.assertIn("issued", self.refused())

    def test_demands(self) -> None:
        """What is asked for besides is there, and whatever is there of it is right."""
        demand = Demand(("appid", "azp"), frozenset({"p", "q"}))
        self.rules = evolve(RULES, demands=(demand,))
        for right in ({"appid": "p"}, {"azp": "q"}, {"appid": "p", "azp": "q"}):
            self.until(**right)
        for wrong in ({}, {"appid": "x"}, {"appid": "p", "azp": "x"}, {"appid": ["p"]}, {"azp": 5}):
            self.assertIn("appid or azp", self.refused(**wrong))


class SubjectTests(SynchronousTestCase):
    """How who is meant is called."""

    def test_names(self) -> None:
        """A name is on one line, holds no blank, and is nobody else's."""
        for claims, name in (
            ({"sub": "auth0|5f7"}, "auth0|5f7"),
            ({"sub": "me@example.com", "azp": "x"}, "me@example.com"),
            ({"azp": "x", "appid": "y"}, "x"),
            ({"sub": "", "appid": "y"}, "y"),
            ({"client_id": "z"}, "z"),
            ({}, ""),
            ({"sub": "a b\n200"}, "a%20b%0A200"),
            ({"sub": "a%20b"}, "a%2520b"),
            ({"sub": "jürgen\x1b[1m"}, "j%C3%BCrgen%1B%5B1m"),
            ({"sub": "\ud800"}, "%ED%A0%80"),
        ):
            self.assertEqual(name, subject(claims))

    def test_unfit(self) -> None:
        """What can't be a name is refused."""
        for wrong in (5, ["a"], {"a": 1}, True, "x" * 256):
            self.assertRaises(InvalidToken, subject, {"sub": wrong})
