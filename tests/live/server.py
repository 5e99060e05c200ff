"""A server that a test starts, breaks and ends."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.protocol import ProcessProtocol, Protocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from tests.live.programs import program

reactor: Any = installed
PATIENCE = 120.0
"""How long a server may take to listen, or to end when it is told to, in seconds."""
_GLANCE = 0.02


class Server:
    """A process in the foreground that listens, and can be started again as it was."""

    def __init__(
        self, command: Sequence[str], log: Path, listens: Sequence[tuple[str, int]]
    ) -> None:
        # should the tests be killed, the kernel ends their servers
        guard = program("setpriv", "util-linux")
        self._command = [guard, "--pdeathsig", "KILL", *command]
        self._log = log
        self._listens = listens
        self._process = _Process()

    @property
    def log(self) -> str:
        """What the server has written."""
        return self._log.read_text(errors="replace")

    async def start_again(self) -> None:
        """Start it, with the same ports and data, and wait until it listens.

        Raises: RuntimeError, if it doesn't.
        """
        self._spawn()
        try:
            for address, port in self._listens:
                await self._listening(address, port)
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> None:
        """End it in good order."""
        await self._end("TERM")

    async def kill(self) -> None:
        """End it as a power failure would."""
        await self._end("KILL")

    def _spawn(self) -> None:
        self._process = _Process()
        with self._log.open("ab") as log, Path(os.devnull).open("rb") as nothing:
            # no pipes: a server outlives the test that started it, and trial allows none then
            files = {0: nothing.fileno(), 1: log.fileno(), 2: log.fileno()}
            reactor.spawnProcess(
                self._process, self._command[0], self._command, os.environ, childFDs=files
            )

    async def _end(self, signal: str) -> None:
        if not self._process.ended.called:
            self._process.send(signal)
        impatience = reactor.callLater(PATIENCE, self._process.send, "KILL")
        await self._process.ended
        impatience.cancel()

    async def _listening(self, address: str, port: int) -> None:
        deadline = reactor.seconds() + PATIENCE
        while not await _answers(address, port):
            if self._process.ended.called or reactor.seconds() > deadline:
                raise RuntimeError(f"{address}:{port} is not served: {self.log}")
            await deferLater(reactor, _GLANCE)


class _Process(ProcessProtocol):
    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()

    def processEnded(self, reason: Failure) -> None:
        self.ended.callback(None)

    def send(self, signal: str) -> None:
        assert self.transport is not None
        self.transport.signalProcess(signal)


async def _answers(address: str, port: int) -> bool:
    try:
        protocol = await connectProtocol(TCP4ClientEndpoint(reactor, address, port), _Gone())
    except ConnectError:
        return False
    await protocol.leave()
    return True


class _Gone(Protocol):
    def __init__(self) -> None:
        self._gone: Deferred[None] = Deferred()

    def connectionLost(self, reason: Failure | None = None) -> None:
        self._gone.callback(None)

    async def leave(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()
        await self._gone
