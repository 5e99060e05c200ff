"""Where a server of tests may listen."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable

LOWEST = 10_000
HIGHEST = 32_000
"""Below the ports that the system gives to clients: one that reconnects to a server that is away
could else be given the server's own port, and talk to itself."""
_given: set[int] = set()


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens on, and that nobody was given before."""
    while True:
        port = random.randint(LOWEST, HIGHEST)  # noqa: S311  nobody need not guess it
        if port not in _given and are_free("127.0.0.1", [port]):
            _given.add(port)
            return port


def free_address(ports: Iterable[int]) -> str:
    """Find a loopback address where nobody listens on the ports given.

    Raises: PermissionError, for ports that are not ours to use.
    """
    wanted = list(ports)
    while True:
        # 127.0.0.0 and 127.0.0.1 belong to others
        address = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"  # noqa: S311
        if are_free(address, wanted):
            return address


def are_free(address: str, ports: Iterable[int]) -> bool:
    """Tell whether nobody listens on any of the ports."""
    for port in ports:
        with socket.socket() as probe:
            # what a server just left counts as free, for the server sets this too
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except PermissionError:
                raise
            except OSError:
                return False
    return True
