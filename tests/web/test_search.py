"""Queries in bodies and over several types: RFC 7644 sections 3.4.2.1 and 3.4.3."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from scimgw.connector import Paging
from scimgw.scim.several import SEARCH_REQUEST
from scimgw.web.root import Limits
from tests.fakes.memory import POOR, MemoryConnector
from tests.web.world import LIST, WebCase


def message(**members: Any) -> dict[str, Any]:
    """Write a SearchRequest."""
    return {"schemas": [SEARCH_REQUEST], **members}


class SearchTests(WebCase):
    """POST .search."""

    def found(self, path: str, **members: Any) -> Any:
        """Post a search, and give the list."""
        body = self.json(200, self.client.post(path, message(**members)))
        self.assertEqual([LIST], body["schemas"])
        return body

    def test_one_type(self) -> None:
        """A search of one type answers what the same query in the URL does."""
        for name in ("a", "b", "c"):
            self.create(userName=name, title="t")
        asked = {"filter": 'title eq "t"', "sortBy": "userName", "sortOrder": "descending"}
        body = self.found("/Users/.search", **asked, attributes=["userName"], startIndex=2, count=1)
        self.assertEqual(
            (3, 1, 2), tuple(body[k] for k in ("totalResults", "itemsPerPage", "startIndex"))
        )
        (user,) = body["Resources"]
        self.assertEqual({"schemas", "id", "userName"}, set(user))
        self.assertEqual("b", user["userName"])

    def test_below_a_prefix(self) -> None:
        """A search stands below base entities and versions, too."""
        body = self.found("/clientA/v2/Groups/.search", attributes=["displayName", "meta"])
        self.assertIn("/clientA/v2/Groups/", body["Resources"][0]["meta"]["location"])

    def test_resource_type(self) -> None:
        """Resources are found by their type where the endpoint knows nothing of it, too."""
        for connector in (self.loki(), MemoryConnector(POOR)):
            self.serve(connector)
            self.create(userName="x", title="t")
            for text, expected in (("eq", ["x"]), ("ne", []), ("pr or title eq", ["x"])):
                found = self.found(
                    "/Users/.search", filter=f'title eq "t" and (meta.resourceType {text} "User")'
                )
                self.assertEqual(expected, [each["userName"] for each in found["Resources"]])

    def test_all_types(self) -> None:
        """A search at the root finds resources of all types."""
        body = self.found("/.search", filter='displayName co "s"', attributes=["displayName"])
        names = [each["displayName"] for each in body["Resources"]]
        self.assertEqual(["Babs Jensen", "John Smith", "Admins", "Employees"], names)

    def test_faults(self) -> None:
        """A message of another kind is 400, and so is a query that can't be read."""
        for path in ("/Users/.search", "/.search"):
            self.error(400, self.client.post(path, {"schemas": ["urn:x"]}), "invalidSyntax")
            self.error(400, self.client.post(path, b"{"), "invalidSyntax")
            bad = message(filter="nope nope")
            self.error(400, self.client.post(path, bad), "invalidFilter")

    def test_nothing_below(self) -> None:
        """Nothing is found below a search."""
        self.error(404, self.client.post("/.search/x", message()))
        self.error(404, self.client.post("/Users/.search/x", message()))

    def test_options(self) -> None:
        """A search can be posted."""
        headers = self.empty(204, self.client.request("OPTIONS", "/Users/.search"))
        self.assertIn("POST", headers["Allow"])


class RootQueryTests(WebCase):
    """GET of the base URL."""

    def ids(self, query: str = "") -> list[str]:
        """Query, and give the ids that are found."""
        return [each["id"] for each in self.resources(f"/?{query}")]

    def test_types_follow(self) -> None:
        """Users come first, then groups; every page is a part of the one row."""
        row = ["bjensen", "jsmith", "Admins", "Employees"]
        self.assertEqual(row, self.ids())
        for start in range(1, 6):
            for count in range(1, 5):
                page = self.ids(f"startIndex={start}&count={count}")
                self.assertEqual(row[start - 1 : start - 1 + count], page)
        body = self.json(200, self.client.get("/?startIndex=100&count=0"))
        self.assertEqual((4, 0), (body["totalResults"], body["itemsPerPage"]))

    def test_uncounted(self) -> None:
        """Endpoints that don't count are read to know how many are passed over."""
        for paging in (Paging.INDEX, Paging.CURSOR, Paging.NONE):
            offered = type(POOR)(filter=POOR.filter, paging=paging)
            self.serve(MemoryConnector(offered, counts=False))
            for name in ("a", "b", "c"):
                self.json(201, self.client.post("/Users", {"userName": name}))
            self.json(201, self.client.post("/Groups", {"displayName": "g"}))
            self.assertEqual(["group-4"], self.ids("startIndex=4&count=5"))
            body = self.json(200, self.client.get("/?startIndex=5"))
            self.assertEqual((4, []), (body["totalResults"], body["Resources"]))

    def test_sorted(self) -> None:
        """Resources of all types are put in one order, those without a value at its end."""
        self.assertEqual(
            ["Admins", "bjensen", "Employees", "jsmith"], self.ids("sortBy=displayName")
        )
        by_name = "sortBy=userName&attributes=meta"
        self.assertEqual(["bjensen", "jsmith", "Admins", "Employees"], self.ids(by_name))
        self.assertEqual(
            ["Admins", "Employees", "jsmith"],
            self.ids("sortBy=userName&sortOrder=descending&count=3"),
        )
        self.assertEqual(
            ["Employees", "jsmith"], self.ids("sortBy=displayName&startIndex=3&count=9")
        )

    def test_filter(self) -> None:
        """A filter selects among all types, and may name one."""
        by_type = quote('meta.resourceType eq "Group" and displayName sw "a"')
        self.assertEqual(["Admins"], self.ids(f"filter={by_type}"))
        self.assertEqual([], self.ids(f"filter={quote('userName pr and members pr')}"))

    def test_limit(self) -> None:
        """A page holds no more than the plugin allows."""
        self.serve(self.loki(), Limits(max_results=3))
        self.assertEqual(3, len(self.ids("count=100")))

    def test_credentials(self) -> None:
        """Nobody reads the root without credentials, nor that of a base entity that isn't there."""
        self.error(401, self.client.request("GET", "/", headers={"Authorization": None}))
        self.error(404, self.client.get("/nope"))
        self.assertEqual(4, len(self.resources("/clientA")))
