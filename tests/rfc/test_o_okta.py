"""O: Okta."""

from __future__ import annotations

from tests.rfc.case import IOP, RfcCase, add, remove, replace, row
from tests.web.world import LIST


class OktaTests(RfcCase):
    """What Okta sends."""

    @row(IOP, "Okta")
    def test_O01_probe(self) -> None:
        """The first users are read whole."""
        for count in (1, 2, 100):
            body = self.read(f"/Users?startIndex=1&count={count}")
            for name in ("itemsPerPage", "startIndex", "totalResults"):
                self.assertIs(int, type(body[name]))
            user = body["Resources"][0]
            for value in (user["id"], user["userName"], user["name"]["givenName"]):
                self.assertTrue(value)
            self.assertIs(True, user["active"])
            self.assertTrue(user["emails"][0]["value"])

    @row(IOP, "Okta")
    def test_O02_put(self) -> None:
        """A profile is replaced by all that was read."""
        user = self.user(title="t")
        body = {**user, "title": "new", "groups": [], "meta": {"resourceType": "User"}}
        found = self.json(200, self.client.put(f"/Users/{user['id']}", body))
        self.assertEqual("new", found["title"])

    @row(IOP, "Okta")
    def test_O03_deactivate(self) -> None:
        """A user is deactivated and brought back without a path."""
        user = self.user(active=True)
        for active in (False, True):
            found = self.patch(user, {"op": "replace", "value": {"active": active}})
            self.assertIs(active, found["active"])

    @row(IOP, "Okta")
    def test_O04_password(self) -> None:
        """A password is set without a path."""
        operation = {"op": "replace", "value": {"password": "t1meMa$heen"}}
        response = self.client.patch("/Users/bjensen", operation)
        self.assertEqual(200, response.status)
        self.assertNotIn(b"t1me", response.body)

    @row(IOP, "Okta")
    def test_O05_push_group(self) -> None:
        """A group is made with members and their names."""
        member = {"value": "bjensen", "display": "bjensen@example.com"}
        (found,) = self.group("pushed", members=[member])["members"]
        self.assertEqual(member, {name: found[name] for name in member})

    @row(IOP, "Okta")
    def test_O06_rename_group(self) -> None:
        """A group is renamed without a path, its id among the values."""
        group = self.group()
        value = {"id": group["id"], "displayName": "New"}
        self.assertEqual("New", self.patch(group, {"op": "replace", "value": value})["displayName"])

    @row(IOP, "Okta")
    def test_O07_members(self) -> None:
        """One member goes and another comes in one request."""
        group = self.group("g", "a")
        self.patch(
            group,
            remove('members[value eq "a"]'),
            add("members", [{"value": "b", "display": "b@example.com"}]),
        )
        self.assertEqual(["b"], self.members(group))

    @row(IOP, "Okta")
    def test_O08_all_members(self) -> None:
        """Members are replaced, by PATCH or by PUT."""
        group = self.group("g", "a")
        self.patch(group, replace("members", [{"value": "b"}, {"value": "c"}]))
        self.assertEqual(["b", "c"], self.members(group))
        body = {"displayName": "g", "members": [{"value": "d"}]}
        self.json(200, self.client.put(f"/Groups/{group['id']}", body))
        self.assertEqual(["d"], self.members(group))

    @row(IOP, "Okta")
    def test_O09_case(self) -> None:
        """userName is looked up whatever its case."""
        user = self.user("Upper@Case.example")
        self.assertEqual([user["id"]], self.ids('userName eq "UPPER@CASE.EXAMPLE"'))

    @row(IOP, "Okta")
    def test_O10_import(self) -> None:
        """An import walks pages, twice with the same result."""

        def walk() -> list[str]:
            ids: list[str] = []
            while True:
                body = self.read(f"/Users?startIndex={len(ids) + 1}&count=2")
                ids += [each["id"] for each in body["Resources"]]
                if body["startIndex"] + body["itemsPerPage"] > body["totalResults"]:
                    return ids

        self.fixtures()
        self.assertEqual(walk(), walk())
        self.assertEqual((6, 6), (len(walk()), len(set(walk()))))

    @row(IOP, "Okta")
    def test_O11_groups(self) -> None:
        """Groups are listed as an array, if there are none too."""
        for id in ("Admins", "Employees"):
            self.assertIs(list, type(self.read("/Groups")["Resources"]))
            self.client.delete(f"/Groups/{id}")
        self.assertEqual([], self.read("/Groups")["Resources"])

    @row(IOP, "Okta")
    def test_O12_announced(self) -> None:
        """Every endpoint that is announced lists its resources."""
        for each in self.read("/ResourceTypes")["Resources"]:
            self.assertEqual(
                [LIST], self.read(f"{each['endpoint']}?count=1&startIndex=1")["schemas"]
            )
