"""W: cursors."""

from __future__ import annotations

from urllib.parse import quote

from scimgw.scim.several import SEARCH_REQUEST
from tests.rfc.case import MUST, SHOULD, RfcCase, row


class CursorTests(RfcCase):
    """RFC 9865."""

    def pages(self, query: str) -> list[list[str]]:
        """Follow cursors to the end."""
        found = []
        cursor: str | None = ""
        while cursor is not None:
            body = self.read(f"/Users?{query}&cursor={cursor}")
            found.append([each["userName"] for each in body["Resources"]])
            cursor = body.get("nextCursor")
        return found

    @row(SHOULD, "9865 4")
    def test_W01_announced(self) -> None:
        """Both ways to page are announced, with their bounds."""
        announced = self.read("/ServiceProviderConfig")["pagination"]
        self.assertEqual((True, True), (announced["cursor"], announced["index"]))
        self.assertEqual("index", announced["defaultPaginationMethod"])
        for name in ("defaultPageSize", "maxPageSize", "cursorTimeout"):
            self.assertIs(int, type(announced[name]))

    @row(MUST, "9865 2")
    def test_W02_first(self) -> None:
        """An empty cursor gives the first page, which leads to the next."""
        for query in ("cursor=&count=1", "cursor&count=1", "count=1&cursor="):
            body = self.read(f"/Users?{query}")
            self.assertIn("nextCursor", body)
            self.assertNotIn("previousCursor", body)

    @row(MUST, "9865 2")
    def test_W03_all(self) -> None:
        """Following cursors shows everything once; the last page leads nowhere."""
        self.fixtures()
        text = quote('userName sw "f"')
        pages = self.pages(f"count=2&filter={text}")
        self.assertEqual([2, 2], list(map(len, pages)))
        self.assertEqual(4, len({each for page in pages for each in page}))

    @row(MUST, "9865 2")
    def test_W04_characters(self) -> None:
        """Cursors needn't be escaped."""
        cursor = self.read("/Users?cursor&count=1")["nextCursor"]
        self.assertRegex(cursor, r"\A[A-Za-z0-9._~-]+\Z")

    @row(MUST, "9865 2")
    def test_W05_count(self) -> None:
        """count bounds the page; a negative one is 0."""
        self.assertEqual(1, self.read("/Users?cursor&count=1")["itemsPerPage"])
        body = self.read("/Users?cursor&count=-1")
        self.assertEqual((2, []), (body["totalResults"], body["Resources"]))

    @row(SHOULD, "9865 2.1")
    def test_W06_made_up(self) -> None:
        """A cursor that was made up is invalidCursor; a count that isn't one is invalidCount."""
        self.error(400, self.client.get("/Users?cursor=forged"), "invalidCursor")
        self.error(400, self.client.get("/Users?cursor&count=x"), "invalidCount")
        for members, fault in (
            ({"cursor": "forged"}, "invalidCursor"),
            ({"cursor": 5}, "invalidCursor"),
            ({"cursor": "", "count": "x"}, "invalidCount"),
            ({"cursor": "", "count": 1.5}, "invalidCount"),
            ({"count": 1.5}, "invalidValue"),
        ):
            message = {"schemas": [SEARCH_REQUEST], **members}
            self.error(400, self.client.post("/Users/.search", message), fault)

    @row(SHOULD, "9865 2.1")
    def test_W07_other_query(self) -> None:
        """A cursor serves its query only; the count may change."""
        cursor = self.read("/Users?cursor&count=1")["nextCursor"]
        path = f"/Users?count=1&cursor={cursor}&filter={quote('active eq true')}"
        self.error(400, self.client.get(path), "invalidCursor")
        self.assertEqual(1, self.read(f"/Users?count=5&cursor={cursor}")["itemsPerPage"])

    @row(MUST, "9865 2.4")
    def test_W08_by_index(self) -> None:
        """Who asks for no cursor pages by index."""
        body = self.read("/Users?startIndex=1&count=2")
        self.assertEqual(1, body["startIndex"])
        self.assertNotIn("nextCursor", self.read("/Users?count=1"))

    @row(MUST, "9865 3")
    def test_W09_posted(self) -> None:
        """A posted search takes and gives cursors."""
        message = {"schemas": [SEARCH_REQUEST], "cursor": "", "count": 1}
        body = self.json(200, self.client.post("/Users/.search", message))
        message["cursor"] = body["nextCursor"]
        body = self.json(200, self.client.post("/Users/.search", message))
        self.assertEqual(["jsmith"], [each["id"] for each in body["Resources"]])

    @row(MUST, "9865 6")
    def test_W10_no_rights(self) -> None:
        """A cursor gives no rights: it is worth nothing elsewhere, or without credentials."""
        cursor = self.read("/Users?cursor&count=1")["nextCursor"]
        path = f"Users?count=1&cursor={cursor}"
        self.error(400, self.client.get(f"/clientA/{path}"), "invalidCursor")
        self.error(401, self.client.request("GET", f"/{path}", headers={"Authorization": None}))

    @row(SHOULD, "9865 2.1")
    def test_W11_expired(self) -> None:
        """A cursor that is too old is expiredCursor."""
        cursor = self.read("/Users?cursor&count=1")["nextCursor"]
        self.clock.advance(61)
        self.error(400, self.client.get(f"/Users?count=1&cursor={cursor}"), "expiredCursor")

    @row(SHOULD, "9865 2.2")
    def test_W12_sorted(self) -> None:
        """The order holds from page to page."""
        self.fixtures()
        pages = self.pages("count=2&sortBy=userName&sortOrder=descending")
        names = [each for page in pages for each in page]
        self.assertEqual(sorted(names, reverse=True), names)
        self.assertEqual(6, len(names))
