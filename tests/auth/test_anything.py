"""Whatever is presented, a token is good or refused, and nothing breaks."""

from __future__ import annotations

import contextlib  # trial takes a "suppress" of a module for its own
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from scimgw.auth import keys
from scimgw.auth.claims import Demand, Rules, subject
from scimgw.auth.signed import check_signature, fitting, read
from scimgw.errors import InvalidToken
from tests.auth.tokens import OCT, RSA, SECRET, compact, public

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
CLAIMS = st.dictionaries(
    st.sampled_from(("iss", "aud", "sub", "exp", "nbf", "iat", "azp", "appid", "tid", "x")),
    VALUES | st.sampled_from(("i", "a", 1_800_000_000, 1_900_000_000)),
)
HEADERS = st.dictionaries(
    st.sampled_from(("alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c")),
    VALUES | st.sampled_from(("HS256", "RS256", "none", "JWT", "k")),
)
RULES = Rules(
    issuers=frozenset({"i"}),
    audiences=frozenset({"a"}),
    demands=(Demand(("azp", "appid"), frozenset({"a"})),),
    max_age=60.0,
)


class AnythingTests(SynchronousTestCase):
    """Properties."""

    @given(st.text() | st.from_regex(r"[\w-]*\.[\w-]*\.[\w-]*", fullmatch=True))
    def test_text(self, text: str) -> None:
        """Text that isn't a token is none."""
        with contextlib.suppress(InvalidToken):
            read(text)

    @given(HEADERS, CLAIMS)
    def test_members(self, header: dict[str, Any], claims: dict[str, Any]) -> None:
        """Members of any kind are taken for what they are."""
        key = keys.of_secret(SECRET.encode())
        with contextlib.suppress(InvalidToken):
            presented = read(compact(json.dumps(header), claims, OCT, "HS256"))
            if presented is not None:
                check_signature(presented, fitting([key], presented, key.algorithms))
                self.assertEqual("HS256", header["alg"])

    @given(CLAIMS)
    def test_claims(self, claims: dict[str, Any]) -> None:
        """Claims hold, for a time to come, or don't."""
        now = 1_800_000_000.0
        with contextlib.suppress(InvalidToken):
            self.assertLess(now, RULES.check(claims, now))
            self.assertEqual("i", claims["iss"])

    @given(CLAIMS)
    def test_subject(self, claims: dict[str, Any]) -> None:
        """A name is printable, without blanks."""
        with contextlib.suppress(InvalidToken):
            name = subject(claims)
            self.assertTrue(name.isascii() and name.isprintable() and " " not in name)

    @given(st.lists(VALUES | st.fixed_dictionaries({"kty": st.sampled_from(("RSA", "EC", "OKP"))})))
    def test_keys(self, members: list[Any]) -> None:
        """Members of a set that are no keys are left out."""
        self.assertEqual((), keys.of_set({"keys": members}))

    @given(
        st.dictionaries(
            st.sampled_from(("kty", "n", "e", "kid", "alg", "use", "key_ops", "crv", "x", "y")),
            VALUES | st.sampled_from(("RSA", "EC", "OKP", "P-256", "Ed25519", "AQAB", "sig")),
        )
    )
    def test_members_of_keys(self, members: dict[str, Any]) -> None:
        """Nor does what a key says disturb the others."""
        good = public(RSA, kid="good")
        self.assertEqual("good", keys.of_set({"keys": [members, good]})[-1].id)
