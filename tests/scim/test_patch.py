"""PATCH: RFC 7644 section 3.5.2, from the message to the resource."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from scimgw.errors import InvalidPath, InvalidSyntax, InvalidValue, NoTarget, ScimError
from scimgw.errors import Mutability as NotMutable
from scimgw.scim import patch, resource
from scimgw.scim.changes import Changes, changed, joined, replay, value_at
from scimgw.scim.direct import by_attribute, direct
from scimgw.scim.filter import parse_path
from scimgw.scim.path import resolve
from scimgw.scim.places import places
from scimgw.scim.schema import (
    GROUP,
    USER,
    Attribute,
    AttributeType,
    Extension,
    Mutability,
    ResourceType,
    Schema,
)
from scimgw.testing import reference, strategies
from tests.fakes.placed import PLACED
from tests.scim.samples import BABS, CORE, ENTERPRISE, refuse

Json = dict[str, Any]

COMPLEX = AttributeType.COMPLEX
THING = ResourceType(
    name="Thing",
    endpoint="/Things",
    schema=Schema(
        id="urn:test:Thing",
        name="Thing",
        attributes=(
            Attribute(name="tags", multi_valued=True),
            Attribute(name="exact", multi_valued=True, case_exact=True, required=True),
            Attribute(name="serial", mutability=Mutability.IMMUTABLE),
            Attribute(name="marks", multi_valued=True, mutability=Mutability.IMMUTABLE),
            Attribute(
                name="box",
                type=COMPLEX,
                required=True,
                sub_attributes=(
                    Attribute(name="size", required=True),
                    Attribute(name="seal", mutability=Mutability.IMMUTABLE),
                    Attribute(name="weight", mutability=Mutability.READ_ONLY),
                ),
            ),
            Attribute(
                name="owner",
                type=COMPLEX,
                sub_attributes=(
                    Attribute(name="value"),
                    Attribute(name="$ref", type=AttributeType.REFERENCE),
                    Attribute(name="display", mutability=Mutability.READ_ONLY),
                    Attribute(name="note"),
                    Attribute(name="phones", multi_valued=True),
                ),
            ),
            Attribute(
                name="links",
                type=COMPLEX,
                multi_valued=True,
                sub_attributes=(
                    Attribute(name="value", mutability=Mutability.IMMUTABLE),
                    Attribute(name="note"),
                ),
            ),
            Attribute(
                name="parts",
                type=COMPLEX,
                multi_valued=True,
                sub_attributes=(Attribute(name="name", required=True), Attribute(name="note")),
            ),
        ),
    ),
    extensions=(
        Extension(
            Schema(
                id="urn:test:Label",
                name="Label",
                attributes=(
                    Attribute(name="label"),
                    Attribute(name="stamp", mutability=Mutability.READ_ONLY),
                ),
            )
        ),
    ),
)


def parsed(type: ResourceType, *operations: Json, unknown: list[str] | None = None) -> list[Any]:
    """Read operations."""
    message = {"schemas": [patch.PATCH_OP], "Operations": list(operations)}
    return patch.parse(type, message, refuse if unknown is None else unknown.append)


def patched(
    type: ResourceType, data: Json, *operations: Json, unknown: list[str] | None = None
) -> Json:
    """Carry operations out, without reading what needn't be read."""
    parts = []
    for root, own in by_attribute(parsed(type, *operations, unknown=unknown)).items():
        changes = direct(own)
        parts.append(replay(own, value_at(data, root)) if changes is None else changes)
    return changed(type, data, joined(parts))


def op(op: str, path: str | None = None, value: Any = None) -> Json:
    """Spell an operation."""
    spelled: Json = {"op": op}
    if path is not None:
        spelled["path"] = path
    if value is not None or op != "remove":
        spelled["value"] = value
    return spelled


class MessageTests(SynchronousTestCase):
    """The message around the operations."""

    def test_refused_messages(self) -> None:
        """What isn't a PatchOp message is invalidSyntax."""
        add = op("add", "title", "x")
        bodies: tuple[Any, ...] = (
            None,
            [],
            "x",
            {"Operations": [add]},
            {"schemas": [CORE], "Operations": [add]},
            {"schemas": patch.PATCH_OP, "Operations": [add]},
            {"schemas": [patch.PATCH_OP]},
            {"schemas": [patch.PATCH_OP], "Operations": []},
            {"schemas": [patch.PATCH_OP], "Operations": add},
            {"schemas": [patch.PATCH_OP], "Operations": ["add"]},
            {"schemas": [patch.PATCH_OP], "Operations": [{"path": "title", "value": "x"}]},
            {"schemas": [patch.PATCH_OP], "Operations": [{**add, "op": "move"}]},
            {"schemas": [patch.PATCH_OP], "Operations": [{**add, "op": None}]},
        )
        for body in bodies:
            self.assertRaises(InvalidSyntax, patch.parse, USER, body, refuse)

    def test_names_have_no_case(self) -> None:
        """The names of members, and operators, are read in whatever case."""
        message = {
            "SCHEMAS": [patch.PATCH_OP.upper()],
            "operations": [{"OP": "Replace", "Path": "TITLE", "VALUE": "x"}],
        }
        (operation,) = patch.parse(USER, message, refuse)
        self.assertEqual(
            ("replace", "title", "x"), (operation.op.value, str(operation.path), operation.value)
        )

    def test_refused_operations(self) -> None:
        """What an operation can't mean is refused, each fault by its name."""
        for operation, error in (
            ({"op": "add", "path": "title"}, InvalidValue),
            ({"op": "replace", "path": "title"}, InvalidValue),
            ({"op": "add", "path": 5, "value": "x"}, InvalidPath),
            (op("replace", "emails[type eq", "x"), InvalidPath),
            (op("replace", "name..x", "x"), InvalidPath),
            (op("replace", 'emails[password eq "x"]', "x"), None),
            (op("remove"), NoTarget),
            (op("add", None, "x"), InvalidValue),
            (op("add", None, ["x"]), InvalidValue),
            (op("add", ENTERPRISE, "x"), InvalidValue),
            (op("replace", "active", "banana"), InvalidValue),
            (op("replace", "name", "text"), InvalidValue),
            (op("replace", "title", ["a", "b"]), InvalidValue),
            (op("replace", "emails", [5]), InvalidValue),
            (
                op(
                    "add",
                    "emails",
                    [{"value": "a", "primary": True}, {"value": "b", "primary": True}],
                ),
                InvalidValue,
            ),
            (op("add", 'emails[type eq "work"]', [{"value": "a"}, {"value": "b"}]), InvalidValue),
            (op("replace", "id", "x"), NotMutable),
            (op("remove", "id"), NotMutable),
            (op("replace", "meta.created", "2011-05-13T04:42:34Z"), NotMutable),
            (op("add", "groups", [{"value": "x"}]), NotMutable),
            (op("remove", "userName"), NotMutable),
            (op("replace", "userName", ""), NotMutable),
            (op("replace", f"{ENTERPRISE}:manager.displayName", "x"), NotMutable),
        ):
            if error is not None:
                self.assertRaises(error, parsed, USER, operation)

    def test_unknown_is_told_and_ignored(self) -> None:
        """What no schema has is told, and means nothing."""
        unknown: list[str] = []
        operations = parsed(
            USER,
            op("add", "nope", "x"),
            op("add", 'emails[nope eq "x"].value', "x"),
            op("add", "urn:custom:User:tag", "x"),
            op(
                "add",
                None,
                {"nope": 1, "a..b": 2, "id": "x", "schemas": [], "groups": [], "title": "t"},
            ),
            op("add", ENTERPRISE, {"nope": 1, "division": "d"}),
            op("add", "emails", [{"value": "a", "nope": 1}]),
            op("add", "schemas", [CORE]),
            unknown=unknown,
        )
        self.assertEqual(
            [
                "nope",
                'emails[nope eq "x"].value',
                "urn:custom:User:tag",
                "nope",
                "a..b",
                f"{ENTERPRISE}:nope",
                "emails.nope",
            ],
            unknown,
        )
        self.assertEqual(
            ["title", f"{ENTERPRISE}:division", "emails"], [str(each.path) for each in operations]
        )


class UserTests(SynchronousTestCase):
    """What operations make of a user."""

    def assert_patched(self, expected: Json, *operations: Json) -> None:
        """Check what operations change; None as a value means that the attribute has gone."""
        after = patched(USER, BABS, *operations)
        wanted = {**BABS, **expected}
        self.assertEqual(
            {name: value for name, value in wanted.items() if value is not None}, after
        )

    def test_singular(self) -> None:
        """Add and replace set, remove clears, null and an empty string clear too."""
        self.assert_patched({"title": "x"}, op("add", "title", "x"))
        self.assert_patched({"displayName": "x"}, op("replace", f"{CORE}:displayName", "x"))
        self.assert_patched({"displayName": None}, op("remove", "displayName"))
        self.assert_patched({"displayName": None}, op("replace", "displayName"))
        self.assert_patched({"displayName": None}, op("replace", "displayName", ""))
        self.assert_patched({"active": False}, op("Replace", "active", "False"))
        self.assert_patched({"title": "b"}, op("add", "title", "a"), op("replace", "title", "b"))
        self.assert_patched({}, op("add", "title", "a"), op("remove", "title"))

    def test_complex(self) -> None:
        """Of a complex attribute only what is named changes."""
        self.assert_patched(
            {"name": {"familyName": "Jensen", "givenName": "B", "middleName": "J"}},
            op("replace", "name", {"givenName": "B", "MiddleName": "J"}),
        )
        self.assert_patched(
            {"name": {"familyName": "Jensen"}}, op("replace", "name", {"givenName": None})
        )
        self.assert_patched({"name": {"familyName": "Jensen"}}, op("remove", "name.givenName"))
        self.assert_patched({"name": None}, op("remove", "name"))
        self.assert_patched({"name": None}, op("replace", "name", None))
        self.assert_patched(
            {"name": {"familyName": "J", "givenName": "Barbara"}}, op("add", "name.familyName", "J")
        )

    def test_without_path(self) -> None:
        """The object stands for the resource; its names may be dotted or qualified."""
        self.assert_patched(
            {
                "title": "t",
                "name": {"familyName": "Jensen", "givenName": "B"},
                ENTERPRISE: {**BABS[ENTERPRISE], "employeeNumber": "7", "division": "d"},
                "emails": [{"value": "n", "type": "work"}],
            },
            op(
                "replace",
                None,
                {
                    "title": "t",
                    "name.givenName": "B",
                    f"{ENTERPRISE}:employeeNumber": "7",
                    ENTERPRISE: {"division": "d"},
                    "emails": [{"value": "n", "type": "work"}],
                },
            ),
        )

    def test_extension(self) -> None:
        """An extension goes with all that it holds, also from schemas."""
        self.assert_patched({ENTERPRISE: None, "schemas": [CORE]}, op("remove", ENTERPRISE))
        self.assert_patched(
            {ENTERPRISE: {"employeeNumber": "701984"}}, op("remove", f"{ENTERPRISE}:manager")
        )

    def test_manager(self) -> None:
        """A new manager isn't described by what described the former one."""
        held = {"employeeNumber": "701984"}
        for operation in (
            op("add", f"{ENTERPRISE}:manager", "7"),
            op("replace", "manager", [{"$ref": None, "value": "7"}]),
            op("replace", f"{ENTERPRISE}:manager.value", "7"),
            op("replace", "manager.value", [{"$ref": None, "value": "7"}]),
            op("add", None, {"manager": {"value": "7"}}),
        ):
            self.assert_patched({ENTERPRISE: {**held, "manager": {"value": "7"}}}, operation)

    def test_reference(self) -> None:
        """What a client has said of a reference itself stays, whatever it refers to."""
        held = {"owner": {"value": "1", "$ref": "../1", "display": "One", "note": "n"}}
        for operation in (op("replace", "owner.value", "2"), op("add", "owner", {"value": "2"})):
            after = patched(THING, held, operation)
            self.assertEqual({"value": "2", "note": "n"}, after["owner"])

    def test_address(self) -> None:
        """The address of a manager isn't kept; without a value, it names one."""
        for value in (
            {"value": "7", "$ref": "../Users/7"},
            {"value": "7", "$ref": "https://elsewhere.example/Users/8"},
            {"value": "7", "$ref": 5},
            {"$ref": "https://gateway.example/v2/Users/7?x=y#z"},
            {"$REF": "../Users/%37/"},
        ):
            manager = {"employeeNumber": "701984", "manager": {"value": "7"}}
            self.assert_patched({ENTERPRISE: manager}, op("add", "manager", value))
        for op_ in ("add", "replace"):
            self.assert_patched(
                {ENTERPRISE: manager}, op(op_, "manager.$ref", "https://gateway.example/Users/7")
            )
        self.assert_patched({}, op("remove", f"{ENTERPRISE}:manager.$ref"))
        self.assert_patched({}, op("replace", f"{ENTERPRISE}:manager.$ref", None))
        self.assert_patched({}, op("replace", "manager", {"$ref": None}))

    def test_add_values(self) -> None:
        """Values are appended, each once; what is said of one that is there is added to it."""
        home, work = BABS["emails"]
        other = {"value": "x", "type": "other"}
        self.assert_patched({"emails": [home, work, other]}, op("add", "emails", [other]))
        self.assert_patched(
            {"emails": [home, work, other]}, op("add", "emails", other), op("add", "emails", other)
        )
        self.assert_patched({}, op("add", "emails", [home]))
        self.assert_patched({}, op("add", "emails", []))
        self.assert_patched(
            {"emails": [home, {**work, "display": "d"}]},
            op("add", "emails", [{**work, "display": "d"}]),
        )

    def test_one_primary(self) -> None:
        """What is made primary takes that from the value that was."""
        home, work = BABS["emails"]
        new = {"value": "x", "primary": True}
        without = {**work, "primary": False}
        self.assert_patched({"emails": [home, without, new]}, op("add", "emails", [new]))
        self.assert_patched(
            {"emails": [{**home, "primary": True}, without]},
            op("replace", 'emails[type eq "home"].primary', value=True),
        )
        self.assert_patched(
            {"emails": [home, without, {"type": "other", "primary": True}]},
            op("add", 'emails[type eq "other"].primary', value=True),
        )
        both = op("add", "emails.primary", value=True)
        self.assertRaises(InvalidValue, patched, USER, BABS, both)

    def test_replace_values(self) -> None:
        """All values are replaced; no values clear."""
        new = {"value": "x"}
        self.assert_patched({"emails": [new]}, op("replace", "emails", [new]))
        self.assert_patched({"emails": None}, op("replace", "emails", []))
        self.assert_patched({"emails": None}, op("replace", "emails"))
        self.assert_patched({"emails": [new]}, op("remove", "emails"), op("add", "emails", new))

    def test_remove_values(self) -> None:
        """All values go, or those selected, or those listed."""
        home, work = BABS["emails"]
        self.assert_patched({"emails": None}, op("remove", "emails"))
        self.assert_patched({"emails": [work]}, op("remove", 'emails[type eq "home"]'))
        self.assert_patched(
            {"emails": [work]}, op("remove", "emails", [{"value": "BABS@jensen.org"}])
        )
        self.assert_patched(
            {}, op("remove", "emails", [{"value": "babs@jensen.org", "type": "work"}])
        )
        self.assert_patched({}, op("remove", 'emails[type eq "fax"]'))
        self.assert_patched({"emails": [home]}, op("replace", 'emails[type eq "work"]', None))

    def test_selected(self) -> None:
        """A value filter says which values change, and what of them."""
        home, work = BABS["emails"]
        self.assert_patched(
            {"emails": [home, {**work, "value": "n"}]},
            op("replace", 'emails[type eq "work"].value', "n"),
        )
        self.assert_patched(
            {"emails": [home, {"type": "work", "value": "n"}]},
            op("replace", 'emails[type eq "work"]', {"value": "n"}),
        )
        self.assert_patched(
            {"emails": [home, {**work, "display": "d"}]},
            op("add", 'emails[type eq "work"]', [{"display": "d"}]),
        )
        self.assert_patched(
            {"emails": [home, {k: v for k, v in work.items() if k != "primary"}]},
            op("remove", "emails.primary"),
        )
        self.assert_patched({"emails": [work]}, op("remove", 'emails[type eq "home"].value'))
        self.assert_patched({"emails": None}, op("remove", "emails.value"))
        self.assert_patched({"emails": None}, op("replace", "emails.value", ""))

    def test_created(self) -> None:
        """Add makes the value that its filter describes, part by part; replace doesn't."""
        self.assert_patched(
            {"addresses": [{"type": "work", "primary": True, "locality": "Oslo", "country": "NO"}]},
            op("add", 'addresses[type eq "work" and primary eq true].locality', "Oslo"),
            op("add", 'addresses[type eq "work"].country', "NO"),
        )
        self.assert_patched(
            {"phoneNumbers": [{"value": "1"}]}, op("replace", "phoneNumbers.value", "1")
        )
        self.assert_patched(
            {"roles": [{"primary": True, "value": "a"}]},
            op("add", 'roles[primary eq "True"].value', "a"),
        )
        for operation in (
            op("replace", 'emails[type eq "fax"].value', "x"),
            op("replace", 'emails[type eq "fax"]', {"value": "x"}),
        ):
            self.assertRaises(NoTarget, patched, USER, BABS, operation)
        self.assert_patched(
            {"emails": [*BABS["emails"], {"value": "x"}]},
            op("add", 'emails[type ne "work" and type ne "home"].value', "x"),
        )
        self.assertRaises(NoTarget, patched, USER, {}, op("add", 'emails[type sw "w"].value', "x"))

    def test_same_value_twice(self) -> None:
        """Two values that become the same are one."""
        self.assert_patched(
            {"emails": [{"value": "x", "type": "home", "primary": True}]},
            op("replace", "emails.type", "home"),
            op("replace", "emails.value", "x"),
        )

    def test_order(self) -> None:
        """Operations build on each other; one that would fail isn't forgiven by a later one."""
        self.assert_patched(
            {"emails": [{"value": "b", "type": "work"}]},
            op("replace", "emails", [{"value": "a", "type": "work"}, {"value": "c"}]),
            op("replace", 'emails[type eq "work"].value', "b"),
            op("remove", 'emails[value eq "c"]'),
        )
        self.assertRaises(
            NoTarget,
            patched,
            USER,
            BABS,
            op("replace", 'emails[type eq "fax"].value', "x"),
            op("remove", "emails"),
        )

    def test_too_much(self) -> None:
        """Operations that would look at values without end are refused."""
        listed = [{"value": str(number), "type": "work"} for number in range(300)]
        for operations in (
            [op("add", "emails", [each]) for each in listed],
            [op("add", "emails", listed), op("remove", "emails", listed)],
        ):
            self.assertRaises(InvalidValue, patched, USER, BABS, *operations)
        shown = [op("replace", 'emails[value eq "0"].display', f"{each}") for each in range(300)]
        self.assertRaises(InvalidValue, patched, USER, {"emails": listed}, *shown)
        patched(USER, {"emails": listed}, *shown[:30])
        patched(USER, BABS, op("add", "emails", listed))
        patched(USER, BABS, *(op("add", "emails", [each]) for each in listed[:100]))

    def test_outdone_but_wrong(self) -> None:
        """What can't be carried out fails the request, also if it would have been undone."""
        held = {"emails": [{"value": "a", "primary": True}]}
        operations = (
            op("add", "emails", [{"value": "a"}, {"value": "b", "primary": True}]),
            op("remove", "emails"),
        )
        self.assertRaises(InvalidValue, patched, USER, held, *operations)

    def test_generated(self) -> None:
        """Whatever the user and the operations, the outcome is that of the plain evaluation."""

        @settings(max_examples=300, deadline=None)
        @given(
            strategies.bodies(USER), st.lists(strategies.operations(USER), min_size=1, max_size=4)
        )
        def check(data: Json, operations: list[Json]) -> None:
            before = dict(data)
            try:
                wanted: object = reference.patched(USER, data, operations)
            except reference.Refused as refusal:
                wanted = str(refusal)
            try:
                found: object = {
                    name: value
                    for name, value in patched(USER, data, *operations).items()
                    if name != "schemas"
                }
            except ScimError as error:
                found = error.scim_type
            self.assertEqual(reference.in_no_order(wanted), reference.in_no_order(found))
            self.assertEqual(before, data)

        check()


class GroupTests(SynchronousTestCase):
    """Members, which need no reading."""

    def changes(self, *operations: Json) -> Changes:
        """Work changes out without the group."""
        (own,) = by_attribute(parsed(GROUP, *operations)).values()
        changes = direct(own)
        assert changes is not None
        return changes

    def assert_changes(self, expected: Json, *operations: Json) -> None:
        """Check what is added, removed, set or cleared."""
        changes = self.changes(*operations)
        found: Json = {}
        for kind in ("set", "add", "remove"):
            for path, values in getattr(changes, kind).items():
                found[kind] = (str(path), [each["value"] for each in values])
        if changes.clear:
            found["clear"] = {str(path) for path in changes.clear}
        self.assertEqual(expected, found)

    def test_each_form(self) -> None:
        """Members come and go by value, in every form that clients send."""
        a, b = {"value": "a"}, {"value": "b"}
        self.assert_changes({"add": ("members", ["a", "b"])}, op("add", "members", [a, b]))
        self.assert_changes({"add": ("members", ["a"])}, op("add", "members", "a"))
        self.assert_changes({"add": ("members", ["a", "b"])}, op("add", "members", ["a", "b"]))
        self.assert_changes(
            {"add": ("members", ["a"])}, op("add", "members", [{**a, "$ref": None}])
        )
        self.assert_changes({"remove": ("members", ["a"])}, op("remove", 'members[value eq "a"]'))
        self.assert_changes(
            {"remove": ("members", ["a", "b"])},
            op("remove", 'members[value eq "a" or value eq "b"]'),
        )
        self.assert_changes({"remove": ("members", ["a"])}, op("remove", "members", [a]))
        self.assert_changes({}, op("remove", "members", []))
        self.assert_changes({"clear": {"members"}}, op("remove", "members"))
        self.assert_changes({"set": ("members", ["a"])}, op("replace", "members", [a]))
        self.assert_changes({"clear": {"members"}}, op("replace", "members", []))

    def test_in_order(self) -> None:
        """What comes later counts."""
        a, b = {"value": "a"}, {"value": "b"}
        self.assert_changes(
            {"remove": ("members", ["a"])}, op("add", "members", [a]), op("remove", "members", [a])
        )
        self.assert_changes(
            {"add": ("members", ["a"])}, op("remove", "members", [a]), op("add", "members", [a])
        )
        self.assert_changes(
            {"set": ("members", ["b"])}, op("remove", "members"), op("add", "members", [b])
        )
        self.assert_changes(
            {"set": ("members", ["b"])},
            op("replace", "members", [a, b]),
            op("remove", 'members[value eq "a"]'),
        )
        self.assert_changes(
            {"set": ("members", ["b"])},
            op("replace", "members", [a, b]),
            op("remove", "members", [a]),
        )

    def test_many(self) -> None:
        """Thousands of members, also one by one after all others were removed, take no time."""
        many = [{"value": str(number)} for number in range(5000)]
        names = [each["value"] for each in many]
        each_its_own = [op("add", "members", [member]) for member in many]
        self.assert_changes({"set": ("members", names)}, op("remove", "members"), *each_its_own)
        self.assert_changes(
            {"set": ("members", names)}, op("remove", "members"), op("add", "members", many)
        )
        self.assert_changes(
            {"set": ("members", names[1:])},
            op("replace", "members", many),
            op("remove", "members", many[:1]),
            op("add", "members", many[1:]),
        )
        self.assert_changes({"add": ("members", names)}, *each_its_own)
        replaced = patched(
            GROUP,
            {"members": many},
            op("remove", "members", many[2:]),
            op("remove", 'members[type eq "x"]'),
        )
        self.assertEqual(many[:2], replaced["members"])

    def test_needs_reading(self) -> None:
        """What selects members by something else than their value depends on what there is."""
        for operation in (
            op("remove", 'members[type eq "User"]'),
            op("remove", 'members[value eq "a" and type eq "User"]'),
            op("add", 'members[value eq "a"]', {"value": "a"}),
        ):
            (own,) = by_attribute(parsed(GROUP, operation)).values()
            self.assertIsNone(direct(own), operation)

    def test_immutable(self) -> None:
        """A member isn't changed, and has an id."""
        for path in (
            'members[value eq "a"].value',
            'members[value eq "a"].display',
            "members.type",
        ):
            self.assertRaises(NotMutable, parsed, GROUP, op("replace", path, "x"))
        display = op("remove", 'members[value eq "a"].display')
        self.assertRaises(NotMutable, parsed, GROUP, display)
        self.assertRaises(InvalidValue, parsed, GROUP, op("add", "members", [{"type": "User"}]))


class ThingTests(SynchronousTestCase):
    """Characteristics that users and groups don't have."""

    DATA: Json = {  # noqa: RUF012 - never changed
        "schemas": ["urn:test:Thing"],
        "tags": ["a", "b"],
        "exact": ["a"],
        "serial": "1",
        "marks": ["m"],
        "box": {"size": "9", "seal": "s", "weight": "5"},
    }

    def test_values_of_one(self) -> None:
        """A sub-attribute has several values, each once, added to those that there are."""
        adding = [op("add", "owner.phones", each) for each in ("1", "2", "1")]
        self.assertEqual({"phones": ["1", "2"]}, patched(THING, self.DATA, *adding)["owner"])

    def test_simple_values(self) -> None:
        """Simple values are added, removed and selected as themselves."""
        for expected, operation in (
            (["a", "b", "c"], op("add", "tags", ["A", "c"])),
            (["b"], op("remove", "tags", ["A"])),
            (["b"], op("remove", 'tags[value eq "a"]')),
            (["a"], op("remove", 'tags[value sw "b"]')),
        ):
            self.assertEqual(expected, patched(THING, self.DATA, operation)["tags"])
        self.assertEqual(["a", "A"], patched(THING, self.DATA, op("add", "exact", "A"))["exact"])
        replaced = patched(THING, self.DATA, op("replace", 'tags[value eq "a"]', "x"))
        self.assertEqual({"x", "b"}, set(replaced["tags"]))

    def test_immutable(self) -> None:
        """What may be set once is set once, and may be said again."""
        for operation in (
            op("replace", "serial", "2"),
            op("remove", "serial"),
            op("add", "marks", ["n"]),
            op("remove", "marks"),
            op("replace", "box.seal", "t"),
        ):
            self.assertRaises(NotMutable, patched, THING, self.DATA, operation)
        self.assertEqual("1", patched(THING, self.DATA, op("replace", "serial", "1"))["serial"])
        self.assertEqual("2", patched(THING, {}, op("add", "serial", "2"))["serial"])
        self.assertEqual(["n"], patched(THING, {}, op("add", "marks", "n"))["marks"])

    def test_required(self) -> None:
        """What must be there isn't removed, nor emptied."""
        for operation in (
            op("remove", "exact"),
            op("replace", "exact", []),
            op("remove", "box"),
            op("remove", "box.size"),
            op("replace", "box", {"size": ""}),
        ):
            self.assertRaises(NotMutable, parsed, THING, operation)
        self.assertEqual(
            ["b"], patched(THING, {"exact": ["a", "b"]}, op("remove", "exact", ["a"]))["exact"]
        )

    def test_required_parts(self) -> None:
        """A value must hold in the end what it must hold."""
        self.assertRaises(
            InvalidValue, patched, THING, {}, op("add", 'parts[note eq "n"].note', "n")
        )
        built = patched(
            THING,
            {},
            op("add", 'parts[note eq "n"].note', "n"),
            op("add", 'parts[note eq "n"].name', "x"),
        )
        self.assertEqual([{"note": "n", "name": "x"}], built["parts"])

    def test_extension_without_urn(self) -> None:
        """An extension's attribute is found by its name alone, if the core has none such."""
        self.assertEqual(
            {"label": "l"}, patched(THING, {}, op("add", "label", "l"))["urn:test:Label"]
        )

    def test_extension_keeps_what_is_read_only(self) -> None:
        """Of an extension that is written or removed whole, what is readOnly stays."""
        held = {"urn:test:Label": {"label": "l", "stamp": "s"}}
        written = op("add", "urn:test:Label", {"label": "m", "stamp": "t"})
        self.assertEqual(
            {"label": "m", "stamp": "s"}, patched(THING, held, written)["urn:test:Label"]
        )
        removed = op("remove", "urn:test:Label")
        self.assertEqual({"stamp": "s"}, patched(THING, held, removed)["urn:test:Label"])

    def test_part_of_plain_value(self) -> None:
        """What may change of a value that is told by its key alone is changed."""
        held = {"links": [{"value": "a", "note": "n"}]}
        noted = patched(THING, held, op("replace", 'links[value eq "a"].note', "m"))
        self.assertEqual([{"value": "a", "note": "m"}], noted["links"])


class PlacesTests(SynchronousTestCase):
    """Attributes that have a place for one value of each type."""

    WORK = parse_path('emails[type eq "work"].value', PLACED)
    HOME = parse_path('emails[type eq "home"].value', PLACED)

    def test_named(self) -> None:
        """Each type has a place for each sub-attribute but the type."""
        self.assertEqual(
            {
                'emails[type eq "work"].value',
                'emails[type eq "home"].value',
                'addresses[type eq "work"].streetAddress',
                'addresses[type eq "work"].locality',
                'addresses[type eq "home"].streetAddress',
                'addresses[type eq "home"].locality',
            },
            set(map(str, places(PLACED))),
        )
        self.assertEqual(frozenset(), places(USER))

    def test_without_reading(self) -> None:
        """A place is set and cleared as any singular attribute."""
        for operation, expected in (
            (op("replace", 'emails[type eq "work"].value', "x"), Changes(set={self.WORK: "x"})),
            (op("add", 'emails[type eq "work"].value', "x"), Changes(set={self.WORK: "x"})),
            (op("remove", 'emails[type eq "work"].value'), Changes(clear=frozenset({self.WORK}))),
            (op("remove", "emails"), Changes(clear=frozenset({self.WORK, self.HOME}))),
            (
                op("replace", "emails", [{"type": "Work", "value": "x"}]),
                Changes(set={self.WORK: "x"}, clear=frozenset({self.HOME})),
            ),
        ):
            self.assertEqual(expected, direct(parsed(PLACED, operation)))
        for operation in (
            op("remove", 'emails[type eq "work"]'),
            op("add", "emails", [{"type": "work", "value": "x"}]),
        ):
            self.assertIsNone(direct(parsed(PLACED, operation)), operation)

    def test_replaced_after_all(self) -> None:
        """What comes after all values are set or removed still finds its place."""
        street = parse_path('addresses[type eq "work"].streetAddress', PLACED)
        operations = parsed(PLACED, op("remove", "addresses"), op("replace", str(street), "a"))
        changes = direct(operations)
        assert changes is not None
        self.assertEqual({street: "a"}, changes.set)
        self.assertEqual(3, len(changes.clear))

    def replayed(self, held: list[Json], operation: Json) -> Changes:
        """Carry an operation out on known values."""
        return replay(parsed(PLACED, operation), held)

    def test_from_values(self) -> None:
        """What is added takes the place of what was there, and differences are told by place."""
        work, home = {"value": "w", "type": "work"}, {"value": "h", "type": "home"}
        new = {"value": "n", "type": "work"}
        for values, operation, expected in (
            ([work], op("add", "emails", [home]), Changes(set={self.HOME: "h"})),
            ([work], op("add", "emails", [new]), Changes(set={self.WORK: "n"})),
            ([work], op("add", "emails", [work]), Changes()),
            (
                [work, home],
                op("remove", 'emails[value eq "h"]'),
                Changes(clear=frozenset({self.HOME})),
            ),
            (
                [work],
                op("replace", 'emails[value eq "w"].type', "home"),
                Changes(set={self.HOME: "w"}, clear=frozenset({self.WORK})),
            ),
        ):
            self.assertEqual(expected, self.replayed(values, operation), operation)

    def test_bare(self) -> None:
        """A value of which only the type is left is no value."""
        held = [{"type": "work", "locality": "l"}]
        gone = self.replayed(held, op("remove", 'addresses[locality eq "l"].locality'))
        self.assertEqual(1, len(gone.clear))
        body = {"userName": "x", "addresses": [{"type": "work"}]}
        self.assertNotIn("addresses", resource.parse(PLACED, body, self.fail).data)

    def test_no_place(self) -> None:
        """Two values of one type, or one of a type without a place, are refused."""
        held = [{"value": "w", "type": "work"}, {"value": "h", "type": "home"}]
        for operation in (
            op("add", "emails", [{"value": "f", "type": "fax"}]),
            op("add", 'emails[type eq "fax"].value', "f"),
            op("replace", 'emails[value eq "w"].type', "home"),
        ):
            self.assertRaises(InvalidValue, self.replayed, held, operation)
        for values in ([{"value": "x"}], [{"value": "x", "type": "work"}] * 2):
            body = {"userName": "x", "emails": values}
            self.assertRaises(InvalidValue, resource.parse, PLACED, body, self.fail)

    def test_carried_out(self) -> None:
        """In memory a place is one value among others."""
        changes = Changes(set={self.WORK: "w"}, clear=frozenset({self.HOME}))
        after = changed(PLACED, {"emails": [{"value": "h", "type": "home"}]}, changes)
        self.assertEqual([{"value": "w", "type": "work"}], after["emails"])


class DifferenceTests(SynchronousTestCase):
    """The least that makes one value the other."""

    def test_least(self) -> None:
        """Nothing, a sub-attribute, some values, or all."""
        emails, name = resolve(USER, "emails"), resolve(USER, "name.givenName")
        a, b, c = ({"value": value, "type": "work"} for value in "abc")

        def changes(before: list[Json], after: list[Json]) -> Changes:
            return replay(parsed(USER, op("replace", "emails", after)), before)

        self.assertEqual(Changes(), changes([a, b], [b, a]))
        self.assertEqual(Changes(add={emails: [c]}), changes([a], [a, c]))
        self.assertEqual(Changes(remove={emails: [a]}), changes([a, b], [b]))
        self.assertEqual(Changes(set={emails: [b]}), changes([a], [b]))
        self.assertEqual(
            Changes(set={emails: [{**a, "display": "d"}]}), changes([a], [{**a, "display": "d"}])
        )
        self.assertEqual(Changes(clear=frozenset({emails})), changes([a], []))
        renamed = replay(
            parsed(USER, op("replace", "name", {"givenName": "x"})), {"familyName": "f"}
        )
        self.assertEqual(Changes(set={name: "x"}), renamed)

    def test_evolved_type(self) -> None:
        """Changes are carried out on whatever type they are for."""
        other = evolve(GROUP, name="Other")
        path = resolve(other, "displayName")
        self.assertEqual("x", changed(other, {}, Changes(set={path: "x"}))["displayName"])
