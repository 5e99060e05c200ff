"""What tests of the HTTP client have: a client, and a check that it leaves nothing behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from scimgw.clients.http import Connection, HttpClient, Options, Request, Response, client
from scimgw.connector import Services
from scimgw.errors import ScimError

reactor: Any = installed
PATIENT = Options(connect_timeout=30, read_timeout=30, abort_timeout=80, max_response=4096)
"""Bounds that no server comes to that is well, on a machine that is busy.

Tests of bounds have a clock of their own, which they put forward.
"""
HASTY = evolve(PATIENT, connect_timeout=0.4, read_timeout=0.4, abort_timeout=1.5)
"""For who is to give up; how far it gets before depends on the machine."""


def services(folder: Path | None = None, clock: IReactorTime = reactor) -> Services:
    """Give what the gateway gives, with the real reactor."""
    return Services(
        name="test",
        folder=folder or Path(),
        reactor=reactor,
        clock=clock,
        random=os.urandom,
    )


class HttpCase(TestCase):
    """Makes clients, and closes them."""

    timeout = 300

    def client(
        self,
        *urls: str,
        options: Options = PATIENT,
        folder: Path | None = None,
        clock: IReactorTime = reactor,
        **more: Any,
    ) -> HttpClient:
        """Make a client of some addresses."""
        made = client(Connection(base_urls=urls, options=options, **more), services(folder, clock))
        self.addCleanup(lambda: Deferred.fromCoroutine(made.close()))
        return made

    async def fails(
        self, kind: type[ScimError], using: HttpClient, path: str, method: str = "GET"
    ) -> ScimError:
        """Check that a request fails in some way, and give the failure."""
        try:
            answer: Response = await using.request(Request(method=method, path=path))
        except ScimError as error:
            self.assertIs(kind, type(error), error.detail)
            return error
        raise self.failureException(f"{method} {path} was answered {answer}")

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something to become true, as it must before the test's time is over."""
        while not true():
            await deferLater(reactor, 0.02)
