"""C and D: resources, attributes, creation."""

from __future__ import annotations

import re
from typing import Any

from tests.rfc.case import IOP, MUST, SHOULD, RfcCase, add, row
from tests.web.world import BASE, CORE, ENTERPRISE

DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class ResourceTests(RfcCase):
    """RFC 7643 sections 2 to 4."""

    @row(MUST, "7643 3.1")
    def test_C01_id(self) -> None:
        """The service provider gives every resource an id of its own."""
        ids = {self.user(name)["id"] for name in ("x", "y", "z")}
        self.assertEqual(3, len(ids))
        self.assertTrue(all(isinstance(each, str) and each for each in ids))

    @row(MUST, "7643 3.1")
    def test_C02_chosen_id(self) -> None:
        """An id that the client chose is ignored."""
        self.assertNotEqual("chosen-x", self.user(id="chosen-x")["id"])

    @row(MUST, "7643 3.1")
    def test_C03_id_stays(self) -> None:
        """An id stays when the name changes, and isn't a bulkId."""
        user = self.user()
        renamed = self.patch(user, add("userName", "y"))
        self.assertEqual((user["id"], "y"), (renamed["id"], renamed["userName"]))
        self.assertNotIn("bulkId", user["id"])

    @row(MUST, "7643 3.1")
    def test_C04_meta(self) -> None:
        """meta tells the resource type, when it was made and changed, and where it is."""
        user = self.user()
        meta = user["meta"]
        self.assertEqual("User", meta["resourceType"])
        self.assertRegex(meta["created"], DATE_TIME)
        self.assertRegex(meta["lastModified"], DATE_TIME)
        self.assertEqual(user, self.read(meta["location"].removeprefix(BASE)))

    @row(MUST, "7643 3.1")
    def test_C05_sent_meta(self) -> None:
        """meta that the client sends is ignored."""
        user = self.user(meta={"created": "1999-01-01T00:00:00Z", "resourceType": "Foo"})
        self.assertEqual("User", user["meta"]["resourceType"])
        self.assertNotIn("1999", user["meta"]["created"])

    @row(MUST, "7643 3.1")
    def test_C06_last_modified(self) -> None:
        """lastModified is created until the first change, then it grows; created stays."""
        user = self.user()
        self.assertEqual(user["meta"]["created"], user["meta"]["lastModified"])
        self.clock.advance(1)
        meta = self.patch(user, add("title", "t"))["meta"]
        self.assertEqual(user["meta"]["created"], meta["created"])
        self.assertLess(user["meta"]["lastModified"], meta["lastModified"])

    @row(MUST, "7643 3")
    def test_C07_schemas(self) -> None:
        """schemas names each schema that has data, once."""
        user = self.user(schemas=[CORE, CORE], **{ENTERPRISE: {"department": "d"}})
        self.assertEqual([CORE, ENTERPRISE], user["schemas"])
        self.assertEqual([CORE], self.user("y", schemas=[CORE, ENTERPRISE])["schemas"])

    @row(MUST, "7643 3")
    def test_C08_known_schemas(self) -> None:
        """schemas of an answer are known ones, whatever was sent."""
        self.assertEqual([CORE], self.user(schemas=[CORE, "urn:x:unknown"])["schemas"])

    @row(MUST, "7643 2.1")
    def test_C09_names(self) -> None:
        """Names of attributes are read whatever their case, and kept as the schema has them."""
        body = {"USERNAME": "x", "DisplayName": "d", "Emails": [{"Value": "v", "Primary": True}]}
        user = self.json(201, self.client.post("/Users", body))
        self.assertEqual(("x", "d"), (user["userName"], user["displayName"]))
        self.assertEqual([{"value": "v", "primary": True}], user["emails"])

    @row(MUST, "7643 2.5")
    def test_C10_unassigned(self) -> None:
        """null, an empty array and absence are one: no value."""
        user = self.user(title=None, phoneNumbers=[])
        self.assertFalse({"title", "phoneNumbers"} & set(user))
        self.assertNotIn(user["id"], self.ids("title pr or phoneNumbers pr"))

    @row(MUST, "7643 2.4")
    def test_C11_primary(self) -> None:
        """One value at most is primary."""
        emails = [{"value": each, "primary": True} for each in ("a", "b")]
        response = self.client.post("/Users", {"userName": "x", "emails": emails})
        self.error(400, response, "invalidValue")

    @row(SHOULD, "7643 2.4")
    def test_C12_same_value(self) -> None:
        """The same value of the same type is there once."""
        email = {"value": "a@x", "type": "work"}
        self.assertEqual([email], self.user(emails=[email, email])["emails"])

    @row(IOP, "Entra ID")
    def test_C13_same_type(self) -> None:
        """Several values may be of one type."""
        emails = [{"value": "a@x", "type": "work"}, {"value": "b@x", "type": "work"}]
        self.assertEqual(emails, self.user(emails=emails)["emails"])

    @row(MUST, "7643 2.3.2; 7644 3.12")
    def test_C14_wrong_type(self) -> None:
        """A value of the wrong type is 400, and the attribute is named."""
        for name, value in (
            ("active", "banana"),
            ("name", "text"),
            ("emails", "x@y"),
            ("title", 1),
            ("emails", [{"value": {}, "primary": "maybe"}]),
            ("x509Certificates", [{"value": 1}]),
        ):
            response = self.client.post("/Users", {"userName": "x", name: value})
            self.assertIn(name, self.error(400, response, "invalidValue"))

    @row(IOP, "Entra ID")
    def test_C15_unknown(self) -> None:
        """Attributes that no schema has are ignored."""
        self.assertNotIn("adreses", self.user(adreses=[{"type": "x"}]))

    @row(IOP, "Databricks")
    def test_C16_no_schemas(self) -> None:
        """A resource may be sent without schemas."""
        self.assertEqual([CORE], self.user()["schemas"])

    @row(MUST, "7643 3.1")
    def test_C17_external_id(self) -> None:
        """externalId is kept as it was sent, and never made up."""
        self.assertEqual("aB-1", self.user(externalId="aB-1")["externalId"])
        self.assertNotIn("externalId", self.user("y"))

    @row(MUST, "7643 4.1.1, 7, 9.2")
    def test_C18_password(self) -> None:
        """A password is taken and never shown."""
        user = self.user(password="t1meMa$heen")
        for path in ("", "?attributes=password", "?attributes=password,userName"):
            response = self.client.get(f"/Users/{user['id']}{path}")
            self.assertNotIn(b"t1me", response.body)
        self.assertNotIn(b"t1me", self.client.get("/Users").body)
        self.assertNotIn("password", user)
        self.error(403, self.client.get("/Users?filter=password%20pr"), "sensitive")

    @row(MUST, "7643 4.1.2, 7")
    def test_C19_groups(self) -> None:
        """A user's groups can't be written through the user."""
        user = self.user(groups=[{"value": "Admins"}])
        self.assertNotIn("groups", user)
        body = {"userName": "x", "groups": [{"value": "Admins"}]}
        self.json(200, self.client.put(f"/Users/{user['id']}", body))
        self.assertNotIn("groups", self.again(user))
        self.assertNotIn(user["id"], str(self.read("/Groups/Admins")))

    @row(MUST, "7643 4.1.1")
    def test_C20_unique(self) -> None:
        """A userName is unique, whatever its case."""
        self.user("someone@example.com")
        response = self.client.post("/Users", {"userName": "SOMEONE@example.com"})
        self.error(409, response, "uniqueness")

    @row(IOP, "Entra ID")
    def test_C21_as_sent(self) -> None:
        """Values come back as they were sent."""
        user = self.user(phoneNumbers=[{"value": "55555555555"}], title=" spaced ")
        self.assertEqual("55555555555", self.again(user)["phoneNumbers"][0]["value"])
        self.assertEqual(" spaced ", self.again(user)["title"])

    @row(MUST, "7643 3.3, 4.3")
    def test_C22_enterprise(self) -> None:
        """Attributes of an extension live below its URN."""
        data: Any = {
            "employeeNumber": "1",
            "costCenter": "2",
            "organization": "3",
            "division": "4",
            "department": "5",
            "manager": {"value": "bjensen"},
        }
        found = self.again(self.user(**{ENTERPRISE: data}))[ENTERPRISE]
        self.assertEqual("bjensen", found["manager"]["value"])
        self.assertEqual(data, {**found, "manager": {"value": found["manager"]["value"]}})

    @row(IOP, "Entra ID")
    def test_C23_manager(self) -> None:
        """A manager may be sent as a string."""
        user = self.user(**{ENTERPRISE: {"manager": "bjensen"}})
        self.assertEqual("bjensen", user[ENTERPRISE]["manager"]["value"])

    @row(MUST, "7643 4.1.2")
    def test_C24_multi_valued(self) -> None:
        """All multi-valued attributes of a user are kept with their sub-attributes."""
        one: Any = {"value": "v", "display": "d", "type": "t", "primary": True}
        address = {
            **{name: name for name in ("formatted", "streetAddress", "locality", "region")},
            "postalCode": "1",
            "country": "DE",
            "type": "work",
            "primary": True,
        }
        sent = {
            name: [one]
            for name in ("emails", "phoneNumbers", "ims", "photos", "entitlements", "roles")
        }
        sent["addresses"] = [address]
        found = self.again(self.user(**sent))
        self.assertEqual(sent, {name: found[name] for name in sent})

    @row(MUST, "7643 2.2, 7")
    def test_C25_singular(self) -> None:
        """All singular attributes of a user are kept."""
        sent = {
            "displayName": "d",
            "nickName": "n",
            "profileUrl": "https://x.example/p",
            "title": "t",
            "userType": "u",
            "preferredLanguage": "en-US, en;q=0.9",
            "locale": "en-US",
            "timezone": "Europe/Oslo",
            "active": False,
            "name": {
                name: name
                for name in (
                    *("formatted", "familyName", "givenName", "middleName"),
                    *("honorificPrefix", "honorificSuffix"),
                )
            },
        }
        found = self.again(self.user(**sent))
        self.assertEqual(sent, {name: found[name] for name in sent})

    @row(SHOULD, "7643 2.3.6, 4.1.2")
    def test_C26_binary(self) -> None:
        """Certificates are base64, whose case counts and which may lack its padding."""
        body = {"userName": "x", "x509Certificates": [{"value": "***"}]}
        self.error(400, self.client.post("/Users", body), "invalidValue")
        for value in ("ZGVy", "ZGVyMQ==", "ZGVyMQ"):  # padding may be left out
            user = self.user(value, x509Certificates=[{"value": value}])
            self.assertEqual(value, user["x509Certificates"][0]["value"])
        self.assertEqual([], self.ids('x509Certificates.value eq "zgvy"'))

    @row(MUST, "7643 4.2")
    def test_C27_members(self) -> None:
        """Members of a group are kept by their ids, and told with their addresses."""
        user, other = self.user(), self.user("y")
        sent = {"value": user["id"], "type": "User", "$ref": user["meta"]["location"]}
        group = self.group("g", members=[sent, {"value": other["id"]}])
        bare = {"value": other["id"], "$ref": other["meta"]["location"]}
        self.assertEqual([sent, bare], self.again(group)["members"])

    @row(SHOULD, "7643 4.1.2")
    def test_C28_groups_of_a_user(self) -> None:
        """A user shows the groups that it is a member of, with their addresses."""
        user = self.user()
        group = self.group("g", user["id"])
        found = {"value": group["id"], "display": "g", "type": "direct"}
        found["$ref"] = group["meta"]["location"]
        self.assertEqual([found], self.again(user)["groups"])

    @row(SHOULD, "7643 4.2")
    def test_C29_nested(self) -> None:
        """A group may be a member of a group."""
        inner = self.group("inner")
        outer = self.group("outer", members=[{"value": inner["id"], "type": "Group"}])
        self.assertEqual([inner["id"]], self.members(outer))

    @row(MUST, "7644 5")
    def test_C30_unicode_names(self) -> None:
        """A userName is one, in whatever case, width and form Unicode writes it."""
        user = self.user("Jos\u00e9")
        for name in ("JOSE\u0301", "jose\u0301", "\uff2a\uff2f\uff33\u00c9"):
            self.error(409, self.client.post("/Users", {"userName": name}), "uniqueness")
            self.assertEqual([user["id"]], self.ids(f'userName eq "{name}"'))
        self.assertEqual("Jos\u00e9", self.again(user)["userName"])
        self.user("Jose")

    @row(MUST, "7643 3.1")
    def test_C31_content_location(self) -> None:
        """The address in meta is that of the header Content-Location."""
        path, body = "/Users/bjensen", {"userName": "bjensen"}
        for response in (
            self.client.post("/Users", {"userName": "x"}),
            self.client.get(path),
            self.client.put(path, body),
            self.client.patch(path, add("title", "t")),
        ):
            address = response.json()["meta"]["location"]
            self.assertEqual(address, response.headers["Content-Location"])
        known = self.client.request("GET", path, headers={"If-None-Match": "*"})
        self.assertEqual(address, self.empty(304, known)["Content-Location"])
        self.assertNotIn("Content-Location", self.client.get("/Users").headers)


class CreateTests(RfcCase):
    """RFC 7644 section 3.3."""

    @row(MUST, "7644 3.3")
    def test_D01_created(self) -> None:
        """A creation is 201, with the resource and its address."""
        response = self.client.post("/Users", {"userName": "x"})
        user = self.json(201, response)
        self.assertEqual(user["meta"]["location"], response.headers["Location"])
        self.assertEqual(user, self.again(user))

    @row(MUST, "7644 3.3")
    def test_D02_duplicate(self) -> None:
        """A duplicate is 409 uniqueness."""
        self.user()
        self.error(409, self.client.post("/Users", {"userName": "x"}), "uniqueness")

    @row(MUST, "7643 4.1.1; 7644 3.12")
    def test_D03_no_user_name(self) -> None:
        """A user without userName is 400 invalidValue."""
        response = self.client.post("/Users", {"displayName": "x"})
        self.assertIn("userName", self.error(400, response, "invalidValue"))

    @row(MUST, "7643 4.1.1")
    def test_D04_empty_user_name(self) -> None:
        """An empty userName is none."""
        for value in ("", None):
            self.error(400, self.client.post("/Users", {"userName": value}), "invalidValue")

    @row(MUST, "7643 4.2")
    def test_D05_no_display_name(self) -> None:
        """A group without displayName is 400 invalidValue."""
        self.error(400, self.client.post("/Groups", {"schemas": []}), "invalidValue")

    @row(SHOULD, "7644 3.9")
    def test_D06_projection(self) -> None:
        """attributes and excludedAttributes apply to the answer of a creation."""
        body = {"userName": "x", "title": "t", "emails": [{"value": "e"}]}
        user = self.json(201, self.client.post("/Users?attributes=userName", body))
        self.assertEqual({"schemas", "id", "userName"}, set(user))
        body["userName"] = "y"
        user = self.json(201, self.client.post("/Users?excludedAttributes=emails", body))
        self.assertEqual({"schemas", "id", "userName", "title", "meta"}, set(user))

    @row(IOP, "Entra ID")
    def test_D07_same_display_name(self) -> None:
        """Two groups may have one displayName, and both are found by it."""
        ids = {self.group("same")["id"], self.group("same")["id"]}
        self.assertEqual(ids, set(self.ids('displayName eq "same"', "/Groups")))

    @row(MUST, "7643 2.5")
    def test_D08_no_members(self) -> None:
        """A group may be made with an empty list of members."""
        self.assertEqual([], self.members(self.group("g", members=[])))
