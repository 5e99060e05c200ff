"""The document store: indexes, versions, ids, test users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from connectors.loki import PLUGIN, Config, LokiConnector
from connectors.loki.connector import EntityConfig
from connectors.loki.index import Index
from connectors.loki.memberships import Memberships
from connectors.loki.plan import Tables, plan
from connectors.loki.table import Table
from scimgw.connector import NO_ENTITY, Call, Principal
from scimgw.errors import InvalidValue, NotFound, Uniqueness
from scimgw.scim.changes import Changes
from scimgw.scim.filter import parse
from scimgw.scim.path import resolve
from scimgw.scim.query import Page, Query
from scimgw.scim.resource import Resource
from scimgw.scim.schema import GROUP, USER, ResourceType
from tests.fakes.services import in_memory

Json = dict[str, Any]


def call(entity: str = NO_ENTITY) -> Call:
    """Act for a base entity."""
    return Call(entity=entity, principal=Principal("tester"), request_id="1", deadline=60.0)


class LokiCase(SynchronousTestCase):
    """Has a store with the test users and groups in it."""

    def store(self, config: Config | None = None) -> LokiConnector:
        """Make a store."""
        self.clock = Clock()
        services = in_memory(self.clock)
        store = PLUGIN.build(config or Config(), services)
        assert isinstance(store, LokiConnector)
        return store

    def search(self, store: LokiConnector, query: Query, entity: str = NO_ENTITY) -> Page:
        """Search."""
        return self.successResultOf(Deferred.fromCoroutine(store.search(call(entity), query)))

    def ids(self, store: LokiConnector, filter: str, type: ResourceType = USER) -> list[str]:
        """Give the ids that a filter finds."""
        page = self.search(store, Query(type=type, filter=parse(filter, type)))
        return [each.id for each in page.resources]

    def create(self, store: LokiConnector, type: ResourceType, **data: Any) -> Resource:
        """Create a resource."""
        resource = Resource(type, {"schemas": [type.schema.id], **data})
        stored = self.successResultOf(Deferred.fromCoroutine(store.create(call(), type, resource)))
        assert stored.resource is not None
        return stored.resource

    def modify(self, store: LokiConnector, type: ResourceType, id: str, changes: Changes) -> Any:
        """Change a resource."""
        return self.successResultOf(
            Deferred.fromCoroutine(store.modify(call(), type, id, changes, None))
        )


class TestDataTests(LokiCase):
    """What a store in memory begins with."""

    def test_users_and_groups(self) -> None:
        """Two users and two groups are there, without the passwords."""
        store = self.store()
        users = self.search(store, Query(type=USER)).resources
        groups = self.search(store, Query(type=GROUP)).resources
        self.assertEqual(["bjensen", "jsmith"], [user.id for user in users])
        self.assertEqual(["Admins", "Employees"], [group.id for group in groups])
        self.assertNotIn("password", users[0].data)
        self.assertEqual("Tour Guide", users[0].data["title"])
        self.assertEqual(
            [{"value": "bjensen", "display": "Babs Jensen", "type": "User"}],
            groups[0].data["members"],
        )

    def test_one_store_per_entity(self) -> None:
        """Each base entity has a store of its own."""
        store = self.store(Config(entity={"a": EntityConfig(), "b": EntityConfig()}))
        self.successResultOf(Deferred.fromCoroutine(store.delete(call("a"), USER, "bjensen", None)))
        self.assertEqual(
            [1, 2], [self.search(store, Query(type=USER), entity).total for entity in "ab"]
        )
        unknown = Deferred.fromCoroutine(store.search(call("c"), Query(type=USER)))
        self.failureResultOf(unknown, NotFound)

    def test_persistence_is_refused(self) -> None:
        """A store on disk can't be had yet, and isn't silently one in memory."""
        self.assertRaises(ValueError, EntityConfig, persistence=True)
        self.assertRaises(ValueError, EntityConfig, dbname="loki.db")
        EntityConfig(persistence=False, dbname=None)

    def test_close(self) -> None:
        """There is nothing to give back."""
        self.successResultOf(Deferred.fromCoroutine(self.store().close()))


class IdTests(LokiCase):
    """Ids, and what must be unique."""

    def test_uuid(self) -> None:
        """The id of a new resource is a UUID."""
        store = self.store()
        user = self.create(store, USER, userName="x")
        self.assertRegex(
            user.id, "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
        )

    def test_name(self) -> None:
        """It is the name, if so configured, and stays when that changes."""
        store = self.store(Config(id_from="userName"))
        self.assertEqual("a/b ü", self.create(store, USER, userName="a/b ü").id)
        self.assertEqual("g", self.create(store, GROUP, displayName="g").id)
        renamed = self.modify(store, USER, "a/b ü", Changes(set={resolve(USER, "userName"): "c"}))
        self.assertEqual("a/b ü", renamed.id)
        for name in (".", ".."):
            resource = Resource(USER, {"schemas": [], "userName": name})
            self.failureResultOf(
                Deferred.fromCoroutine(store.create(call(), USER, resource)), InvalidValue
            )

    def test_name_taken_as_id(self) -> None:
        """A name that is somebody's id already is refused."""
        store = self.store(Config(id_from="userName"))
        self.create(store, GROUP, displayName="g")
        resource = Resource(GROUP, {"schemas": [], "displayName": "g"})
        self.failureResultOf(
            Deferred.fromCoroutine(store.create(call(), GROUP, resource)), Uniqueness
        )

    def test_user_name_is_unique(self) -> None:
        """No two users have one name, whatever its case, also not by renaming."""
        store = self.store()
        user = self.create(store, USER, userName="Straße")
        for name in ("STRAßE", "BJensen"):
            resource = Resource(USER, {"schemas": [], "userName": name})
            self.failureResultOf(
                Deferred.fromCoroutine(store.create(call(), USER, resource)), Uniqueness
            )
        taken = Changes(set={resolve(USER, "userName"): "BJENSEN", resolve(USER, "title"): "t"})
        failing = Deferred.fromCoroutine(store.modify(call(), USER, user.id, taken, None))
        self.failureResultOf(failing, Uniqueness)
        self.assertEqual(
            [False],
            [
                "title" in each.data
                for each in self.search(store, Query(type=USER, ids=(user.id,))).resources
            ],
        )
        recased = self.modify(
            store, USER, user.id, Changes(set={resolve(USER, "userName"): "STRASSE"})
        )
        self.assertEqual("STRASSE", recased.resource.data["userName"])

    def test_group_names_are_not_unique(self) -> None:
        """Two groups may have one name."""
        store = self.store()
        self.create(store, GROUP, displayName="Admins")
        self.assertEqual(2, len(self.ids(store, 'displayName eq "admins"', GROUP)))


class MetaTests(LokiCase):
    """Times and versions."""

    def test_times(self) -> None:
        """Created stays, lastModified moves with a change, and only with one."""
        store = self.store()
        self.clock.advance(10)
        user = self.create(store, USER, userName="x")
        self.assertEqual("1970-01-01T00:00:10.000000Z", user.data["meta"]["created"])
        self.assertEqual(user.data["meta"]["created"], user.data["meta"]["lastModified"])
        self.clock.advance(5)
        title = Changes(set={resolve(USER, "title"): "t"})
        meta = self.modify(store, USER, user.id, title).resource.data["meta"]
        self.assertEqual(
            ("1970-01-01T00:00:10.000000Z", "1970-01-01T00:00:15.000000Z"),
            (meta["created"], meta["lastModified"]),
        )
        self.clock.advance(5)
        self.assertEqual(meta, self.modify(store, USER, user.id, title).resource.data["meta"])

    def test_version_is_never_used_twice(self) -> None:
        """Not after delete and create, nor after a restart."""
        versions = []
        for _ in range(2):
            store = self.store(Config(id_from="userName"))
            for _ in range(3):
                versions.append(self.create(store, USER, userName="x").version)
                self.successResultOf(Deferred.fromCoroutine(store.delete(call(), USER, "x", None)))
        self.assertEqual(6, len(set(versions)))

    def test_member_moves_the_group(self) -> None:
        """A member that comes or goes moves the version of the group, also by being deleted."""
        store = self.store()
        members = resolve(GROUP, "members")

        def version() -> str | None:
            return self.search(store, Query(type=GROUP, ids=("Admins",))).resources[0].version

        first = version()
        self.modify(store, GROUP, "Admins", Changes(add={members: [{"value": "jsmith"}]}))
        second = version()
        self.successResultOf(Deferred.fromCoroutine(store.delete(call(), USER, "jsmith", None)))
        third = version()
        self.assertEqual(3, len({first, second, third}))
        self.modify(store, GROUP, "Admins", Changes(remove={members: [{"value": "jsmith"}]}))
        self.assertEqual(third, version())

    def test_password_is_not_kept(self) -> None:
        """A password is accepted, and nowhere afterwards."""
        store = self.store()
        user = self.create(store, USER, userName="x", password="hunter2")
        self.assertNotIn("password", user.data)
        password = Changes(set={resolve(USER, "password"): "hunter3"})
        stored = self.modify(store, USER, user.id, password)
        self.assertEqual(
            (user.version, False), (stored.version, "password" in stored.resource.data)
        )
        self.modify(store, USER, user.id, Changes(clear=frozenset({resolve(USER, "password")})))


class NestedTests(LokiCase):
    """Groups in groups, and members that nobody is."""

    def test_nested(self) -> None:
        """A group can be a member, and leaves with its deletion."""
        store = self.store()
        outer = self.create(
            store, GROUP, displayName="outer", members=[{"value": "Admins", "type": "Group"}]
        )
        self.assertEqual([outer.id], self.ids(store, 'members.value eq "Admins"', GROUP))
        self.successResultOf(Deferred.fromCoroutine(store.delete(call(), GROUP, "Admins", None)))
        self.assertEqual([], self.ids(store, 'members.value eq "Admins"', GROUP))
        self.assertEqual([], self.ids(store, 'members.value eq "bjensen"', GROUP))

    def test_nobody(self) -> None:
        """A member that names nobody is kept, and counts from the day that somebody has the id."""
        store = self.store(Config(id_from="userName"))
        self.create(store, GROUP, displayName="g", members=[{"value": "later"}])
        self.create(store, USER, userName="later")
        self.assertEqual(["later"], self.ids(store, 'groups.value eq "g"'))


class PlanTests(LokiCase):
    """Which records are looked at."""

    def planned(self, filter: str, type: ResourceType = USER) -> tuple[set[str] | None, str | None]:
        """Give the candidates, and what is left to check."""
        store = self.store()
        tables = store._stores[NO_ENTITY]
        asked = Tables(tables[type], tables[GROUP] if type is USER else None)
        found = plan(parse(filter, type), asked)
        ids = None if found.ids is None else set(found.ids)
        return ids, None if found.rest is None else str(found.rest)

    def test_indexed(self) -> None:
        """What an index answers isn't looked at again."""
        for filter, ids in {
            'userName eq "BJENSEN"': {"bjensen"},
            'externalId eq "bjensen"': {"bjensen"},
            'externalId eq "BJENSEN"': set(),
            'displayName eq "babs jensen"': {"bjensen"},
            'emails.value eq "Babs@Jensen.org"': {"bjensen"},
            'emails eq "babs@jensen.org"': {"bjensen"},
            'emails[value eq "babs@jensen.org"]': {"bjensen"},
            'id eq "jsmith"': {"jsmith"},
            'groups.value eq "Admins"': {"bjensen"},
            'groups[value eq "nope"]': set(),
            'userName eq "bjensen" or id eq "jsmith"': {"bjensen", "jsmith"},
            'userName eq "bjensen" and displayName eq "john smith"': set(),
        }.items():
            self.assertEqual((ids, None), self.planned(filter), filter)
        for filter, ids in {
            'members.value eq "bjensen"': {"Admins"},
            'members[value eq "jsmith"]': {"Employees"},
            'id eq "Admins" and members eq "bjensen"': {"Admins"},
        }.items():
            self.assertEqual((ids, None), self.planned(filter, GROUP), filter)

    def test_rest(self) -> None:
        """What no index tells is checked of the candidates, or of all."""
        self.assertEqual(
            ({"bjensen"}, "active eq true"),
            self.planned('userName eq "bjensen" and active eq true'),
        )
        for filter in (
            'title eq "Consultant"',
            'userName sw "b"',
            'emails[type eq "work"]',
            'userName eq "bjensen" or title pr',
            'not (userName eq "bjensen")',
        ):
            self.assertEqual((None, filter), self.planned(filter))
        self.assertEqual((None, 'groups.value eq "g"'), self.planned_without_groups())

    def planned_without_groups(self) -> tuple[object, str]:
        """Plan where no table of groups is at hand."""
        tables = self.store()._stores[NO_ENTITY]
        found = plan(parse('groups.value eq "g"', USER), Tables(tables[USER], None))
        return found.ids, str(found.rest)

    def test_scans_see_what_is_kept_apart(self) -> None:
        """What is checked of candidates may look at members and groups."""
        store = self.store()
        self.assertEqual(["Employees"], self.ids(store, 'members.display co "smith"', GROUP))
        self.assertEqual(["jsmith"], self.ids(store, 'not (groups.display eq "Admins")'))
        self.assertEqual(
            ["bjensen", "jsmith"], self.ids(store, 'groups.type eq "direct" and userName pr')
        )

    def test_order(self) -> None:
        """Results come in the order of creation, however they were found."""
        store = self.store()
        names = [f"u{number}" for number in range(20)]
        for name in names:
            self.create(store, USER, userName=name, displayName="same")
        page = self.search(
            store,
            Query(type=USER, filter=parse('displayName eq "same"', USER), start_index=3, count=4),
        )
        self.assertEqual(
            (names[2:6], 20), ([each.data["userName"] for each in page.resources], page.total)
        )


class IndexTests(SynchronousTestCase):
    """The index over one path."""

    def test_like_a_dictionary_of_sets(self) -> None:
        """Whatever is added and discarded, what is found is what was added and not discarded."""

        @settings(max_examples=200, deadline=None)
        @given(st.lists(st.tuples(st.booleans(), st.sampled_from("ab"), st.sampled_from("xyz"))))
        def check(steps: list[tuple[bool, str, str]]) -> None:
            index = Index(resolve(USER, "displayName"))
            plain: dict[str, set[str]] = {"a": set(), "b": set()}
            for adding, key, id in steps:
                (index.add if adding else index.discard)(key, id)
                (plain[key].add if adding else plain[key].discard)(id)
                self.assertEqual(plain, {key: set(index.find(key)) for key in plain})
            self.assertEqual({key for key, ids in plain.items() if ids}, set(index._ids))

        check()


class MembershipsTests(SynchronousTestCase):
    """Who is a member of which group."""

    def test_both_ways_agree(self) -> None:
        """Whatever changes, groups and members tell the same."""
        path = resolve(GROUP, "members")
        kinds = st.sampled_from(["set", "add", "remove", "clear"])
        steps = st.lists(
            st.tuples(kinds, st.sampled_from("gh"), st.sets(st.sampled_from("abc"), min_size=1))
        )

        @settings(max_examples=200, deadline=None)
        @given(steps)
        def check(steps: list[tuple[str, str, set[str]]]) -> None:
            memberships = Memberships()
            plain: dict[str, set[str]] = {"g": set(), "h": set()}
            for kind, group, members in steps:
                values = [{"value": member} for member in sorted(members)]
                before = set(plain[group])
                plain[group] = {
                    "set": members,
                    "add": before | members,
                    "remove": before - members,
                    "clear": set(),
                }[kind]
                changes = {
                    "set": Changes(set={path: values}),
                    "add": Changes(add={path: values}),
                    "remove": Changes(remove={path: values}),
                    "clear": Changes(clear=frozenset({path})),
                }[kind]
                self.assertEqual(before != plain[group], memberships.change(group, path, changes))
            for group, members in plain.items():
                self.assertEqual(members, {each["value"] for each in memberships.of_group(group)})
            for member in "abc":
                self.assertEqual(
                    {group for group, held in plain.items() if member in held},
                    set(memberships.of_member(member)),
                )

        check()


class TableTests(SynchronousTestCase):
    """A table of some other resource type."""

    def test_without_indexed_names(self) -> None:
        """A type that lacks the names that are usually indexed is kept all the same."""
        things = evolve(
            USER, name="Thing", schema=evolve(USER.schema, attributes=()), extensions=()
        )
        table = Table(things, lambda: ("2026-01-01T00:00:00Z", 'W/"1"'))
        table.create("1", {"schemas": [], "externalId": "x"})
        external = table.index("externalId")
        assert external is not None
        self.assertEqual(["1"], list(external.find("x")))
        self.assertIsNone(table.index("userName"))
        empty: Mapping[str, Any] = {}
        self.assertEqual(["1"], [record.id for record in table.get(["1", "2"])])
        self.assertEqual(empty, Changes().set)
