"""Resources over HTTP: RFC 7644 sections 3.3 to 3.6, 3.9, 3.12 and 3.14."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from attrs import evolve

from scimgw.testing.client import Connection
from scimgw.web.root import Limits
from tests.fakes.memory import POOR, MemoryConnector
from tests.web.world import BASE, CORE, ENTERPRISE, WebCase

HOSTILE_IDS = (
    "a/b",
    "a%2Fb",
    "a b",
    'say "hi"',
    "it's",
    "cn=Doe\\, John+uid=1,ou=People",
    "jürgen 日本 😀",
    "a?b#c&d=e;f",
    "../../etc/passwd",
    "..%2f",
    "+",
    "%",
    "a\tb\r\nX-Evil: 1",
    "{{7*7}}<script>",
    ".search",
)


class CreateTests(WebCase):
    """POST."""

    def test_created(self) -> None:
        """A creation is answered 201, with the resource, its address and its version."""
        response = self.client.post(
            "/Users", {"schemas": [CORE], "userName": "x", "title": "t", "password": "secret"}
        )
        user = self.json(201, response)
        self.assertEqual({"schemas", "id", "userName", "title", "meta"}, set(user))
        self.assertEqual(f"{BASE}/Users/{user['id']}", user["meta"]["location"])
        self.assertEqual(user["meta"]["location"], response.headers["Location"])
        self.assertEqual(user["meta"]["version"], response.headers["ETag"])
        self.assertEqual(user, self.json(200, self.client.get(f"/Users/{user['id']}")))

    def test_projected(self) -> None:
        """Attributes applies to the answer of a creation too."""
        user = self.json(
            201, self.client.post("/Users?attributes=userName", {"userName": "x", "title": "t"})
        )
        self.assertEqual({"schemas", "id", "userName"}, set(user))

    def test_minimal(self) -> None:
        """A client may prefer no body."""
        headers = {"Prefer": "return=minimal"}
        response = self.client.request("POST", "/Users", {"userName": "x"}, headers)
        found = self.empty(201, response)
        self.assertEqual(
            "x", self.json(200, self.client.get(found["Location"].removeprefix(BASE)))["userName"]
        )

    def test_duplicate(self) -> None:
        """A name that is taken is 409 uniqueness."""
        self.assertIn(
            "'BJensen' is taken",
            self.error(409, self.client.post("/Users", {"userName": "BJensen"}), "uniqueness"),
        )

    def test_group(self) -> None:
        """A group is answered with its members."""
        group = self.json(
            201,
            self.client.post("/Groups", {"displayName": "g", "members": [{"value": "bjensen"}]}),
        )
        member = {"value": "bjensen", "$ref": f"{BASE}/Users/bjensen"}
        self.assertEqual([member], group["members"])
        self.assertEqual(
            [],
            self.json(201, self.client.post("/Groups", {"displayName": "h", "members": []})).get(
                "members", []
            ),
        )

    def test_refused(self) -> None:
        """What isn't a user is 400, with its reason."""
        for body, scim_type, reason in (
            ({}, "invalidValue", "userName is required"),
            (
                {"userName": "x", "active": "banana"},
                "invalidValue",
                "active must be true or false, not 'banana'",
            ),
            ([], "invalidSyntax", "the body must be a JSON object"),
        ):
            self.assertIn(reason, self.error(400, self.client.post("/Users", body), scim_type))

    def test_only_an_id(self) -> None:
        """Where a connector gives no more than an id, the resource is read for the answer."""
        self.serve(MemoryConnector())
        response = self.client.post("/Users", {"userName": "x"})
        user = self.json(201, response)
        self.assertEqual(
            ({"resourceType": "User", "location": f"{BASE}/Users/user-1"}, "x"),
            (user["meta"], user["userName"]),
        )
        self.assertNotIn("ETag", response.headers)


class GetTests(WebCase):
    """GET and HEAD."""

    def test_unknown(self) -> None:
        """An id that names nothing is 404."""
        self.assertEqual("User 'nope' not found", self.error(404, self.client.get("/Users/nope")))

    def test_head(self) -> None:
        """HEAD is GET without the body."""
        for path in ("/Users/bjensen", "/Users", "/Schemas", "/ping", "/Users/nope"):
            full, head = self.client.get(path), self.client.request("HEAD", path)
            self.assertEqual((full.status, b""), (head.status, head.body))
            for name in ("Content-Length", "Content-Type", "ETag"):
                self.assertEqual(full.headers[name], head.headers[name], (path, name))

    def test_etag(self) -> None:
        """What the client has isn't sent again; what it demands must be so."""
        tag = self.client.get("/Users/bjensen").headers["ETag"]
        for header in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
            headers = self.empty(
                304, self.client.get("/Users/bjensen", **{"If-None-Match": header})
            )
            self.assertEqual(tag, headers["ETag"])
        self.assertEqual(200, self.client.get("/Users/bjensen", **{"If-None-Match": '"x"'}).status)
        self.assertEqual(200, self.client.get("/Users/bjensen", **{"If-Match": tag}).status)
        self.error(412, self.client.get("/Users/bjensen", **{"If-Match": '"x"'}))
        self.error(404, self.client.get("/Users/nope", **{"If-None-Match": "*"}))

    def test_media_types(self) -> None:
        """Answers are SCIM JSON, plain JSON for who takes only that, and for browsers."""
        browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        for accept, expected in {
            None: "application/scim+json",
            "*/*": "application/scim+json",
            "application/scim+json": "application/scim+json",
            "application/json, application/scim+json": "application/scim+json",
            "application/json, text/plain, */*": "application/scim+json",
            "application/json": "application/json",
            "Application/JSON; q=0.9": "application/json",
            "text/plain": "application/scim+json",
            browser: "application/json",
        }.items():
            response = self.client.request("GET", "/Users/bjensen", headers={"Accept": accept})
            self.assertEqual(expected, response.headers["Content-Type"], accept)


class HostileIdTests(WebCase):
    """Ids that hold what parts URLs, headers and text."""

    def test_round_trip(self) -> None:
        """Such an id works in URLs and comes back in Location, for every method."""
        self.serve(self.loki(id_from="userName"))
        for id in HOSTILE_IDS:
            response = self.client.post("/Users", {"userName": id})
            user = self.json(201, response)
            path = "/Users/" + quote(id, safe="")
            self.assertEqual((id, BASE + path), (user["id"], user["meta"]["location"]))
            self.assertEqual(BASE + path, response.headers["Location"])
            self.assertNotIn("X-Evil", response.headers)
            self.assertEqual(id, self.json(200, self.client.get(path))["id"])
            self.assertEqual(
                "t", self.json(200, self.client.put(path, {"userName": id, "title": "t"}))["title"]
            )
            group = self.json(
                201,
                self.client.post("/Groups", {"displayName": f"g {id}", "members": [{"value": id}]}),
            )
            self.assertEqual([{"value": id, "$ref": BASE + path}], group["members"])
            self.assertEqual(
                group["id"], self.json(200, self.client.get(path))["groups"][0]["value"]
            )
            name = quote(f"id eq {quoted(id)}", safe="")
            self.assertEqual([id], self.names(f"/Users?filter={name}"))
            self.empty(204, self.client.delete(path))
            self.error(404, self.client.get(path))

    def test_plain_spelling(self) -> None:
        """What a client needn't escape it needn't."""
        self.serve(self.loki(id_from="userName"))
        self.create(userName="cn=a,ou=b")
        self.assertEqual(200, self.client.get("/Users/cn=a,ou=b").status)
        self.assertEqual(200, self.client.get("/Users/cn%3da%2Cou=b").status)

    def test_names_that_cannot_be_ids(self) -> None:
        """A dot can't be addressed, and is refused as an id."""
        self.serve(self.loki(id_from="userName"))
        self.error(400, self.client.post("/Users", {"userName": ".."}), "invalidValue")

    def test_no_such_ids(self) -> None:
        """What can't be an id is a 4xx with its reason."""
        self.assertIn("NUL", self.error(400, self.client.get("/Users/a%00b"), "invalidValue"))
        self.assertIn("UTF-8", self.error(400, self.client.get("/Users/%ff"), "invalidValue"))
        for path in (
            "/Users/..%2F..%2Fetc",
            "/Users/" + "x" * 2000,
            "/Users/a/b",
            "/Users//x",
            "//Users",
        ):
            self.error(404, self.client.get(path))


def quoted(text: str) -> str:
    """Spell a string in a filter."""
    import json  # noqa: PLC0415

    return json.dumps(text)


class ReplaceTests(WebCase):
    """PUT."""

    def test_replaced(self) -> None:
        """A replacement is answered 200, with the resource; what is left out has gone."""
        response = self.client.put(
            "/Users/jsmith", {"userName": "jsmith", "displayName": "N", "emails": [], "title": None}
        )
        user = self.json(200, response)
        self.assertEqual({"schemas", "id", "userName", "displayName", "groups", "meta"}, set(user))
        self.assertEqual(user["meta"]["version"], response.headers["ETag"])
        self.assertEqual(user, self.json(200, self.client.get("/Users/jsmith")))

    def test_back_as_read(self) -> None:
        """What was read can be put back, and nothing changes, not even the version."""
        for path in ("/Users/bjensen", "/Groups/Admins"):
            before = self.json(200, self.client.get(path))
            self.assertEqual(before, self.json(200, self.client.put(path, before)))

    def test_read_only_is_ignored(self) -> None:
        """Another id, meta or groups are ignored."""
        body = {
            "userName": "bjensen",
            "id": "x",
            "meta": {"created": "1999-01-01T00:00:00Z"},
            "groups": [],
        }
        before = self.json(200, self.client.get("/Users/bjensen"))
        after = self.json(200, self.client.put("/Users/bjensen", body))
        self.assertEqual(
            (before["id"], before["groups"], before["meta"]["created"]),
            (after["id"], after["groups"], after["meta"]["created"]),
        )

    def test_refused(self) -> None:
        """Without a name, with another's, or for nobody, nothing changes."""
        before = self.json(200, self.client.get("/Users/bjensen"))
        self.error(400, self.client.put("/Users/bjensen", {"title": "t"}), "invalidValue")
        self.error(409, self.client.put("/Users/bjensen", {"userName": "JSMITH"}), "uniqueness")
        self.error(404, self.client.put("/Users/nope", {"userName": "nope"}))
        self.assertEqual(before, self.json(200, self.client.get("/Users/bjensen")))
        self.assertEqual(["bjensen", "jsmith"], self.names("/Users"))

    def test_conditions(self) -> None:
        """A stale tag changes nothing, the current one does."""
        tag = self.client.get("/Users/jsmith").headers["ETag"]
        body = {"userName": "jsmith"}
        self.error(
            412, self.client.request("PUT", "/Users/jsmith", body, {"If-Match": 'W/"stale"'})
        )
        self.error(412, self.client.request("PUT", "/Users/jsmith", body, {"If-None-Match": "*"}))
        response = self.client.request(
            "PUT", "/Users/jsmith", body, {"If-Match": tag, "Prefer": "return=minimal"}
        )
        self.assertNotEqual(tag, self.empty(204, response)["ETag"])


class PatchTests(WebCase):
    """PATCH."""

    def test_user(self) -> None:
        """A patched user is answered 200, with the resource and its groups."""
        response = self.client.patch(
            "/Users/bjensen", {"op": "replace", "path": "title", "value": "t"}
        )
        user = self.json(200, response)
        self.assertEqual(("t", "Admins"), (user["title"], user["groups"][0]["value"]))
        self.assertEqual(user["meta"]["version"], response.headers["ETag"])

    def test_group(self) -> None:
        """A patched group is answered 204, unless the client asks for more."""
        add = {"op": "add", "path": "members", "value": [{"value": "jsmith"}]}
        tag = self.empty(204, self.client.patch("/Groups/Admins", add))["ETag"]
        self.assertEqual(tag, self.client.get("/Groups/Admins").headers["ETag"])
        group = self.json(200, self.client.patch("/Groups/Admins?attributes=displayName", add))
        self.assertEqual({"schemas", "id", "displayName"}, set(group))
        group = self.json(200, self.client.patch("/Groups/Admins?excludedAttributes=members", add))
        self.assertNotIn("members", group)

    def test_preferences(self) -> None:
        """A client may prefer the resource, or no body."""
        message = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "add", "value": {"displayName": "x"}}],
        }
        for path in ("/Users/bjensen", "/Groups/Admins"):
            for preference, status in {
                "return=representation; x=1": 200,
                "respond-async, return=minimal": 204,
            }.items():
                response = self.client.request("PATCH", path, message, {"Prefer": preference})
                self.assertEqual(status, response.status)

    def test_atomic(self) -> None:
        """If one operation can't be done none is."""
        fine = {"op": "replace", "path": "title", "value": "changed"}
        for bad, status, scim_type in (
            ({"op": "replace", "path": "id", "value": "x"}, 400, "mutability"),
            ({"op": "remove", "path": "userName"}, 400, "mutability"),
            ({"op": "replace", "path": "emails[type eq", "value": "x"}, 400, "invalidPath"),
            (
                {"op": "replace", "path": 'emails[type eq "fax"].value', "value": "x"},
                400,
                "noTarget",
            ),
            ({"op": "remove"}, 400, "noTarget"),
            ({"op": "replace", "path": "active", "value": "banana"}, 400, "invalidValue"),
            ({"op": "add", "path": "title"}, 400, "invalidValue"),
            ({"op": "move", "path": "title"}, 400, "invalidSyntax"),
            ({"op": "replace", "path": "userName", "value": "jsmith"}, 409, "uniqueness"),
        ):
            self.error(status, self.client.patch("/Users/bjensen", fine, bad), scim_type)
        self.assertEqual("Tour Guide", self.json(200, self.client.get("/Users/bjensen"))["title"])

    def test_message(self) -> None:
        """What isn't a PatchOp message is invalidSyntax, for nobody it is 404."""
        self.error(
            400, self.client.request("PATCH", "/Users/bjensen", {"Operations": []}), "invalidSyntax"
        )
        self.error(404, self.client.patch("/Users/nope", {"op": "remove", "path": "title"}))

    def test_unknown_is_ignored(self) -> None:
        """What no schema has is ignored, and changes nothing."""
        tag = self.client.get("/Users/bjensen").headers["ETag"]
        response = self.client.patch("/Users/bjensen", {"op": "add", "path": "nope", "value": "x"})
        self.assertEqual((200, tag), (response.status, response.headers["ETag"]))

    def test_extension(self) -> None:
        """An extension comes and goes by its URN."""
        user = self.json(
            200, self.client.patch("/Users/bjensen", {"op": "remove", "path": ENTERPRISE})
        )
        self.assertEqual((False, [CORE]), (ENTERPRISE in user, user["schemas"]))
        add = {"op": "add", "path": f"{ENTERPRISE}:department", "value": "d"}
        user = self.json(200, self.client.patch("/Users/bjensen", add))
        self.assertEqual(
            ({"department": "d"}, [CORE, ENTERPRISE]), (user[ENTERPRISE], user["schemas"])
        )


class DeleteTests(WebCase):
    """DELETE."""

    def test_deleted(self) -> None:
        """A deletion is answered 204; then there is no membership, and the name is free."""
        self.empty(204, self.client.delete("/Users/bjensen"))
        for method in ("GET", "DELETE"):
            self.error(404, self.client.request(method, "/Users/bjensen"))
        self.assertEqual(["jsmith"], self.names("/Users"))
        self.assertNotIn("members", self.json(200, self.client.get("/Groups/Admins")))
        self.create(userName="bjensen")

    def test_conditions(self) -> None:
        """A stale tag deletes nothing."""
        self.error(412, self.client.request("DELETE", "/Users/jsmith", headers={"If-Match": '"x"'}))
        tag = self.client.get("/Users/jsmith").headers["ETag"]
        self.empty(204, self.client.request("DELETE", "/Users/jsmith", headers={"If-Match": tag}))


class ListTests(WebCase):
    """Queries."""

    def test_paging(self) -> None:
        """Pages tell where they are, and how many there are in all."""
        for number in range(5):
            self.create(userName=f"u{number}")
        for query, expected in {
            "": (7, 7, 1),
            "?count=2": (7, 2, 1),
            "?count=0": (7, 0, 1),
            "?count=-1": (7, 0, 1),
            "?startIndex=0&count=1": (7, 1, 1),
            "?startIndex=-5&count=1": (7, 1, 1),
            "?startIndex=7": (7, 1, 7),
            "?startIndex=100": (7, 0, 100),
            "?count=1000000": (7, 7, 1),
            "?count=" + "9" * 4000: (7, 7, 1),
            "?startIndex=" + "9" * 4000: (7, 0, 10**9),
        }.items():
            body = self.json(200, self.client.get(f"/Users{query}"))
            self.assertEqual(
                expected, (body["totalResults"], body["itemsPerPage"], body["startIndex"]), query
            )

    def test_maximum(self) -> None:
        """No page holds more than the configured maximum."""
        self.serve(self.loki(), Limits(max_results=1))
        self.assertEqual(["bjensen"], self.names("/Users?count=50"))
        config = self.json(200, self.client.get("/ServiceProviderConfig"))
        self.assertEqual(1, config["filter"]["maxResults"])

    def test_sorted(self) -> None:
        """Sorting comes before paging."""
        self.assertEqual(["jsmith"], self.names("/Users?sortBy=title&count=1"))
        self.assertEqual(
            ["bjensen"], self.names("/Users?sortBy=title&sortOrder=descending&count=1")
        )

    def test_refused(self) -> None:
        """What can't be meant is 400 with the right scimType."""
        for query, status, scim_type in (
            ("filter=", 400, "invalidFilter"),
            ("filter=userName%20eq", 400, "invalidFilter"),
            ("filter=password%20eq%20%22x%22", 403, "sensitive"),
            ("count=abc", 400, "invalidValue"),
            ("startIndex=1.5", 400, "invalidValue"),
            ("sortBy=nope", 400, "invalidValue"),
            ("sortBy=title&sortOrder=up", 400, "invalidValue"),
            ("filter=%ff", 400, "invalidValue"),
        ):
            self.error(status, self.client.get(f"/Users?{query}"), scim_type)

    def test_too_many(self) -> None:
        """Where the endpoint would have to be read beyond the bound, the client is told."""
        self.serve(MemoryConnector())
        for number in range(4):
            self.create(userName=f"u{number}")
        object.__setattr__(self.endpoint, "max_scan", 3)
        self.error(400, self.client.get("/Users?filter=title%20pr"), "tooMany")

    def test_semicolon(self) -> None:
        """A semicolon in a value parts nothing."""
        self.create(userName="a;b&c")
        self.assertEqual(
            ["a;b&c"], self.names('/Users?filter=userName%20eq%20"a;b%26c"'.replace('"', "%22"))
        )

    def test_every_bytes_apart(self) -> None:
        """A request that comes byte by byte is answered as any other."""
        connection = Connection(self.site)
        for byte in self.client.encoded("POST", "/Users", {"userName": "slow"}):
            connection.send(bytes([byte]))
        self.assertEqual(201, connection.response("POST").status)


class VersionlessTests(WebCase):
    """An endpoint that keeps no versions."""

    def test_no_etag(self) -> None:
        """There is no ETag, and ServiceProviderConfig says so."""
        self.serve(MemoryConnector())
        user = self.create(userName="x")
        self.assertNotIn("version", user["meta"])
        path = f"/Users/{user['id']}"
        self.assertNotIn("ETag", self.client.get(path).headers)
        self.assertEqual(
            {"supported": False}, self.json(200, self.client.get("/ServiceProviderConfig"))["etag"]
        )
        self.error(412, self.client.request("DELETE", path, headers={"If-Match": '"1"'}))
        self.empty(204, self.client.request("DELETE", path, headers={"If-Match": "*"}))

    def test_etag_matches_the_body(self) -> None:
        """The tag of an answer with a body is that of the body."""
        self.serve(MemoryConnector(evolve(POOR, versions=True)))
        user = self.create(userName="x")
        operation: dict[str, Any] = {"op": "add", "path": "title", "value": "t"}
        response = self.client.patch(f"/Users/{user['id']}", operation)
        self.assertEqual(self.json(200, response)["meta"]["version"], response.headers["ETag"])
