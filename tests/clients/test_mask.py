"""What a debug log shows."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from scimgw.clients.http.mask import masked


class MaskTests(SynchronousTestCase):
    """Secrets stay out of it."""

    def test_json(self) -> None:
        """Members whose names tell of a secret are masked, however deep."""
        body = {
            "userName": "a",
            "password": "hunter2",
            "urn:x": {"apiKey": "hunter2", "list": [{"client_secret": "hunter2", "n": 1}]},
            "Operations": [
                {"op": "replace", "path": "password", "value": "hunter2"},
                {"op": "replace", "value": {"Password": "hunter2"}},
            ],
        }
        shown = masked(json.dumps(body).encode(), "application/scim+json; charset=utf-8")
        self.assertNotIn("hunter2", shown)
        self.assertIn('"userName": "a"', shown)
        self.assertIn('"n": 1', shown)

    def test_form(self) -> None:
        """A form's secrets too."""
        shown = masked(b"grant_type=x&client_secret=hunter2", "application/x-www-form-urlencoded")
        self.assertEqual('{"grant_type": "x", "client_secret": "***"}', shown)

    def test_anything_else(self) -> None:
        """What isn't understood isn't shown."""
        for body, kind in (
            (b"{hunter2", "application/json"),
            (b"[" * 100_000, "application/json"),
            (b"\xff", "application/x-www-form-urlencoded"),
            (b"hunter2", "text/plain"),
            (b"hunter2", ""),
        ):
            self.assertEqual(f"{len(body)} bytes", masked(body, kind))
        self.assertEqual("nothing", masked(b"", ""))

    def test_one_line(self) -> None:
        """A body commands no terminal, begins no line, and is cut off."""
        shown = masked(json.dumps({"a": "\n\x1b[2J\u2028" + "x" * 9000}).encode(), "text/json")
        self.assertTrue(shown.isascii())
        self.assertTrue(shown.isprintable())
        self.assertLess(len(shown), 2100)
