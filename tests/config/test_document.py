"""The page about configuration."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from scimgw.config.document import page

PAGE = Path(__file__).parent.parent.parent / "docs" / "configuration.md"


class PageTests(SynchronousTestCase):
    """docs/configuration.md."""

    def test_current(self) -> None:
        """The page says what the classes say; `make docs` writes it."""
        self.assertEqual(PAGE.read_text("utf-8"), page())
