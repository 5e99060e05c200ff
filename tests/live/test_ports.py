"""Where servers of tests listen."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from tests.live.ports import HIGHEST, LOWEST, are_free, free_address, free_port


class PortTests(SynchronousTestCase):
    """What is free."""

    def test_port(self) -> None:
        """A port is none that the system gives to clients."""
        self.assertTrue(LOWEST <= free_port() <= HIGHEST)

    def test_once(self) -> None:
        """Who was given a port may take a while to listen: nobody else is given the same."""
        given = [free_port() for _ in range(500)]
        self.assertEqual(len(given), len(set(given)))

    def test_taken(self) -> None:
        """Where somebody listens isn't free, but another address with the same port is."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", free_port()))
            listener.listen()
            port = listener.getsockname()[1]
            self.assertFalse(are_free("127.0.0.1", [port]))
            self.assertTrue(are_free(free_address([port]), [port]))
