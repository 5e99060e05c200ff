"""TLS over real sockets: what a connection's end does to what was sent before it."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from scimgw.tls.context import ready
from scimgw.tls.listening import Tls
from scimgw.tls.settings import Certificate
from tests.tls.papers import LOCALHOST, pem, root

reactor: Any = installed
MUCH = bytes(8 * 1024 * 1024)
SETTINGS = Certificate(key="x.key", cert="x.pem")


class Giver(Protocol):
    """Sends much, and closes."""

    def dataReceived(self, _: bytes) -> None:
        """Send it."""
        assert self.transport is not None
        self.transport.write(MUCH)
        self.transport.loseConnection()


class EndTests(TestCase):
    """The end of a connection."""

    timeout = 300

    def setUp(self) -> None:
        """Listen."""
        self.root, folder = root(), Path(self.mktemp())
        (folder / "certs").mkdir(parents=True)
        self.root.issue("localhost", LOCALHOST).write(folder / "certs", "x")
        first = ready(SETTINGS, folder)
        self.tls = Tls("x", SETTINGS, folder, first, reactor, now=time.time)
        port = reactor.listenTCP(
            0, self.tls.around(Factory.forProtocol(Giver)), interface="127.0.0.1"
        )
        self.addCleanup(port.stopListening)
        self.port = port.getHost().port

    async def test_whole(self) -> None:
        """A client that reads slowly gets all that was sent, and the end is told by TLS."""
        self.assertEqual(len(MUCH), await deferToThread(self.receive))

    def receive(self) -> int:
        """Ask, wait until everything is on its way, and count what comes."""
        context = ssl.create_default_context(cadata=pem(self.root.certificate).decode())
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=60) as plain,
            context.wrap_socket(
                plain, server_hostname="localhost", suppress_ragged_eofs=False
            ) as secure,
        ):
            secure.sendall(b"x")
            time.sleep(0.2)
            received = 0
            while data := secure.recv(65536):
                received += len(data)
            return received
