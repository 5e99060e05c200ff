"""docs/scim-support.md, and the tests that it is made of."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.rfc.connectors import ETC, PLUGINS
from tests.rfc.document import SECTIONS, page, rules

PAGE = Path(__file__).parent.parent.parent / "docs" / "scim-support.md"


class DocumentTests(SynchronousTestCase):
    """What is told."""

    def test_every_rule(self) -> None:
        """Every rule has one test, which says what it is."""
        found = rules()
        wanted = [
            f"{letter}{number:02}"
            for letter, (_, _, numbers) in SECTIONS.items()
            for number in numbers
        ]
        self.assertEqual(sorted(wanted), sorted(each.row.id for each in found))
        self.assertEqual([], [each for each in found if not each.says])

    def test_connectors(self) -> None:
        """Every connector that is shipped, and holds resources, has its column."""
        shipped = {path.stem.removeprefix("plugin-") for path in ETC.glob("plugin-*.json")}
        self.assertEqual(shipped - {"api"}, PLUGINS.keys())

    def test_current(self) -> None:
        """The page says what tests and connectors say; `make docs` writes it."""
        self.assertEqual(page().rstrip("\n"), PAGE.read_text("utf-8").rstrip("\n"))
