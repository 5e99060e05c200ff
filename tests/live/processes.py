"""Servers that tests run as processes of their own, on ports of the loopback address."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from tests.live.programs import missing
from tests.service.process import ROOT

reactor: Any = installed
TINYPROXY = shutil.which("tinyproxy")
NODE = shutil.which("node")
OAUTH = ROOT / "var/npm/node_modules/oauth2-mock-server"


def needed(found: str | Path | None, package: str) -> str:
    """Give the path of a program, or skip the test, naming the package."""
    if found is None or not Path(found).exists():
        raise missing(f"{package} isn't installed")
    return str(found)


class Program(ProcessProtocol):
    """One process, and what it wrote."""

    def __init__(self) -> None:
        """Begin without output."""
        self.output = b""
        self.ended: Deferred[None] = Deferred()

    def outReceived(self, data: bytes) -> None:
        """Keep the output."""
        self.output += data

    errReceived = outReceived

    def processEnded(self, _reason: Failure) -> None:
        """Tell that it has ended."""
        self.ended.callback(None)

    def stop(self) -> Deferred[None]:
        """End it."""
        assert self.transport is not None
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("TERM")
        return self.ended


async def run(case: TestCase, port: int, command: Sequence[str]) -> Program:
    """Run a server until the test has ended, and wait until it listens on a port."""
    program = Program()
    reactor.spawnProcess(program, command[0], command, None)
    case.addCleanup(program.stop)
    for _ in range(3000):
        if program.ended.called:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return program
        await deferLater(reactor, 0.04)
    raise case.failureException(f"{command[0]} doesn't listen: {program.output!r}")
