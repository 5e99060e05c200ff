"""attributes and excludedAttributes: RFC 7644 sections 3.4.2.5 and 3.9."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from scimgw.scim.path import resolve
from scimgw.scim.project import projection
from scimgw.scim.schema import (
    GROUP,
    USER,
    Attribute,
    AttributeType,
    Mutability,
    ResourceType,
    Returned,
    Schema,
)
from tests.scim.samples import BABS, CORE, ENTERPRISE

ALWAYS = ("schemas", "id")


def shown(attributes: str = "", excluded: str = "") -> dict[str, Any]:
    """Show the sample user."""
    return projection(USER, attributes, excluded).apply(BABS)


def of_babs(*names: str, **parts: Any) -> dict[str, Any]:
    """Pick attributes of the sample user."""
    return {**{name: BABS[name] for name in (*ALWAYS, *names)}, **parts}


class ProjectionTests(SynchronousTestCase):
    """What is shown of a user."""

    def test_default(self) -> None:
        """Without parameters all is shown, but what is never returned."""
        self.assertEqual(BABS, shown())
        self.assertEqual(
            {"userName": "x"}, projection(USER, "", "").apply({"userName": "x", "password": "p"})
        )

    def test_attributes(self) -> None:
        """What is named is shown, and what always is; meta only when it is named."""
        self.assertEqual(of_babs("displayName"), shown("displayName"))
        self.assertEqual(of_babs("displayName", "meta"), shown(" DISPLAYNAME , meta"))
        self.assertEqual(of_babs(), shown("nope"))
        self.assertEqual(of_babs(), shown("password"))
        self.assertEqual(of_babs(), shown("title"))

    def test_sub_attributes_of_nothing(self) -> None:
        """Sub-attributes of an attribute without a value show nothing."""
        self.assertEqual(
            {"id": "1"}, projection(USER, "name.familyName", "").apply({"id": "1", "userName": "x"})
        )

    def test_sub_attributes(self) -> None:
        """Sub-attributes are picked out of complex values, also out of each of several."""
        self.assertEqual(
            of_babs(
                name={"familyName": "Jensen"},
                emails=[{"value": "babs@jensen.org"}, {"value": "bjensen@example.com"}],
            ),
            shown("name.familyName,emails.value"),
        )
        self.assertEqual(of_babs(emails=[{"primary": True}]), shown("emails.primary"))
        self.assertEqual(of_babs("name"), shown("name,name.familyName"))
        self.assertEqual(of_babs("name"), shown("name.familyName,name"))
        self.assertEqual(of_babs(), shown("name.middleName"))

    def test_qualified(self) -> None:
        """Names may be qualified; an extension may be named whole."""
        self.assertEqual(
            of_babs("userName", **{ENTERPRISE: {"employeeNumber": "701984"}}),
            shown(f"{CORE}:userName,{ENTERPRISE.upper()}:employeeNumber"),
        )
        self.assertEqual(of_babs(ENTERPRISE), shown(ENTERPRISE))
        self.assertEqual(
            of_babs(**{ENTERPRISE: {"manager": {"value": "26118915"}}}),
            shown(f"{ENTERPRISE}:manager.value"),
        )

    def test_value_filter(self) -> None:
        """A value filter isn't an error, and picks the attribute."""
        self.assertEqual(of_babs("emails"), shown('emails[type eq "work"]'))
        self.assertEqual(BABS, shown("", 'emails[type eq "work"]'))

    def test_excluded(self) -> None:
        """What is named is left out, but not what is always shown."""
        after = shown("", "emails,name.givenName,id,schemas,nope,title")
        expected = {name: value for name, value in BABS.items() if name != "emails"}
        self.assertEqual({**expected, "name": {"familyName": "Jensen"}}, after)
        self.assertNotIn(ENTERPRISE, shown("", ENTERPRISE))
        self.assertEqual(
            {"employeeNumber": "701984"}, shown("", f"{ENTERPRISE}:manager")[ENTERPRISE]
        )
        without = shown("", "name.givenName,name.familyName")
        self.assertNotIn("name", without)

    def test_both(self) -> None:
        """Of what is named, what is excluded is left out."""
        self.assertEqual(
            of_babs(name={"familyName": "Jensen"}), shown("name,title", "name.givenName,title")
        )

    def test_shows(self) -> None:
        """It is told whether an attribute is shown, at least in part."""
        self.assertTrue(projection(USER, "", "").shows("groups"))
        self.assertTrue(projection(USER, "groups.value", "").shows("groups"))
        self.assertFalse(projection(USER, "", "groups").shows("groups"))

    def test_what_to_fetch(self) -> None:
        """The endpoint is asked for no more than is shown, and what the gateway needs."""
        none: frozenset[Any] = frozenset()
        self.assertIsNone(projection(GROUP, "", "").fetching(none))
        names = {str(path) for path in projection(GROUP, "", "members").fetching(none) or ()}
        self.assertEqual({"schemas", "id", "meta", "externalId", "displayName"}, names)
        names = {str(path) for path in projection(GROUP, "members.value", "").fetching(none) or ()}
        self.assertEqual({"schemas", "id", "meta", "members.value"}, names)

    def test_fetched_for_what_is_computed(self) -> None:
        """What is computed is worked out of the value and the type."""
        found = projection(GROUP, "members.$ref", "").fetching(frozenset())
        assert found is not None
        subs = {str(path) for path in found if path.attribute.name == "members"}
        self.assertEqual({"members.$ref", "members.value", "members.type"}, subs)

    def test_others_to_fetch(self) -> None:
        """What is needed to check a filter is asked for too."""
        name = frozenset({resolve(GROUP, "displayName")})
        self.assertIsNone(projection(GROUP, "", "").fetching(name))
        names = {str(path) for path in projection(GROUP, "id", "").fetching(name) or ()}
        self.assertEqual({"schemas", "id", "meta", "displayName"}, names)


SUBS = (
    Attribute(name="value"),
    Attribute(name="always", returned=Returned.ALWAYS),
    Attribute(name="asked", returned=Returned.REQUEST),
    Attribute(name="never", returned=Returned.NEVER, mutability=Mutability.WRITE_ONLY),
)
THING = ResourceType(
    name="Thing",
    endpoint="/Things",
    schema=Schema(
        id="urn:test:Thing",
        name="Thing",
        attributes=(
            Attribute(name="box", type=AttributeType.COMPLEX, sub_attributes=SUBS),
            Attribute(name="asked", returned=Returned.REQUEST),
            Attribute(name="label", returned=Returned.ALWAYS),
        ),
    ),
)


class ReturnedTests(SynchronousTestCase):
    """The characteristic `returned`, at every depth."""

    BOX: dict[str, str] = {"value": "v", "always": "a", "asked": "r", "never": "n"}  # noqa: RUF012
    DATA: dict[str, Any] = {"id": "1", "label": "l", "asked": "x", "box": BOX}  # noqa: RUF012

    def shown(self, attributes: str = "", excluded: str = "") -> dict[str, Any]:
        """Show the thing, but its id."""
        data = projection(THING, attributes, excluded).apply(self.DATA)
        return {name: value for name, value in data.items() if name != "id"}

    def test_default(self) -> None:
        """What is returned on request only isn't by default."""
        self.assertEqual({"label": "l", "box": {"value": "v", "always": "a"}}, self.shown())

    def test_request(self) -> None:
        """It is when it is named."""
        self.assertEqual({"label": "l", "asked": "x"}, self.shown("asked"))
        self.assertEqual(
            {"label": "l", "box": {"always": "a", "asked": "r"}}, self.shown("box.asked")
        )
        self.assertEqual({"label": "l", "box": {"value": "v", "always": "a"}}, self.shown("box"))
        self.assertEqual({"label": "l"}, self.shown("box.never"))

    def test_always(self) -> None:
        """What is always returned can't be excluded, unless its parent is."""
        self.assertEqual(
            {"label": "l", "box": {"always": "a"}}, self.shown("", "label,box.value,box.always")
        )
        self.assertEqual({"label": "l"}, self.shown("", "box"))
