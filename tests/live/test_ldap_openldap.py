"""OpenLDAP behind the shipped plugin file: what SCIM clients do to users and groups."""

from __future__ import annotations

import base64
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from twisted.internet.task import deferLater

from connectors.ldap.request import Kind, Modification, Scope, Search
from connectors.ldap.result import LdapError, ResultCode
from scimgw.secret import Secret
from tests.live import certificates, directory
from tests.live.case import reactor
from tests.live.gateway import ENTERPRISE, Gateway, GatewayCase, Json, add, remove, replace
from tests.live.slapd import OPENLDAP, Slapd


def certificate(name: str) -> str:
    """Make a certificate, as SCIM has it."""
    with TemporaryDirectory() as folder:
        made = certificates.authority(Path(folder), name).certificate
    return base64.b64encode(made.public_bytes(Encoding.DER)).decode()


ADA = {
    "userName": "ada",
    "displayName": "Ada Lovelace",
    "name": {"formatted": "Ada King", "givenName": "Ada", "familyName": "Lovelace"},
    "title": "Analyst",
    "userType": "Employee",
    "preferredLanguage": "en",
    "active": True,
    "emails": [{"type": "work", "value": "ada@example.org"}],
    "phoneNumbers": [
        {"type": "work", "value": "+44 1"},
        {"type": "mobile", "value": "+44 2"},
        {"type": "home", "value": "+44 3"},
        {"type": "fax", "value": "+44 4"},
    ],
    "addresses": [
        {
            "type": "work",
            "streetAddress": "12 St James Square",
            "locality": "London",
            "region": "Westminster",
            "postalCode": "SW1Y",
        }
    ],
    "x509Certificates": [{"value": certificate("ada")}],
    ENTERPRISE: {
        "employeeNumber": "1815",
        "organization": "Analytical Engines",
        "department": "Programming",
    },
}


def written(resource: Json) -> Json:
    """Leave of a resource what a client wrote."""
    return {k: v for k, v in resource.items() if k not in {"schemas", "id", "meta", "groups"}}


class OpenLdapCase(GatewayCase):
    """Has a gateway over a server that all tests share, and room of its own there."""

    async def gateway(self, **ldap: Any) -> Gateway:
        """Serve."""
        self.server = await OPENLDAP.get(self)
        return await self.over(self.server, ldap)

    async def entry(self, gateway: Gateway, rdn: str, *names: str) -> dict[str, list[bytes]]:
        """Read what the directory holds."""
        client = await self.raw(self.server)
        search = Search(base=f"{rdn},{gateway.unit}", scope=Scope.BASE, attributes=names)
        (found,) = (await client.search(search)).entries
        return found.attributes

    async def bind(self, gateway: Gateway, name: str, password: str) -> bool:
        """Tell whether a user gets in."""
        return await binds(self.server, f"uid={name},ou=people,{gateway.unit}", password)


async def binds(server: Slapd, dn: str, password: str) -> bool:
    """Tell whether somebody gets in by a password."""
    client = await directory.raw(server)
    try:
        await client.bind(dn, Secret(password))
    except LdapError as error:
        if error.code != ResultCode.INVALID_CREDENTIALS:
            raise
        return False
    finally:
        await client.close()
    return True


class UserTests(OpenLdapCase):
    """Users."""

    async def test_life(self) -> None:
        """A user comes, is found, changes, and goes."""
        gateway = await self.gateway()
        created = await gateway.post("/Users", ADA)
        self.assertEqual(ADA, written(created))
        path = f"/Users/{created['id']}"
        self.assertEqual(created, await gateway.get(path))
        self.assertEqual([created], await gateway.found("/Users", 'userName eq "ADA"'))
        changed = await gateway.patch(
            path,
            replace("name.givenName", "Augusta"),
            replace('emails[type eq "work"].value', "a@example.org"),
            remove("title"),
        )
        self.assertEqual("Augusta", changed["name"]["givenName"])
        self.assertEqual([{"type": "work", "value": "a@example.org"}], changed["emails"])
        self.assertNotIn("title", changed)
        lesser = {"userName": "ada", "name": {"formatted": "A", "familyName": "L"}, "active": True}
        self.assertEqual(lesser, written(await gateway.put(path, lesser)))
        await gateway.delete(path)
        await gateway.get(path, 404)
        await gateway.delete(path, 404)

    async def test_id(self) -> None:
        """The id is the entryUUID."""
        gateway = await self.gateway()
        created = await gateway.post("/Users", {"userName": "ada"})
        entry = await self.entry(gateway, "uid=ada,ou=people", "entryUUID")
        self.assertEqual([created["id"].encode()], entry["entryuuid"])

    async def test_needed(self) -> None:
        """What an inetOrgPerson must have, and the client doesn't say, is the userName."""
        gateway = await self.gateway()
        created = await gateway.post("/Users", {"userName": "ada"})
        self.assertEqual({"formatted": "ada", "familyName": "ada"}, created["name"])

    async def test_needed_stays(self) -> None:
        """What an inetOrgPerson must have can't be removed, and the answer says what."""
        gateway = await self.gateway()
        created = await gateway.post("/Users", ADA)
        path = f"/Users/{created['id']}"
        error = await gateway.patch(path, remove("name.familyName"), status=400)
        self.assertEqual("invalidValue", error["scimType"])
        self.assertIn("'sn'", error["detail"])

    async def test_taken(self) -> None:
        """A userName that is taken is 409 uniqueness."""
        gateway = await self.gateway()
        await gateway.post("/Users", {"userName": "ada"})
        error = await gateway.post("/Users", {"userName": "Ada"}, 409)
        self.assertEqual("uniqueness", error["scimType"])

    async def test_reason(self) -> None:
        """What the directory's schema refuses is 400, with the directory's reason."""
        gateway = await self.gateway()
        wrong = [{"type": "work", "value": "ü@example.org"}]
        error = await gateway.post("/Users", {"userName": "ada", "emails": wrong}, 400)
        self.assertEqual("invalidValue", error["scimType"])
        self.assertIn("mail: value #0 invalid per syntax", error["detail"])
        created = await gateway.post("/Users", {"userName": "ada"})
        work = replace('emails[type eq "work"].value', "ü@example.org")
        error = await gateway.patch(f"/Users/{created['id']}", work, status=400)
        self.assertIn("mail: value #0 invalid per syntax", error["detail"])

    async def test_rename(self) -> None:
        """To rename the entry is 400 mutability; to write its name as it is, is none."""
        gateway = await self.gateway()
        created = await gateway.post("/Users", ADA)
        path = f"/Users/{created['id']}"
        error = await gateway.patch(path, replace("userName", "augusta"), status=400)
        self.assertEqual("mutability", error["scimType"])
        self.assertIn("uid names the entry", error["detail"])
        error = await gateway.put(path, {**ADA, "userName": "augusta"}, 400)
        self.assertEqual("mutability", error["scimType"])
        again = await gateway.patch(path, replace("userName", "ada"), replace("title", "Countess"))
        self.assertEqual("Countess", again["title"])

    async def test_manager(self) -> None:
        """A manager is somebody's id; one who isn't there is 400, and goes by refint."""
        gateway = await self.gateway()
        boss = await gateway.post("/Users", {"userName": "boss"})
        body = {"userName": "ada", ENTERPRISE: {"manager": {"value": boss["id"]}}}
        created = await gateway.post("/Users", body)
        self.assertEqual(boss["id"], created[ENTERPRISE]["manager"]["value"])
        path = f"/Users/{created['id']}"
        filter = f'{ENTERPRISE}:manager.value eq "{boss["id"]}"'
        found = await gateway.found("/Users", filter)
        self.assertEqual([created["id"]], [each["id"] for each in found])
        nobody = "00000000-0000-0000-0000-000000000000"
        for wrong in (nobody, "x", f"cn=no,{gateway.unit}"):
            error = await gateway.patch(
                path, replace(f"{ENTERPRISE}:manager", {"value": wrong}), status=400
            )
            self.assertEqual("invalidValue", error["scimType"])
            self.assertIn("manager", error["detail"])
        await gateway.delete(f"/Users/{boss['id']}")
        while ENTERPRISE in await gateway.get(path):  # refint comes after slapd's answer
            await deferLater(reactor, 0.05)

    async def test_certificates(self) -> None:
        """Certificates come and go by value."""
        gateway = await self.gateway()
        one, two = {"value": certificate("one")}, {"value": certificate("two")}
        created = await gateway.post("/Users", {"userName": "ada", "x509Certificates": [one]})
        path = f"/Users/{created['id']}"
        changed = await gateway.patch(path, add("x509Certificates", [two]))
        self.assertCountEqual([one, two], changed["x509Certificates"])
        entry = await self.entry(gateway, "uid=ada,ou=people", "userCertificate")
        self.assertCountEqual(
            [base64.b64decode(each["value"]) for each in (one, two)],
            entry["usercertificate;binary"],
        )
        chosen = f'x509Certificates[value eq "{one["value"]}"]'
        self.assertEqual([two], (await gateway.patch(path, remove(chosen)))["x509Certificates"])
        await gateway.patch(path, replace("x509Certificates", [{"value": "#"}]), status=400)

    async def test_modified(self) -> None:
        """A client that asks for what has changed since it last did misses nothing."""
        gateway = await self.gateway()
        created = await gateway.post("/Users", {"userName": "ada"})
        watermark = created["meta"]["lastModified"]
        self.assertRegex(watermark, r"\d\d:\d\d:\d\dZ\Z")
        for operator, moment, expected in (
            ("ge", watermark, 1),
            ("gt", watermark, 0),
            ("gt", "2011-05-13T04:42:34.1234567Z", 1),
            ("gt", watermark.replace("Z", ".0000001Z"), 0),
            ("ge", watermark.replace("Z", ".0000000+00:00"), 1),
            ("lt", watermark.replace("Z", ".9999999Z"), 1),
            ("le", watermark, 1),
            ("lt", watermark, 0),
            ("eq", watermark, 1),
            ("ne", watermark, 0),
        ):
            found = await gateway.found("/Users", f'meta.lastModified {operator} "{moment}"')
            self.assertEqual(expected, len(found), (operator, moment))
        error = await gateway.get("/Users?filter=meta.lastModified%20gt%20%22yesterday%22", 400)
        self.assertEqual("invalidFilter", error["scimType"])


class AccountTests(OpenLdapCase):
    """Passwords, and whether an account is active."""

    async def test_password(self) -> None:
        """A password lets its user in, is kept as the directory keeps them, and isn't shown."""
        gateway = await self.gateway()
        created = await gateway.post("/Users", {"userName": "ada", "password": "Engine-1"})
        self.assertNotIn("password", created)
        self.assertTrue(await self.bind(gateway, "ada", "Engine-1"))
        path = f"/Users/{created['id']}"
        changed = await gateway.patch(path, replace("password", "Ängine-2"), replace("title", "x"))
        self.assertNotIn("password", changed)
        self.assertEqual("x", changed["title"])
        self.assertFalse(await self.bind(gateway, "ada", "Engine-1"))
        self.assertTrue(await self.bind(gateway, "ada", "Ängine-2"))
        entry = await self.entry(gateway, "uid=ada,ou=people", "userPassword")
        self.assertRegex(entry["userpassword"][0], rb"\A\{SSHA\}")
        await gateway.get(f"{path}?attributes=password")
        self.assertNotIn("password", await gateway.get(f"{path}?attributes=userName,password"))
        await gateway.get("/Users?filter=password%20eq%20%22Engine-1%22", 403)

    async def test_active(self) -> None:
        """Who isn't active doesn't get in; to disable twice disables."""
        gateway = await self.gateway()
        created = await gateway.post("/Users", {"userName": "ada", "password": "Engine-1"})
        path = f"/Users/{created['id']}"
        self.assertTrue(created["active"])
        for active in (False, False, True, True, False):
            changed = await gateway.patch(path, replace("active", active))
            self.assertEqual(active, changed["active"])
            self.assertEqual(active, await self.bind(gateway, "ada", "Engine-1"))
            found = await gateway.found("/Users", f"active eq {str(active).lower()}")
            self.assertEqual([path[7:]], [each["id"] for each in found])
            self.assertEqual([], await gateway.found("/Users", f"active ne {str(active).lower()}"))

    async def test_created_inactive(self) -> None:
        """Who is created inactive doesn't get in until activated."""
        gateway = await self.gateway()
        body = {"userName": "ada", "password": "Engine-1", "active": False}
        created = await gateway.post("/Users", body)
        self.assertFalse(created["active"])
        self.assertFalse(await self.bind(gateway, "ada", "Engine-1"))
        await gateway.patch(f"/Users/{created['id']}", replace("active", True))
        self.assertTrue(await self.bind(gateway, "ada", "Engine-1"))

    async def test_locked(self) -> None:
        """Who is locked out for a while, for guessing, is active; to disable is for good."""
        gateway = await self.gateway()
        created = await gateway.post("/Users", {"userName": "ada", "password": "Engine-1"})
        client = await self.raw(self.server)
        for_a_while = Modification(Kind.ADD, "pwdAccountLockedTime", (b"20200101000000Z",))
        await client.modify(f"uid=ada,ou=people,{gateway.unit}", [for_a_while])
        path = f"/Users/{created['id']}"
        self.assertTrue((await gateway.get(path))["active"])
        self.assertFalse((await gateway.patch(path, replace("active", False)))["active"])
        entry = await self.entry(gateway, "uid=ada,ou=people", "pwdAccountLockedTime")
        self.assertEqual([b"000001010000Z"], entry["pwdaccountlockedtime"])


class PolicyTests(GatewayCase):
    """A directory that minds passwords."""

    async def test_refused(self) -> None:
        """A new user whose password is refused is taken back, and the reason told."""
        server = await self.own(Slapd.start)
        client = await self.raw(server)
        rules = {"pwdCheckQuality": b"2", "pwdMinLength": b"8"}
        await client.modify(
            f"cn=policy,{server.base}",
            [Modification(Kind.REPLACE, name, (value,)) for name, value in rules.items()],
        )
        # the administrator is above the policy
        gateway = await self.over(server, username=server.limited_dn)
        body = {"userName": "ada", "password": "short"}
        error = await gateway.post("/Users", body, 400)
        self.assertEqual("invalidValue", error["scimType"])
        self.assertIn("password", error["detail"])
        self.assertNotIn("short", error["detail"].replace("too short", ""))
        self.assertEqual([], await gateway.found("/Users", 'userName eq "ada"'))
        created = await gateway.post("/Users", {**body, "password": "long enough"})
        self.assertTrue(await binds(server, f"uid=ada,ou=people,{gateway.unit}", "long enough"))
        path = f"/Users/{created['id']}"
        error = await gateway.patch(path, replace("password", "short"), status=400)
        self.assertEqual("invalidValue", error["scimType"])
        error = await gateway.patch(
            path, replace("password", "short"), replace("title", "x"), status=500
        )
        self.assertIn("password", error["detail"])
        self.assertEqual("x", (await gateway.get(path))["title"])
