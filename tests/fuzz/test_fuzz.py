"""Whatever is sent, the gateway answers, and never with a failure of its own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from unittest import SkipTest

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from scimgw.scim import filter as filters
from scimgw.scim.filter import Filter
from scimgw.scim.schema import USER
from scimgw.testing import strategies
from tests.fuzz import targets

ROOT = Path(__file__).parent.parent.parent
CORPUS = Path(__file__).parent / "corpus"
RUNS = 20_000
"""Inputs tried of each target; `make soak` tries them for as long as it is told."""


class CorpusTests(SynchronousTestCase):
    """What was found once."""

    def test_kept(self) -> None:
        """Every input that was kept is taken by its target."""
        for name, target in targets.TARGETS.items():
            kept = sorted((CORPUS / name).iterdir())
            self.assertTrue(kept, name)
            for each in kept:
                target(each.read_bytes())


class PropertyTests(SynchronousTestCase):
    """What is made up."""

    def test_requests(self) -> None:
        """Bytes of any kind are answered."""

        @settings(deadline=None)
        @given(st.binary(max_size=200))
        def check(data: bytes) -> None:
            targets.on_request(data)

        check()

    def test_filters(self) -> None:
        """A filter is printed and read as the same."""

        @settings(deadline=None)
        @given(strategies.filters(USER))
        def check(filter: Filter) -> None:
            targets.on_filter(str(filter).encode())

        check()

    def test_a_failure_is_noticed(self) -> None:
        """A target fails where the gateway would."""

        def broken(*_: object) -> None:
            raise RuntimeError

        self.patch(filters, "parse_path", broken)
        self.assertRaises(RuntimeError, targets.on_path, b"x")


class FuzzTests(SynchronousTestCase):
    """What is found by looking for it."""

    def fuzz(self, name: str) -> None:
        """Fuzz a target in a process of its own."""
        if importlib.util.find_spec("atheris") is None:
            raise SkipTest("atheris isn't installed")
        new = Path(self.mktemp())
        new.mkdir()
        command = [sys.executable, "-m", "tests.fuzz.run", name, f"-runs={RUNS}"]
        options = ["-max_total_time=20", "-timeout=10", f"-artifact_prefix={new.absolute()}/"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
        ended = subprocess.run(  # noqa: S603 - of ours
            [*command, *options, str(new.absolute()), str(CORPUS / name)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            check=False,
        )
        self.assertEqual(0, ended.returncode, ended.stderr[-3000:].decode("utf-8", "replace"))

    def test_filter(self) -> None:
        """Filters."""
        self.fuzz("filter")

    def test_path(self) -> None:
        """Paths."""
        self.fuzz("path")

    def test_json(self) -> None:
        """Bodies."""
        self.fuzz("json")

    def test_patch(self) -> None:
        """PATCH messages."""
        self.fuzz("patch")

    def test_request(self) -> None:
        """Whole requests."""
        self.fuzz("request")
