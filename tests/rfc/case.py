"""How does a test stand for one rule of the RFCs, and what do such tests have in common?

`docs/scim-support.md` is made out of these tests: a row for each, its docstring the rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import quote

from attrs import frozen

from scimgw.testing.client import Response
from tests.web.world import ENTERPRISE, Json, WebCase

MUST: Final = "MUST"
SHOULD: Final = "SHOULD"
MAY: Final = "MAY"
IOP: Final = "IOP"
"""No RFC asks for it, but a client that is named does."""
Test = TypeVar("Test", bound=Callable[..., object])


@frozen
class Row:
    """A rule: its number, how strongly it binds, who says so, and why it doesn't hold if so."""

    id: str
    level: str
    source: str
    lacks: str = ""


def row(level: str, source: str, lacks: str = "") -> Callable[[Test], Test]:
    """Mark a test as that of the rule that its name begins with."""

    def mark(test: Test) -> Test:
        id = test.__name__.split("_")[1]
        test.row = Row(id, level, source, lacks)  # type: ignore[attr-defined]  # a mark
        return test

    return mark


class RfcCase(WebCase):
    """A gateway before the document store, and a client."""

    def user(self, name: str = "x", /, **data: Any) -> Json:
        """Create a user."""
        return self.create(userName=name, **data)

    def group(self, name: str = "g", /, *members: str, **data: Any) -> Json:
        """Create a group."""
        listed = [{"value": each} for each in members]
        body = {"displayName": name, **({"members": listed} if members else {}), **data}
        created: Json = self.json(201, self.client.post("/Groups", body))
        return created

    def read(self, path: str) -> Json:
        """Read what there is."""
        found: Json = self.json(200, self.client.get(path))
        return found

    def again(self, resource: Json) -> Json:
        """Read a resource anew."""
        return self.read(f"/{resource['meta']['resourceType']}s/{resource['id']}")

    def patch(self, resource: Json, *operations: Json) -> Json:
        """Change a resource, and read it anew."""
        path = f"/{resource['meta']['resourceType']}s/{resource['id']}"
        response = self.client.patch(path, *operations)
        self.assertIn(response.status, {200, 204}, response.body)
        self.assertEqual(response.status == 204, not response.body)
        return self.again(resource)

    def refused(self, resource: Json, operation: Json, *scim_types: str) -> str:
        """Check that an operation is refused as one of these, and changes nothing."""
        path = f"/{resource['meta']['resourceType']}s/{resource['id']}"
        before = self.read(path)
        response = self.client.patch(path, operation)
        body = self.json(400, response)
        self.assertIn(body["scimType"], scim_types)
        self.assertEqual(before, self.read(path))
        detail: str = body["detail"]
        return detail

    def found(self, filter: str, path: str = "/Users", query: str = "") -> list[Json]:
        """Search by a filter."""
        return self.resources(f"{path}?filter={quote(filter)}{query}")

    def ids(self, filter: str, path: str = "/Users", query: str = "") -> list[str]:
        """Search by a filter, and give ids."""
        return [each["id"] for each in self.found(filter, path, query)]

    def members(self, group: Json) -> list[str]:
        """Give the ids of a group's members."""
        return [each["value"] for each in self.again(group).get("members", ())]

    def never_a_failure(self, response: Response) -> None:
        """Check that an answer doesn't speak of a failure of the gateway."""
        self.assertLess(response.status, 500, response.body)

    def fixtures(self) -> None:
        """Create the four users that the rules about queries speak of."""
        self.a = self.user(
            "fa-RUN@example.com",
            title="T0",
            userType="Employee",
            name={"givenName": "Ann", "familyName": "Adams"},
            emails=[
                {"value": "fa-RUN@example.com", "type": "work", "primary": True},
                {"value": "fa-RUN@home.example", "type": "home"},
            ],
            active=True,
        )
        self.b = self.user(
            "fb-RUN@example.com",
            title="T1",
            userType="Intern",
            externalId="EXT-b-RUN",
            name={"givenName": "bob", "familyName": "bakerRUN"},
            emails=[{"value": "fb-RUN@example.org", "type": "work", "primary": True}],
            active=True,
        )
        self.c = self.user(
            "fc-RUN@example.com",
            title="T2",
            userType="Employee",
            name={"givenName": "Cy", "familyName": "ColeRUN"},
            emails=[{"value": "fc-RUN@example.net", "type": "work", "primary": True}],
            active=False,
            **{ENTERPRISE: {"employeeNumber": "ERUN"}},
        )
        self.d = self.user(
            "fd-RUN@example.com",
            userType="Contractor",
            name={"givenName": "Di", "familyName": "dunn"},
            active=True,
        )

    def letters(self, filter: str, query: str = "") -> str:
        """Search, and name the fixtures that are found."""
        known = {each["id"]: letter for letter, each in self.by_letter().items()}
        return "".join(known.get(id, "?") for id in self.ids(filter, query=query))

    def by_letter(self) -> dict[str, Json]:
        """Give the fixtures by their letters."""
        return {"a": self.a, "b": self.b, "c": self.c, "d": self.d}


def replace(path: str, value: Any) -> Json:
    """Write an operation."""
    return {"op": "replace", "path": path, "value": value}


def add(path: str, value: Any) -> Json:
    """Write an operation."""
    return {"op": "add", "path": path, "value": value}


def remove(path: str) -> Json:
    """Write an operation."""
    return {"op": "remove", "path": path}
