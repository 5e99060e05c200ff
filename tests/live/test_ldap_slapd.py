"""The LDAP connector over OpenLDAP."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from scimgw.connector import Connector
from scimgw.testing import contract, threads
from tests.live.case import LiveCase, reactor
from tests.live.directory import SUITE, connector, known_by, open_ldap
from tests.live.slapd import OPENLDAP


class DnTests(threads.InThread, contract.ConnectorContract, LiveCase):
    """The contract, with DNs as ids."""

    reactor = reactor
    counts = False
    map = SUITE

    def setUp(self) -> Any:
        """Start the server."""
        return Deferred.fromCoroutine(self.start())

    async def start(self) -> None:
        """Have a server."""
        self.server = await OPENLDAP.get(self)

    def connector(self) -> Connector:
        """Connect to it."""
        made = connector(self.server, open_ldap(self.server), self.map)
        self.addCleanup(lambda: Deferred.fromCoroutine(made.close()))
        return made


class UuidTests(DnTests):
    """The contract, with entryUUIDs as ids."""

    map = known_by(SUITE, "entryUUID")
