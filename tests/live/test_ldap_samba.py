"""The LDAP connector over Active Directory, as Samba has it."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from scimgw.connector import Connector
from scimgw.testing import contract, threads
from tests.live.case import LiveCase, reactor
from tests.live.directory import (
    ACTIVE_DIRECTORY_SUITE,
    active_directory,
    connector,
    known_by,
    with_units,
)
from tests.live.samba import ACTIVE_DIRECTORY


class DnTests(threads.InThread, contract.ConnectorContract, LiveCase):
    """The contract, with DNs as ids."""

    reactor = reactor
    counts = False
    examples = 100
    map = ACTIVE_DIRECTORY_SUITE

    def setUp(self) -> Any:
        """Start the server."""
        return Deferred.fromCoroutine(self.start())

    async def start(self) -> None:
        """Have a server."""
        self.server = await with_units(await ACTIVE_DIRECTORY.get(self))

    def connector(self) -> Connector:
        """Connect to it."""
        made = connector(self.server, active_directory(self.server), self.map)
        self.addCleanup(lambda: Deferred.fromCoroutine(made.close()))
        return made


class GuidTests(DnTests):
    """The contract, with objectGUIDs as ids."""

    map = known_by(ACTIVE_DIRECTORY_SUITE, "objectGUID")
