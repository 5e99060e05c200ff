"""OpenLDAP behind the shipped plugin file: groups, small and large, and what they cost."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from connectors.ldap import dn as dns
from connectors.ldap.request import Kind, Scope, Search
from tests.live.gateway import Gateway, GatewayCase, Json, add, remove, replace
from tests.live.slapd import OPENLDAP, Slapd


class GroupCase(GatewayCase):
    """Has a gateway over a server that all tests share, and room of its own there."""

    async def gateway(self, **ldap: Any) -> Gateway:
        """Serve."""
        self.server = await OPENLDAP.get(self)
        return await self.over(self.server, ldap)

    async def user(self, gateway: Gateway, name: str) -> str:
        """Create a user, and give the id."""
        created: Json = await gateway.post("/Users", {"userName": name})
        id: str = created["id"]
        return id

    async def group(self, gateway: Gateway, name: str, *members: str) -> str:
        """Create a group, and give its path."""
        body = {"displayName": name, "members": [{"value": id} for id in members]}
        created: Json = await gateway.post("/Groups", body)
        self.assertEqual(members, tuple(ids(created)))
        return f"/Groups/{created['id']}"

    async def members(self, gateway: Gateway, name: str) -> list[bytes]:
        """Give the members that the directory has."""
        client = await self.raw(self.server)
        dn = f"cn={name},ou=groups,{gateway.unit}"
        (found,) = (await client.search(Search(base=dn, scope=Scope.BASE))).entries
        return found.attributes["member"]


def ids(group: Json) -> list[str]:
    """Name the members of a group."""
    return [each["value"] for each in group.get("members", ())]


class GroupTests(GroupCase):
    """Groups."""

    async def test_life(self) -> None:
        """A group comes, gets and loses members, and goes; users show that they are in it."""
        gateway = await self.gateway()
        ada, bob = await self.user(gateway, "ada"), await self.user(gateway, "bob")
        path = await self.group(gateway, "Analysts", ada)
        (group,) = (await gateway.get(f"/Users/{ada}"))["groups"]
        address = group.pop("$ref")
        self.assertEqual({"value": path[8:], "display": "Analysts", "type": "direct"}, group)
        self.assertTrue(address.endswith(f"/Groups/{quote(path[8:], safe='')}"), address)
        (member,) = (await gateway.get(path))["members"]
        address = member.pop("$ref")
        self.assertEqual({"value": ada, "type": "User"}, member)
        self.assertTrue(address.endswith(f"/Users/{quote(ada, safe='')}"), address)
        self.assertIsNone(await gateway.patch(path, add("members", [{"value": bob}]), status=204))
        self.assertCountEqual([ada, bob], ids(await gateway.get(path)))
        await gateway.patch(path, remove(f'members[value eq "{ada}"]'), status=204)
        self.assertEqual([bob], ids(await gateway.get(path)))
        body = {"displayName": "Analysts", "members": [{"value": ada}]}
        self.assertEqual([ada], ids(await gateway.put(path, body)))
        found = await gateway.found("/Groups", f'members.value eq "{ada}"')
        self.assertEqual([path[8:]], [each["id"] for each in found])
        found = await gateway.found("/Users", f'groups.value eq "{path[8:]}"')
        self.assertEqual([ada], [each["id"] for each in found])
        await gateway.delete(path)
        await gateway.get(path, 404)
        self.assertNotIn("groups", await gateway.get(f"/Users/{ada}"))

    async def test_twice(self) -> None:
        """Who is added twice is there once; who isn't there can be removed."""
        gateway = await self.gateway()
        ada, bob = await self.user(gateway, "ada"), await self.user(gateway, "bob")
        path = await self.group(gateway, "Analysts", ada)
        both = [{"value": ada}, {"value": bob}]
        for _ in range(2):
            await gateway.patch(path, add("members", both), status=204)
            self.assertCountEqual([ada, bob], ids(await gateway.get(path)))
        for _ in range(2):
            await gateway.patch(path, remove(f'members[value eq "{ada}"]'), status=204)
            self.assertEqual([bob], ids(await gateway.get(path)))

    async def test_unknown_member(self) -> None:
        """A member that isn't there is 400, which says so, and nothing is changed."""
        gateway = await self.gateway()
        ada = await self.user(gateway, "ada")
        path = await self.group(gateway, "Analysts", ada)
        nobody = "00000000-0000-0000-0000-000000000000"
        error = await gateway.patch(path, add("members", [{"value": nobody}]), status=400)
        self.assertEqual("invalidValue", error["scimType"])
        self.assertIn(nobody, error["detail"])
        body = {"displayName": "Others", "members": [{"value": nobody}]}
        await gateway.post("/Groups", body, 400)
        self.assertEqual([], await gateway.found("/Groups", 'displayName eq "Others"'))

    async def test_empty(self) -> None:
        """A group without members holds one that stands for none, whom nobody sees."""
        gateway = await self.gateway()
        path = await self.group(gateway, "Empty")
        self.assertEqual([b"cn=nobody"], await self.members(gateway, "Empty"))
        self.assertEqual([], await gateway.found("/Groups", "members pr"))
        self.assertEqual(1, len(await gateway.found("/Groups", "not (members pr)")))
        ada = await self.user(gateway, "ada")
        await gateway.patch(path, add("members", [{"value": ada}]), status=204)
        self.assertEqual([ada], ids(await gateway.get(path)))
        self.assertEqual(1, len(await gateway.found("/Groups", "members pr")))

    async def test_emptied(self) -> None:
        """The last member can leave: by value, by replacement, by PUT, or by being deleted."""
        gateway = await self.gateway()
        ada = await self.user(gateway, "ada")
        path = await self.group(gateway, "Analysts")
        for emptying in (
            remove(f'members[value eq "{ada}"]'),
            {"op": "remove", "path": "members", "value": [{"value": ada}]},
            remove("members"),
            replace("members", []),
        ):
            await gateway.patch(path, add("members", [{"value": ada}]), status=204)
            self.assertEqual([ada], ids(await gateway.get(path)))
            await gateway.patch(path, emptying, status=204)
            self.assertEqual([], ids(await gateway.get(path)), emptying)
        await gateway.patch(path, add("members", [{"value": ada}]), status=204)
        self.assertEqual([], ids(await gateway.put(path, {"displayName": "Analysts"})))
        await gateway.patch(path, add("members", [{"value": ada}]), status=204)
        await gateway.delete(f"/Users/{ada}")
        self.assertEqual([], ids(await gateway.get(path)))
        self.assertEqual([b"cn=nobody"], await self.members(gateway, "Analysts"))

    async def test_nested(self) -> None:
        """A group is a member as a user is."""
        gateway = await self.gateway()
        inner = await self.group(gateway, "Inner")
        outer = await self.group(gateway, "Outer", inner[8:])
        self.assertEqual([inner[8:]], ids(await gateway.get(outer)))

    async def test_rename(self) -> None:
        """To rename the entry of a group is 400 mutability."""
        gateway = await self.gateway()
        path = await self.group(gateway, "Analysts")
        error = await gateway.patch(path, replace("displayName", "Others"), status=400)
        self.assertEqual("mutability", error["scimType"])
        self.assertIn("cn names the entry", error["detail"])

    async def test_taken(self) -> None:
        """A name that is taken is 409 uniqueness."""
        gateway = await self.gateway()
        await self.group(gateway, "Analysts")
        error = await gateway.post("/Groups", {"displayName": "analysts"}, 409)
        self.assertEqual("uniqueness", error["scimType"])


class CostTests(GroupCase):
    """What is asked of the directory."""

    async def test_groups_of_page(self) -> None:
        """The groups of a page of 100 users cost one search for groups."""
        gateway = await self.gateway()
        users = [await self.user(gateway, f"user{number:03}") for number in range(101)]
        for number in range(7):
            await self.group(gateway, f"Group {number}", *users[number::7])
        watched = self.watch()
        page = await gateway.get("/Users?count=100")
        self.assertEqual((100, 101), (page["itemsPerPage"], page["totalResults"]))
        self.assertEqual({1}, {len(each["groups"]) for each in page["Resources"]})
        # the users, that no more are wanted, their DNs by ids, the groups: whatever their number
        self.assertLessEqual(len(watched.searches), 4)

    async def test_large(self) -> None:
        """To change one member of 20,000 is one small modification, and reads no member."""
        server = await self.own(Slapd.start)
        gateway = await self.over(server)
        ada = await self.user(gateway, "ada")
        name = f"cn=all,ou=groups,{gateway.unit}"
        client = await self.raw(server)
        members = [f"uid={number},ou=people,{gateway.unit}".encode() for number in range(20_000)]
        await client.add(
            name, {"objectClass": [b"groupOfNames"], "cn": [b"all"], "member": members}
        )
        (group,) = await gateway.found("/Groups", 'displayName eq "all"', "displayName")
        path = f"/Groups/{group['id']}"
        watched = self.watch()
        dn = dns.normal(f"uid=ada,ou=people,{gateway.unit}")
        for operation, kind in (
            (add("members", [{"value": ada}]), Kind.ADD),
            (remove(f'members[value eq "{ada}"]'), Kind.DELETE),
        ):
            watched.modifications.clear()
            await gateway.patch(path, operation, status=204)
            ((change,),) = watched.modifications
            self.assertEqual((kind, "member"), (change.kind, change.name))
            self.assertEqual([dn], [dns.normal(each.decode()) for each in change.values])
        listed = await gateway.get("/Groups?excludedAttributes=members")
        self.assertEqual("all", listed["Resources"][0]["displayName"])
        asked = {name for search in watched.searches for name in search.attributes}
        self.assertNotIn("member", asked)
        self.assertNotIn((), [search.attributes for search in watched.searches])
        self.assertLess(watched.entries, 10)

    async def test_deep(self) -> None:
        """A page far in reads ids only of what comes before it."""
        gateway = await self.gateway()
        for number in range(30):
            await self.user(gateway, f"user{number:03}")
        watched = self.watch()
        page = await gateway.get("/Users?startIndex=26&count=5&attributes=displayName,userName")
        self.assertEqual((5, 26), (page["itemsPerPage"], page["startIndex"]))
        *before, last = watched.searches
        self.assertEqual({("entryuuid",)}, {search.attributes for search in before})
        self.assertIn("uid", last.attributes)
