"""Cursors: RFC 9865."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from scimgw.errors import ExpiredCursor, InvalidCursor
from scimgw.scim.cursor import Cursors, Place

CURSORS = Cursors(key=b"k" * 32, lifetime=60)
PLACE = Place(type="User", token='["a/b",1]', before=3, given=4)
QUERY = ["undefined", "alice", 'userName eq "ü"']


class CursorTests(SynchronousTestCase):
    """The envelope."""

    def test_round_trip(self) -> None:
        """What was put in comes out, within its life."""
        cursor = CURSORS.seal(PLACE, QUERY, 1000.5)
        self.assertRegex(cursor, re.compile(r"\A[A-Za-z0-9._~-]+\Z"))
        self.assertEqual(PLACE, CURSORS.open(cursor, QUERY, 1059))

    def test_expired(self) -> None:
        """A cursor has an end."""
        cursor = CURSORS.seal(PLACE, QUERY, 1000)
        self.assertRaises(ExpiredCursor, CURSORS.open, cursor, QUERY, 1060)

    def test_other_query(self) -> None:
        """A cursor serves its own query only."""
        cursor = CURSORS.seal(PLACE, QUERY, 1000)
        self.assertRaises(InvalidCursor, CURSORS.open, cursor, ["undefined", "bob"], 1000)

    def test_other_key(self) -> None:
        """A cursor that was sealed under another key is none; under the same one it is."""
        cursor = CURSORS.seal(PLACE, QUERY, 1000)
        self.assertRaises(InvalidCursor, Cursors(key=b"x" * 32).open, cursor, QUERY, 1000)
        self.assertEqual(PLACE, Cursors(key=b"k" * 32).open(cursor, QUERY, 1000))

    def test_made_up(self) -> None:
        """Whatever wasn't sealed is refused."""
        cursor = CURSORS.seal(PLACE, QUERY, 1000)
        for text in ("forged", "x", "ü", "%", "A" * 40, cursor[:-2], cursor + "AAAA", "\0"):
            self.assertRaises(InvalidCursor, CURSORS.open, text, QUERY, 1000)

        @given(st.text())
        def check(text: str) -> None:
            self.assertRaises(InvalidCursor, CURSORS.open, text, QUERY, 1000)

        check()

    def test_changed(self) -> None:
        """A changed letter is noticed, wherever it is."""
        cursor = CURSORS.seal(PLACE, QUERY, 1000)
        for at, letter in enumerate(cursor[:-1]):
            other = cursor[:at] + ("A" if letter != "A" else "B") + cursor[at + 1 :]
            self.assertRaises(InvalidCursor, CURSORS.open, other, QUERY, 1000)

    def test_key_is_not_shown(self) -> None:
        """The key doesn't show itself."""
        self.assertNotIn("kkk", repr(CURSORS))
