"""Servers of tests: one for all tests that do it no harm, or one of a test's own."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Generic, TypeVar

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from tests.live.server import Server

reactor: Any = installed
S = TypeVar("S", bound=Server)
Start = Callable[[Path], Coroutine[Any, Any, S]]
"""Starts a server in a folder that isn't there yet."""


class Shared(Generic[S]):
    """One server for all tests that do it no harm.

    It is started by the first test that asks, and ended after the last test of the run, whatever
    became of them.
    """

    def __init__(self, start: Start[S]) -> None:
        self._start = start
        self._server: S | None = None
        self._failure: Exception | None = None

    async def get(self, case: TestCase) -> S:
        """Give the server.

        Raises: what its start raised, to each test, without another trial.
        """
        if self._failure is not None:
            raise self._failure
        if self._server is None:
            try:
                self._server = await self._start(Path(case.mktemp()).absolute())
            except Exception as failure:
                self._failure = failure
                raise
            reactor.addSystemEventTrigger("before", "shutdown", self._stop, self._server)
        return self._server

    @staticmethod
    def _stop(server: S) -> Deferred[None]:
        return Deferred.fromCoroutine(server.stop())


class LiveCase(TestCase):
    """Runs servers."""

    timeout = 600

    async def own(self, start: Start[S]) -> S:
        """Start a server for this test alone, which may break it."""
        server = await start(Path(self.mktemp()).absolute())
        self.addCleanup(lambda: Deferred.fromCoroutine(server.stop()))
        return server
