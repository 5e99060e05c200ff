"""Whatever is sent, the gateway answers, and never with a failure of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from http.client import HTTPMessage
from pathlib import Path
from unittest import SkipTest

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from connectors.loki import LokiConnector
from scimgw.scim import filter as filters
from scimgw.scim.bulk import BULK_REQUEST
from scimgw.scim.filter import Filter
from scimgw.scim.schema import USER
from scimgw.testing import strategies
from scimgw.testing.client import Response
from tests.fuzz import targets

ROOT = Path(__file__).parent.parent.parent
CORPUS = Path(__file__).parent / "corpus"
RUNS = 20_000
"""Inputs tried of each target; `make soak` tries them for as long as it is told."""


def answer(status: int) -> Response:
    """Answer with nothing but a status."""
    return Response(status, HTTPMessage(), b"")


def request(path: str, body: object) -> bytes:
    """Spell a POST for the target."""
    place = targets.METHODS.index(("POST", path))
    return bytes([place]) + json.dumps(body).encode()


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

    def test_statuses(self) -> None:
        """A status from 500 up is a bug, save that nobody is /Me, which is 501."""
        for path in (b"/Me", b"/me/", b"/scim/v2/Me", b"/v2/mE"):
            self.assertEqual([], targets.faults(path, answer(501)), path)
        for path in (b"/", b"/Users/Me", b"/Me/x", b"/Me?", b"/Users?filter=/Me", b"/Mex"):
            self.assertEqual([501], targets.faults(path, answer(501)), path)
        for status in (500, 502, 503):
            self.assertEqual([status], targets.faults(b"/Me", answer(status)))
        for status in (200, 404, 499):
            self.assertEqual([], targets.faults(b"/Users", answer(status)))

    def test_failures_are_noticed(self) -> None:
        """Where the gateway fails, be it in one operation of many, the target does."""

        async def broken(*_: object) -> None:
            raise RuntimeError

        user = {"schemas": [USER.schema.id], "userName": "x"}
        operation = {"method": "POST", "path": "/Users", "bulkId": "x", "data": user}
        bulk = {"schemas": [BULK_REQUEST], "Operations": [operation]}
        requests = (request("/Users", user), request("/Bulk", bulk))
        for each in requests:
            targets.on_request(each)
        self.patch(LokiConnector, "create", broken)
        for each in requests:
            with self.assertRaises(AssertionError):
                targets.on_request(each)
            self.assertEqual(1, len(self.flushLoggedErrors(RuntimeError)))


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
