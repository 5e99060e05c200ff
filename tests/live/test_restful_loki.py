"""The contract suite over restful, over plugin-loki in a process of its own, and over less."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from connectors.restful import Config, RestfulConnector
from connectors.restful.settings import EntityConfig
from scimgw.connector import NO_ENTITY, Connector
from scimgw.secret import Secret
from scimgw.testing import contract, threads
from tests.live.http_case import reactor, services
from tests.live.limited import Limits, limited
from tests.live.ports import free_port
from tests.service.process import ServiceCase


def restful(port: int, path: str = "") -> RestfulConnector:
    """Make a connector to a server on a port."""
    entity = EntityConfig(
        base_urls=(f"http://127.0.0.1:{port}{path}",),
        username="gwadmin",
        password=Secret("password"),
    )
    return RestfulConnector(Config(entity={NO_ENTITY: entity}), services())


class RestfulTests(threads.InThread, contract.ConnectorContract, ServiceCase):
    """The other side can do all that plugin-loki can."""

    reactor = reactor
    timeout = 600

    def setUp(self) -> Any:
        """Start plugin-loki."""
        return Deferred.fromCoroutine(self.begin())

    async def begin(self) -> None:
        """Start plugin-loki."""
        port = free_port()
        await self.start(self.one(port))
        self.made = restful(port)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.made.close()))

    def connector(self) -> Connector:
        """Give the connector."""
        return self.made


class LimitedCase(threads.InThread, contract.ConnectorContract, TestCase):
    """The other side can do less, says so, and refuses what it can't."""

    reactor = reactor
    timeout = 600
    limits = Limits()

    def setUp(self) -> None:
        """Serve a store behind limits."""
        listening = reactor.listenTCP(0, limited(self.limits), interface="127.0.0.1")
        self.made = restful(listening.getHost().port)
        self.addCleanup(listening.stopListening)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.made.close()))

    def connector(self) -> Connector:
        """Give the connector."""
        return self.made


class PoorTests(LimitedCase):
    """It finds by id, lists, and replaces."""

    limits = Limits(patch=False, filter=False, sort=False, etag=False, groups=False)


class ReplacingTests(LimitedCase):
    """It has versions, and no PATCH."""

    limits = Limits(patch=False, most=5)


class GrouplessTests(LimitedCase):
    """It filters and patches, and its users don't tell their groups."""

    limits = Limits(sort=False, etag=False, groups=False)


del LimitedCase  # an abstract case isn't one to run
