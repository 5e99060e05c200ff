"""Reading through a connector, whatever it can do itself."""

from __future__ import annotations

from attrs import evolve
from twisted.internet.defer import Deferred

from scimgw.connector import Capabilities, Paging, Support
from scimgw.errors import NotFound, TooMany, Unavailable
from scimgw.gateway import reads
from scimgw.scim.filter import Operator
from scimgw.scim.path import Path, resolve
from scimgw.scim.project import projection
from scimgw.scim.query import parse_search
from scimgw.scim.schema import GROUP, USER
from tests.fakes.memory import POOR, all_it_holds
from tests.gateway.world import GatewayCase


def only_names(path: Path, operator: Operator) -> Support:
    """Evaluate userName eq, and nothing else."""
    return Support.EXACT if (str(path), operator) == ("userName", Operator.EQ) else Support.NO


ABLE = Capabilities(
    filter=all_it_holds,
    value_paths=True,
    sort=lambda path: path.attribute.name != "groups",
    paging=Paging.INDEX,
)


class GetTests(GatewayCase):
    """One resource."""

    def test_found(self) -> None:
        """A user comes with its groups, if they are to be seen."""
        self.before()
        (id,) = self.users("a")
        group = self.group(id)
        user = self.result(reads.get(self.endpoint, self.call, USER, id, projection(USER, "", "")))
        self.assertEqual([{"value": group, "type": "direct", "display": "g"}], user.data["groups"])
        self.assertEqual(["search", "memberships"], self.connector.calls)

    def test_groups_not_wanted(self) -> None:
        """Groups that aren't to be seen aren't looked up."""
        self.before()
        (id,) = self.users("a")
        for parameters in (("userName", ""), ("", "groups")):
            self.result(
                reads.get(self.endpoint, self.call, USER, id, projection(USER, *parameters))
            )
        self.assertEqual(["search", "search"], self.connector.calls)

    def test_unknown(self) -> None:
        """An id that names nothing is not found."""
        self.before()
        error = self.failing(
            NotFound, reads.get(self.endpoint, self.call, GROUP, "x", projection(GROUP, "", ""))
        )
        self.assertEqual("Group 'x' not found", str(error))

    def test_members_not_read(self) -> None:
        """Members that are excluded aren't asked for."""
        self.before()
        id = self.group("a")
        found = self.result(
            reads.get(self.endpoint, self.call, GROUP, id, projection(GROUP, "", "members"))
        )
        self.assertNotIn("members", found.data)
        (query,) = self.connector.queries
        self.assertNotIn("members", {str(path) for path in query.attributes or ()})


class SearchTests(GatewayCase):
    """Many resources."""

    def test_constant_calls(self) -> None:
        """A page of users, with their groups, costs two calls, however many there are."""
        for offered in (POOR, ABLE):
            self.before(offered)
            ids = self.users(*(f"u{number}" for number in range(40)))
            self.group(*ids)
            found = self.search(count="30")
            self.assertEqual((40, 30), (found.total, len(found.resources)))
            self.assertTrue(all(each.data["groups"] for each in found.resources))
            self.assertEqual(["search", "memberships"], self.connector.calls)

    def test_pushed_whole(self) -> None:
        """What the endpoint can do whole, it is asked to do whole."""
        self.before(ABLE)
        self.users("a", "b", "c", "d")
        self.assertEqual(
            ["c", "b"],
            self.names(
                filter='userName gt "A"',
                sortBy="userName",
                sortOrder="descending",
                startIndex="2",
                count="2",
            ),
        )
        query = self.connector.queries[-1]
        self.assertEqual(
            ('userName gt "A"', 2, 2), (str(query.filter), query.start_index, query.count)
        )
        assert query.sort is not None
        self.assertTrue(query.sort.descending)

    def test_by_id(self) -> None:
        """A filter by id is the fast path; what stands beside it is checked on what comes back."""
        self.before()
        a, b, _ = self.users("a", "b", "c")
        for filter, ids, names in (
            (f'id eq "{a}"', (a,), ["a"]),
            (f'id eq "{a}" or id eq "{b}" or id eq "{a}"', (a, b), ["a", "b"]),
            (f'id eq "{a}" and userName eq "A"', (a,), ["a"]),
            (f'userName eq "x" and id eq "{a}"', (a,), []),
        ):
            self.assertEqual(names, self.names(filter=filter))
            self.assertEqual(ids, self.connector.queries[-1].ids)
        self.assertEqual(["a", "b"], self.names(filter=f'id eq "{a}" or userName eq "b"'))
        self.assertIsNone(self.connector.queries[-1].ids)

    def test_partly_pushed(self) -> None:
        """What can be pushed is, and the rest is checked."""
        self.before(evolve(POOR, filter=only_names))
        self.users("a", "b")
        self.assertEqual(["a"], self.names(filter='userName eq "a" and displayName sw "A"'))
        self.assertEqual('userName eq "a"', str(self.connector.queries[-1].filter))

    def test_attributes_of_the_residual(self) -> None:
        """What is needed to check and to sort is fetched, though it isn't shown."""
        self.before()
        self.users("b", "a")
        found = self.search(filter="displayName pr", sortBy="displayName", attributes="userName")
        self.assertEqual(["a", "b"], [each.data["userName"] for each in found.resources])
        names = {str(path) for path in self.connector.queries[-1].attributes or ()}
        self.assertEqual({"id", "schemas", "meta", "userName", "displayName"}, names)

    def test_sorted_before_paged(self) -> None:
        """Sorting comes before paging, whoever does it."""
        for offered in (POOR, ABLE, evolve(ABLE, sort=POOR.sort)):
            self.before(offered)
            self.users("c", "a", "d", "b")
            pages = [
                self.names(sortBy="userName", startIndex=str(start), count="2")
                for start in (1, 3, 5)
            ]
            self.assertEqual([["a", "b"], ["c", "d"], []], pages)

    def test_groups_filter(self) -> None:
        """Users of a group are found by reading the group, not all users."""
        self.before()
        a, b, c = self.users("a", "b", "c")
        group = self.group(b, a)
        self.connector.queries.clear()
        for filter in (f'groups.value eq "{group}"', f'groups[value eq "{group}"]'):
            self.assertEqual(["a", "b"], self.names(filter=filter, excludedAttributes="groups"))
            self.assertEqual(["search", "search"], self.connector.calls)
            self.connector.calls.clear()
        self.assertEqual((b, a), self.connector.queries[-1].ids)
        self.assertEqual(["b"], self.names(filter=f'groups.value eq "{group}" and userName eq "b"'))
        self.assertEqual([], self.names(filter='groups.value eq "nope"'))
        self.assertEqual(["c"], self.names(filter=f'not (groups.value eq "{group}")'))
        self.assertEqual(["c"], self.names(filter="groups eq null"))
        del c

    def test_sorted_by_groups(self) -> None:
        """Users can be sorted by the groups that are computed for them."""
        self.before()
        _, b = self.users("a", "b")
        self.group(b)
        self.assertEqual(["b", "a"], self.names(sortBy="groups.display"))

    def test_groups_that_the_endpoint_brings(self) -> None:
        """Groups inside a search result are taken as they are."""
        self.before()
        (id,) = self.users("a")
        self.connector._data[USER][id]["groups"] = [{"value": "own"}]
        self.assertEqual(
            [[{"value": "own"}]], [each.data["groups"] for each in self.search().resources]
        )
        self.assertEqual(["search"], self.connector.calls)

    def test_too_many(self) -> None:
        """Where more would have to be read than is allowed, the client is told."""
        self.before(max_scan=2)
        self.users("a", "b", "c")
        search = parse_search(USER, {"filter": 'displayName co "x"'}, 100)
        self.failing(TooMany, reads.search(self.endpoint, self.call, search))
        self.before(evolve(POOR, paging=Paging.CURSOR, max_count=1), max_scan=2)
        self.users("a", "b", "c", "d")
        self.failing(
            TooMany,
            reads.search(self.endpoint, self.call, parse_search(USER, {"startIndex": "4"}, 100)),
        )

    def test_deadline(self) -> None:
        """Work that takes longer than the request may is given up."""
        self.before()
        self.users("a")
        self.clock.advance(61)
        search = parse_search(USER, {"filter": 'displayName co "x"'}, 100)
        self.failing(Unavailable, reads.search(self.endpoint, self.call, search))

    def test_no_groups_at_all(self) -> None:
        """An endpoint without groups isn't asked for any."""
        self.before()
        self.connector.resource_types = (USER,)
        self.endpoint = evolve(self.endpoint, connector=self.connector)
        self.users("a")
        self.assertEqual([], self.names(filter='groups.value eq "x"', excludedAttributes="groups"))


class PagingTests(GatewayCase):
    """Index paging, over every way that endpoints page."""

    NAMES = ("a", "b", "c", "d", "e")
    WAYS = (
        POOR,
        evolve(POOR, paging=Paging.INDEX),
        evolve(POOR, paging=Paging.INDEX, max_count=2),
        evolve(POOR, paging=Paging.CURSOR),
        evolve(POOR, paging=Paging.CURSOR, max_count=2),
    )

    def test_every_page(self) -> None:
        """Pages visit every resource once, in order, and the total is right."""
        for offered in self.WAYS:
            self.before(offered)
            self.users(*self.NAMES)
            for count in range(1, 7):
                seen: list[str] = []
                for start in range(1, 7, count):
                    found = self.search(startIndex=str(start), count=str(count))
                    self.assertEqual((5, start), (found.total, found.start_index))
                    seen += [each.data["userName"] for each in found.resources]
                self.assertEqual(list(self.NAMES), seen)
            self.assertEqual(set(), self.connector.cursors)

    def test_cursor_to_nowhere(self) -> None:
        """A cursor on the last page isn't taken for more resources."""
        self.before(evolve(POOR, paging=Paging.CURSOR), counts=False)
        self.connector.hasty = True
        self.users(*self.NAMES)
        for start, count, total in (("1", "5", 5), ("1", "4", 5), ("1", "2", 3), ("4", "2", 5)):
            self.assertEqual(total, self.search(startIndex=start, count=count).total)
            self.assertEqual(set(), self.connector.cursors)

    def test_far_page(self) -> None:
        """Up to a page far from the start only ids are read; then the page by its ids."""
        self.before(evolve(POOR, paging=Paging.CURSOR, max_count=2))
        self.users(*self.NAMES)
        self.assertEqual(["c"], self.names(startIndex="3", count="1", attributes="userName"))
        *skipped, page = self.connector.queries
        ids_only = frozenset({resolve(USER, "id")})
        self.assertEqual({ids_only}, {query.attributes for query in skipped})
        self.assertEqual(("user-3",), page.ids)

    def test_deleted_meanwhile(self) -> None:
        """What is deleted while its page is read is left out of it."""
        self.before(evolve(POOR, paging=Paging.CURSOR))
        ids = self.users(*self.NAMES)

        async def delete(_method: str, _id: str) -> None:
            self.connector.interlude = None
            await self.connector.delete(self.call, USER, ids[2], None)

        self.connector.interlude = delete
        self.assertEqual(["b", "d"], self.names(startIndex="2", count="3"))

    def test_given_back(self) -> None:
        """A cursor that isn't followed to its end is given back, whatever ends the reading."""
        for parameters, fault in (
            ({"count": "2"}, None),
            ({"startIndex": "2", "count": "1"}, None),
            ({"filter": 'displayName co "x"'}, TooMany),
        ):
            self.before(evolve(POOR, paging=Paging.CURSOR, max_count=1), max_scan=3)
            self.users(*self.NAMES)
            if fault is None:
                self.search(USER, **parameters)
            else:
                search = parse_search(USER, parameters, 100)
                self.failing(fault, reads.search(self.endpoint, self.call, search))
            self.assertEqual(set(), self.connector.cursors, parameters)

    def test_given_back_when_late(self) -> None:
        """Nor is a cursor kept by a request that takes too long."""
        self.before(evolve(POOR, paging=Paging.CURSOR, max_count=1))
        self.users(*self.NAMES)

        async def wait(_method: str, _id: str) -> None:
            self.clock.advance(61)

        self.connector.interlude = wait
        search = parse_search(USER, {"filter": 'displayName co "x"'}, 100)
        searching = Deferred.fromCoroutine(reads.search(self.endpoint, self.call, search))
        self.clock.advance(0)
        self.failureResultOf(searching, Unavailable)
        self.assertEqual(set(), self.connector.cursors)

    def test_beyond_the_end(self) -> None:
        """A page beyond the end is empty, and tells the total all the same."""
        for offered in self.WAYS:
            self.before(offered)
            self.users(*self.NAMES)
            found = self.search(startIndex="9")
            self.assertEqual((5, []), (found.total, list(found.resources)))

    def test_count_of_zero(self) -> None:
        """A count of 0 gives the total only, also where the endpoint doesn't count."""
        for offered in self.WAYS:
            for counts in (True, False):
                self.before(offered, counts=counts)
                self.users(*self.NAMES)
                found = self.search(count="0")
                self.assertEqual((5, []), (found.total, list(found.resources)), offered)

    def test_unknown_total(self) -> None:
        """Where the endpoint doesn't count, one more than was seen is told while there is more."""
        for offered in self.WAYS[1:]:
            self.before(offered, counts=False)
            self.users(*self.NAMES)
            totals = [self.search(startIndex=str(start), count="2").total for start in (1, 3, 5)]
            self.assertEqual([3, 5, 5], totals, offered)
            self.assertEqual(5, self.search(startIndex="5", count="1").total)
            self.assertEqual(5, self.search(count="5").total)
