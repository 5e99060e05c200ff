"""What is written to create or change an entry."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from connectors.ldap import writing
from connectors.ldap.directory import Branch
from connectors.ldap.entries import codec
from connectors.ldap.request import Kind, Modification
from scimgw.errors import InvalidValue, Mutability
from scimgw.mapping import Rule, build
from scimgw.scim import resource
from scimgw.scim.changes import Changes
from scimgw.scim.filter import parse_path
from scimgw.scim.path import resolve
from scimgw.scim.schema import USER
from tests.connectors.ldap.samples import (
    ENTERPRISE,
    GROUP_BRANCH,
    GROUPS,
    MEMBERS,
    PEOPLE,
    USER_BRANCH,
    USERS,
    directory,
    entry,
)

NOBODY = b"cn=nobody"
NAMES = evolve(GROUP_BRANCH, empty_member=NOBODY.decode())
"""Groups that must have a member."""
OPEN_USERS = evolve(
    USER_BRANCH,
    naming="uid",
    object_classes=("inetOrgPerson",),
    mapping=build(
        USER,
        {
            "dn": Rule(map_to="id"),
            "uid": Rule(map_to="userName"),
            "sn": Rule(map_to="name.familyName"),
            "userPassword": Rule(map_to="password"),
            "pwdAccountLockedTime": Rule(map_to="active", type="boolean"),
        },
        codec,
    ),
)
X = {"x": "CN=x", "y": "CN=y"}


class NewEntryTests(SynchronousTestCase):
    """New entries."""

    def new(self, branch: Branch, body: dict[str, Any], **more: Any) -> writing.NewEntry:
        """Describe a new entry."""
        parsed = resource.parse(branch.mapping.type, body, self.fail)
        return writing.new_entry(directory(**more), branch, parsed, X)

    def test_user(self) -> None:
        """A user has its classes, its name, the attributes that are mapped, and the directory's."""
        body = {
            "userName": "b, jensen",
            "active": True,
            "emails": [{"type": "work", "value": "b@x.org"}],
            ENTERPRISE: {"manager": {"value": "x"}},
        }
        new = self.new(USER_BRANCH, {**body, "userName": "bjensen"})
        self.assertEqual(f"CN=bjensen,{PEOPLE}", new.dn)
        self.assertEqual(
            {
                "samaccountname": (b"bjensen",),
                "cn": (b"bjensen",),
                "mail": (b"b@x.org",),
                "manager": (b"CN=x",),
                "useraccountcontrol": (b"514",),
                "userprincipalname": (b"b@x.org",),
                "objectclass": (b"top", b"user"),
            },
            new.attributes,
        )
        self.assertRaises(InvalidValue, self.new, USER_BRANCH, body)  # a comma in sAMAccountName

    def test_password(self) -> None:
        """A password goes over an encrypted connection only."""
        body = {"userName": "x", "password": "secret"}
        new = self.new(USER_BRANCH, body)
        self.assertEqual(('"secret"'.encode("utf-16-le"),), new.attributes["unicodepwd"])
        error = self.assertRaises(InvalidValue, self.new, USER_BRANCH, body, encrypted=False)
        self.assertIn("ldaps", error.detail)

    def test_unknown_reference(self) -> None:
        """A member that is no user or group is refused by its id."""
        body = {"displayName": "g", "members": [{"value": "x"}, {"value": "z"}]}
        error = self.assertRaises(InvalidValue, self.new, GROUP_BRANCH, body)
        self.assertIn("'z'", error.detail)

    def test_group(self) -> None:
        """Members are named by their DNs; where there must be one there is."""
        body = {"displayName": "a+b", "members": [{"value": "x"}]}
        new = self.new(GROUP_BRANCH, body)
        self.assertEqual((rf"CN=a\+b,{GROUPS}", (b"CN=x",)), (new.dn, new.attributes["member"]))
        empty = self.new(NAMES, {"displayName": "g"}, open_ldap=True)
        self.assertEqual((NOBODY,), empty.attributes["member"])

    def test_open_ldap(self) -> None:
        """A person has the names that it must have; a password is set by itself, never written."""
        body = {"userName": "x", "password": "secret", "active": False}
        new = self.new(OPEN_USERS, body, open_ldap=True)
        self.assertEqual(
            {
                "uid": (b"x",),
                "cn": (b"x",),
                "sn": (b"x",),
                "pwdaccountlockedtime": (b"000001010000Z",),
                "objectclass": (b"inetOrgPerson",),
            },
            new.attributes,
        )
        assert new.password is not None
        self.assertEqual("secret", new.password.reveal())


class ChangeTests(SynchronousTestCase):
    """Changes of entries."""

    def change(
        self, branch: Branch, changes: Changes, held: Any = None, **more: Any
    ) -> writing.Change:
        """Describe a change."""
        return writing.change(directory(**more), branch, held or entry(), changes, X)

    def modifications(self, *arguments: Any, **more: Any) -> list[Modification]:
        """Describe a change without a password."""
        return list(self.change(*arguments, **more).modifications)

    def test_values(self) -> None:
        """What is set replaces; what is cleared is replaced by nothing; values come and go."""
        mail = parse_path('emails[type eq "work"].value', USERS.type)
        home = parse_path('emails[type eq "home"].value', USERS.type)
        roles = resolve(USERS.type, "roles")
        changes = Changes(
            set={mail: "n"},
            clear=frozenset({home}),
            add={roles: [{"value": "a"}]},
            remove={roles: [{"value": "b"}]},
        )
        self.assertEqual(
            [
                Modification(Kind.REPLACE, "otherMail", ()),
                Modification(Kind.REPLACE, "mail", (b"n",)),
                Modification(Kind.DELETE, "role", (b"b",)),
                Modification(Kind.ADD, "role", (b"a",)),
            ],
            self.modifications(USER_BRANCH, changes),
        )

    def test_state(self) -> None:
        """The state that was read is exchanged for the other one, or left."""
        active = resolve(USERS.type, "active")
        held = entry(useraccountcontrol=[b"66048"])
        self.assertEqual(
            [
                Modification(Kind.DELETE, "userAccountControl", (b"66048",)),
                Modification(Kind.ADD, "userAccountControl", (b"66050",)),
            ],
            self.modifications(USER_BRANCH, Changes(set={active: False}), held),
        )
        self.assertEqual([], self.modifications(USER_BRANCH, Changes(set={active: True}), held))
        cleared = Changes(clear=frozenset({active}))
        self.assertRaises(InvalidValue, self.modifications, USER_BRANCH, cleared, held)
        locked = entry(pwdaccountlockedtime=[b"000001010000Z"])
        active = resolve(OPEN_USERS.mapping.type, "active")
        self.assertEqual(
            [Modification(Kind.DELETE, "pwdAccountLockedTime", (b"000001010000Z",))],
            self.modifications(OPEN_USERS, Changes(set={active: True}), locked, open_ldap=True),
        )

    def test_members(self) -> None:
        """One member more or less is one value more or less; who is nobody needn't go."""
        members = resolve(MEMBERS.type, "members")
        for changes, expected in (
            (Changes(add={members: [{"value": "x"}]}), [(Kind.ADD, (b"CN=x",))]),
            (
                Changes(remove={members: [{"value": "x"}, {"value": "nobody"}]}),
                [(Kind.DELETE, (b"CN=x",))],
            ),
            (Changes(remove={members: [{"value": "nobody"}]}), []),
            (Changes(remove={members: [{"value": "CN=far"}]}), []),
            (Changes(set={members: [{"value": "y"}]}), [(Kind.REPLACE, (b"CN=y",))]),
            (Changes(clear=frozenset({members})), [(Kind.REPLACE, ())]),
        ):
            found = [(each.kind, each.values) for each in self.modifications(GROUP_BRANCH, changes)]
            self.assertEqual(expected, found)
        cleared = self.modifications(NAMES, Changes(clear=frozenset({members})))
        self.assertEqual([Modification(Kind.REPLACE, "member", (NOBODY,))], cleared)

    def test_emptied(self) -> None:
        """Where there must be a member, one that is nobody takes the place of the last."""
        gone = [Modification(Kind.DELETE, "member", (b"CN=x",))]
        filled = Modification(Kind.ADD, "member", (NOBODY,))
        self.assertEqual((filled,), writing.emptied(NAMES, gone))
        self.assertEqual((), writing.emptied(NAMES, [*gone, filled]))
        self.assertEqual((), writing.emptied(NAMES, [Modification(Kind.REPLACE, "cn", (b"x",))]))
        self.assertEqual((), writing.emptied(GROUP_BRANCH, gone))

    def test_renaming(self) -> None:
        """An entry keeps its name, also if it is given it again."""
        name = resolve(MEMBERS.type, "displayName")
        held = entry(f"CN=one,{GROUPS}")
        self.assertEqual([], self.modifications(GROUP_BRANCH, Changes(set={name: "one"}), held))
        error = self.assertRaises(
            Mutability, self.modifications, GROUP_BRANCH, Changes(set={name: "two"}), held
        )
        self.assertIn("cn names the entry", error.detail)

    def test_password(self) -> None:
        """A password is quoted for Active Directory, and set by itself in others."""
        path = resolve(USERS.type, "password")
        changes = Changes(set={path: "secret"})
        (found,) = self.modifications(USER_BRANCH, changes)
        self.assertEqual(('"secret"'.encode("utf-16-le"),), found.values)
        self.assertRaises(InvalidValue, self.modifications, USER_BRANCH, changes, encrypted=False)
        change = self.change(OPEN_USERS, changes, open_ldap=True)
        assert change.password is not None
        self.assertEqual(("secret", ()), (change.password.reveal(), change.modifications))

    def test_country(self) -> None:
        """A country changes in all its forms."""
        country = parse_path('addresses[type eq "work"].country', USERS.type)
        found = self.modifications(USER_BRANCH, Changes(set={country: "Norway"}))
        self.assertEqual(
            [("co", (b"Norway",)), ("c", (b"NO",)), ("countrycode", (b"578",))],
            [(each.name, each.values) for each in found],
        )

    def test_account_name(self) -> None:
        """An account's name is checked before it is written."""
        name = resolve(USERS.type, "userName")
        self.assertRaises(InvalidValue, self.modifications, USER_BRANCH, Changes(set={name: "a*b"}))

    def test_references(self) -> None:
        """The ids that data and changes refer to are told."""
        manager = resolve(USERS.type, f"{ENTERPRISE}:manager.value")
        members = resolve(MEMBERS.type, "members")
        data = {
            "userName": "u",
            "members": [{"value": "a"}],
            ENTERPRISE: {"manager": {"value": "m"}},
        }
        self.assertEqual({"a", "m"}, writing.referred(data))
        changes = Changes(set={manager: "m"}, add={members: [{"value": "a"}]})
        self.assertEqual({"a", "m"}, writing.referred_in(changes))
