"""A connector that takes its time, for tests with a real process."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from twisted.internet.task import deferLater

from scimgw.connector import ConnectorPlugin, Services
from tests.fakes.memory import MemoryConnector


@frozen(kw_only=True)
class Config:
    """How long everything takes, in milliseconds."""

    milliseconds: int


def build(config: Any, services: Services) -> MemoryConnector:
    """Make a connector that waits before it changes, and after it has searched."""
    connector = MemoryConnector()

    async def wait(_method: str, _id: str) -> None:
        await deferLater(services.clock, config.milliseconds / 1000)

    connector.interlude = wait
    return connector


PLUGIN = ConnectorPlugin(config=Config, build=build)
