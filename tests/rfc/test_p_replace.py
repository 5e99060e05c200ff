"""P: replacing."""

from __future__ import annotations

from typing import Any

from tests.rfc.case import IOP, MUST, SHOULD, RfcCase, row
from tests.web.world import CORE, ENTERPRISE, Json


class ReplaceTests(RfcCase):
    """RFC 7644 section 3.5.1."""

    def put(self, resource: Json, **body: Any) -> Json:
        """Replace a user."""
        path = f"/Users/{resource['id']}"
        found: Json = self.json(200, self.client.put(path, {"userName": "x", **body}))
        self.assertEqual(self.read(path), found)
        return found

    @row(MUST, "7644 3.5.1")
    def test_P01_replaced(self) -> None:
        """PUT replaces, and answers with what is then there."""
        self.assertEqual("N", self.put(self.user(), displayName="N")["displayName"])

    @row(SHOULD, "7644 3.5.1")
    def test_P02_left_out(self) -> None:
        """What is left out is cleared."""
        name = {"givenName": "g", "familyName": "f"}
        data: Json = {"title": "t", "nickName": "n", "active": False, "name": name}
        user = self.user(**data, emails=[{"value": "e"}], **{ENTERPRISE: {"department": "d"}})
        found = self.put(user, name={"givenName": "h"}, **{ENTERPRISE: {"division": "v"}})
        self.assertFalse({"title", "nickName", "active", "emails"} & set(found))
        self.assertEqual({"givenName": "h"}, found["name"])
        self.assertEqual({"division": "v"}, found[ENTERPRISE])
        found = self.put(user)
        self.assertEqual({"schemas", "id", "userName", "meta"}, set(found))
        self.assertEqual([CORE], found["schemas"])

    @row(MUST, "7644 3.5.1")
    def test_P03_null(self) -> None:
        """null and an empty array clear."""
        found = self.put(self.user(title="t", emails=[{"value": "e"}]), title=None, emails=[])
        self.assertFalse({"title", "emails"} & set(found))

    @row(MUST, "7644 3.5.1")
    def test_P04_required(self) -> None:
        """What is required must be there."""
        user = self.user()
        response = self.client.put(f"/Users/{user['id']}", {"displayName": "N"})
        self.assertIn("userName", self.error(400, response, "invalidValue"))
        self.assertEqual(user, self.again(user))

    @row(MUST, "7644 3.5.1")
    def test_P05_never_creates(self) -> None:
        """PUT makes nothing."""
        self.error(404, self.client.put("/Users/nope", {"userName": "x"}))
        self.assertEqual(["bjensen", "jsmith"], self.names("/Users"))

    @row(MUST, "7644 3.5.1")
    def test_P06_read_only(self) -> None:
        """What is readOnly is ignored."""
        user = self.user()
        meta = {"created": "1999-01-01T00:00:00Z"}
        found = self.put(user, id="other", meta=meta, groups=[{"value": "Admins"}])
        self.assertEqual(user["id"], found["id"])
        self.assertEqual(user["meta"]["created"], found["meta"]["created"])
        self.assertNotIn("groups", found)

    @row(MUST, "7644 3.5.1, 3.12")
    def test_P07_taken(self) -> None:
        """Another's userName is 409, and nothing is changed."""
        user = self.user()
        response = self.client.put(f"/Users/{user['id']}", {"userName": "bjensen"})
        self.error(409, response, "uniqueness")
        self.assertEqual(user, self.again(user))

    @row(IOP, "Okta, authentik")
    def test_P08_unchanged(self) -> None:
        """What was read can be put back, and changes nothing."""
        for path in ("/Users/bjensen", "/Groups/Admins"):
            before = self.read(path)
            self.assertEqual(before, self.json(200, self.client.put(path, before)))

    @row(MUST, "7644 3.5.1")
    def test_P09_members(self) -> None:
        """PUT of a group replaces its members."""
        a, b = self.user("a")["id"], self.user("b")["id"]
        group = self.group("g", a)
        path = f"/Groups/{group['id']}"
        self.client.put(path, {"displayName": "g", "members": [{"value": b}]})
        self.assertEqual([b], self.members(group))
        self.client.put(path, {"displayName": "g"})
        self.assertEqual([], self.members(group))

    @row(MUST, "7643 4.1.1")
    def test_P10_password(self) -> None:
        """A password is taken and not shown."""
        self.assertNotIn("password", self.put(self.user(), password="n3w"))

    @row(SHOULD, "9110 9.3.4")
    def test_P11_idempotent(self) -> None:
        """The same PUT twice is the same as once."""
        user = self.user()
        self.assertEqual(self.put(user, title="t"), self.put(user, title="t"))
