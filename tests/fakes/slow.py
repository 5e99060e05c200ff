"""A connector that waits until it is told to go on, for tests with a real process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.task import deferLater
from twisted.logger import Logger

from scimgw.connector import ConnectorPlugin, Services
from tests.fakes.memory import MemoryConnector

log = Logger()
WAITS = "waits to be told to go on"
"""What it logs when it has begun."""
_GLANCE = 0.02


@frozen(kw_only=True)
class Config:
    """A file: while it isn't there, nothing goes on."""

    gate: str


def build(config: Any, services: Services) -> MemoryConnector:
    """Make a connector that waits before it changes, and after it has searched."""
    connector = MemoryConnector()
    gate = Path(config.gate)

    async def wait(_method: str, _id: str) -> None:
        log.info(WAITS)
        while not gate.exists():
            await deferLater(services.clock, _GLANCE)

    connector.interlude = wait
    return connector


PLUGIN = ConnectorPlugin(config=Config, build=build)
