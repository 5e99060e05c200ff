"""N: Microsoft Entra ID."""

from __future__ import annotations

import json
from typing import Any

from scimgw.auth import keys
from scimgw.auth.chain import Chain
from scimgw.auth.issuers import SignedTokens
from scimgw.auth.published import Published, PublishedKeys
from scimgw.auth.throttle import FORGIVEN
from scimgw.auth.token import TokenAuthenticator
from scimgw.config.checks import Texts
from scimgw.config.identities import BearerJwtAzure
from scimgw.connector import Principal
from scimgw.secret import Secret
from scimgw.testing.client import Response
from scimgw.tokens import PROVISIONING, entra
from tests.auth.tokens import OTHER_RSA, RSA, public, token
from tests.rfc.case import IOP, RfcCase, add, remove, replace, row
from tests.web.world import CORE, ENTERPRISE, Json

AD = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
GROUP = CORE.replace("User", "Group")
TENANT = "0c5f7d4e-8a5f-4a0e-9d0c-0d3c1b0a9f11"


def op(op: str, path: str, value: Any) -> Json:
    """Write an operation as Entra ID spells it."""
    return {"op": op, "path": path, "value": value}


class EntraTests(RfcCase):
    """What Entra ID's provisioning sends."""

    @row(IOP, "Entra ID")
    def test_N01_test_connection(self) -> None:
        """Who asks for somebody who isn't there gets an empty list."""
        text = 'userName eq "7d4e2b0c-5a5f-4a0e-9d0c-0d3c1b0a9f11"'
        self.assertEqual([], self.found(text))

    @row(IOP, "Entra ID")
    def test_N02_create(self) -> None:
        """A user may be sent with a schema that has no data, and with meta."""
        user = self.user(schemas=[CORE, ENTERPRISE], roles=[], meta={"resourceType": "User"})
        self.assertEqual([CORE], user["schemas"])

    @row(IOP, "Entra ID")
    def test_N03_disable(self) -> None:
        """Who is replaced by "False" is disabled."""
        user = self.user(active=True)
        self.assertIs(False, self.patch(user, op("Replace", "active", "False"))["active"])

    @row(IOP, "Entra ID")
    def test_N04_create_enabled(self) -> None:
        """Who is made "True" is enabled."""
        self.assertIs(True, self.user(active="True")["active"])

    @row(IOP, "Entra ID")
    def test_N05_add_by_filter(self) -> None:
        """To add by a value filter that selects nothing makes the value."""
        path = 'phoneNumbers[type eq "mobile"].value'
        found = self.patch(self.user(), op("Add", path, "+1"))
        self.assertEqual([{"type": "mobile", "value": "+1"}], found["phoneNumbers"])

    @row(IOP, "Entra ID")
    def test_N06_one_address(self) -> None:
        """Several of these make one value."""
        parts = {"streetAddress": "s", "locality": "l", "country": "NO"}
        operations = [op("Add", f'addresses[type eq "work"].{k}', v) for k, v in parts.items()]
        found = self.patch(self.user(), *operations)
        self.assertEqual([{"type": "work", **parts}], found["addresses"])

    @row(IOP, "Entra ID, aadOptscim062020")
    def test_N07_dotted_names(self) -> None:
        """Names of members may be paths, with dots and URNs."""
        value = {
            "displayName": "D",
            "name.givenName": "G",
            "name.familyName": "F",
            f"{ENTERPRISE}:employeeNumber": "7",
        }
        found = self.patch(self.user(), {"op": "replace", "value": value})
        self.assertEqual({"givenName": "G", "familyName": "F"}, found["name"])
        self.assertEqual(("D", {"employeeNumber": "7"}), (found["displayName"], found[ENTERPRISE]))
        self.assertFalse([name for name in found if "." in name and not name.startswith("urn:")])

    @row(IOP, "Entra ID")
    def test_N08_mixed(self) -> None:
        """Operations of all kinds come in one request."""
        user = self.user(emails=[{"type": "work", "value": "old"}])
        found = self.patch(
            user,
            op("Replace", 'emails[type eq "work"].value', "new"),
            op("Replace", "name.givenName", "G"),
            op("Replace", "name.familyName", "F"),
            op("Replace", "externalId", "e"),
            op("Replace", f"{ENTERPRISE}:department", "D"),
        )
        self.assertEqual([{"type": "work", "value": "new"}], found["emails"])
        self.assertEqual({"givenName": "G", "familyName": "F"}, found["name"])
        self.assertEqual(("e", {"department": "D"}), (found["externalId"], found[ENTERPRISE]))

    @row(IOP, "Entra ID")
    def test_N09_manager(self) -> None:
        """A manager is a string."""
        user = self.user()
        found = self.patch(user, op("Add", f"{ENTERPRISE}:manager", "bjensen"))
        self.assertEqual("bjensen", found[ENTERPRISE]["manager"]["value"])
        self.assertNotIn(
            ENTERPRISE, self.patch(user, {"op": "Remove", "path": f"{ENTERPRISE}:manager"})
        )

    @row(IOP, "Entra ID")
    def test_N10_group(self) -> None:
        """A group comes with another schema's URN, and without members."""
        group = self.group("g", schemas=[GROUP, AD], externalId="e", meta={"resourceType": "Group"})
        self.assertEqual([GROUP], group["schemas"])
        self.assertEqual("e", group["externalId"])

    @row(IOP, "Entra ID")
    def test_N11_null_ref(self) -> None:
        """A member's $ref may be null."""
        group = self.group()
        self.patch(group, op("Add", "members", [{"$ref": None, "value": "bjensen"}]))
        self.assertEqual(["bjensen"], self.members(group))

    @row(IOP, "Entra ID, authentik")
    def test_N12_remove_listed(self) -> None:
        """Members to be removed may be listed."""
        group = self.group("g", "a", "b")
        self.patch(group, op("Remove", "members", [{"value": "a"}]))
        self.assertEqual(["b"], self.members(group))

    @row(IOP, "Entra ID")
    def test_N13_bare_members(self) -> None:
        """Members may be bare strings."""
        group = self.group()
        self.patch(group, add("members", "a"))
        self.patch(group, add("members", ["b"]))
        self.assertEqual(["a", "b"], self.members(group))

    @row(IOP, "Entra ID")
    def test_N14_soft_delete(self) -> None:
        """Who is disabled is still found."""
        user = self.user(active=True)
        self.patch(user, op("Replace", "active", "False"))
        (found,) = self.found('userName eq "x"')
        self.assertIs(False, found["active"])

    @row(IOP, "Entra ID")
    def test_N15_group_answer(self) -> None:
        """A change of a group is answered 204, however large the group is."""
        group = self.group("g", *(f"u{n}" for n in range(3000)))
        response = self.client.patch(
            f"/Groups/{group['id']}", op("Add", "members", [{"value": "x"}])
        )
        self.empty(204, response)

    @row(IOP, "Entra ID")
    def test_N16_filter_in_attributes(self) -> None:
        """A value filter in attributes is no error."""
        emails = [{"value": "w@x", "type": "work"}]
        self.user(emails=emails)
        found = self.found(
            'userName eq "x"', query="&attributes=emails%5Btype%20eq%20%22work%22%5D"
        )
        self.assertEqual([emails], [each["emails"] for each in found])
        self.assertEqual({"schemas", "id", "emails"}, set(found[0]))

    @row(IOP, "Entra ID")
    def test_N17_one_of_several(self) -> None:
        """Of several values only the one that is selected changes."""
        home = {"type": "home", "value": "h"}
        user = self.user(emails=[{"type": "work", "value": "w"}, home])
        found = self.patch(user, op("Replace", 'emails[type eq "work"].value', "n"))
        self.assertEqual([{"type": "work", "value": "n"}, home], found["emails"])

    @row(IOP, "Entra ID")
    def test_N18_role(self) -> None:
        """A role's primary may be a string."""
        value = [{"primary": "True", "type": "WindowsAzureActiveDirectoryRole", "value": "R"}]
        (role,) = self.patch(self.user(), op("Add", "roles", value))["roles"]
        self.assertEqual(("R", True), (role["value"], role["primary"]))

    @row(IOP, "Entra ID")
    def test_N19_primary_role(self) -> None:
        """A role may be addressed as the primary one."""
        user = self.user()
        for operation, role in (("Add", "admin"), ("Replace", "other")):
            found = self.patch(user, op(operation, 'roles[primary eq "True"].value', role))
            self.assertEqual([role], [each["value"] for each in found["roles"]])

    @row(IOP, "Entra ID")
    def test_N20_custom_extension(self) -> None:
        """An extension that isn't known is ignored."""
        user = self.user()
        urn = "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User"
        self.assertEqual(user, self.patch(user, op("Add", f"{urn}:tag", "x")))

    @row(IOP, "Entra ID")
    def test_N21_watermark(self) -> None:
        """Delta synchronization filters by dates with seven digits of a second."""
        self.clock.advance(1_700_000_000)
        user = self.user(active=True)
        text = (
            'active eq true and (meta.lastModified ge "0001-01-03T00:00:00.0000000Z" '
            'and meta.lastModified le "2030-01-01T00:00:00.0000000Z")'
        )
        self.assertIn(user["id"], self.ids(text, query="&count=5&startIndex=1"))
        for bound, other in (("0001-01-03", "2029-01-03"), ("2030-01-01", "2022-01-01")):
            self.assertNotIn(user["id"], self.ids(text.replace(bound, other)))

    @row(IOP, "Entra ID")
    def test_N22_bearer(self) -> None:
        """A long-lived secret or a token of Entra ID's own lets in."""
        self.serve(self.loki(), chain=self.entra())
        self.clock.advance(1_800_000_000)
        v1 = {
            "iss": f"https://sts.windows.net/{TENANT}/",
            "aud": "8adf8e6e-67b2-4cf2-a259-e3dc5476c621",
            "appid": PROVISIONING,
            "tid": TENANT,
            "iat": 1_800_000_000,
            "nbf": 1_800_000_000,
            "exp": 1_800_036_000,
        }
        v2 = {
            **{name: value for name, value in v1.items() if name != "appid"},
            "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
            "azp": PROVISIONING,
        }
        older, gallery = {"aud": "00000002-0000-0000-c000-000000000000"}, {"aud": "app"}
        for good in (v1, v2, v1 | older, v1 | gallery):
            self.assertEqual(200, self.using(token(RSA, good, kid="k")).status)
        self.assertEqual(200, self.using("secret").status)
        other = TENANT.replace("0", "1")
        for name, value in (
            ("iss", f"https://sts.windows.net/{other}/"),
            ("iss", "https://sts.windows.net/"),
            ("tid", other),
            ("aud", "https://graph.microsoft.com"),
            ("appid", other),
            ("exp", 1_799_999_000),
        ):
            self.assertEqual(401, self.using(token(RSA, {**v1, name: value}, kid="k")).status)
        self.assertEqual(401, self.using(token(OTHER_RSA, v1, kid="k")).status)
        self.assertEqual(401, self.using(token(RSA, v1, kid="other")).status)
        self.assertEqual(401, self.using(token(RSA, {**v2, "azp": other}, kid="k")).status)

    def entra(self) -> Chain:
        """Let in a tenant's provisioning service, and who has a secret."""

        async def ask() -> Published:
            return Published(keys.of_set({"keys": [public(RSA, kid="k", use="sig")]}))

        entry = BearerJwtAzure(tenant_id_g_u_i_d=TENANT, audience=Texts(("app",)))
        published = PublishedKeys(ask, self.clock.seconds, "test")
        issuer = entra(entry, published, lambda _: Principal("entra"))
        static = TokenAuthenticator([(Principal("static"), Secret("secret"))])
        return Chain([static, SignedTokens([issuer], self.clock.seconds)])

    def using(self, text: str) -> Response:
        """Make a request with a token, not too soon after another."""
        self.clock.advance(FORGIVEN)
        return self.client.get("/Users", Authorization=f"Bearer {text}")

    @row(IOP, "Entra ID")
    def test_N23_manager_array(self) -> None:
        """A manager may be named without URN, in an array."""
        value = [{"$ref": "https://x.example/Users/bjensen", "value": "bjensen"}]
        found = self.patch(self.user(), op("Add", "manager", value))
        self.assertEqual("bjensen", found[ENTERPRISE]["manager"]["value"])

    @row(IOP, "Entra ID")
    def test_N24_nulls(self) -> None:
        """A user may come full of nulls, and with enterprise attributes beside the core ones."""
        empty = dict.fromkeys(
            ("addresses", "phoneNumbers", "preferredLanguage", "title", "department", "manager")
        )
        self.assertEqual({"schemas", "id", "userName", "meta"}, set(self.user(**empty)))

    @row(IOP, "Entra ID")
    def test_N25_many_requests(self) -> None:
        """Requests come one after the other, each over a connection of its own."""
        for _ in range(50):
            self.assertEqual(1, len(self.found('userName eq "bjensen"')))

    @row(IOP, "Entra ID")
    def test_N26_json_roles(self) -> None:
        """A role that is a JSON text stays one."""
        value = json.dumps({"id": "1", "value": "25", "displayName": "d"})
        found = self.patch(self.user(), op("Add", "roles", [{"value": value}]))
        self.assertEqual([value], [each["value"] for each in found["roles"]])
        self.assertNotIn("roles", self.patch(found, remove("roles")))
        self.assertNotIn("title", self.patch(found, replace("title", "")))
