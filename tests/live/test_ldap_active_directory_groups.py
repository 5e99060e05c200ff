"""Active Directory behind the shipped plugin file: groups, managers and pages."""

from __future__ import annotations

from connectors.ldap.request import Kind, Modification
from tests.live.domain import NOBODY, DirectoryCase
from tests.live.gateway import ENTERPRISE, Gateway, add, remove, replace


class PageTests(DirectoryCase):
    """Pages."""

    async def test_total(self) -> None:
        """The total is one more than was seen at first, and exact where a page is the last."""
        gateway = await self.gateway()
        names = [f"user{number}" for number in range(6)]
        ids = [(await self.user(gateway, name))[7:] for name in names]
        seen = []
        for start, total in ((1, 3), (3, 6), (5, 6), (7, 6)):
            page = await gateway.get(f"/Users?startIndex={start}&count=2&attributes=userName")
            self.assertEqual(total, page["totalResults"], start)
            seen += [each["id"] for each in page["Resources"]]
        self.assertCountEqual(ids, seen)
        self.assertEqual(6, (await gateway.get("/Users?count=6"))["totalResults"])


class GroupTests(DirectoryCase):
    """Groups."""

    async def group(self, gateway: Gateway, name: str, *members: str) -> str:
        """Create a group, and give its path."""
        body = {
            "displayName": self.name(gateway, name),
            "members": [{"value": id} for id in members],
        }
        return f"/Groups/{(await gateway.post('/Groups', body))['id']}"

    async def test_life(self) -> None:
        """Members come and go by their ids; users show their groups' ids and names."""
        gateway = await self.gateway()
        ada, bob = await self.user(gateway, "ada"), await self.user(gateway, "bob")
        path = await self.group(gateway, "Analysts", ada[7:])
        (group,) = (await gateway.get(ada))["groups"]
        self.assertEqual(
            (path[8:], self.name(gateway, "Analysts"), "direct"),
            (group["value"], group["display"], group["type"]),
        )
        for _ in range(2):
            await gateway.patch(path, add("members", [{"value": bob[7:]}]), status=204)
            members = (await gateway.get(path))["members"]
            self.assertCountEqual([ada[7:], bob[7:]], [each["value"] for each in members])
        for _ in range(2):
            await gateway.patch(path, remove(f'members[value eq "{ada[7:]}"]'), status=204)
            members = (await gateway.get(path))["members"]
            self.assertEqual([bob[7:]], [each["value"] for each in members])
        found = await gateway.found("/Users", f'groups.value eq "{path[8:]}"')
        self.assertEqual([bob[7:]], [each["id"] for each in found])
        await gateway.delete(bob)
        self.assertNotIn("members", await gateway.get(path))
        await gateway.delete(path)
        await gateway.get(path, 404)

    async def test_nested(self) -> None:
        """A group is a member as a user is."""
        gateway = await self.gateway()
        inner = await self.group(gateway, "Inner")
        outer = await self.group(gateway, "Outer", inner[8:])
        members = (await gateway.get(outer))["members"]
        self.assertEqual([inner[8:]], [each["value"] for each in members])

    async def test_unknown_member(self) -> None:
        """A member that isn't there is 400."""
        gateway = await self.gateway()
        path = await self.group(gateway, "Analysts")
        error = await gateway.patch(path, add("members", [{"value": NOBODY}]), status=400)
        self.assertEqual("invalidValue", error["scimType"])
        self.assertIn(NOBODY, error["detail"])

    async def test_stranger(self) -> None:
        """A member that is no user or group of ours is seen, and can be removed, not added."""
        gateway = await self.gateway()
        other = await self.gateway()
        stranger = await self.user(other, "ada")
        path = await self.group(gateway, "Analysts")
        client = await self.raw(self.server)
        dn = f"CN={self.name(other, 'ada')},OU=people,{other.unit}".encode()
        name = f"CN={self.name(gateway, 'Analysts')},OU=groups,{gateway.unit}"
        await client.modify(name, [Modification(Kind.ADD, "member", (dn,))])
        members = (await gateway.get(path))["members"]
        self.assertEqual([stranger[7:]], [each["value"] for each in members])
        for _ in range(2):
            await gateway.patch(path, remove(f'members[value eq "{stranger[7:]}"]'), status=204)
            self.assertNotIn("members", await gateway.get(path))
        await gateway.patch(path, remove(f'members[value eq "{NOBODY}"]'), status=204)
        await gateway.patch(path, add("members", [{"value": stranger[7:]}]), status=400)

    async def test_rename(self) -> None:
        """To rename the entry of a group is 400 mutability."""
        gateway = await self.gateway()
        path = await self.group(gateway, "Analysts")
        error = await gateway.patch(path, replace("displayName", "Others"), status=400)
        self.assertEqual("mutability", error["scimType"])
        self.assertIn("cn names the entry", error["detail"])

    async def test_manager(self) -> None:
        """A manager is somebody's id, and goes with him."""
        gateway = await self.gateway()
        boss = await self.user(gateway, "boss")
        ada = await self.user(gateway, "ada", **{ENTERPRISE: {"manager": {"value": boss[7:]}}})
        self.assertEqual(boss[7:], (await gateway.get(ada))[ENTERPRISE]["manager"]["value"])
        await gateway.patch(ada, replace(f"{ENTERPRISE}:manager", {"value": NOBODY}), status=400)
        await gateway.delete(boss)
        self.assertNotIn(ENTERPRISE, await gateway.get(ada))
