"""What is asked for the groups of users whom a request has just read."""

from __future__ import annotations

from ldaptor.protocols import pureldap
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from connectors.ldap import groups
from connectors.ldap.client import Client
from connectors.ldap.reading import Access
from connectors.ldap.request import Scope
from scimgw.connector import GroupRef
from tests.connectors.ldap.test_connector import made, shipped
from tests.connectors.ldap.wire import DONE, Wire

ADA, BOB = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2))
ADA_DN, BOB_DN = (f"uid={name},ou=people,dc=example,dc=com" for name in ("ada", "bob"))
TEAM = "00000000-0000-4000-8000-000000000009"
TEAM_ENTRY = pureldap.LDAPSearchResultEntry(
    "cn=Team,ou=groups,dc=example,dc=com",
    [("cn", ["Team"]), ("entryUUID", [TEAM]), ("member", [ADA_DN, BOB_DN])],
)
TEAM_REF = [GroupRef(value=TEAM, display="Team")]


class GroupsTests(SynchronousTestCase):
    """Groups by their members, where entries are known by UUIDs."""

    def setUp(self) -> None:
        """Connect."""
        client = Client(Clock(), 30)
        self.wire = Wire(client)
        directory = made(shipped("openldap"))._directories["undefined"]
        self.at = Access(client, directory, directory.branches["User"])

    def asked(self, *entries: object) -> bytes:
        """Answer a search, and give the base that it was below."""
        search = self.wire.answer(*entries, DONE)
        self.assertEqual(Scope.SUB, search.scope)
        return bytes(search.baseObject)

    def test_known(self) -> None:
        """Who is known by name isn't looked for."""
        finding = Deferred.fromCoroutine(groups.of_users(self.at, [ADA], {ADA: ADA_DN}))
        self.assertEqual(b"ou=groups,dc=example,dc=com", self.asked(TEAM_ENTRY))
        self.assertEqual({ADA: TEAM_REF}, self.successResultOf(finding))

    def test_unknown(self) -> None:
        """Who isn't is looked for, and nobody else."""
        finding = Deferred.fromCoroutine(groups.of_users(self.at, [ADA, BOB], {ADA: ADA_DN}))
        search = self.wire.one()
        self.assertIn(BOB.encode(), search.toWire())
        self.assertNotIn(ADA.encode(), search.toWire())
        bob = pureldap.LDAPSearchResultEntry(BOB_DN, [("entryUUID", [BOB])])
        self.wire.say(search.id, bob, DONE)
        self.assertEqual(b"ou=groups,dc=example,dc=com", self.asked(TEAM_ENTRY))
        self.assertEqual({ADA: TEAM_REF, BOB: TEAM_REF}, self.successResultOf(finding))

    def test_cancelled(self) -> None:
        """Who gives up leaves no connection whose next pages a directory would forget."""
        finding = Deferred.fromCoroutine(groups.of_users(self.at, [ADA], {ADA: ADA_DN}))
        finding.cancel()
        self.failureResultOf(finding, CancelledError)
        self.assertTrue(self.wire.over)
