"""Hashes of secrets."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from scimgw.scrypt import MOST_MEMORY, USUAL, WEAKEST, BadHash, Cost, Scrypt, rounds, work
from scimgw.secret import Secret

CHEAP = Cost(14, 8, 1)
PASSLIB = "$scrypt$ln=14,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$"


def counted(length: int) -> bytes:
    """Stand for randomness."""
    return bytes(range(length))


def spelled(cost: str, salt: bytes = b"s" * 16, key: bytes = b"k" * 32) -> Secret:
    """Spell a hash of some cost."""
    made = Scrypt(USUAL, salt, key)
    return Secret(str(made).replace("ln=17,r=8,p=1", cost))


class VectorTests(SynchronousTestCase):
    """RFC 7914 section 12, but for the last, which takes 1 GiB."""

    def test_vectors(self) -> None:
        """Keys are what the RFC says, and only their secrets go with them."""
        for secret, salt, cost, key in (
            (
                b"",
                b"",
                Cost(4, 1, 1),
                (
                    "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                    "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
                ),
            ),
            (
                b"password",
                b"NaCl",
                Cost(10, 8, 16),
                (
                    "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                    "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
                ),
            ),
            (
                b"pleaseletmein",
                b"SodiumChloride",
                Cost(14, 8, 1),
                (
                    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                    "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
                ),
            ),
        ):
            found = Scrypt(cost, salt, bytes.fromhex(key))
            self.assertTrue(found.matches(secret))
            self.assertFalse(found.matches(secret + b" "))


class SpellingTests(SynchronousTestCase):
    """How hashes are spelled."""

    def test_made(self) -> None:
        """What is made is read again, at its cost, and goes with its secret alone."""
        made = Scrypt.made(b"s\xc3\xa9sam", counted, CHEAP)
        self.assertTrue(str(made).startswith("$scrypt$ln=14,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$"))
        self.assertEqual(32, len(made.key))
        found = Scrypt.of(Secret(str(made)))
        assert found is not None
        self.assertEqual(made, found)
        self.assertTrue(found.matches(b"s\xc3\xa9sam"))
        self.assertFalse(found.matches(b"sesam"))

    def test_usual(self) -> None:
        """What is made here is within what is accepted here."""
        self.assertTrue(USUAL.work > WEAKEST)
        self.assertTrue(USUAL.memory <= MOST_MEMORY)
        self.assertEqual(128 * 1024 * 1024, USUAL.memory)

    def test_clear(self) -> None:
        """A secret that doesn't begin as a hash is one in clear."""
        for text in ("password", "$", "$scryp$", " $scrypt$", "$SCRYPT$", "$7$C6..../....x"):
            self.assertIsNone(Scrypt.of(Secret(text)))

    def test_hostile(self) -> None:
        """What begins as a hash and isn't one is never taken for a secret in clear, nor shown."""
        good = str(Scrypt(CHEAP, b"s" * 16, b"k" * 32))
        for text in (
            "$scrypt$",
            "$scrypt$hunter2",
            PASSLIB,
            good + "=",
            good + "\n",
            good + "$",
            good.replace("ln=14", "ln=014"),
            good.replace("ln=14", "ln=-14"),
            good.replace("ln=14", "ln=٤"),
            good.replace("ln=14,r=8", "r=8,ln=14"),
            good.replace("ln=14", "ln=99999999999"),
            good.replace("$ln", "$$ln"),
            good.replace("$c3", "$-3"),
            good[:-1] + "B",  # bits that no octet has
        ):
            with self.assertRaises(BadHash) as raised:
                Scrypt.of(Secret(text))
            self.assertNotIn("hunter2", str(raised.exception))
            self.assertNotIn(good[-20:], str(raised.exception))

    def test_bounds(self) -> None:
        """A hash that is too weak, or too dear, is refused before anything is computed."""
        for secret, fault in (
            (spelled("ln=13,r=8,p=1"), "too weak"),
            (spelled("ln=1,r=1,p=1"), "too weak"),
            (spelled("ln=20,r=8,p=1"), "too much"),
            (spelled("ln=17,r=9999,p=1"), "too much"),
            (spelled("ln=14,r=8,p=9999"), "too much"),
            (spelled("ln=99,r=1,p=1"), "too much"),
            (spelled("ln=17,r=8,p=1", salt=b"short"), "too short"),
            (spelled("ln=17,r=8,p=1", key=b"k" * 15), "too short"),
            (spelled("ln=17,r=8,p=1", key=b"k" * 65), "too short or too long"),
        ):
            with self.assertRaises(BadHash) as raised:
                Scrypt.of(secret)
            self.assertIn(fault, str(raised.exception))
        # what OWASP recommends, and passlib makes
        for cost in ("ln=17,r=8,p=1", "ln=16,r=8,p=2", "ln=14,r=8,p=5", "ln=13,r=8,p=10"):
            self.assertIsNotNone(Scrypt.of(spelled(cost)))

    def test_any_hash(self) -> None:
        """Whatever is spelled is read as it was."""

        @given(
            st.integers(14, 17),
            st.integers(8, 12),
            st.integers(1, 5),
            st.binary(min_size=8, max_size=64),
            st.binary(min_size=16, max_size=64),
        )
        def check(ln: int, r: int, p: int, salt: bytes, key: bytes) -> None:
            made = Scrypt(Cost(ln, r, p), salt, key)
            assert Scrypt.of(Secret(str(made))) == made

        check()

    def test_any_text(self) -> None:
        """Whatever begins as a hash is one, spelled in the only way, or a fault."""

        @given(st.text(), st.text("0123456789lnrp=,$AQgw+/"))
        def check(one: str, other: str) -> None:
            for rest in (one, other, f"ln=14,r=8,p=1${other}"):
                text = f"$scrypt${rest}"
                try:
                    found = Scrypt.of(Secret(text))
                except BadHash:
                    continue
                assert str(found) == text

        check()


class WorkTests(SynchronousTestCase):
    """What a login is compared with."""

    def test_rounds(self) -> None:
        """Of each cost as many as for the name that has most of them."""
        dear = Cost(17, 8, 1)
        hashes = [
            (name, Scrypt.decoy(cost, os.urandom))
            for name, cost in (("a", CHEAP), ("a", CHEAP), ("b", CHEAP), ("b", dear), ("c", dear))
        ]
        self.assertEqual({CHEAP: 2, dear: 1}, rounds(hashes))
        self.assertEqual(2 * CHEAP.work + dear.work, work(hashes))
        self.assertEqual({}, rounds([]))

    def test_hidden(self) -> None:
        """A hash shows itself in no log by accident."""
        made = Scrypt(CHEAP, b"s" * 16, b"k" * 32)
        self.assertNotIn("kkkk", repr(made))
