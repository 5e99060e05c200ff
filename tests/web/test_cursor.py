"""Cursor pagination over HTTP: RFC 9865."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from attrs import evolve

from scimgw.auth.basic import BasicAuthenticator
from scimgw.auth.chain import Chain
from scimgw.connector import Capabilities, Paging, Principal
from scimgw.scim.several import SEARCH_REQUEST
from scimgw.secret import Secret
from scimgw.testing.client import Client
from scimgw.web.login import Login
from scimgw.web.root import Root
from tests.fakes.memory import POOR, MemoryConnector, all_it_holds
from tests.web.world import LIST, WebCase

Json = dict[str, Any]


class CursorCase(WebCase):
    """Follows cursors."""

    def page(self, query: str, cursor: str = "", path: str = "/Users") -> Json:
        """Give the page of a cursor."""
        body: Json = self.json(200, self.client.get(f"{path}?{query}&cursor={cursor}"))
        self.assertEqual([LIST], body["schemas"])
        self.assertEqual(len(body["Resources"]), body["itemsPerPage"])
        self.assertNotIn("startIndex", body)
        self.assertNotIn("previousCursor", body)
        return body

    def walk(self, query: str, path: str = "/Users") -> list[list[str]]:
        """Follow cursors to the end, and give the ids of each page."""
        pages = []
        cursor: str | None = ""
        while cursor is not None:
            body = self.page(query, cursor, path)
            pages.append([each["id"] for each in body["Resources"]])
            cursor = body.get("nextCursor")
        return pages

    def users(self, number: int) -> list[str]:
        """Create users, and give their ids."""
        return [self.create(userName=f"u{n}", title=f"t{n % 3}")["id"] for n in range(number)]


class LokiCursorTests(CursorCase):
    """The document store."""

    def test_walk(self) -> None:
        """Every page but the last leads to the next, and all have the total."""
        ids = ["bjensen", "jsmith", *self.users(5)]
        self.assertEqual([ids[:3], ids[3:6], ids[6:]], self.walk("count=3"))
        self.assertEqual(7, self.page("count=3")["totalResults"])
        self.assertEqual([ids], self.walk("count=7"))
        self.assertEqual([ids], self.walk(""))

    def test_filtered_and_sorted(self) -> None:
        """Filter and order hold from page to page."""
        ids = self.users(6)
        wanted = [[ids[2], ids[5]], [ids[1], ids[4]], [ids[0], ids[3]]]
        text = quote('userName sw "u"')
        self.assertEqual(
            wanted, self.walk(f"filter={text}&sortBy=title&sortOrder=descending&count=2")
        )
        ascending = [ids[0], ids[3], ids[1], ids[4], ids[2], ids[5]]
        pages = self.walk(f"filter={text}&sortBy=title&count=4")
        self.assertEqual([ascending[:4], ascending[4:]], pages)

    def test_sorted_where_the_store_cant(self) -> None:
        """What the store doesn't sort by is sorted, and checked, by the gateway."""
        ids = self.users(3)
        members = [{"value": each} for each in ids[1:]]
        self.json(201, self.client.post("/Groups", {"displayName": "g", "members": members}))
        pages = self.walk("sortBy=groups.display&count=2")
        self.assertEqual([["bjensen", "jsmith"], sorted(ids[1:]), [ids[0]]], pages)

    def test_by_id(self) -> None:
        """A selection by ids is given by cursor, too."""
        text = quote('id eq "jsmith" or id eq "bjensen"')
        self.assertEqual([["bjensen"], ["jsmith"]], self.walk(f"filter={text}&count=1"))

    def test_what_comes_and_goes(self) -> None:
        """Changes between two pages neither hide what was there all the time, nor repeat it."""
        ids = ["bjensen", "jsmith", *self.users(6)]
        for query in ("count=3", "count=3&sortBy=displayName", "count=3&sortBy=groups.value"):
            everything = [each for page in self.walk(query) for each in page]
            body = self.page(query)
            first = [each["id"] for each in body["Resources"]]
            self.client.delete(f"/Users/{first[0]}")
            self.client.delete(f"/Users/{first[2]}")
            self.create(userName=f"new {query}")
            self.create(userName=f"newer {query}", displayName="A")
            rest = []
            cursor = body["nextCursor"]
            while cursor is not None:
                body = self.page(query, cursor)
                rest += [each["id"] for each in body["Resources"]]
                cursor = body.get("nextCursor")
            self.assertEqual(everything[3:], [each for each in rest if each in everything])
            self.assertEqual(len(rest), len(set(rest)))
            ids = [each for each in ids if each not in first]

    def test_all_types(self) -> None:
        """Cursors lead through several types, sorted or not."""
        for path in ("/", "/scim/v2"):
            self.assertEqual(
                [["bjensen", "jsmith"], ["Admins", "Employees"]], self.walk("count=2", path)
            )
        self.assertEqual(
            [["bjensen", "jsmith", "Admins"], ["Employees"]], self.walk("count=3", "/")
        )
        self.assertEqual(
            [["Admins", "bjensen", "Employees"], ["jsmith"]],
            self.walk("count=3&sortBy=displayName&attributes=meta", "/"),
        )
        self.assertEqual(
            [["Admins", "Employees", "jsmith"], ["bjensen"]],
            self.walk("count=3&sortBy=userName&sortOrder=descending", "/"),
        )
        self.assertEqual(4, self.page("count=1", path="/")["totalResults"])
        nothing = quote("userName pr and members pr")
        self.assertEqual([[]], self.walk(f"filter={nothing}", "/"))

    def test_in_a_body(self) -> None:
        """A SearchRequest holds a cursor as well."""
        message = {"schemas": [SEARCH_REQUEST], "cursor": "", "count": 1}
        body = self.json(200, self.client.post("/Users/.search", message))
        message["cursor"] = body["nextCursor"]
        body = self.json(200, self.client.post("/Users/.search", message))
        self.assertEqual(["jsmith"], [each["id"] for each in body["Resources"]])
        self.assertNotIn("nextCursor", body)
        body = self.json(200, self.client.post("/.search", {**message, "cursor": ""}))
        self.assertEqual(4, body["totalResults"])

    def test_count(self) -> None:
        """A negative count is none; what isn't a number is invalidCount; it may change."""
        for count in ("-1", "0"):
            body = self.page(f"count={count}")
            self.assertEqual((2, []), (body["totalResults"], body["Resources"]))
            self.assertNotIn("nextCursor", body)
        self.error(400, self.client.get("/Users?cursor&count=x"), "invalidCount")
        cursor = self.page("count=1")["nextCursor"]
        self.assertEqual(1, self.page("count=9&attributes=id", cursor)["itemsPerPage"])

    def test_refused(self) -> None:
        """A cursor that was made up, or belongs to another query, shows nothing."""
        cursor = self.page("count=1")["nextCursor"]
        for path in (
            "/Users?cursor=forged",
            f"/Users?cursor={cursor}x",
            f"/Users?cursor={cursor}&filter={quote('active eq true')}",
            f"/Users?cursor={cursor}&sortBy=userName",
            f"/Groups?cursor={cursor}",
            f"/clientA/Users?cursor={cursor}",
            f"/?cursor={cursor}",
        ):
            self.error(400, self.client.get(path), "invalidCursor")

    def test_another_client(self) -> None:
        """A cursor is worth nothing to somebody else."""
        cursor = self.page("count=1")["nextCursor"]
        other = BasicAuthenticator([(Principal("other"), Secret("password"))])
        assert isinstance(self.site.resource, Root)
        self.site.resource.login = Login(Chain([other]), self.clock)
        client = Client(self.site, user="other")
        self.json(200, client.get("/Users?cursor=&count=1"))
        self.error(400, client.get(f"/Users?count=1&cursor={cursor}"), "invalidCursor")
        self.error(401, self.client.get(f"/Users?count=1&cursor={cursor}"))

    def test_restart(self) -> None:
        """A cursor is good at another replica, and after a restart."""
        cursor = self.page("count=1")["nextCursor"]
        self.serve(self.endpoint.connector)
        self.assertEqual("jsmith", self.page("count=1", cursor)["Resources"][0]["id"])

    def test_expired(self) -> None:
        """After its time a cursor has expired."""
        cursor = self.page("count=1")["nextCursor"]
        self.clock.advance(59)
        self.page("count=1", cursor)
        self.clock.advance(1)
        self.error(400, self.client.get(f"/Users?count=1&cursor={cursor}"), "expiredCursor")


CAPABLE = Capabilities(filter=all_it_holds, value_paths=True, sort=lambda _: True)


class OtherCursorTests(CursorCase):
    """Endpoints that can do less, or otherwise."""

    def test_every_way_of_paging(self) -> None:
        """Whatever an endpoint's own paging, its resources are given once, and counted."""
        text = quote('userName sw "u"')
        for offered in (POOR, CAPABLE):
            for paging in Paging:
                for counts in (True, False):
                    capabilities = evolve(offered, paging=paging, max_count=2)
                    self.serve(MemoryConnector(capabilities, counts=counts))
                    ids = self.users(5)
                    for query in (
                        "count=3",
                        f"count=3&filter={text}",
                        "count=3&sortBy=userName",
                    ):
                        pages = self.walk(query)
                        self.assertEqual([ids[:3], ids[3:]], pages, (paging, counts, query))
                        told = self.page(query)["totalResults"]
                        self.assertIn(told, {5} if counts else {4, 5})
                    self.json(201, self.client.post("/Groups", {"displayName": "g"}))
                    self.assertEqual(
                        [*ids, "group-6"], [id for page in self.walk("count=2", "/") for id in page]
                    )

    def test_cursors_of_the_endpoint(self) -> None:
        """Cursors that can be taken up at any time are, where pages are small and uncounted too."""
        for counts in (True, False):
            offered = evolve(CAPABLE, paging=Paging.CURSOR, stateless_cursors=True, max_count=2)
            connector = MemoryConnector(offered, counts=counts)
            self.serve(connector)
            ids = self.users(7)
            body = self.page("count=3")
            self.assertEqual(7 if counts else 4, body["totalResults"])
            self.assertEqual(ids[:3], [each["id"] for each in body["Resources"]])
            connector.queries.clear()
            body = self.page("count=3", body["nextCursor"])
            self.assertEqual(ids[3:6], [each["id"] for each in body["Resources"]])
            self.assertEqual([2, 1], [each.count for each in connector.queries])
            body = self.page("count=3", body["nextCursor"])
            self.assertEqual((7, 1), (body["totalResults"], body["itemsPerPage"]))

    def test_cursors_of_a_connection(self) -> None:
        """Cursors that live in a connection aren't kept for who may not come back."""
        connector = MemoryConnector(evolve(CAPABLE, paging=Paging.CURSOR, max_count=2))
        self.serve(connector)
        self.users(5)
        self.assertIn("nextCursor", self.page("count=1"))
        self.assertEqual(set(), connector.cursors)
