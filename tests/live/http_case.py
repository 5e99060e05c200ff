"""What tests of the HTTP client have: a client, and a check that it leaves nothing behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from scimgw.clients.http import Connection, HttpClient, Options, Request, Response, client
from scimgw.connector import Services
from scimgw.errors import ScimError

reactor: Any = installed
QUICK = Options(connect_timeout=0.4, read_timeout=0.4, abort_timeout=1.5, max_response=4096)


def services(folder: Path | None = None) -> Services:
    """Give what the gateway gives, with the real reactor."""
    return Services(
        name="test",
        folder=folder or Path(),
        reactor=reactor,
        clock=reactor,
        random=os.urandom,
    )


class HttpCase(TestCase):
    """Makes clients, and closes them."""

    timeout = 90

    def client(
        self, *urls: str, options: Options = QUICK, folder: Path | None = None, **more: Any
    ) -> HttpClient:
        """Make a client of some addresses."""
        made = client(Connection(base_urls=urls, options=options, **more), services(folder))
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
        """Wait for something to become true, which it must before long."""
        for _ in range(100):
            if true():
                return
            await deferLater(reactor, 0.02)
        self.fail("it doesn't become true")
