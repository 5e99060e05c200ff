"""The contract suite over the document store, and over connectors that can do less."""

from __future__ import annotations

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from connectors.loki import Config, LokiConnector
from scimgw.connector import Capabilities, Connector, Paging, Services, Support
from scimgw.scim.filter import Operator
from scimgw.scim.path import Path
from scimgw.scim.schema import GROUP, AttributeType
from scimgw.testing import contract
from tests.fakes.memory import POOR, MemoryConnector, all_it_holds
from tests.fakes.placed import PLACED
from tests.fakes.services import in_memory


def services() -> Services:
    """Give what the gateway gives."""
    return in_memory(Clock())


class LokiTests(contract.ConnectorContract, SynchronousTestCase):
    """The document store."""

    def connector(self) -> Connector:
        """Make a store with the test users in it."""
        return LokiConnector(Config(), services())


class NamedLokiTests(contract.ConnectorContract, SynchronousTestCase):
    """The document store whose ids are names."""

    def connector(self) -> Connector:
        """Make a store with the test users in it."""
        return LokiConnector(Config(id_from="userName"), services())


class PoorTests(contract.ConnectorContract, SynchronousTestCase):
    """An endpoint that finds by id, lists all, and does nothing else."""

    def connector(self) -> Connector:
        """Make one that is empty."""
        return MemoryConnector()


UNORDERED = frozenset({Operator.GT, Operator.GE, Operator.LT, Operator.LE})


def case_blind(path: Path, operator: Operator) -> Support:
    """Compare text, but too loosely where case counts, and order nothing."""
    text = path.leaf.type is AttributeType.STRING and path.attribute.name != "groups"
    if not text or operator in UNORDERED:
        return Support.NO
    return Support.SUPERSET if path.leaf.case_exact else Support.EXACT


class LooseTests(contract.ConnectorContract, SynchronousTestCase):
    """An endpoint with versions that pages by cursor, uncounted, and compares text loosely."""

    counts = False

    def connector(self) -> Connector:
        """Make one that is empty."""
        offered = Capabilities(filter=case_blind, paging=Paging.CURSOR, versions=True, max_count=4)
        return MemoryConnector(offered, counts=False)


class LooseValuesTests(contract.ConnectorContract, SynchronousTestCase):
    """An endpoint that compares text loosely, also in value filters."""

    def connector(self) -> Connector:
        """Make one that is empty."""
        return MemoryConnector(Capabilities(filter=case_blind, value_paths=True))


class IndexedTests(contract.ConnectorContract, SynchronousTestCase):
    """An endpoint that pages by index without counting, and sorts."""

    counts = False

    def connector(self) -> Connector:
        """Make one that is empty."""
        offered = evolve(
            POOR,
            paging=Paging.INDEX,
            max_count=3,
            sort=lambda path: path.attribute.name != "groups",
        )
        return MemoryConnector(offered, counts=False)


class PlacedTests(contract.ConnectorContract, SynchronousTestCase):
    """An endpoint with one place for each kind of e-mail and postal address."""

    def connector(self) -> Connector:
        """Make one that is empty."""
        offered = Capabilities(filter=all_it_holds, value_paths=True)
        return MemoryConnector(offered, resource_types=(PLACED, GROUP))
