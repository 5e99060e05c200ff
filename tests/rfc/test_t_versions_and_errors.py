"""T and R: ETags, errors, /Me, odd requests."""

from __future__ import annotations

from urllib.parse import quote

from scimgw.web.root import Limits
from tests.rfc.case import MAY, MUST, SHOULD, RfcCase, add, row
from tests.web.world import BASE


class VersionTests(RfcCase):
    """RFC 7644 section 3.14."""

    @row(MUST, "7644 3.14")
    def test_T01_etag(self) -> None:
        """The ETag is the version."""
        self.assertEqual({"supported": True}, self.read("/ServiceProviderConfig")["etag"])
        response = self.client.get("/Users/bjensen")
        tag = response.headers["ETag"]
        self.assertEqual(tag, self.json(200, response)["meta"]["version"])
        self.assertRegex(tag, r'\AW/"[^"]+"\Z')

    @row(MUST, "7644 3.14")
    def test_T02_not_modified(self) -> None:
        """Who has the version needn't be sent it."""
        tag = self.client.get("/Users/bjensen").headers["ETag"]
        for method, demanded in (("GET", tag), ("HEAD", tag), ("GET", f'"x", {tag}'), ("GET", "*")):
            headers = {"If-None-Match": demanded}
            response = self.client.request(method, "/Users/bjensen", headers=headers)
            self.assertEqual(tag, self.empty(304, response)["ETag"])
        headers = {"If-None-Match": 'W/"x"'}
        self.json(200, self.client.request("GET", "/Users/bjensen", headers=headers))

    @row(MUST, "7644 3.14")
    def test_T03_stale(self) -> None:
        """Who demands another version changes nothing."""
        before = self.read("/Users/bjensen")
        for method, body in (
            ("PUT", {"userName": "bjensen"}),
            (
                "PATCH",
                {
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                    "Operations": [add("title", "T")],
                },
            ),
            ("DELETE", None),
        ):
            headers = {"If-Match": 'W/"stale"'}
            self.error(412, self.client.request(method, "/Users/bjensen", body, headers))
        self.assertEqual(before, self.read("/Users/bjensen"))

    @row(MUST, "7644 3.14")
    def test_T04_current(self) -> None:
        """Who demands the version that there is changes it."""
        tag = self.client.get("/Users/bjensen").headers["ETag"]
        headers = {"If-Match": tag}
        response = self.client.request("PUT", "/Users/bjensen", {"userName": "bjensen"}, headers)
        self.json(200, response)
        self.assertNotEqual(tag, response.headers["ETag"])

    @row(SHOULD, "7644 3.14; 9110 13")
    def test_T05_any(self) -> None:
        """Whatever the version, it can be demanded that there is one; a creation tells it."""
        response = self.client.post("/Users", {"userName": "x"})
        user = self.json(201, response)
        self.assertEqual(user["meta"]["version"], response.headers["ETag"])
        headers = {"If-Match": "*"}
        path = f"/Users/{user['id']}"
        self.json(200, self.client.request("PUT", path, {"userName": "x", "title": "t"}, headers))
        self.empty(204, self.client.request("DELETE", path, headers=headers))


class ErrorTests(RfcCase):
    """RFC 7644 sections 3.11, 3.12 and 7.5."""

    @row(MUST, "7644 3.12")
    def test_R01_status(self) -> None:
        """The status of an error is a string."""
        self.assertEqual("404", self.json(404, self.client.get("/Users/nope"))["status"])

    @row(SHOULD, "7644 7.5; 9865 6")
    def test_R02_nothing_inside(self) -> None:
        """Errors tell nothing of the inside."""
        for response in (
            self.client.post("/Users", b"{"),
            self.client.get("/Users?filter=%00"),
            self.client.get("/Users?cursor=x"),
            self.client.patch("/Users/bjensen", {"op": "add", "path": "emails[", "value": []}),
            self.client.request("BREW", "/Users"),
            self.client.get("/Users/%ff"),
        ):
            self.assertGreaterEqual(response.status, 400)
            for word in (b"Traceback", b".py", b"<html", b"scimgw/", b"File "):
                self.assertNotIn(word, response.body)

    @row(MAY, "7644 3.11")
    def test_R03_me(self) -> None:
        """/Me is who the configuration says, or 501."""
        self.error(501, self.client.get("/Me"))
        self.serve(self.loki(), Limits(me={"gwadmin": "bjensen"}))
        response = self.client.get("/Me")
        self.assertEqual("bjensen", self.json(200, response)["id"])
        self.assertEqual(f"{BASE}/Users/bjensen", response.headers["Location"])

    @row(SHOULD, "robustness")
    def test_R04_odd_ids(self) -> None:
        """An id that can't be is 404 or 400."""
        for id in (
            "..%2F..%2Fetc",
            "%00",
            "a%20b",
            "x" * 2000,
            "%2e%2e",
            "%0d%0aX:1",
            "*",
            "(uid=*)",
        ):
            response = self.client.get(f"/Users/{id}")
            self.assertIn(response.status, {400, 404}, id)

    @row(SHOULD, "robustness")
    def test_R05_huge_filters(self) -> None:
        """A filter that is nested without end, or too long, is refused."""
        nested = "(" * 300 + "title pr" + ")" * 300
        self.error(400, self.client.get(f"/Users?filter={quote(nested)}"), "invalidFilter")
        long = " or ".join(['title eq "x"'] * 300)
        self.assertEqual([], self.ids(long))
