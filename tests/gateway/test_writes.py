"""Writing through a connector: done or not done, and reading no more than is needed."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred

from scimgw.connector import Stored
from scimgw.errors import (
    Conflict,
    Mutability,
    NoTarget,
    NotFound,
    PartialWrite,
    PreconditionFailed,
    Unavailable,
)
from scimgw.gateway import writes
from scimgw.gateway.change import ATTEMPTS
from scimgw.scim import resource
from scimgw.scim.changes import Changes
from scimgw.scim.path import resolve
from scimgw.scim.resource import Resource
from scimgw.scim.schema import GROUP, USER
from scimgw.scim.version import Conditions, Tags
from tests.fakes.memory import POOR
from tests.gateway.world import GatewayCase

VERSIONED = evolve(POOR, versions=True)


def add(*ids: str) -> dict[str, Any]:
    """Spell the addition of members."""
    return {"op": "add", "path": "members", "value": [{"value": id} for id in ids]}


def replace(path: str, value: Any) -> dict[str, Any]:
    """Spell a replacement."""
    return {"op": "replace", "path": path, "value": value}


NEEDS_READING = replace('members[display eq "x"]', {"value": "y"})


class PatchTests(GatewayCase):
    """PATCH."""

    def test_large_group_is_not_read(self) -> None:
        """To add a member to a group of 100,000 reads no member, and sends one change."""
        for offered in (POOR, VERSIONED):
            self.before(offered)
            id = self.group(*(f"m{number}" for number in range(100_000)))
            self.result(
                self.patch(
                    GROUP, id, add("new"), {"op": "remove", "path": 'members[value eq "m7"]'}
                )
            )
            self.assertEqual(["modify"], self.connector.calls)
            members = self.members(id)
            self.assertEqual((100_000, "new"), (len(members), members[-1]))
            self.assertNotIn("m7", members[:10])

    def test_reads_only_what_is_concerned(self) -> None:
        """What depends on present values reads those attributes, and no others."""
        self.before(VERSIONED)
        id = self.create(
            USER, {"userName": "a", "emails": [{"value": "x", "type": "work"}], "title": "t"}
        )
        self.result(
            self.patch(
                USER, id, replace('emails[type eq "work"].value', "y"), replace("title", "u")
            )
        )
        self.assertEqual(["search", "modify"], self.connector.calls)
        names = {str(path) for path in self.connector.queries[-1].attributes or ()}
        self.assertEqual({"schemas", "id", "meta", "emails"}, names)
        held = self.held(USER, id).data
        self.assertEqual(([{"value": "y", "type": "work"}], "u"), (held["emails"], held["title"]))

    def test_atomic(self) -> None:
        """If one operation fails nothing is changed."""
        self.before(VERSIONED)
        (id,) = self.users("a")
        self.failing(
            NoTarget,
            self.patch(USER, id, replace("title", "t"), replace('emails[type eq "x"].value', "y")),
        )
        self.assertEqual(["search"], self.connector.calls)
        self.assertNotIn("title", self.held(USER, id).data)

    def test_nothing_to_change(self) -> None:
        """What changes nothing isn't written, but the resource must be there."""
        self.before(VERSIONED)
        id = self.create(USER, {"userName": "a", "emails": [{"value": "x", "type": "work"}]})
        version = self.held(USER, id).version
        for operation in (add_mail("x"), {"op": "add", "path": "roles", "value": []}):
            stored = self.result(self.patch(USER, id, operation))
            self.assertEqual((id, version), (stored.id, stored.version))
            self.assertEqual(["search"], self.connector.calls)
            self.connector.calls.clear()
        nothing = {"op": "remove", "path": "members", "value": []}
        self.failing(NotFound, self.patch(GROUP, "nope", nothing))

    def test_unknown(self) -> None:
        """What isn't there isn't changed, whether it is read first or not."""
        self.before(VERSIONED)
        self.failing(NotFound, self.patch(GROUP, "nope", add("a")))
        self.failing(NotFound, self.patch(GROUP, "nope", NEEDS_READING))

    def test_somebody_else_was_faster(self) -> None:
        """A change that was overtaken is worked out anew, and in the end given up."""
        self.before(VERSIONED)
        id = self.create(USER, {"userName": "a", "emails": [{"value": "x", "type": "work"}]})
        rival = self.overtaken_by(id, times=2)
        self.result(self.patch(USER, id, replace('emails[type eq "work"].value', "y")))
        self.assertEqual([{"value": "y", "type": "work"}], self.held(USER, id).data["emails"])
        self.assertEqual(2, len(rival))
        self.overtaken_by(id, times=ATTEMPTS)
        self.failing(Conflict, self.patch(USER, id, replace('emails[type eq "work"].value', "z")))

    def overtaken_by(self, id: str, times: int) -> list[str]:
        """Let somebody else change a user after it was read, so many times."""
        titles: list[str] = []

        async def rival(method: str, _id: str) -> None:
            if method == "search" and len(titles) < times:
                titles.append(f"title {len(titles)} of {times}")
                title = Changes(set={resolve(USER, "title"): titles[-1]})
                self.connector.interlude = None
                await self.connector.modify(self.call, USER, id, title, None)
                self.connector.interlude = rival

        self.connector.interlude = rival
        return titles

    def test_one_at_a_time_without_versions(self) -> None:
        """Where no version tells of others, changes of one resource wait for each other."""
        self.before()
        id = self.group("a")
        gate: Deferred[None] = Deferred()

        async def slow(method: str, _id: str) -> None:
            if method == "search":
                await gate

        self.connector.interlude = slow
        first = Deferred.fromCoroutine(
            self.patch(GROUP, id, {"op": "remove", "path": 'members[type eq "x"]'})
        )
        second = Deferred.fromCoroutine(self.patch(GROUP, id, add("b")))
        other = self.patch(GROUP, "nope", add("b"))
        self.failing(NotFound, other)
        self.assertNoResult(first)
        self.assertNoResult(second)
        gate.callback(None)
        self.successResultOf(first)
        self.successResultOf(second)
        self.assertEqual({}, self.endpoint.locks._locks)
        self.assertEqual(["a", "b"], self.members(id))


def add_mail(value: str) -> dict[str, Any]:
    """Spell the addition of a work address."""
    return {"op": "add", "path": "emails", "value": [{"value": value, "type": "work"}]}


class PutTests(GatewayCase):
    """PUT."""

    def replace(self, id: str, body: dict[str, Any], conditions: Conditions | None = None) -> Any:
        """Set out to replace a user."""
        return writes.replace(
            self.change(USER, id, conditions), resource.parse(USER, body, self.fail)
        )

    def test_difference_is_written(self) -> None:
        """What differs is written, what is left out is cleared."""
        self.before(VERSIONED)
        id = self.create(USER, {"userName": "a", "title": "t", "nickName": "n"})
        self.result(self.replace(id, {"userName": "b", "title": "t"}))
        self.assertEqual(["search", "modify"], self.connector.calls)
        held = self.held(USER, id).data
        self.assertEqual(("b", "t", False), (held["userName"], held["title"], "nickName" in held))

    def test_same_again(self) -> None:
        """What is there already isn't written."""
        self.before(VERSIONED)
        id = self.create(USER, {"userName": "a"})
        stored = self.result(self.replace(id, {"userName": "a"}))
        self.assertEqual(["search"], self.connector.calls)
        self.assertEqual(self.held(USER, id).version, stored.version)

    def test_never_creates(self) -> None:
        """What isn't there isn't made."""
        self.before()
        self.failing(NotFound, self.replace("nope", {"userName": "a"}))
        self.assertEqual(["search"], self.connector.calls)

    def test_members(self) -> None:
        """The members of a group become those given."""
        self.before(VERSIONED)
        id = self.group("a", "b")
        body = resource.parse(
            GROUP, {"displayName": "g", "members": [{"value": "b"}, {"value": "c"}]}, self.fail
        )
        self.result(writes.replace(self.change(GROUP, id), body))
        self.assertEqual(["b", "c"], self.members(id))


def if_match(*opaque: str) -> Conditions:
    """Demand one of some versions."""
    return Conditions(if_match=Tags(opaque=opaque))


ANY = Conditions(if_match=Tags(any=True))
NONE = Conditions(if_none_match=Tags(any=True))


class ConditionTests(GatewayCase):
    """If-Match and If-None-Match."""

    def present(self, id: str) -> str:
        """Give the present tag of a group."""
        return (self.held(GROUP, id).version or "").removeprefix('W/"').rstrip('"')

    def add(self, id: str, member: str, conditions: Conditions) -> Any:
        """Set out to add a member under conditions."""
        return self.patch(GROUP, id, add(member), conditions=conditions)

    def test_one_tag_costs_no_read(self) -> None:
        """A single tag goes to the endpoint, which compares it as it writes."""
        self.before(VERSIONED)
        id = self.group()
        demanded = if_match(self.present(id))
        self.result(self.add(id, "a", demanded))
        self.assertEqual(["modify"], self.connector.calls)
        self.failing(PreconditionFailed, self.add(id, "b", demanded))
        self.failing(PreconditionFailed, self.patch(GROUP, id, NEEDS_READING, conditions=demanded))
        self.failing(PreconditionFailed, writes.delete(self.change(GROUP, id, demanded)))
        self.assertEqual(["a"], self.members(id))

    def test_several_tags(self) -> None:
        """Of several tags any will do."""
        self.before(VERSIONED)
        id = self.group()
        present = self.present(id)
        self.failing(PreconditionFailed, self.add(id, "a", if_match("x", "y")))
        self.result(self.add(id, "a", if_match("x", present)))
        self.assertEqual(["a"], self.members(id))

    def test_any(self) -> None:
        """If-Match: * asks only that there be something."""
        self.before()
        id = self.group()
        self.result(self.add(id, "a", ANY))
        self.assertEqual(["modify"], self.connector.calls)
        self.failing(NotFound, self.add("nope", "a", ANY))

    def test_none_match(self) -> None:
        """If-None-Match refuses the version it names, and * whatever there is."""
        self.before(VERSIONED)
        id = self.group()
        present = Conditions(if_none_match=Tags(opaque=(self.present(id),)))
        for conditions in (present, NONE):
            self.failing(PreconditionFailed, self.add(id, "a", conditions))
            self.failing(PreconditionFailed, writes.delete(self.change(GROUP, id, conditions)))
        self.result(self.add(id, "a", Conditions(if_none_match=Tags(opaque=("other",)))))
        self.failing(NotFound, self.add("nope", "a", NONE))

    def test_nothing_to_change(self) -> None:
        """A condition that doesn't hold is told even if nothing would change."""
        self.before(VERSIONED)
        id = self.group()
        nothing = {"op": "remove", "path": "members", "value": []}
        write = self.patch(GROUP, id, nothing, conditions=if_match("x"))
        self.failing(PreconditionFailed, write)

    def test_without_versions(self) -> None:
        """Where there are no versions no tag can match."""
        self.before()
        id = self.group()
        self.failing(PreconditionFailed, self.add(id, "a", if_match("x")))


class CreateTests(GatewayCase):
    """POST."""

    def test_just_an_id(self) -> None:
        """A connector may answer with no more than the id."""
        self.before()
        stored = self.result(
            writes.create(
                self.endpoint, self.call, resource.parse(USER, {"userName": "a"}, self.fail)
            )
        )
        self.assertIsNone(stored.resource)
        self.assertEqual("a", self.held(USER, stored.id).data["userName"])

    def test_whole(self) -> None:
        """Or with the resource, which tells the version."""
        data = {"id": "1", "meta": {"version": 'W/"7"'}}
        self.assertEqual('W/"7"', Stored.whole(Resource(USER, data)).version)


class DeleteTests(GatewayCase):
    """DELETE."""

    def test_user_leaves_groups(self) -> None:
        """A deleted user is taken out of its groups where the endpoint doesn't do so."""
        self.before()
        a, b = self.users("a", "b")
        first, second, third = self.group(a, b), self.group(a), self.group(b)
        self.result(writes.delete(self.change(USER, a)))
        self.assertEqual(["memberships", "delete", "modify", "modify"], self.connector.calls)
        self.assertEqual([[b], [], [b]], [self.members(id) for id in (first, second, third)])

    def test_endpoint_does_it(self) -> None:
        """Where it does, nothing more is asked."""
        self.before(evolve(POOR, removes_members=True))
        (id,) = self.users("a")
        self.group(id)
        self.result(writes.delete(self.change(USER, id)))
        self.assertEqual(["delete"], self.connector.calls)

    def test_group(self) -> None:
        """A group has no groups to leave."""
        self.before()
        id = self.group("a")
        self.result(writes.delete(self.change(GROUP, id)))
        self.assertEqual(["delete"], self.connector.calls)

    def test_half_done(self) -> None:
        """If some group can't be changed it is told what was done and what wasn't."""
        self.before()
        (id,) = self.users("a")
        first, second, third = self.group(id), self.group(id), self.group(id)

        async def failing(_method: str, id: str) -> None:
            if id == second:
                raise Unavailable("no answer")
            if id == third:
                raise NotFound("gone meanwhile")

        self.connector.interlude = failing
        error = self.failing(PartialWrite, writes.delete(self.change(USER, id)))
        assert isinstance(error, PartialWrite)
        self.assertEqual(("deletion", f"removal from group {first}"), error.applied)
        self.assertEqual((f"removal from group {second}: no answer",), error.failed)
        self.assertIn("applied: deletion, removal from group", error.detail)

    def test_unknown(self) -> None:
        """What isn't there can't be deleted."""
        self.before()
        self.failing(NotFound, writes.delete(self.change(USER, "nope")))

    def test_no_type_with_members(self) -> None:
        """An endpoint that knows groups of users but holds none has nothing to change."""
        self.before()
        a, b = self.users("a", "b")
        self.group(a)
        self.connector.resource_types = (USER,)
        self.endpoint = evolve(self.endpoint, connector=self.connector)
        self.result(writes.delete(self.change(USER, a)))
        self.assertEqual(["memberships", "delete"], self.connector.calls)
        del b


class ShieldTests(GatewayCase):
    """A write survives the client."""

    def test_goes_on(self) -> None:
        """A write whose client leaves is done all the same, and counted until it is."""
        self.before()
        id = self.group()
        gate: Deferred[None] = Deferred()

        async def slow(_method: str, _id: str) -> None:
            await gate

        self.connector.interlude = slow
        waiting = Deferred.fromCoroutine(self.patch(GROUP, id, add("a")))
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        idle = self.endpoint.pending.none()
        self.assertNoResult(idle)
        gate.callback(None)
        self.successResultOf(idle)
        self.assertEqual(["a"], self.members(id))

    def test_mutability_is_told(self) -> None:
        """What the request may not change is refused before anything is asked."""
        self.before()
        self.assertRaises(Mutability, self.patch, USER, "x", replace("id", "y"))
        self.assertEqual([], self.connector.calls)
