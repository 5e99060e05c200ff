"""What tests do without a program."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SkipTest, TestCase

from tests.live.programs import program, run


class ProgramTests(TestCase):
    """Programs that are there or not."""

    def test_missing(self) -> None:
        """Without a program, a test is skipped; the package is named, and noted once."""
        notes = Path(self.mktemp()) / "skipped"
        expected = "no-such is not installed: apt-get install such"
        for _ in range(2):
            with self.assertRaises(SkipTest) as caught:
                program("no-such", "such", notes)
            self.assertEqual(expected, str(caught.exception))
        self.assertEqual(f"{expected}\n", notes.read_text())

    async def test_run(self) -> None:
        """A program is given its input, and its output comes back."""
        self.assertEqual("ä\n", await run(program("cat", "coreutils"), stdin="ä\n"))

    async def test_failure(self) -> None:
        """A program that fails tells why."""
        with self.assertRaisesRegex(RuntimeError, "no-such"):
            await run(program("cat", "coreutils"), "no-such")
