"""The suite over the document store, waited for in a thread as over a real server."""

from __future__ import annotations

import threading

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from connectors.loki import Config, LokiConnector
from scimgw.connector import Connector
from scimgw.testing import contract, threads
from tests.fakes.services import in_memory


class ThreadedLokiTests(threads.InThread, contract.ConnectorContract, TestCase):
    """Each test of the suite passes, called from a thread."""

    reactor = installed
    timeout = 300

    def connector(self) -> Connector:
        """Make a store with the test users in it."""
        return LokiConnector(Config(), in_memory(self.clock()))


class WaitingTests(threads.InThread, TestCase):
    """Where what runs."""

    reactor = installed

    def test_wait(self) -> None:
        """A test waits in a thread of its own for what happens in the reactor's."""

        async def where() -> threading.Thread:
            await deferLater(installed, 0.01)
            return threading.current_thread()

        self.assertIs(threading.main_thread(), self.run_to_end(where()))
        self.assertIsNot(threading.main_thread(), threading.current_thread())

    def test_failure(self) -> None:
        """A failure is raised where it was waited for."""

        async def fails() -> None:
            raise KeyError("x")

        with self.assertRaises(KeyError):
            self.run_to_end(fails())

    def test_patience(self) -> None:
        """A thread doesn't wait for ever: trial couldn't end it."""

        async def never() -> None:
            await Deferred()

        self.patience = 0.01
        with self.assertRaises(TimeoutError):
            self.run_to_end(never())

    async def test_asynchronous(self) -> None:
        """A coroutine stays with the reactor."""
        self.assertIs(threading.main_thread(), threading.current_thread())
