"""Does a connector keep the contract?

Import the module, subclass `ConnectorContract` beside a trial TestCase, and supply `connector`:

    class AcmeTests(contract.ConnectorContract, SynchronousTestCase):
        def connector(self):
            return AcmeConnector(...)

What the connector declares that it can't hold or can't do itself is left out, or expected of the
gateway instead; nothing is skipped.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final, TypeVar
from unittest import TestCase

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from scimgw.connector import Connector, Support
from scimgw.errors import Conflict, NotFound, Uniqueness
from scimgw.gateway import reads, writes
from scimgw.scim import resource
from scimgw.scim.changes import Changes
from scimgw.scim.filter import Filter, Not, Operator, Present
from scimgw.scim.path import resolve
from scimgw.scim.project import projection
from scimgw.scim.query import Query, Search, Sort
from scimgw.scim.schema import ResourceType
from scimgw.scim.version import Conditions, Tags
from scimgw.testing import reference, strategies
from scimgw.testing.world import JSON, World, refuse, varied, written

T = TypeVar("T")

EXAMPLES: Final = 300
"""Generated queries, and half as many patches, unless a suite says otherwise."""


class ConnectorContract(TestCase):
    """The tests that every connector passes, and every connector behind the gateway."""

    def connector(self) -> Connector:
        """Make a connector to an endpoint that may be written to."""
        raise AssertionError("the subclass supplies the connector")

    examples = EXAMPLES
    """Generated queries, and half as many patches: fewer where the endpoint is slow."""

    counts = True
    """Whether the endpoint tells how many resources a query finds."""

    def clock(self) -> IReactorTime:
        """Give the connector's clock."""
        return Clock()

    def run_to_end(self, awaitable: Awaitable[T]) -> T:
        """Wait for a result; in memory, it is there at once."""
        outcome: list[T | Failure] = []

        async def running() -> T:
            return await awaitable

        Deferred.fromCoroutine(running()).addBoth(outcome.append)
        assert outcome, "not done in memory"
        if isinstance(outcome[0], Failure):
            outcome[0].raiseException()
        return outcome[0]

    # --- what the tests are made of ---

    def world(self) -> World:
        """Begin with an endpoint that holds no users and no groups."""
        world = World(self.run_to_end, self.connector(), self.clock())
        world.empty()
        return world

    def assert_total(self, wanted: int, told: int, last: int, message: str) -> None:
        """Check a total: right, or, where the endpoint doesn't count, one more than was shown."""
        if self.counts or told == wanted:
            self.assertEqual(wanted, told, message)
        else:
            self.assertLess(last, wanted, message)
            self.assertEqual(last + 1, told, message)

    # --- one resource ---

    def test_created_is_found(self) -> None:
        """What was created is found by its id, and holds what was written."""
        world = self.world()
        for type in world.types:
            body = world.body(type, "one")
            id = world.create(type, body)
            self.assertEqual([body], world.contents(world.by_ids(type, id)))

    def test_unknown_id_finds_nothing(self) -> None:
        """An id that names nothing is left out of what a search finds, and isn't an error."""
        world = self.world()
        for type in world.types:
            id = world.create(type, world.body(type, "one"))
            self.assertEqual([id], [each.id for each in world.by_ids(type, "nobody", id)])

    def test_unique(self) -> None:
        """A value that must be unique is refused a second time, in whatever case."""
        world = self.world()
        for type in world.types:
            for name in world.unique(type):
                body = world.body(type, "one")
                world.create(type, body)
                again = {**world.body(type, "two"), name: body[name].upper()}
                with self.assertRaises(Uniqueness):
                    world.create(type, again)

    def test_unknown_id_is_not_found(self) -> None:
        """To change or delete what there isn't is refused."""
        world = self.world()
        for type in world.types:
            path = world.changeable(type)
            with self.assertRaises(NotFound):
                world.modify(type, "nobody", Changes(set={path: "x"}))
            with self.assertRaises(NotFound):
                world.delete(type, "nobody")

    def test_deleted_is_gone(self) -> None:
        """What was deleted isn't found any more."""
        world = self.world()
        for type in world.types:
            id = world.create(type, world.body(type, "one"))
            world.delete(type, id)
            self.assertEqual([], world.by_ids(type, id))

    # --- changes ---

    def test_set_and_clear(self) -> None:
        """A singular attribute takes a value, and loses it."""
        world = self.world()
        for type in world.types:
            path = world.changeable(type)
            id = world.create(type, world.body(type, "one"))
            world.modify(type, id, Changes(set={path: "changed"}))
            self.assertEqual(["changed"], [each.data[str(path)] for each in world.by_ids(type, id)])
            if not path.leaf.required:
                world.modify(type, id, Changes(clear=frozenset({path})))
                self.assertEqual(
                    [False], [str(path) in each.data for each in world.by_ids(type, id)]
                )

    def test_members_come_and_go(self) -> None:
        """Members are added, each once, and removed, if they are there."""
        world = self.world()
        group, members = world.group()
        if group is None or members is None:
            return
        ids = world.users(3)
        id = world.create(group, {**world.body(group, "one"), "members": [{"value": ids[0]}]})
        world.modify(group, id, Changes(add={members: [{"value": each} for each in ids]}))
        self.assertEqual(sorted(ids), world.members(id))
        world.modify(group, id, Changes(remove={members: [{"value": ids[1]}, {"value": "nobody"}]}))
        self.assertEqual(sorted([ids[0], ids[2]]), world.members(id))
        world.modify(group, id, Changes(set={members: [{"value": ids[1]}]}))
        self.assertEqual([ids[1]], world.members(id))
        world.modify(group, id, Changes(clear=frozenset({members})))
        self.assertEqual([], world.members(id))

    # --- versions ---

    def test_version_moves_with_changes_only(self) -> None:
        """A change moves the version; one that makes no difference doesn't."""
        world = self.world()
        for type in world.versioned():
            path = world.changeable(type)
            id = world.create(type, world.body(type, "one"))
            before = world.version(type, id)
            world.modify(type, id, Changes(set={path: "changed"}))
            after = world.version(type, id)
            self.assertNotEqual(before, after)
            world.modify(type, id, Changes(set={path: "changed"}))
            self.assertEqual(after, world.version(type, id))

    def test_outdated_version_is_refused(self) -> None:
        """A write that demands a version which has passed changes nothing."""
        world = self.world()
        for type in world.versioned():
            path = world.changeable(type)
            id = world.create(type, world.body(type, "one"))
            outdated = world.version(type, id)
            world.modify(type, id, Changes(set={path: "changed"}))
            with self.assertRaises(Conflict):
                world.modify(type, id, Changes(set={path: "again"}), outdated)
            with self.assertRaises(Conflict):
                world.delete(type, id, outdated)
            world.delete(type, id, world.version(type, id))

    # --- groups of users ---

    def test_memberships(self) -> None:
        """The groups of several users are told at once."""
        world = self.world()
        group, members = world.group()
        if group is None or members is None:
            return
        ids = world.users(3)
        first = world.create(group, {**world.body(group, "first"), "members": [{"value": ids[0]}]})
        both = [{"value": ids[0]}, {"value": ids[1]}]
        second = world.create(group, {**world.body(group, "second"), "members": both})
        found = self.run_to_end(world.connector.memberships(world.call, [*ids, "nobody"]))
        told = {id: sorted(each.value for each in found.get(id, ())) for id in (*ids, "nobody")}
        self.assertEqual(
            {ids[0]: sorted([first, second]), ids[1]: [second], ids[2]: [], "nobody": []}, told
        )

    def test_deleted_user_leaves_groups(self) -> None:
        """A user that was deleted, through the gateway, is a member of nothing any more."""
        world = self.world()
        group, members = world.group()
        if group is None or members is None:
            return
        ids = world.users(2)
        id = world.create(
            group, {**world.body(group, "one"), "members": [{"value": each} for each in ids]}
        )
        user = world.user_type()
        self.run_to_end(writes.delete(world.change(user, ids[0])))
        self.assertEqual([ids[1]], world.members(id))

    # --- cursors ---

    def test_cursors(self) -> None:
        """Page after page, what is there all the while is given once, whatever comes and goes."""
        world = self.world()
        user = world.user_type()
        for parameters in ({}, {"sortBy": str(world.changeable(user)), "sortOrder": "descending"}):
            world.empty()
            ids = world.users(7)
            first, place = world.page(user, parameters, None)
            world.delete(user, first[0])
            world.create(user, world.body(user, "new"))
            found = first
            while place is not None:
                more, place = world.page(user, parameters, place)
                found = [*found, *more]
            self.assertEqual(sorted(ids), sorted(set(found) & set(ids)), str(parameters))
            self.assertEqual(len(set(found)), len(found), str(parameters))

    # --- what is declared ---

    def test_declared_filters(self) -> None:
        """What is declared exact is exact; what is declared a superset leaves nothing out."""
        world = self.world()
        user = world.user_type()
        world.some_groups([world.create(user, body) for body in varied(world, user)])
        for type in world.types:
            everything = world.everything(type)
            for filter in strategies.comparisons(type):
                operator = Operator.PR if isinstance(filter, Present) else filter.operator
                support = world.endpoint.capabilities[type].filter(filter.path, operator)
                if support is Support.NO:
                    continue
                wanted = {each["id"] for each in everything if reference.matches(filter, each)}
                found = {each.id for each in world.walk(Query(type=type, filter=filter))}
                told = found if support is Support.EXACT else found & wanted
                self.assertEqual(wanted, told, str(filter))

    def test_members_not_asked_for_are_not_given(self) -> None:
        """What `attributes` doesn't name, of members at least, isn't read."""
        world = self.world()
        group, members = world.group()
        if group is None or members is None:
            return
        id = world.create(
            group, {**world.body(group, "one"), "members": [{"value": world.users(1)[0]}]}
        )
        names = frozenset({resolve(group, "id"), resolve(group, "displayName")})
        page = world.search(Query(type=group, ids=(id,), attributes=names))
        self.assertEqual([False], ["members" in each.data for each in page.resources])

    # --- behind the gateway: the same answers from every connector ---

    def test_generated_queries(self) -> None:
        """Whatever is asked, the answer is that of a plain evaluation over all resources."""
        world = self.world()
        user = world.user_type()
        bodies = varied(world, user)
        ids = [world.create(user, body) for body in bodies]
        groups = world.some_groups(ids)
        everything = world.everything(user)
        sorts = st.builds(Sort, strategies.sort_paths(user), descending=st.booleans())

        @settings(
            max_examples=self.examples, deadline=None, suppress_health_check=list(HealthCheck)
        )
        @given(
            filter=st.none() | strategies.filters(user, [*ids, *groups]),
            sort=st.none() | sorts,
            start=st.integers(1, 6),
            count=st.integers(0, 6),
        )
        def check(filter: Filter | None, sort: Sort | None, start: int, count: int) -> None:
            search = Search(
                type=user,
                projection=projection(user, "", ""),
                filter=filter,
                sort=sort,
                start_index=start,
                count=count,
            )
            found = self.run_to_end(reads.search(world.endpoint, world.call, search))
            wanted = [
                each for each in everything if filter is None or reference.matches(filter, each)
            ]
            if sort is not None:
                wanted = reference.ordered(wanted, sort.path, descending=sort.descending)
            page = wanted[start - 1 : start - 1 + count]
            self.assert_total(len(wanted), found.total, start - 1 + len(page), str(filter))
            self.assertEqual(page, [dict(each.data) for each in found.resources], str(filter))

        for each in strategies.in_places(user):
            for filter in (each, Not(each)):
                check = example(filter=filter, sort=None, start=1, count=6)(check)
        check()

    def test_generated_patches(self) -> None:
        """Whatever a PATCH request holds, the resource becomes what it says, or stays as it was."""
        world = self.world()
        user = world.user_type()
        group, _ = world.group()
        members = world.users(3)
        numbers = iter(range(10**6))

        @settings(
            max_examples=self.examples // 2, deadline=None, suppress_health_check=list(HealthCheck)
        )
        @given(
            body=strategies.bodies(user),
            operations=st.lists(strategies.operations(user), min_size=1, max_size=4),
        )
        def on_users(body: JSON, operations: list[JSON]) -> None:
            check(user, {**world.body(user, f"user-{next(numbers)}"), **body}, operations)

        def on_groups(type: ResourceType) -> None:
            @settings(
                max_examples=self.examples // 2,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(
                held=st.lists(st.sampled_from(members), unique=True),
                operations=st.lists(strategies.operations(type, members), min_size=1, max_size=4),
            )
            def on_members(held: list[str], operations: list[JSON]) -> None:
                body = {
                    **world.body(type, f"group-{next(numbers)}"),
                    "members": [{"value": id} for id in held],
                }
                check(type, body, operations)

            on_members()

        def check(type: ResourceType, body: JSON, operations: list[JSON]) -> None:
            created = resource.parse(type, body, refuse)
            stored = self.run_to_end(writes.create(world.endpoint, world.call, created))
            before = written(created)
            try:
                wanted = reference.patched(type, before, operations)
                refused = None
            except reference.Refused as refusal:
                wanted, refused = before, str(refusal)
            told = world.patch(type, stored.id, operations)
            after = written(world.get(type, stored.id))
            self.run_to_end(writes.delete(world.change(type, stored.id)))
            self.assertEqual(refused, told, operations)
            self.assertEqual(
                reference.in_no_order(wanted), reference.in_no_order(after), operations
            )

        on_users()
        if group is not None:
            on_groups(group)

    def test_patch_meets_conditions(self) -> None:
        """If-Match with the present version lets a change through, with another doesn't."""
        world = self.world()
        for type in world.versioned():
            id = world.create(type, world.body(type, "one"))
            path = str(world.changeable(type))
            version = (world.version(type, id) or "").removeprefix("W/").strip('"')
            operations = [{"op": "replace", "path": path, "value": "changed"}]
            outdated = Conditions(if_match=Tags(opaque=("outdated",)))
            self.assertEqual("PreconditionFailed", world.patch(type, id, operations, outdated))
            current = Conditions(if_match=Tags(opaque=(version,)))
            self.assertIsNone(world.patch(type, id, operations, current))
            self.assertEqual("PreconditionFailed", world.patch(type, id, operations, current))
