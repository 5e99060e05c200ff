"""M: PATCH."""

from __future__ import annotations

from typing import Any

from scimgw.scim.patch import PATCH_OP
from tests.rfc.case import MUST, SHOULD, RfcCase, add, remove, replace, row
from tests.web.world import CORE, ENTERPRISE

WORK, HOME = {"value": "w@x", "type": "work"}, {"value": "h@x", "type": "home"}


class PatchTests(RfcCase):
    """RFC 7644 section 3.5.2."""

    @row(MUST, "7644 3.5.2")
    def test_M01_answer(self) -> None:
        """A user is answered 200 with the resource, a group 204."""
        user, group = self.user(), self.group()
        response = self.client.patch(f"/Users/{user['id']}", replace("displayName", "N"))
        self.assertEqual("N", self.json(200, response)["displayName"])
        response = self.client.patch(f"/Groups/{group['id']}", replace("displayName", "N"))
        self.empty(204, response)
        self.assertEqual("N", self.again(group)["displayName"])

    @row(MUST, "7644 3.5.2")
    def test_M02_projection(self) -> None:
        """With attributes the answer is 200 with these."""
        user = self.user()
        path = f"/Users/{user['id']}?attributes=displayName"
        found = self.json(200, self.client.patch(path, replace("displayName", "N")))
        self.assertEqual({"schemas", "id", "displayName"}, set(found))

    @row(MUST, "7644 3.5.2")
    def test_M03_case(self) -> None:
        """op is read whatever its case."""
        user = self.user(title="t", nickName="n")
        found = self.patch(
            user,
            {"op": "Replace", "path": "title", "value": "T"},
            {"op": "ADD", "path": "displayName", "value": "D"},
            {"op": "Remove", "path": "nickName"},
        )
        self.assertEqual(("T", "D"), (found["title"], found["displayName"]))
        self.assertNotIn("nickName", found)

    @row(MUST, "7644 3.5.2")
    def test_M04_schema(self) -> None:
        """Another message is 400."""
        for schemas in ([CORE], [], None, "x"):
            body = {"schemas": schemas, "Operations": [replace("title", "t")]}
            response = self.client.request("PATCH", "/Users/bjensen", body)
            self.error(400, response, "invalidSyntax")

    @row(MUST, "7644 3.5.2")
    def test_M05_operations(self) -> None:
        """There is at least one operation, and each has an op that is known."""
        faulty: list[Any] = [None, [], {}, [1], [{"op": "move"}], [{"path": "title", "value": "t"}]]
        for operations in faulty:
            body = {"schemas": [PATCH_OP], "Operations": operations}
            response = self.client.request("PATCH", "/Users/bjensen", body)
            self.error(400, response, "invalidSyntax")

    @row(MUST, "7644 3.5.2.1")
    def test_M06_add_singular(self) -> None:
        """To add to a singular attribute sets it."""
        user = self.user()
        self.assertEqual("A", self.patch(user, add("title", "A"))["title"])
        self.assertEqual("B", self.patch(user, add("title", "B"))["title"])

    @row(MUST, "7644 3.5.2.1")
    def test_M07_add_without_path(self) -> None:
        """Without a path an object is merged into the resource."""
        user = self.user(name={"givenName": "G"})
        value = {"nickName": "N", "name": {"middleName": "M"}}
        found = self.patch(user, {"op": "add", "value": value})
        self.assertEqual("N", found["nickName"])
        self.assertEqual({"givenName": "G", "middleName": "M"}, found["name"])

    @row(MUST, "7644 3.5.2.1")
    def test_M08_add_values(self) -> None:
        """Values are added, as an array or as one object."""
        user = self.user(emails=[WORK])
        other = {"value": "o@x", "type": "other"}
        found = self.patch(user, add("emails", [HOME]), add("emails", other))
        self.assertEqual([WORK, HOME, other], found["emails"])

    @row(MUST, "7644 3.5.2.1")
    def test_M09_add_again(self) -> None:
        """To add what is there changes nothing, nor lastModified."""
        group = self.group("g", "bjensen")
        user = self.user(emails=[WORK])
        self.clock.advance(1)
        self.assertEqual(
            self.again(group), self.patch(group, add("members", [{"value": "bjensen"}]))
        )
        self.assertEqual(self.again(user), self.patch(user, add("emails", WORK)))

    @row(MUST, "7644 3.5.2")
    def test_M10_primary(self) -> None:
        """Who becomes primary takes it from who was."""
        user = self.user(emails=[{**WORK, "primary": True}])
        found = self.patch(user, add("emails", [{**HOME, "primary": True}]))
        primary = [each["value"] for each in found["emails"] if each.get("primary")]
        self.assertEqual(["h@x"], primary)

    @row(MUST, "7644 3.5.2.1")
    def test_M11_add_nothing(self) -> None:
        """add needs a value."""
        self.refused(self.user(), {"op": "add", "path": "title"}, "invalidValue")

    @row(MUST, "7644 3.5.2.2")
    def test_M12_remove(self) -> None:
        """What is removed has no value."""
        user = self.user(title="t")
        self.assertNotIn("title", self.patch(user, remove("title")))
        self.assertNotIn(user["id"], self.ids("title pr"))

    @row(MUST, "7644 3.5.2.2")
    def test_M13_remove_without_path(self) -> None:
        """remove needs a path."""
        self.refused(self.user(), {"op": "remove"}, "noTarget")

    @row(MUST, "7644 3.5.2.2")
    def test_M14_remove_all(self) -> None:
        """All values can be removed at once."""
        self.assertNotIn("emails", self.patch(self.user(emails=[WORK, HOME]), remove("emails")))

    @row(MUST, "7644 3.5.2.2")
    def test_M15_remove_some(self) -> None:
        """A value filter removes what it selects."""
        user = self.user(emails=[WORK, HOME])
        self.assertEqual([WORK], self.patch(user, remove('emails[type eq "home"]'))["emails"])

    @row(MUST, "7644 3.5.2.2")
    def test_M16_remove_part(self) -> None:
        """A sub-attribute of what a value filter selects can be removed."""
        user = self.user(emails=[{**WORK, "display": "d"}, HOME])
        found = self.patch(user, remove('emails[type eq "work"].display'))
        self.assertEqual([WORK, HOME], found["emails"])

    @row(MUST, "7644 3.5.2.2")
    def test_M17_remove_required(self) -> None:
        """What is required or readOnly can't be removed."""
        user = self.user()
        self.refused(user, remove("userName"), "mutability")
        self.refused(user, remove("id"), "mutability")
        self.refused(self.group(), remove("displayName"), "mutability")

    @row(MUST, "7644 3.5.2.3")
    def test_M18_replace(self) -> None:
        """Attributes, complex ones and sub-attributes can be replaced."""
        user = self.user(name={"givenName": "G", "familyName": "F"})
        found = self.patch(user, replace("title", "T"), replace("name.familyName", "X"))
        self.assertEqual({"givenName": "G", "familyName": "X"}, found["name"])
        found = self.patch(user, replace("name", {"givenName": "Y"}))
        self.assertEqual({"givenName": "Y", "familyName": "X"}, found["name"])

    @row(MUST, "7644 3.5.2.3")
    def test_M19_replace_without_path(self) -> None:
        """Without a path what is named is replaced, and the rest stays."""
        user = self.user(title="t")
        value = {"displayName": "D", "active": False}
        found = self.patch(user, {"op": "replace", "value": value})
        self.assertEqual(
            ("x", "t", "D", False),
            tuple(found[k] for k in ("userName", "title", "displayName", "active")),
        )

    @row(MUST, "7644 3.5.2.3")
    def test_M20_replace_values(self) -> None:
        """All values are replaced."""
        user = self.user(emails=[WORK, HOME])
        self.assertEqual(
            [{"value": "n"}], self.patch(user, replace("emails", [{"value": "n"}]))["emails"]
        )

    @row(MUST, "7644 3.5.2.3")
    def test_M21_replace_part(self) -> None:
        """A sub-attribute of what a value filter selects can be replaced."""
        user = self.user(emails=[{**WORK, "primary": True}, HOME])
        found = self.patch(user, replace('emails[type eq "work"].value', "n"))
        self.assertEqual([{"value": "n", "type": "work", "primary": True}, HOME], found["emails"])

    @row(MUST, "7644 3.5.2.3")
    def test_M22_replace_one(self) -> None:
        """What a value filter selects can be replaced whole."""
        addresses = [{"type": "work", "locality": "L"}, {"type": "home", "locality": "H"}]
        user = self.user(addresses=addresses)
        value = {"type": "work", "country": "NO"}
        found = self.patch(user, replace('addresses[type eq "work"]', value))
        self.assertEqual([value, addresses[1]], found["addresses"])

    @row(MUST, "7644 3.5.2.3")
    def test_M23_replace_nothing(self) -> None:
        """To replace by a value filter that selects nothing is noTarget."""
        user = self.user(emails=[WORK])
        for path in ('emails[type eq "fax"].display', 'emails[type eq "fax"]'):
            self.refused(
                user, replace(path, "x" if path.endswith("y") else {"value": "x"}), "noTarget"
            )

    @row(MUST, "7644 3.5.2.3")
    def test_M24_replace_unassigned(self) -> None:
        """To replace what has no value adds it."""
        self.assertEqual("N", self.patch(self.user(), replace("nickName", "N"))["nickName"])

    @row(MUST, "7644 3.5.2, 3.10")
    def test_M25_urns(self) -> None:
        """Paths may have a URN before them."""
        user = self.user()
        found = self.patch(
            user, replace(f"{CORE}:title", "T"), add(f"{ENTERPRISE}:department", "D")
        )
        self.assertEqual(("T", {"department": "D"}), (found["title"], found[ENTERPRISE]))
        self.assertNotIn(ENTERPRISE, self.patch(user, remove(f"{ENTERPRISE}:department")))

    @row(MUST, "7644 3.5.2; 7643 3.3")
    def test_M26_extension(self) -> None:
        """A whole extension can be added and removed."""
        user = self.user()
        found = self.patch(user, add(ENTERPRISE, {"department": "D", "division": "V"}))
        self.assertEqual({"department": "D", "division": "V"}, found[ENTERPRISE])
        self.assertEqual([CORE, ENTERPRISE], found["schemas"])
        found = self.patch(user, remove(ENTERPRISE))
        self.assertNotIn(ENTERPRISE, found)
        self.assertEqual([CORE], found["schemas"])

    @row(MUST, "7644 3.5.2")
    def test_M27_atomic(self) -> None:
        """If one operation fails, none is done."""
        user = self.user(title="t", emails=[WORK, {"value": "o@x"}])
        good = replace("title", "T"), add("emails", HOME), add(ENTERPRISE, {"department": "D"})
        for status, bad in (
            (400, replace("id", "x")),
            (400, replace("emails[", "x")),
            (400, replace("active", "banana")),
            (400, replace('emails[type eq "fax"].display', "x")),
            (400, replace("emails.primary", True)),
            (409, replace("userName", "bjensen")),
        ):
            for operations in ((*good, bad), (bad, *good)):
                response = self.client.patch(f"/Users/{user['id']}", *operations)
                self.assertEqual(status, response.status, bad)
                self.assertEqual(user, self.again(user))
        self.assertEqual("T", self.patch(user, *good)["title"])

    @row(MUST, "7644 3.5.2")
    def test_M28_read_only(self) -> None:
        """What is readOnly can't be changed."""
        user = self.user()
        for path in ("id", "meta.created", "meta", "groups"):
            self.refused(user, replace(path, "x"), "mutability")

    @row(MUST, "7644 3.5.2, 3.12")
    def test_M29_malformed(self) -> None:
        """A path that can't be read is invalidPath."""
        user = self.user()
        for path in ("emails[type eq", "name..x", "", "title b", "emails[]"):
            self.refused(user, replace(path, "x"), "invalidPath")

    @row(SHOULD, "7644 3.12")
    def test_M30_unknown(self) -> None:
        """A path that names nothing is ignored, as in bodies."""
        user = self.user()
        self.assertEqual(user, self.patch(user, replace("noSuchAttr", "x")))

    @row(MUST, "7644 3.12")
    def test_M31_wrong_type(self) -> None:
        """A value of the wrong type is invalidValue."""
        user = self.user()
        for path, value in (("active", "banana"), ("name", "text"), ("emails", [{"value": 1}])):
            self.assertIn(path, self.refused(user, replace(path, value), "invalidValue"))

    @row(MUST, "7644 3.5.2, 3.12")
    def test_M32_taken(self) -> None:
        """Another's userName is 409, and nothing is changed."""
        user = self.user()
        response = self.client.patch(f"/Users/{user['id']}", replace("userName", "bjensen"))
        self.error(409, response, "uniqueness")
        self.assertEqual(user, self.again(user))

    @row(MUST, "7644 3.12")
    def test_M33_nobody(self) -> None:
        """What isn't there can't be changed."""
        self.error(404, self.client.patch("/Users/nope", replace("title", "t")))
        self.error(404, self.client.patch("/Groups/nope", add("members", [{"value": "x"}])))

    @row(MUST, "7644 3.5.2.1-3")
    def test_M34_in_order(self) -> None:
        """Each operation sees what the one before left."""
        found = self.patch(
            self.user(),
            add("nickName", "A"),
            replace("nickName", "B"),
            add("emails", [WORK, HOME]),
            remove('emails[type eq "work"]'),
        )
        self.assertEqual(("B", [HOME]), (found["nickName"], found["emails"]))

    @row(MUST, "7644 3.5.2.1")
    def test_M35_add_members(self) -> None:
        """Members are added to those that are there."""
        group = self.group("g", "bjensen")
        self.patch(group, add("members", [{"value": "a"}, {"value": "b"}]))
        self.assertEqual(["bjensen", "a", "b"], self.members(group))

    @row(MUST, "7644 3.5.2.2")
    def test_M36_remove_members(self) -> None:
        """One member is removed by a filter, all without."""
        group = self.group("g", "a", "b", "c")
        self.patch(group, remove('members[value eq "a"]'))
        self.assertEqual(["b", "c"], self.members(group))
        self.patch(group, remove("members"))
        self.assertEqual([], self.members(group))

    @row(MUST, "7644 3.5.2.3")
    def test_M37_replace_members(self) -> None:
        """Members and the name of a group are replaced."""
        group = self.group("g", "a")
        found = self.patch(group, replace("members", [{"value": "b"}]), replace("displayName", "h"))
        self.assertEqual(("h", ["b"]), (found["displayName"], self.members(group)))

    @row(SHOULD, "7644 3.5.2.2")
    def test_M38_remove_nobody(self) -> None:
        """To remove who isn't a member changes nothing."""
        group = self.group("g", "a")
        self.assertEqual(self.again(group), self.patch(group, remove('members[value eq "none"]')))

    @row(MUST, "7644 3.5.2")
    def test_M39_many_members(self) -> None:
        """Thousands of members are added in one operation."""
        group = self.group()
        values: list[Any] = [{"value": f"u{n}"} for n in range(5000)]
        self.patch(group, add("members", values))
        self.assertEqual(5000, len(self.members(group)))
