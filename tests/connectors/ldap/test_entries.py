"""Entries as resources."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from connectors.ldap.ber import SearchEntry
from connectors.ldap.entries import to_resource, wanted, with_activity, with_displays, with_kinds
from connectors.ldap.identity import Identity
from scimgw.errors import TooMany
from scimgw.mapping import Slot
from scimgw.scim.path import resolve
from scimgw.scim.resource import Resource
from scimgw.scim.schema import GROUP, USER
from tests.connectors.ldap.samples import (
    ENTERPRISE,
    GROUPS,
    MEMBERS,
    PEOPLE,
    USERS,
    directory,
    entry,
)


def upper(_slot: Slot, value: str) -> str:
    """Give an id that isn't the DN."""
    return value.upper()


class EntryTests(SynchronousTestCase):
    """One entry."""

    def resource(self, found: SearchEntry) -> Resource:
        """Translate a user."""
        return to_resource(USERS, Identity.DN, found, upper, None)

    def test_translated(self) -> None:
        """Attributes become what they are mapped to, and DNs the ids of what they name."""
        found = entry(
            samaccountname=[b"x"],
            useraccountcontrol=[b"514"],
            mail=["é@x".encode()],
            cert=[b"\xff"],
            manager=[b"cn=m"],
            memberof=[b"cn=g"],
            unmapped=[b"?"],
        )
        self.assertEqual(
            {
                "schemas": [USER.schema.id, ENTERPRISE],
                "id": f"CN=x,{PEOPLE}",
                "userName": "x",
                "active": False,
                "emails": [{"type": "work", "value": "é@x"}],
                "x509Certificates": [{"value": "/w=="}],
                "groups": [{"value": "CN=G"}],
                ENTERPRISE: {"manager": {"value": "CN=M"}},
            },
            self.resource(found).data,
        )

    def test_unreadable(self) -> None:
        """What isn't text is left out, and told to the operator."""
        found = self.resource(entry(samaccountname=[b"x"], mail=[b"\xff"]))
        self.assertNotIn("emails", found.data)

    def test_kinds(self) -> None:
        """Members are of the type below whose base they are, if that is certain."""
        found = directory()
        for name, kind in {
            f"CN=x,{PEOPLE}": "User",
            f"cn=x,{PEOPLE.lower()}": "User",
            f"cn=x,{GROUPS}": "Group",
            f"cn=x\\,{PEOPLE}": None,
            PEOPLE: None,
            "cn=x": None,
        }.items():
            self.assertEqual(kind, found.kind_of(name), name)
        group = Resource(GROUP, {"id": "g", "members": [{"value": "1"}, {"value": "2"}]})
        self.assertEqual(
            [{"value": "1", "type": "User"}, {"value": "2"}],
            with_kinds(group, {"1": "User"}).data["members"],
        )
        self.assertIs(group, with_kinds(group, {}))

    def test_nobody(self) -> None:
        """Who stands for no member is none, however it is spelled."""
        found = entry(cn=[b"g"], member=[b"CN=Nobody", b"cn=x"])
        group = to_resource(MEMBERS, Identity.DN, found, upper, "cn=nobody")
        self.assertEqual([{"value": "CN=X"}], group.data["members"])
        alone = to_resource(MEMBERS, Identity.DN, entry(member=[b"cn=nobody"]), upper, "cn=nobody")
        self.assertNotIn("members", alone.data)

    def test_range(self) -> None:
        """A part of the members isn't taken for all of them."""
        found = SearchEntry(dn="cn=g", attributes={"member;range=0-1499": [b"cn=x"]})
        self.assertRaises(TooMany, to_resource, MEMBERS, Identity.DN, found, upper, None)

    def test_activity(self) -> None:
        """An account of which nothing is said is active, where that is asked."""
        silent = self.resource(entry(samaccountname=[b"x"]))
        self.assertIs(True, with_activity(USERS, silent, None).data["active"])
        name = frozenset({resolve(USERS.type, "userName")})
        self.assertNotIn("active", with_activity(USERS, silent, name).data)
        self.assertNotIn("active", with_activity(MEMBERS, silent, None).data)

    def test_displays(self) -> None:
        """Groups have the names that are known, and are the user's own."""
        user = Resource(USERS.type, {"groups": [{"value": "a"}, {"value": "b"}]})
        self.assertEqual(
            [{"value": "a", "display": "A", "type": "direct"}, {"value": "b", "type": "direct"}],
            with_displays(user, {"a": "A"}).data["groups"],
        )

    def test_wanted(self) -> None:
        """What is asked for is fetched, with what tells the id; nothing at all isn't everything."""
        paths = frozenset({resolve(MEMBERS.type, "displayName")})
        self.assertEqual(("cn",), wanted(MEMBERS, Identity.DN, paths))
        self.assertEqual(("cn", "entryuuid"), wanted(MEMBERS, Identity.ENTRY_UUID, paths))
        self.assertEqual(("1.1",), wanted(MEMBERS, Identity.DN, frozenset()))
