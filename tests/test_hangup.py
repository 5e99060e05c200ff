"""SIGHUP, sent to the process of the tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from twisted.application.service import Service
from twisted.trial.unittest import SynchronousTestCase

from scimgw.hangup import Plugins


class Plugin(Service):
    """Counts how often it is to read its files."""

    read = 0

    def reload(self) -> None:
        """Count."""
        self.read += 1


class Reactor:
    """Keeps what it is to call."""

    def __init__(self) -> None:
        self.called: list[Callable[[], None]] = []

    def callFromThread(self, call: Callable[[], None]) -> None:
        """Keep it."""
        self.called.append(call)


class HangupTests(SynchronousTestCase):
    """What the signal does."""

    def test_reload(self) -> None:
        """Whoever has files reads them, in the reactor's own time; the rest goes on."""
        reactor = Reactor()
        plugins, plugin, other = Plugins(reactor), Plugin(), Service()
        plugin.setServiceParent(plugins)
        other.setServiceParent(plugins)
        before = signal.getsignal(signal.SIGHUP)
        plugins.startService()
        try:
            os.kill(os.getpid(), signal.SIGHUP)
            self.assertEqual(0, plugin.read)
            (reload,) = reactor.called
            reload()
            self.assertEqual(1, plugin.read)
        finally:
            self.successResultOf(plugins.stopService())
        self.assertEqual(before, signal.getsignal(signal.SIGHUP))
        self.assertFalse(plugin.running or other.running)
