"""Endpoint attributes into SCIM and back."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from scimgw.errors import InvalidValue
from scimgw.mapping import Edit, Kind, Mapping, Rule, Slot, Unmappable, build
from scimgw.scim import resource
from scimgw.scim.changes import Changes, changed
from scimgw.scim.filter import parse_path
from scimgw.scim.path import resolve
from scimgw.scim.schema import GROUP, USER, AttributeType
from scimgw.testing import strategies

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
RULES = {
    "dn": Rule(map_to="id"),
    "uid": Rule(map_to="userName"),
    "givenName": Rule(map_to="name.givenName"),
    "mail": Rule(map_to="emails.work.value"),
    "otherMail": Rule(map_to="emails.home.value"),
    "street": Rule(map_to="addresses.work.streetAddress"),
    "city": Rule(map_to="addresses.work.locality"),
    "enabled": Rule(map_to="active", type="boolean"),
    "secret": Rule(map_to="password"),
    "department": Rule(map_to=f"{ENTERPRISE}:department"),
    "boss": Rule(map_to=f"{ENTERPRISE}.manager.managerId"),
    "role": Rule(map_to="roles.value", type="array"),
    "cert": Rule(map_to="x509Certificates.value", type="binary"),
    "phones": Rule(map_to="nickName", type="array", type_inbound="string"),
    "memberOf": Rule(map_to="groups.value", type="array"),
    "changed": Rule(map_to="meta.lastModified", type="date", format="generalizedTime"),
    "badge": Rule(map_to="badge", type="integer", custom=True, description="Number"),
    "tag": Rule(map_to="tags", type="array", custom=True),
    "sku": Rule(map_to="plans.value", type="array", custom=True),
    "desk": Rule(map_to="seat.desk", custom=True),
    "floor": Rule(map_to="seat.floor", custom=True),
    "shoe": Rule(map_to="sizes.shoe.value", custom=True),
    "hat": Rule(map_to="sizes.hat.value", custom=True),
    "car": Rule(map_to="urn:example:Fleet:2.0:User:car"),
}


def made(rules: dict[str, Rule] | None = None) -> Mapping:
    """Build the mapping of users."""
    return build(USER, RULES if rules is None else rules, computed=("groups",))


class BuildTests(SynchronousTestCase):
    """Rules, and the exact type that they make."""

    def test_exact(self) -> None:
        """The resource type holds what is mapped, and nothing else."""
        type = made().type
        self.assertEqual(
            {
                "userName",
                "name",
                "nickName",
                "active",
                "password",
                "emails",
                "addresses",
                "groups",
                "roles",
                "x509Certificates",
                "badge",
                "tags",
                "plans",
                "seat",
                "sizes",
            },
            {each.name for each in type.schema.attributes},
        )
        self.assertEqual(["schemas", "id", "meta"], [each.name for each in type.common.attributes])
        self.assertEqual(
            [ENTERPRISE, "urn:example:Fleet:2.0:User"], [e.schema.id for e in type.extensions]
        )

    def test_parts(self) -> None:
        """Of complex attributes the mapped parts are announced, with the types that have places."""
        type = made().type
        parts = {
            name: [sub.name for sub in found.sub_attributes]
            for name in ("name", "emails", "addresses", "roles", "groups", "seat", "sizes")
            if (found := type.find(name)) is not None
        }
        self.assertEqual(
            {
                "name": ["givenName"],
                "emails": ["value", "type"],
                "addresses": ["streetAddress", "locality", "type"],
                "roles": ["value"],
                "groups": ["value", "$ref", "display", "type"],
                "seat": ["desk", "floor"],
                "sizes": ["value", "type"],
            },
            parts,
        )
        emails = type.find("emails")
        assert emails is not None
        self.assertTrue(emails.one_per_type)
        kind = emails.find("type")
        assert kind is not None
        self.assertEqual((("work", "home"), True), (kind.canonical_values, kind.required))

    def test_own(self) -> None:
        """An attribute of one's own is typed and described as its rule says."""
        badge = made().type.find("badge")
        assert badge is not None
        self.assertEqual((AttributeType.INTEGER, "Number"), (badge.type, badge.description))
        tags = made().type.find("tags")
        assert tags is not None
        self.assertTrue(tags.multi_valued)

    def test_external_id(self) -> None:
        """ExternalId is there if something maps to it."""
        rules = {"uid": Rule(map_to="userName"), "number": Rule(map_to="externalId")}
        self.assertIsNotNone(made(rules).type.find("externalId"))
        self.assertIsNone(made().type.find("externalId"))

    def test_faults(self) -> None:
        """Every rule that can't be followed is told, with its attribute and the reason."""
        for rule, reason in (
            (Rule(map_to="userNmae"), "has no attribute 'userNmae'"),
            (Rule(map_to="name"), "complex: name a part"),
            (Rule(map_to="emails"), "complex: name a part"),
            (Rule(map_to="emails.display"), "say of which type"),
            (Rule(map_to="emails.value"), "needs an array"),
            (Rule(map_to="emails.work.type"), "has no 'work.type'"),
            (Rule(map_to="name.nope"), "has no 'nope'"),
            (Rule(map_to="title.x"), "has no 'x'"),
            (Rule(map_to="a.b.c.d"), "isn't a SCIM path"),
            (Rule(map_to="9"), "isn't a SCIM path"),
            (Rule(map_to="groups.display"), "say of which type"),
            (Rule(map_to="title", type="array"), "joins an array"),
            (Rule(map_to="title", type="date"), "a date needs a format"),
            (Rule(map_to="active"), "a value of type string can't be active"),
            (Rule(map_to="schemas", type="array"), "schemas is"),
            (Rule(map_to="uid", custom=False), "has no attribute 'uid'"),
            (Rule(map_to="userName"), "uid maps to userName already"),
            (Rule(map_to="id"), "dn is the id already"),
            (Rule(map_to=f"{ENTERPRISE}:manager.$ref"), "manager.$ref is made for each answer"),
            (Rule(map_to=f"{ENTERPRISE}:manager.displayName"), "readOnly"),
        ):
            rules = {"dn": Rule(map_to="id"), "uid": Rule(map_to="userName"), "x": rule}
            ((name, fault),) = self.assertRaises(Unmappable, made, rules).faults
            self.assertEqual("x", name, fault)
            self.assertIn(reason, fault)

    def test_faults_of_the_whole(self) -> None:
        """A required attribute needs a rule, and types need the same parts."""
        uid = Rule(map_to="userName")
        for rules, reason in (
            ({"x": Rule(map_to="title")}, "userName is required"),
            (
                {
                    "uid": uid,
                    "a": Rule(map_to="addresses.work.locality"),
                    "b": Rule(map_to="addresses.home.region"),
                },
                "work lacks region",
            ),
            (
                {
                    "uid": uid,
                    "a": Rule(map_to="emails.value", type="array"),
                    "b": Rule(map_to="emails.work.value"),
                },
                "both a list and",
            ),
        ):
            ((_, fault),) = self.assertRaises(Unmappable, made, rules).faults
            self.assertIn(reason, fault)


ENTRY: dict[str, list[Any]] = {
    "uid": ["bjensen"],
    "givenname": ["Babs"],
    "mail": ["w@x"],
    "street": ["1 Way"],
    "enabled": ["TRUE"],
    "department": ["Tours"],
    "boss": ["jsmith"],
    "role": ["a", "b"],
    "cert": [b"abc"],
    "phones": ["1", "2"],
    "memberof": ["g"],
    "changed": ["20110513044234Z"],
    "badge": ["7"],
    "tag": ["t"],
    "sku": ["s"],
    "desk": ["d"],
    "hat": ["57"],
    "car": ["bus"],
    "stranger": ["x"],
}
BABS: dict[str, Any] = {
    "userName": "bjensen",
    "name": {"givenName": "Babs"},
    "emails": [{"type": "work", "value": "w@x"}],
    "addresses": [{"type": "work", "streetAddress": "1 Way"}],
    "active": True,
    ENTERPRISE: {"department": "Tours", "manager": {"value": "jsmith"}},
    "roles": [{"value": "a"}, {"value": "b"}],
    "x509Certificates": [{"value": "YWJj"}],
    "nickName": "1,2",
    "groups": [{"value": "g"}],
    "meta": {"lastModified": "2011-05-13T04:42:34Z"},
    "badge": 7,
    "tags": ["t"],
    "plans": [{"value": "s"}],
    "seat": {"desk": "d"},
    "sizes": [{"type": "hat", "value": "57"}],
    "urn:example:Fleet:2.0:User": {"car": "bus"},
}


class TranslateTests(SynchronousTestCase):
    """Values in both directions."""

    def refuse(self, slot: Slot, fault: ValueError) -> None:
        """Fail, since nothing is unreadable here."""
        self.fail(f"{slot.name}: {fault}")

    def test_to_scim(self) -> None:
        """Each attribute goes where its rule says."""
        self.assertEqual(BABS, made().to_scim(ENTRY, self.refuse))

    def test_nothing(self) -> None:
        """An attribute without values, or with an empty one, is no value."""
        self.assertEqual({}, made().to_scim({"uid": [], "givenname": [""]}, self.refuse))

    def test_unreadable(self) -> None:
        """What isn't as its rule says is told and left out; the rest is there."""
        told: list[str] = []
        found = made().to_scim(
            {"enabled": ["perhaps"], "uid": ["x"]}, lambda slot, _: told.append(slot.name)
        )
        self.assertEqual(({"userName": "x"}, ["enabled"]), (found, told))

    def test_to_endpoint(self) -> None:
        """And back, but for what the endpoint computes."""
        data = {name: value for name, value in BABS.items() if name not in {"groups", "meta"}}
        names = {each.lower(): each for each in RULES}
        expected = {
            names[key]: tuple(values)
            for key, values in ENTRY.items()
            if key not in {"memberof", "changed", "stranger"}
        }
        self.assertEqual(expected, made().to_endpoint(data))

    def test_refused(self) -> None:
        """A value that the endpoint's type can't hold is invalidValue; a secret isn't repeated."""
        rules = {"uid": Rule(map_to="userName"), "n": Rule(map_to="title,password", type="integer")}
        mapping = made(rules)
        for name in ("title", "password"):
            error = self.assertRaises(InvalidValue, mapping.to_endpoint, {name: "hostile"})
            self.assertTrue(error.detail.startswith(f"{name} must be an integer"), error.detail)
            self.assertEqual(name == "title", "hostile" in error.detail)

    def test_one_to_many(self) -> None:
        """One attribute may be several of SCIM's, which then must agree."""
        rules = {"mail": Rule(map_to="userName, emails.work.value")}
        mapping = made(rules)
        data = {"userName": "x", "emails": [{"type": "work", "value": "x"}]}
        self.assertEqual(data, mapping.to_scim({"mail": ["x"]}, self.refuse))
        self.assertEqual({"mail": ("x",)}, mapping.to_endpoint(data))
        self.assertEqual({"mail": ("x",)}, mapping.to_endpoint({"userName": "x"}))
        self.assertRaises(InvalidValue, mapping.to_endpoint, {**data, "userName": "y"})

    def test_reversible(self) -> None:
        """What is written is read back, whatever it is."""
        mapping = made()

        @settings(max_examples=200, deadline=None)
        @given(strategies.bodies(mapping.type), st.sampled_from(strategies.TEXTS))
        def check(body: dict[str, Any], name: str) -> None:
            body.pop("nickName", None)  # joined: commas in its values part them
            data = dict(resource.parse(mapping.type, {"userName": name, **body}, self.fail).data)
            del data["schemas"]
            written = {key.lower(): raws for key, raws in mapping.to_endpoint(data).items()}
            read = mapping.to_scim(written, self.refuse)
            for kept in (read, data):
                for values in kept.values():
                    if isinstance(values, list) and "type" in values[0]:
                        values.sort(key=lambda each: str(each["type"]))
            self.assertEqual(data, read)

        check()


class EditTests(SynchronousTestCase):
    """Changes in the endpoint's words."""

    def test_edits(self) -> None:
        """What is set replaces, what is cleared is replaced by nothing, values come and go."""
        mapping = made()
        type = mapping.type
        work = parse_path('emails[type eq "work"].value', type)
        roles, tags = resolve(type, "roles"), resolve(type, "tags")
        changes = Changes(
            set={work: "n", resolve(type, "active"): False, tags: ["a", "b"]},
            clear=frozenset({resolve(type, "name.givenName")}),
            add={roles: [{"value": "new"}]},
            remove={roles: [{"value": "old"}]},
        )
        self.assertEqual(
            [
                Edit(Kind.REPLACE, "givenName", ()),
                Edit(Kind.REPLACE, "mail", ("n",)),
                Edit(Kind.REPLACE, "enabled", ("FALSE",)),
                Edit(Kind.REPLACE, "tag", ("a", "b")),
                Edit(Kind.REMOVE, "role", ("old",)),
                Edit(Kind.ADD, "role", ("new",)),
            ],
            mapping.edits(changes),
        )

    def test_disagreement(self) -> None:
        """Two SCIM attributes in one place can't be set to different values."""
        mapping = made({"mail": Rule(map_to="userName,title")})
        name, title = resolve(mapping.type, "userName"), resolve(mapping.type, "title")
        self.assertEqual(
            [Edit(Kind.REPLACE, "mail", ("x",))],
            mapping.edits(Changes(set={name: "x", title: "x"})),
        )
        self.assertRaises(InvalidValue, mapping.edits, Changes(set={name: "x", title: "y"}))

    def test_carried_out_is_read(self) -> None:
        """To replace in the endpoint what Changes set has the effect that they describe."""
        mapping = made()
        data = {"userName": "x", "emails": [{"type": "work", "value": "a"}]}
        work = parse_path('emails[type eq "work"].value', mapping.type)
        changes = Changes(set={work: "b"}, clear=frozenset({resolve(mapping.type, "active")}))
        entry = {name.lower(): raws for name, raws in mapping.to_endpoint(data).items()}
        for edit in mapping.edits(changes):
            entry[edit.name.lower()] = edit.values
        read = mapping.to_scim(entry, lambda _slot, fault: self.fail(str(fault)))
        self.assertEqual(
            changed(mapping.type, data, changes), {**read, "schemas": [USER.schema.id]}
        )


class LookTests(SynchronousTestCase):
    """Which attributes a filter compares, and which are fetched."""

    def compared(self, text: str) -> list[str]:
        """Name the attributes that a filter on a path is about."""
        mapping = made()
        return [slot.name for slot in mapping.compared(parse_path(text, mapping.type))]

    def test_compared(self) -> None:
        """A path without its type is about every place; a part that isn't kept is about none."""
        for text, names in {
            "userName": ["uid"],
            "name.givenName": ["givenName"],
            "emails.value": ["mail", "otherMail"],
            'emails[type eq "work"].value': ["mail"],
            "emails.type": [],
            "roles.value": ["role"],
            "tags": ["tag"],
            "groups.value": ["memberOf"],
            "groups.display": [],
            "meta.lastModified": ["changed"],
            "meta.version": [],
            f"{ENTERPRISE}:manager.value": ["boss"],
        }.items():
            self.assertEqual(names, self.compared(text), text)

    def test_names(self) -> None:
        """What is asked for is fetched, never a secret, and by default all the rest."""
        mapping = made()
        wanted = frozenset({resolve(mapping.type, "emails.value"), resolve(mapping.type, "active")})
        self.assertEqual(("mail", "otherMail", "enabled"), mapping.names(wanted))
        self.assertEqual({*RULES} - {"dn", "secret"}, {*mapping.names(None)})

    def test_group(self) -> None:
        """Members that aren't asked for aren't fetched."""
        rules = {
            "cn": Rule(map_to="displayName"),
            "member": Rule(map_to="members.value", type="array"),
        }
        mapping = build(GROUP, rules)
        self.assertEqual(("cn",), mapping.names(frozenset({resolve(mapping.type, "displayName")})))
        self.assertEqual(("cn", "member"), mapping.names(None))
        self.assertIsNone(mapping.id_name)
