"""Where does a plugin listen, and can it?"""

from __future__ import annotations

import socket
from functools import cache
from typing import Final

from scimgw.config.load import Configuration, PluginConfig

LOOPBACK: Final = "127.0.0.1"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - what localhostonly: false asks for
BOTH: Final = "::"
"""Everywhere, by IPv6 and by IPv4."""


class PortsTaken(Exception):
    """Ports that can't be listened on, each with its plugin's name."""


def address(config: PluginConfig) -> str:
    """Give the address that a plugin listens on."""
    if config.gateway.localhostonly:
        return LOOPBACK
    return BOTH if speaks_both() else EVERYWHERE


@cache
def speaks_both() -> bool:
    """Whether there is IPv6 here, and a socket of IPv6 takes connections of IPv4 as well."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind((BOTH, 0))
            return not probe.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    except OSError:
        return False


def spelled(host: str, port: int) -> str:
    """Write an address with a port as URLs do."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_ports(configuration: Configuration) -> None:
    """Try every port before any is bound.

    Raises: PortsTaken.
    """
    taken = []
    for config in configuration.plugins:
        host, port = address(config), config.gateway.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as fault:
                where = spelled(host, port)
                taken.append(f"{config.name}: can't listen on {where}: {fault.strerror}")
    if taken:
        raise PortsTaken("\n".join(taken))
