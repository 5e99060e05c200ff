"""Encrypted secrets."""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from scimgw.sealed import NotOpened, seal, unseal
from scimgw.secret import Secret

KEY = bytes(range(32))
NONCE = bytes(12)


class SealedTests(SynchronousTestCase):
    """There and back."""

    def test_form(self) -> None:
        """The form is what the module says, so that others can write it."""
        sealed = seal(Secret("grüße"), KEY, bytes)
        self.assertTrue(sealed.startswith("encrypted:v1:AAAAAAAAAAAAAAAA"))
        content = AESGCM(KEY).encrypt(NONCE, "grüße".encode(), b"encrypted:v1:")
        self.assertEqual(12 + len(content), len(sealed[13:]) * 3 // 4)
        self.assertEqual(Secret("grüße"), unseal(sealed, KEY))

    def test_never_the_same(self) -> None:
        """One secret is never encrypted to the same text twice."""
        self.assertNotEqual(*[seal(Secret("x"), KEY, os.urandom) for _ in range(2)])

    def test_any(self) -> None:
        """Whatever is encrypted is decrypted; with one bit changed, or another key, it isn't."""

        @given(st.text(min_size=1), st.integers(0, 10_000), st.sampled_from("abcXYZ019-_"))
        def check(text: str, place: int, other: str) -> None:
            if not text.isascii():
                text = text.encode("utf-8", "replace").decode()
            sealed = seal(Secret(text), KEY, os.urandom)
            assert unseal(sealed, KEY) == Secret(text)
            at = 13 + place % (len(sealed) - 14)  # the last one has bits that no octet has
            changed = sealed[:at] + other + sealed[at + 1 :]
            for attempt, key in ((changed, KEY), (sealed, KEY[::-1])):
                try:
                    found = unseal(attempt, key)
                except NotOpened:
                    continue
                assert attempt == sealed
                assert key is KEY
                assert found == Secret(text)

        check()

    def test_hostile(self) -> None:
        """What only begins as an encrypted secret is a fault, which doesn't show it."""
        sealed = seal(Secret("hunter2"), KEY, os.urandom)
        for text in (
            "encrypted:",
            "encrypted:hunter2",
            "encrypted:v1:",
            "encrypted:v1:hunter2",
            "encrypted:v1:hunter2!",
            "encrypted:v2:" + sealed[13:],
            sealed + "=",
            sealed + "\n",
            sealed[:-8],
            seal(Secret(""), KEY, os.urandom),  # a nonce and a tag around nothing
            "encrypted:v1:AAAAA",
        ):
            with self.assertRaises(NotOpened) as raised:
                unseal(text, KEY)
            self.assertNotIn("hunter2", str(raised.exception))
