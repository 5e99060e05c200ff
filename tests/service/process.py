"""The real twistd, started and stopped by tests."""

from __future__ import annotations

import json
import os
import signal
import sys
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.error import (
    ConnectionRefusedError,
    ProcessDone,
    ProcessExitedAlready,
    ProcessTerminated,
)
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.internet.utils import getProcessOutputAndValue
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from twisted.web.client import Agent, FileBodyProducer, readBody
from twisted.web.http_headers import Headers

reactor: Any = installed
ROOT = Path(__file__).parent.parent.parent
TWISTD = str(Path(sys.executable).with_name("twistd"))
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
CREDENTIALS = "Basic " + b64encode(b"gwadmin:password").decode()
Json = dict[str, Any]


@frozen
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


@frozen
class Answer:
    """What a server answered."""

    status: int
    headers: Headers
    body: bytes

    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)


class Running(ProcessProtocol):
    """A process that runs until it is told to end."""

    def __init__(self) -> None:
        self.output = b""
        self.ended: Deferred[int] = Deferred()
        self._awaited: list[tuple[bytes, Deferred[None]]] = []

    def outReceived(self, data: bytes) -> None:
        """Collect the output."""
        self.output += data
        for text, deferred in list(self._awaited):
            if text in self.output:
                self._awaited.remove((text, deferred))
                deferred.callback(None)

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        """Tell the status."""
        ending = reason.value
        assert isinstance(ending, ProcessDone | ProcessTerminated)
        # twistd ends by the signal that it got
        self.ended.callback(0 if ending.signal == signal.SIGTERM else ending.exitCode or 1)
        for _, deferred in self._awaited:
            deferred.errback(RuntimeError(self.output.decode()))

    def says(self, text: str) -> Deferred[None]:
        """Wait until the process has written a text."""
        deferred: Deferred[None] = Deferred()
        self._awaited.append((text.encode(), deferred))
        self.outReceived(b"")
        return deferred

    async def stop(self) -> int:
        """Ask it to end, and give the status."""
        assert self.transport is not None
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("TERM")
        return await self.ended


class ServiceCase(TestCase):
    """Starts gateways with configurations of its own."""

    timeout = 300

    def folder(self, **files: Any) -> Path:
        """Write a configuration folder."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        for name, content in files.items():
            (folder / f"{name.replace('_', '-')}.json").write_text(json.dumps(content))
        return folder

    def one(self, port: int, endpoint: Json | None = None, **more: Any) -> Path:
        """Configure one plugin."""
        plugin = {"scimgateway": section(port, **more), "endpoint": endpoint or {}}
        return self.folder(scimgw={"plugins": ["plugin-loki"]}, plugin_loki=plugin)

    async def ends(self, *arguments: str) -> Ended:
        """Run twistd to its end."""
        out, err, status = await getProcessOutputAndValue(
            TWISTD, arguments, env=ENVIRONMENT, path=self.mktemp_folder()
        )
        return Ended(status, out.decode(), err.decode())

    def mktemp_folder(self) -> str:
        """Make a folder to run in."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        return str(folder)

    async def start(self, folder: Path, *options: str) -> Running:
        """Run the gateway in the foreground until the test ends, and wait until it listens."""
        running = Running()
        command = [TWISTD, "-n", "--pidfile=", *options, "scimgw", "-c", str(folder)]
        reactor.spawnProcess(running, TWISTD, command, ENVIRONMENT, self.mktemp_folder())
        self.addCleanup(self._stopped, running)
        await running.says("listens on")
        return running

    def _stopped(self, running: Running) -> Awaitable[int] | None:
        return None if running.ended.called else Deferred.fromCoroutine(running.stop())

    async def request(
        self,
        port: int,
        path: str,
        method: str = "GET",
        body: Json | bytes | None = None,
        **headers: str,
    ) -> Answer:
        """Make a request of a gateway, over a connection of its own."""
        sent = {"Authorization": CREDENTIALS, "Content-Type": "application/json", **headers}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = await Agent(reactor).request(
            method.encode(),
            f"http://127.0.0.1:{port}{path}".encode(),
            Headers({name: [value] for name, value in sent.items()}),
            None if body is None else FileBodyProducer(BytesIO(content)),
        )
        return Answer(response.code, response.headers, await readBody(response))

    async def refuses(self, port: int) -> bool:
        """Tell whether nobody listens on a port."""
        try:
            await self.request(port, "/ping")
        except ConnectionRefusedError:
            return True
        return False

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something to become true, as it must before the test's time is over."""
        while not true():
            await deferLater(reactor, 0.02)

    async def gone(self, pid: int) -> None:
        """Wait until a process that isn't a child has ended."""
        for _ in range(2000):
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return
            await deferLater(reactor, 0.05)
        os.kill(pid, signal.SIGKILL)
        self.fail(f"process {pid} didn't end")


def section(port: int, **more: Any) -> Json:
    """Give the least that a plugin must say."""
    auth = {"basic": [{"username": "gwadmin", "password": "password"}]}
    return {"port": port, "localhostonly": True, "auth": auth, **more}
