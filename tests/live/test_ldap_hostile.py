"""Values that mean something to a directory, or to what is on the way there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final
from unicodedata import normalize

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scimgw.testing import threads
from scimgw.testing.client import Response
from tests.live.case import reactor
from tests.live.gateway import (
    ENTERPRISE,
    Gateway,
    GatewayCase,
    Json,
    add,
    preset,
    remove,
    replace,
    segment,
)
from tests.live.samba import ACTIVE_DIRECTORY
from tests.live.slapd import OPENLDAP

HOSTILE: Final = (
    "*", "a*", "(", ")", "()", "\\", "\\2a", "\0", "a\0b", '"', "'", ",", "a,b", "+", "=", "#",
    "#41", ";", "<", ">", "/", "%", "%2F", "%00", "..", "../..", "?", "&", "|", "!", "{0}", "$(id)",
    ")(uid=*", "*)(objectClass=*", "x)(|(uid=*))", "(&(a=b))", "x,ou=people", "x\\,y", "a+uid=b",
    "\u00e9", "e\u0301", "\u00df", "\u0130", "\u212b", "ﬁ", "😀", "\u200b", "\ufeff", "\u00a0",
    " lead", "trail ", " ", "a  b", "\t", "\n", "a\r\nb", "\x7f", "x" * 300, "ü" * 2000,
)  # fmt: skip
"""What stands for others in filters, DNs, URLs and terminals; forms of letters; blanks; length."""
PLACES: Final = (
    "displayName",
    "name.formatted",
    "name.givenName",
    "name.familyName",
    "title",
    "userType",
    "preferredLanguage",
    'emails[type eq "work"].value',
    'phoneNumbers[type eq "work"].value',
    'phoneNumbers[type eq "mobile"].value',
    'phoneNumbers[type eq "home"].value',
    'phoneNumbers[type eq "fax"].value',
    'addresses[type eq "work"].streetAddress',
    'addresses[type eq "work"].locality',
    'addresses[type eq "work"].region',
    'addresses[type eq "work"].postalCode',
    f"{ENTERPRISE}:employeeNumber",
    f"{ENTERPRISE}:organization",
    f"{ENTERPRISE}:department",
)
TESTS: Final[dict[str, Callable[[str, str], bool]]] = {
    "eq": lambda held, asked: held == asked,
    "ne": lambda held, asked: held != asked,
    "co": lambda held, asked: asked in held,
    "sw": lambda held, asked: held.startswith(asked),
    "ew": lambda held, asked: held.endswith(asked),
}
OUTCOMES: Final = frozenset({200, 201, 400, 409})
PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
EXAMPLES: Final = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


def same(text: str) -> str:
    """Make equal what differs by case, or by how Unicode writes it."""
    return normalize("NFC", text.lower())


def at(resource: Json, place: str) -> Any:
    """Give the value in one of the places."""
    inside = resource
    if place.startswith(ENTERPRISE):
        inside, place = resource.get(ENTERPRISE, {}), place[len(ENTERPRISE) + 1 :]
    if "[" in place:
        name, _, rest = place.partition("[")
        kind, part = rest.split('"')[1], rest.rpartition(".")[2]
        found = [each for each in resource.get(name, ()) if each["type"] == kind]
        return found[0].get(part) if found else None
    for name in place.split("."):
        inside = inside.get(name, {})
    return inside or None


class HostileCase(threads.InThread, GatewayCase):
    """Asks a gateway for what it might be hurt by."""

    reactor = reactor
    forms: tuple[Callable[[str], str], ...] = (same,)
    """What makes equal what is the same: to the gateway, and to a directory that is stricter."""

    async def tried(self, gateway: Gateway, method: str, path: str, body: Any = None) -> Response:
        """Make a request that is carried out, or refused as the client's fault."""
        response = await gateway.request(method, path, body)
        shown = (method, path, body, response.body[:500])
        self.assertIn(response.status, OUTCOMES, shown)
        if response.status == 400:
            self.assertIn(response.json().get("scimType"), {"invalidValue"}, shown)
        return response

    async def assert_places(self, gateway: Gateway, path: str) -> int:
        """Write each value to each place: it comes back as it is, or is 400; count the former."""
        kept = 0
        for place in PLACES:
            await gateway.patch(path, replace(place, "A"))
            if at(await gateway.get(path), place) is None:
                continue
            for value in HOSTILE:
                body = {"schemas": [PATCH_OP], "Operations": [replace(place, value)]}
                response = await self.tried(gateway, "PATCH", path, body)
                if response.status == 200:
                    self.assertEqual(value, at(response.json(), place), place)
                    kept += 1
        return kept

    async def assert_filters(self, gateway: Gateway, titles: dict[str, str]) -> None:
        """Search for each value by each operator: only those are found whose titles match."""
        for operator, test in TESTS.items():
            for value in HOSTILE:
                filter = f"title {operator} {json.dumps(value)}"
                found = await gateway.found("/Users", filter, "title")
                expected = {
                    id
                    for id, title in titles.items()
                    if all(test(form(title), form(value)) for form in self.forms)
                }
                self.assertEqual(expected, {each["id"] for each in found}, filter)

    async def assert_nobody(self, gateway: Gateway, group: str) -> None:
        """Ask for each value as an id: nobody has it."""
        for value in (*HOSTILE, *wild(gateway)):
            for path in (f"/Users/{segment(value)}", f"/Groups/{segment(value)}"):
                if not segment(value).strip("."):
                    continue
                for method, content in (
                    ("GET", None),
                    ("DELETE", None),
                    ("PUT", {"userName": "x", "displayName": "x"}),
                ):
                    response = await gateway.request(method, path, content)
                    expected = 400 if "\0" in value else 404
                    self.assertEqual(expected, response.status, (method, path, response.body))
            quoted = json.dumps(value)
            for type, filter in (
                ("/Users", f"id eq {quoted}"),
                ("/Users", f"groups.value eq {quoted}"),
                ("/Users", f"{ENTERPRISE}:manager.value eq {quoted}"),
                ("/Groups", f"members.value eq {quoted}"),
                ("/Groups", f"members[value eq {quoted}]"),
            ):
                self.assertEqual([], await gateway.found(type, filter), filter)
            if value.strip():
                body: Any = {
                    "schemas": [PATCH_OP],
                    "Operations": [add("members", [{"value": value}])],
                }
                response = await gateway.request("PATCH", group, body)
                # a DN of nobody below a base may be a member, until somebody has it
                kept = (
                    {204} if "=" in value and value.endswith(f"ou=people,{gateway.unit}") else set()
                )
                self.assertIn(response.status, {400} | kept, (value, response.body))
                gone = {"op": "remove", "path": "members", "value": [{"value": value}]}
                await gateway.patch(group, gone, status=400 if "\0" in value else 204)

    async def assert_named(self, gateway: Gateway, name: str) -> bool:
        """Create a user by a name, and do all to it; tell whether the directory took the name."""
        response = await self.tried(gateway, "POST", "/Users", {"userName": name})
        if response.status != 201:
            return False
        id = response.json()["id"]
        path = f"/Users/{segment(id)}"
        self.assertEqual(name, (await gateway.get(path))["userName"])
        self.assertEqual(id, (await gateway.patch(path, replace("title", "x")))["id"])
        filter = f"userName eq {json.dumps(name)}"
        self.assertEqual([id], [each["id"] for each in await gateway.found("/Users", filter)])
        self.assertEqual(
            [id], [e["id"] for e in await gateway.found("/Users", f"id eq {json.dumps(id)}")]
        )
        body = {"displayName": name, "members": [{"value": id}]}
        response = await self.tried(gateway, "POST", "/Groups", body)
        if response.status == 201:
            group = response.json()
            self.assertEqual([id], [each["value"] for each in group["members"]])
            inside = f"/Groups/{segment(group['id'])}"
            await gateway.patch(inside, remove(f"members[value eq {json.dumps(id)}]"), status=204)
            self.assertNotIn("members", await gateway.get(inside))
            await gateway.patch(inside, add("members", [{"value": id}]), status=204)
            (told,) = (await gateway.get(path))["groups"]
            self.assertEqual((group["id"], name), (told["value"], told["display"]))
            await gateway.delete(inside)
        await gateway.delete(path)
        await gateway.get(path, 404)
        return True


def wild(gateway: Gateway) -> Iterator[str]:
    """Give what selects everybody, were it more than an id."""
    for rdn in ("uid=*", "cn=*", "uid=ad*", "cn=x)(objectClass=*", "uid=\\2a"):
        yield f"{rdn},ou=people,{gateway.unit}"
    yield f"ou=people,{gateway.unit}"
    yield gateway.unit
    yield "<GUID=00000000-0000-0000-0000-000000000000>"
    yield "<WKGUID=a9d1ca15768811d1aded00c04fd8d5cd,DC=ad,DC=test>"


class OpenLdapTests(HostileCase):
    """OpenLDAP."""

    async def gateway(self, known: str = "entryUUID") -> Gateway:
        """Serve, with ids of one kind."""
        server = await OPENLDAP.get(self)
        unit = await self.unit(server)
        document = preset(server, unit, {})
        document["endpoint"]["map"] = {
            kind: {known if name == "entryUUID" else name: rule for name, rule in rules.items()}
            for kind, rules in document["endpoint"]["map"].items()
        }
        gateway = self.serve(document)
        gateway.unit = unit
        return gateway

    async def test_places(self) -> None:
        """Each attribute keeps each value as it is, or refuses it."""
        gateway = await self.gateway()
        ada = await gateway.post("/Users", {"userName": "ada"})
        kept = await self.assert_places(gateway, f"/Users/{ada['id']}")
        self.assertGreater(kept, len(PLACES) * len(HOSTILE) // 2)

    async def test_filters(self) -> None:
        """A filter selects by its value, and nothing more."""
        gateway = await self.gateway()
        titles = {}
        for number, value in enumerate((*HOSTILE, "plain", "aab")):
            body = {"userName": f"user{number}", "title": value}
            response = await self.tried(gateway, "POST", "/Users", body)
            if response.status == 201 and "title" in response.json():
                titles[response.json()["id"]] = response.json()["title"]
        await self.assert_filters(gateway, titles)

    async def test_ids(self) -> None:
        """No id is more than an id, be ids UUIDs or DNs."""
        for known in ("entryUUID", "dn"):
            gateway = await self.gateway(known)
            ada = await gateway.post("/Users", {"userName": "ada"})
            group = await gateway.post(
                "/Groups", {"displayName": "x", "members": [{"value": ada["id"]}]}
            )
            await self.assert_nobody(gateway, f"/Groups/{segment(group['id'])}")
            self.assertEqual(1, (await gateway.get("/Users"))["totalResults"])
            self.assertEqual(1, len((await gateway.get("/Groups"))["Resources"][0]["members"]))

    async def test_names(self) -> None:
        """A name that becomes part of a DN is that name, wherever the DN goes."""
        for known in ("entryUUID", "dn"):
            gateway = await self.gateway(known)
            taken = [name for name in HOSTILE if await self.assert_named(gateway, name)]
            self.assertGreater(len(taken), len(HOSTILE) // 2)
            self.assertEqual(0, (await gateway.get("/Users"))["totalResults"])

    def test_any_name(self) -> None:
        """Whatever a name is, it stays what it is, or is refused."""
        gateway = self.run_to_end(self.gateway("dn"))

        @EXAMPLES
        @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
        def check(name: str) -> None:
            self.run_to_end(self.assert_named(gateway, name))

        check()

    def test_any_value(self) -> None:
        """Whatever a value is, a filter by it finds who has it, and nobody else."""
        gateway = self.run_to_end(self.gateway())
        ada = self.run_to_end(gateway.post("/Users", {"userName": "ada"}))
        self.run_to_end(gateway.post("/Users", {"userName": "bob", "title": "other"}))
        path = f"/Users/{ada['id']}"

        @EXAMPLES
        @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
        def check(value: str) -> None:
            body = {"schemas": [PATCH_OP], "Operations": [replace("title", value)]}
            response = self.run_to_end(self.tried(gateway, "PATCH", path, body))
            if response.status != 200:
                return
            self.assertEqual(value, response.json()["title"])
            filter = f"title eq {json.dumps(value)}"
            found = self.run_to_end(gateway.found("/Users", filter, "title"))
            self.assertEqual([ada["id"]], [each["id"] for each in found], filter)

        check()


class ActiveDirectoryTests(HostileCase):
    """Active Directory."""

    # Samba takes é in one character and in two for different, and is asked first
    forms = (str.lower, same)

    async def gateway(self) -> Gateway:
        """Serve."""
        return await self.over(await ACTIVE_DIRECTORY.get(self))

    async def user(self, gateway: Gateway, name: str, **body: Any) -> Response:
        """Create a user, whose name no other test has."""
        name = f"{name}-{gateway.unit[8:16]}"
        return await self.tried(gateway, "POST", "/Users", {"userName": name, **body})

    async def test_places(self) -> None:
        """Each attribute keeps each value as it is, or refuses it."""
        gateway = await self.gateway()
        ada = (await self.user(gateway, "ada")).json()
        kept = await self.assert_places(gateway, f"/Users/{ada['id']}")
        self.assertGreater(kept, len(PLACES) * len(HOSTILE) // 2)

    async def test_filters(self) -> None:
        """A filter selects by its value, and nothing more."""
        gateway = await self.gateway()
        titles = {}
        for number, value in enumerate((*HOSTILE, "plain", "aab")):
            response = await self.user(gateway, f"u{number}", title=value)
            if response.status == 201 and "title" in response.json():
                titles[response.json()["id"]] = response.json()["title"]
        await self.assert_filters(gateway, titles)

    async def test_ids(self) -> None:
        """No id is more than an id."""
        gateway = await self.gateway()
        ada = (await self.user(gateway, "ada")).json()
        body = {"displayName": f"x-{gateway.unit[8:16]}", "members": [{"value": ada["id"]}]}
        group = await gateway.post("/Groups", body)
        await self.assert_nobody(gateway, f"/Groups/{segment(group['id'])}")
        self.assertEqual(1, (await gateway.get("/Users"))["totalResults"])

    async def test_names(self) -> None:
        """A name that becomes part of a DN is that name, wherever the DN goes."""
        gateway = await self.gateway()
        for name in HOSTILE:
            await self.assert_named(gateway, name)
        self.assertEqual(0, (await gateway.get("/Users"))["totalResults"])
