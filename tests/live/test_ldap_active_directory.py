"""Active Directory behind the shipped plugin file: what it wants that SCIM doesn't say."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from twisted.internet.defer import Deferred, gatherResults

from connectors.ldap.request import Kind, Modification, Scope, Search
from connectors.ldap.result import LdapError, ResultCode
from scimgw.secret import Secret
from tests.live import directory
from tests.live.gateway import ENTERPRISE, Gateway, GatewayCase, Json, add, preset, remove, replace
from tests.live.samba import ACTIVE_DIRECTORY

DISABLED = 0x2
NORMAL = 0x200
NO_EXPIRY = 0x10000
PASSWORD = "Analytic4l!"
NOBODY = "00000000-0000-0000-0000-000000000000"


class DirectoryCase(GatewayCase):
    """Has a gateway over a server that all tests share, and room of its own there."""

    async def gateway(self, **ldap: Any) -> Gateway:
        """Serve."""
        self.server = await ACTIVE_DIRECTORY.get(self)
        return await self.over(self.server, ldap)

    async def user(self, gateway: Gateway, name: str, **body: Any) -> str:
        """Create a user, whose name no other test has, and give its path."""
        created: Json = await gateway.post("/Users", self.body(gateway, name, **body))
        return f"/Users/{created['id']}"

    def name(self, gateway: Gateway, name: str) -> str:
        """Make a name that no other test has: account names are a domain's, not a unit's."""
        return f"{name}-{gateway.unit[8:16]}"

    def body(self, gateway: Gateway, name: str, **body: Any) -> Json:
        """Describe a user."""
        return {"userName": self.name(gateway, name), **body}

    async def entry(self, gateway: Gateway, name: str) -> dict[str, list[bytes]]:
        """Read what the directory holds of a user."""
        client = await self.raw(self.server)
        dn = f"CN={self.name(gateway, name)},OU=people,{gateway.unit}"
        (found,) = (await client.search(Search(base=dn, scope=Scope.BASE))).entries
        return found.attributes

    async def control(self, gateway: Gateway, name: str) -> int:
        """Read a userAccountControl."""
        return int((await self.entry(gateway, name))["useraccountcontrol"][0])

    async def set(self, gateway: Gateway, name: str, attribute: str, value: bytes) -> None:
        """Change an attribute past the gateway."""
        client = await self.raw(self.server)
        dn = f"CN={self.name(gateway, name)},OU=people,{gateway.unit}"
        await client.modify(dn, [Modification(Kind.REPLACE, attribute, (value,))])

    async def bind(self, gateway: Gateway, name: str, password: str) -> bool:
        """Tell whether a user gets in."""
        client = await directory.raw(self.server)
        try:
            dn = f"CN={self.name(gateway, name)},OU=people,{gateway.unit}"
            await client.bind(dn, Secret(password))
        except LdapError as error:
            if error.code != ResultCode.INVALID_CREDENTIALS:
                raise
            return False
        finally:
            await client.close()
        return True


class AccountTests(DirectoryCase):
    """Whether accounts are active, and their passwords."""

    async def test_bits(self) -> None:
        """To disable sets one bit, and to enable takes it away; others are left alone."""
        gateway = await self.gateway(mustChangePassword=False)
        path = await self.user(gateway, "ada", password=PASSWORD)
        self.assertEqual(NORMAL, await self.control(gateway, "ada"))
        await self.set(gateway, "ada", "userAccountControl", b"%d" % (NORMAL | NO_EXPIRY))
        for active in (False, False, True, True, False):
            changed = await gateway.patch(path, replace("active", active))
            self.assertEqual(active, changed["active"])
            expected = NORMAL | NO_EXPIRY | (0 if active else DISABLED)
            self.assertEqual(expected, await self.control(gateway, "ada"))
            self.assertEqual(active, await self.bind(gateway, "ada", PASSWORD))
            found = await gateway.found("/Users", f"active eq {str(active).lower()}")
            self.assertEqual([path[7:]], [each["id"] for each in found])

    async def test_without_password(self) -> None:
        """Who is created without a password is disabled, since anybody could be that."""
        gateway = await self.gateway()
        path = await self.user(gateway, "ada", active=True)
        self.assertFalse((await gateway.get(path))["active"])
        self.assertEqual(NORMAL | DISABLED, await self.control(gateway, "ada"))

    async def test_with_password(self) -> None:
        """Who is created with one is enabled, and must change it."""
        gateway = await self.gateway()
        path = await self.user(gateway, "ada", password=PASSWORD)
        self.assertTrue((await gateway.get(path))["active"])
        self.assertEqual([b"0"], (await self.entry(gateway, "ada"))["pwdlastset"])

    async def test_keeps_password(self) -> None:
        """Nobody must change it where that is configured."""
        gateway = await self.gateway(mustChangePassword=False)
        path = await self.user(gateway, "ada", password=PASSWORD)
        self.assertNotEqual([b"0"], (await self.entry(gateway, "ada"))["pwdlastset"])
        self.assertTrue(await self.bind(gateway, "ada", PASSWORD))
        await gateway.patch(path, replace("password", "Ängine-No-2"))
        self.assertTrue(await self.bind(gateway, "ada", "Ängine-No-2"))

    async def test_created_inactive(self) -> None:
        """Who is created inactive is disabled, whatever the password."""
        gateway = await self.gateway()
        await self.user(gateway, "ada", password=PASSWORD, active=False)
        self.assertEqual(NORMAL | DISABLED, await self.control(gateway, "ada"))

    async def test_weak(self) -> None:
        """A weak password is 400 with the directory's reason, and leaves nothing."""
        gateway = await self.gateway()
        body = self.body(gateway, "ada", password="weak")
        error = await gateway.post("/Users", body, 400)
        self.assertEqual("invalidValue", error["scimType"])
        self.assertIn("password", error["detail"])
        self.assertEqual(0, (await gateway.get("/Users"))["totalResults"])
        path = await self.user(gateway, "ada", password=PASSWORD)
        error = await gateway.patch(path, replace("password", "weak"), status=400)
        self.assertEqual("invalidValue", error["scimType"])

    async def test_in_the_clear(self) -> None:
        """A password isn't sent over a connection in the clear; what a bind says is told."""
        server = await ACTIVE_DIRECTORY.get(self)
        gateway = await self.over(server, baseUrls=[server.url])
        error = await gateway.get("/Users", 503)
        self.assertIn("use ldaps or StartTLS", error["detail"])
        self.assertNotIn(server.password, error["detail"])
        for tls in ({}, {"startTls": True}):
            anonymous: dict[str, Any] = {} if tls else {"username": "", "password": None}
            served = await self.over(
                server,
                baseUrls=[server.url],
                tls={"ca": str(server.ca_file), **tls},
                **anonymous,
            )
            response = await served.request(
                "POST", "/Users", self.body(served, "ada", password=PASSWORD)
            )
            if tls:
                self.assertEqual(201, response.status, response.body)
            else:
                self.assertEqual(400, response.status, response.body)
                self.assertIn("over ldaps:// or StartTLS only", response.json()["detail"])

    async def test_race(self) -> None:
        """Who enables and who disables at once: one is the last, and no other bit is lost."""
        gateway = await self.gateway(mustChangePassword=False)
        path = await self.user(gateway, "ada", password=PASSWORD)
        await self.set(gateway, "ada", "userAccountControl", b"%d" % (NORMAL | NO_EXPIRY))
        for _ in range(5):
            patches = [
                Deferred.fromCoroutine(gateway.patch(path, replace("active", active)))
                for active in (True, False, True, False)
            ]
            await gatherResults(patches, consumeErrors=True)
            bits = await self.control(gateway, "ada")
            self.assertEqual(NORMAL | NO_EXPIRY, bits & ~DISABLED)
            self.assertEqual(not bits & DISABLED, (await gateway.get(path))["active"])

    async def test_race_of_gateways(self) -> None:
        """Nor does another gateway, which knows of no lock, overwrite what it didn't read."""
        gateway = await self.gateway(mustChangePassword=False)
        path = await self.user(gateway, "ada", password=PASSWORD)
        await self.set(gateway, "ada", "userAccountControl", b"%d" % (NORMAL | NO_EXPIRY))
        document = preset(self.server, gateway.unit, {"mustChangePassword": False})
        others = [gateway, *(self.serve(document) for _ in range(3))]
        for _ in range(5):
            answers = await gatherResults(
                [
                    Deferred.fromCoroutine(
                        each.request(
                            "PATCH",
                            path,
                            {
                                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                                "Operations": [replace("active", bool(place % 2))],
                            },
                        )
                    )
                    for place, each in enumerate(others)
                ],
                consumeErrors=True,
            )
            self.assertLessEqual({each.status for each in answers}, {200, 409})
            bits = await self.control(gateway, "ada")
            self.assertEqual(NORMAL | NO_EXPIRY, bits & ~DISABLED)


class NameTests(DirectoryCase):
    """Names."""

    async def test_account_name(self) -> None:
        """A sAMAccountName that can't be is 400, on creation and change, and says why."""
        gateway = await self.gateway()
        for name in ("a" * 21, "a/b", "a[b", "a:b", "a;b", "a|b", "a=b", "a,b", "a+b", "a*b",
                     "a?b", "a<b", "a>b", 'a"b', "a\\b", "a@b", "a\tb", "ends."):  # fmt: skip
            error = await gateway.post("/Users", {"userName": name}, 400)
            self.assertEqual("invalidValue", error["scimType"])
            self.assertIn("sAMAccountName", error["detail"])

    async def test_taken(self) -> None:
        """A name that is taken, in whatever unit, is 409 uniqueness."""
        gateway = await self.gateway()
        other = await self.gateway()
        await self.user(gateway, "ada")
        taken = self.body(gateway, "ADA")
        for each in (gateway, other):
            error = await each.post("/Users", taken, 409)
            self.assertEqual("uniqueness", error["scimType"])
        error = await other.post("/Users", {"userName": "Administrator"}, 409)
        self.assertEqual("uniqueness", error["scimType"])

    async def test_account_is_changed(self) -> None:
        """The account's name can change, since the entry has another; if free."""
        gateway = await self.gateway()
        path = await self.user(gateway, "ada")
        await self.user(gateway, "bob")
        augusta = self.name(gateway, "augusta")
        changed = await gateway.patch(path, replace("userName", augusta))
        self.assertEqual(augusta, changed["userName"])
        error = await gateway.patch(
            path, replace("userName", self.name(gateway, "bob")), status=409
        )
        self.assertEqual("uniqueness", error["scimType"])
        await gateway.patch(path, replace("userName", "a" * 21), status=400)

    async def test_principal_name(self) -> None:
        """The userPrincipalName is the e-mail address, else the account in the domain."""
        gateway = await self.gateway()
        await self.user(gateway, "ada")
        entry = await self.entry(gateway, "ada")
        expected = f"{self.name(gateway, 'ada')}@ad.test".encode()
        self.assertEqual([expected], entry["userprincipalname"])
        address = f"{self.name(gateway, 'bob')}@example.org"
        await self.user(gateway, "bob", emails=[{"type": "work", "value": address}])
        entry = await self.entry(gateway, "bob")
        self.assertEqual([address.encode()], entry["userprincipalname"])

    async def test_id(self) -> None:
        """The id is the objectGUID, as Windows spells it."""
        gateway = await self.gateway()
        path = await self.user(gateway, "ada")
        (guid,) = (await self.entry(gateway, "ada"))["objectguid"]
        self.assertEqual(str(UUID(bytes_le=guid)), path[7:])

    async def test_country(self) -> None:
        """A country is said three times over, by name or code; one that isn't is 400."""
        gateway = await self.gateway()
        path = await self.user(gateway, "ada", addresses=[{"type": "work", "country": "FR"}])
        for country, expected in (("FR", b"FR"), ("Germany", b"DE"), ("GBR", b"GB")):
            changed = await gateway.patch(
                path, replace('addresses[type eq "work"].country', country)
            )
            self.assertEqual(country, changed["addresses"][0]["country"])
            entry = await self.entry(gateway, "ada")
            self.assertEqual([expected], entry["c"])
            self.assertEqual([country.encode()], entry["co"])
        self.assertEqual([b"826"], entry["countrycode"])
        error = await gateway.patch(
            path, replace('addresses[type eq "work"].country', "Atlantis"), status=400
        )
        self.assertIn("Atlantis", error["detail"])
        await gateway.patch(path, remove('addresses[type eq "work"].country'))
        entry = await self.entry(gateway, "ada")
        self.assertEqual([b"0"], entry["countrycode"])
        self.assertFalse({"c", "co"} & entry.keys())
        wrong = [{"type": "work", "country": "Atlantis"}]
        await gateway.post("/Users", self.body(gateway, "bob", addresses=wrong), 400)

    async def test_entitlements(self) -> None:
        """A description can be written; when somebody last logged on, is read."""
        gateway = await self.gateway(mustChangePassword=False)
        described = [{"type": "description", "value": "Programs"}]
        path = await self.user(gateway, "ada", password=PASSWORD, entitlements=described)
        self.assertEqual(described, (await gateway.get(path))["entitlements"])
        await self.bind(gateway, "ada", PASSWORD)
        for each in (await gateway.get(path))["entitlements"]:
            if each["type"] == "lastLogon":
                self.assertRegex(each["value"], r"\A20\d\d-\d\d-\d\dT")

    async def test_computers(self) -> None:
        """A computer is no user."""
        gateway = await self.gateway()
        client = await self.raw(self.server)
        name = self.name(gateway, "PC")[:15]
        await client.add(
            f"CN={name},OU=people,{gateway.unit}",
            {"objectClass": [b"computer"], "sAMAccountName": [f"{name}$".encode()]},
        )
        self.assertEqual(0, (await gateway.get("/Users"))["totalResults"])
        self.assertEqual([], await gateway.found("/Users", f'userName eq "{name}$"'))


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
