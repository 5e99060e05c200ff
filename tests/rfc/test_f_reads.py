"""F: reading, listing, paging, projection."""

from __future__ import annotations

from scimgw.web.root import Limits
from tests.rfc.case import MAY, MUST, SHOULD, RfcCase, row
from tests.web.world import BASE, CORE, ENTERPRISE, ERROR, LIST


class ReadTests(RfcCase):
    """RFC 7644 sections 3.4 and 3.9."""

    @row(MUST, "7644 3.4.1")
    def test_F01_known(self) -> None:
        """A resource can be read by its id."""
        user = self.read("/Users/bjensen")
        self.assertEqual(("bjensen", "bjensen"), (user["id"], user["userName"]))
        self.assertEqual(f"{BASE}/Users/bjensen", user["meta"]["location"])

    @row(MUST, "7644 3.12")
    def test_F02_unknown(self) -> None:
        """An id that names nothing is 404, with a SCIM error."""
        body = self.json(404, self.client.get("/Users/nope"))
        self.assertEqual(([ERROR], "404"), (body["schemas"], body["status"]))
        self.assertIn("nope", body["detail"])

    @row(MUST, "7644 3.4.2")
    def test_F03_list(self) -> None:
        """A list tells how many there are, and which part of them this is."""
        body = self.read("/Users?startIndex=1&count=1")
        self.assertEqual([LIST], body["schemas"])
        told = (
            body["totalResults"],
            body["itemsPerPage"],
            body["startIndex"],
            len(body["Resources"]),
        )
        self.assertEqual((2, 1, 1, 1), told)

    @row(MUST, "7644 3.4.2")
    def test_F04_no_match(self) -> None:
        """Nothing found is 200, with nothing in it."""
        body = self.read('/Users?filter=userName%20eq%20"nobody"')
        self.assertEqual((0, []), (body["totalResults"], body["Resources"]))

    @row(MUST, "7644 3.4.2.4")
    def test_F05_count(self) -> None:
        """count bounds the page, not the total."""
        self.fixtures()
        body = self.read("/Users?count=2")
        self.assertEqual(
            (6, 2, 2), (body["totalResults"], body["itemsPerPage"], len(body["Resources"]))
        )

    @row(MUST, "7644 3.4.2.4")
    def test_F06_count_0(self) -> None:
        """A count of 0 gives the total only."""
        body = self.read("/Users?count=0")
        self.assertEqual((2, []), (body["totalResults"], body["Resources"]))

    @row(MUST, "7644 3.4.2.4")
    def test_F07_negative_count(self) -> None:
        """A negative count is 0."""
        self.assertEqual(self.read("/Users?count=0"), self.read("/Users?count=-5"))

    @row(MUST, "7644 3.4.2.4")
    def test_F08_start_index(self) -> None:
        """A startIndex below 1 is 1."""
        for start in (0, -3):
            found = self.read(f"/Users?startIndex={start}&count=1")
            self.assertEqual(self.read("/Users?startIndex=1&count=1"), found)

    @row(MUST, "7644 3.4.2.4")
    def test_F09_past_the_end(self) -> None:
        """A startIndex behind the last resource finds nothing, and the total is true."""
        for start in (3, 100_000, 10**30):
            body = self.read(f"/Users?startIndex={start}")
            self.assertEqual((2, []), (body["totalResults"], body["Resources"]))

    @row(MUST, "7644 3.4.2.4")
    def test_F10_pages(self) -> None:
        """Pages show every resource once."""
        self.fixtures()
        for count in (1, 2, 3):
            ids: list[str] = []
            for start in range(1, 7, count):
                ids += [
                    each["id"]
                    for each in self.read(f"/Users?startIndex={start}&count={count}")["Resources"]
                ]
            self.assertEqual(6, len(set(ids)))
            self.assertEqual(6, len(ids))

    @row(MUST, "7644 3.4.2.4")
    def test_F11_maximum(self) -> None:
        """A count above the maximum is cut."""
        self.serve(self.loki(), Limits(max_results=1))
        self.assertEqual(1, self.read("/ServiceProviderConfig")["filter"]["maxResults"])
        body = self.read("/Users?count=1000000")
        self.assertEqual((2, 1), (body["totalResults"], body["itemsPerPage"]))

    @row(SHOULD, "7644 3.12")
    def test_F12_not_a_number(self) -> None:
        """A count or startIndex that isn't a number is 400 invalidValue."""
        for query in ("count=abc", "startIndex=abc", "count=1.5", "count=%D9%A3"):
            self.error(400, self.client.get(f"/Users?{query}"), "invalidValue")

    @row(MUST, "7644 3.4.2.5, 3.9")
    def test_F13_attributes(self) -> None:
        """attributes gives what it names, and what is always given."""
        user = self.read("/Users/bjensen?attributes=displayName")
        self.assertEqual({"schemas", "id", "displayName"}, set(user))

    @row(MUST, "7644 3.4.2.5, 3.10")
    def test_F14_sub_attributes(self) -> None:
        """attributes takes sub-attributes."""
        user = self.read("/Users/bjensen?attributes=name.familyName,emails.value")
        self.assertEqual({"familyName"}, set(user["name"]))
        self.assertEqual([{"value"}, {"value"}], [set(each) for each in user["emails"]])

    @row(MUST, "7644 3.10")
    def test_F15_urns(self) -> None:
        """attributes takes names with their URN."""
        user = self.read(f"/Users/bjensen?attributes={CORE}:userName,{ENTERPRISE}:employeeNumber")
        self.assertEqual({"schemas", "id", "userName", ENTERPRISE}, set(user))
        self.assertEqual({"employeeNumber": "701984"}, user[ENTERPRISE])

    @row(MUST, "7643 2.1")
    def test_F16_case(self) -> None:
        """attributes takes names whatever their case."""
        self.assertIn("displayName", self.read("/Users/bjensen?attributes=DISPLAYNAME"))

    @row(MUST, "7644 3.4.2.5")
    def test_F17_excluded(self) -> None:
        """excludedAttributes takes attributes and sub-attributes away, and nothing else."""
        whole = self.read("/Users/bjensen")
        user = self.read("/Users/bjensen?excludedAttributes=emails,name.givenName")
        name = {key: value for key, value in whole["name"].items() if key != "givenName"}
        rest = {key: value for key, value in whole.items() if key != "emails"}
        self.assertEqual({**rest, "name": name}, user)

    @row(MUST, "7644 3.4.2.5")
    def test_F18_always(self) -> None:
        """excludedAttributes can't take away what is always given."""
        user = self.read("/Users/bjensen?excludedAttributes=id,schemas")
        self.assertLessEqual({"id", "schemas"}, set(user))

    @row(MUST, "7644 3.4.2.5")
    def test_F19_in_lists(self) -> None:
        """attributes applies to every resource of a list."""
        for user in self.resources("/Users?attributes=userName"):
            self.assertEqual({"schemas", "id", "userName"}, set(user))

    @row(MUST, "7644 3.4.2.5; Entra ID")
    def test_F20_without_members(self) -> None:
        """Groups can be had without their members."""
        for path in ("/Groups/Admins", "/Groups/Admins?attributes=members"):
            self.assertIn("members", self.read(path))
        self.assertNotIn("members", self.read("/Groups/Admins?excludedAttributes=members"))
        query = "&excludedAttributes=members"
        (group,) = self.found('displayName eq "Admins"', "/Groups", query)
        self.assertNotIn("members", group)

    @row(MUST, "7644 3.4.2")
    def test_F21_whole(self) -> None:
        """A resource in a list is what it is by itself."""
        for each in self.resources("/Users"):
            self.assertEqual(self.again(each), each)

    @row(MAY, "7644 3.4.2.1")
    def test_F22_root(self) -> None:
        """A query at the base URL covers all resource types."""
        text = "/?filter=meta.resourceType%20eq%20%22User%22"
        self.assertEqual(self.resources("/Users"), self.resources(text))
        self.assertEqual(4, len(self.resources("/")))
