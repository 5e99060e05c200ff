"""B: discovery."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.rfc.case import IOP, MUST, SHOULD, RfcCase, row
from tests.web.world import BASE, CORE, ENTERPRISE, LIST, Json

DISCOVERY = "/ServiceProviderConfig", "/ResourceTypes", "/Schemas"


def attributes(schema: Json) -> Iterator[Json]:
    """Give the attributes of a schema and their sub-attributes."""
    for each in schema["attributes"]:
        yield each
        yield from each.get("subAttributes", ())


def holds_null(value: Any) -> bool:
    """Whether there is a null anywhere in a value."""
    if isinstance(value, dict):
        return any(map(holds_null, value.values()))
    return value is None or (isinstance(value, list) and any(map(holds_null, value)))


class DiscoveryTests(RfcCase):
    """RFC 7643 sections 5 to 8, RFC 7644 section 4."""

    def schemas(self) -> dict[str, Json]:
        """Give the schemas by URN."""
        return {each["id"]: each for each in self.read("/Schemas")["Resources"]}

    def types(self) -> dict[str, Json]:
        """Give the resource types by name."""
        return {each["name"]: each for each in self.read("/ResourceTypes")["Resources"]}

    @row(MUST, "7644 4; 7643 5")
    def test_B01_config(self) -> None:
        """What the service provider can do can be read."""
        urn = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
        self.assertEqual([urn], self.read("/ServiceProviderConfig")["schemas"])

    @row(MUST, "7643 5")
    def test_B02_config_members(self) -> None:
        """Every member that the document must have is there, and of its type."""
        config = self.read("/ServiceProviderConfig")
        for name in ("patch", "bulk", "filter", "changePassword", "sort", "etag"):
            self.assertIs(bool, type(config[name]["supported"]))
        for name, member in (
            ("bulk", "maxOperations"),
            ("bulk", "maxPayloadSize"),
            ("filter", "maxResults"),
        ):
            self.assertIs(int, type(config[name][member]))
        for scheme in config["authenticationSchemes"]:
            self.assertLessEqual({"type", "name", "description"}, set(scheme))

    @row(IOP, "scim2-client")
    def test_B03_config_members_only(self) -> None:
        """No member of the document is unknown to its schema."""
        known = {
            *("schemas", "meta", "id", "documentationUri", "patch", "bulk", "filter"),
            *("changePassword", "sort", "etag", "authenticationSchemes", "pagination"),
        }
        self.assertLessEqual(set(self.read("/ServiceProviderConfig")), known)

    @row(SHOULD, "7643 5")
    def test_B04_config_is_public(self) -> None:
        """How to authenticate can be read without having done so."""
        headers = {"Authorization": None}
        response = self.client.request("GET", "/ServiceProviderConfig", headers=headers)
        self.json(200, response)

    @row(MUST, "7643 5")
    def test_B05_schemes(self) -> None:
        """Authentication schemes are named by registered words, and the one in use is there."""
        schemes = self.read("/ServiceProviderConfig")["authenticationSchemes"]
        self.assertEqual(["httpbasic"], [each["type"] for each in schemes])

    @row(MUST, "7643 6; 7644 4")
    def test_B06_types(self) -> None:
        """Users and groups are listed, with endpoint and schema."""
        types = self.types()
        self.assertEqual(("/Users", CORE), (types["User"]["endpoint"], types["User"]["schema"]))
        self.assertEqual("/Groups", types["Group"]["endpoint"])

    @row(MUST, "7644 4")
    def test_B07_type(self) -> None:
        """One resource type can be read by its name."""
        found = self.read("/ResourceTypes/User")
        self.assertEqual(self.types()["User"], found)
        urn = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
        self.assertEqual([urn], found["schemas"])

    @row(MUST, "7643 6")
    def test_B08_schemas_of_types(self) -> None:
        """Schemas of resource types are served; extensions tell whether they are required."""
        known = self.schemas()
        for each in self.types().values():
            self.assertIn(each["schema"], known)
            for extension in each["schemaExtensions"]:
                self.assertIn(extension["schema"], known)
                self.assertIs(bool, type(extension["required"]))

    @row(MUST, "7643 6")
    def test_B09_endpoints(self) -> None:
        """Every endpoint that is announced is there."""
        for each in self.types().values():
            self.assertEqual([LIST], self.read(f"{each['endpoint']}?count=1")["schemas"])

    @row(MUST, "7643 7; 7644 4")
    def test_B10_schemas(self) -> None:
        """Schemas are whole: every attribute tells its characteristics."""
        known = self.schemas()
        self.assertLessEqual({CORE, ENTERPRISE, CORE.replace("User", "Group")}, set(known))
        needed = {"name", "type", "multiValued", "required", "mutability", "returned", "uniqueness"}
        for schema in known.values():
            for attribute in attributes(schema):
                self.assertLessEqual(needed, set(attribute), attribute["name"])

    @row(MUST, "7644 4")
    def test_B11_schema(self) -> None:
        """One schema can be read by its URN."""
        self.assertEqual(self.schemas()[CORE], self.read(f"/Schemas/{CORE}"))

    @row(MUST, "7644 3.12")
    def test_B12_unknown(self) -> None:
        """A schema or resource type that isn't there is 404."""
        self.error(404, self.client.get("/Schemas/urn:x:nope"))
        self.error(404, self.client.get("/ResourceTypes/Nope"))

    @row(MUST, "7644 4")
    def test_B13_parameters(self) -> None:
        """Paging, sorting and projection are of no account to discovery."""
        for path in ("/Schemas", "/ResourceTypes"):
            query = "startIndex=2&count=1&sortBy=id&attributes=name"
            self.assertEqual(self.read(path), self.read(f"{path}?{query}"))

    @row(SHOULD, "7644 4")
    def test_B14_filter(self) -> None:
        """A filter on discovery is 403."""
        for path in ("/Schemas", "/ResourceTypes"):
            self.error(403, self.client.get(f'{path}?filter=id%20eq%20"x"'))

    @row(IOP, "scim2-tester, Okta")
    def test_B15_read_only(self) -> None:
        """Discovery can only be read."""
        for path in DISCOVERY:
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                self.error(405, self.client.request(method, path, {}))

    @row(SHOULD, "7643 3.1, 5-7")
    def test_B16_meta(self) -> None:
        """Discovery documents tell their kind and their address."""
        config = self.read("/ServiceProviderConfig")
        found = [(config, "ServiceProviderConfig", "")]
        found += [(each, "ResourceType", each["name"]) for each in self.types().values()]
        found += [(each, "Schema", each["id"]) for each in self.schemas().values()]
        for document, kind, id in found:
            self.assertEqual(kind, document["meta"]["resourceType"])
            location = document["meta"]["location"]
            self.assertTrue(location.endswith(id))
            self.assertEqual(document, self.read(location.removeprefix(BASE)))

    @row(IOP, "scim2-client")
    def test_B17_list_members(self) -> None:
        """A list holds no member but those of its definition."""
        known = {"schemas", "totalResults", "itemsPerPage", "startIndex", "Resources"}
        for path in ("/ResourceTypes", "/Schemas", "/Users", "/Groups", "/"):
            self.assertLessEqual(set(self.read(path)), known)
        self.assertLessEqual(set(self.read("/Users?cursor&count=1")), {*known, "nextCursor"})

    @row(MUST, "7644 3.1")
    def test_B18_no_messages(self) -> None:
        """The URNs of messages aren't schemas."""
        self.assertFalse([id for id in self.schemas() if ":api:messages:" in id])

    @row(MUST, "7643 7")
    def test_B19_words(self) -> None:
        """Characteristics are told by the registered words; what is complex isn't nested."""
        for schema in self.schemas().values():
            for each in attributes(schema):
                self.assertIn(
                    each["mutability"], {"readOnly", "readWrite", "immutable", "writeOnly"}
                )
                self.assertIn(each["returned"], {"always", "never", "default", "request"})
                self.assertIn(each["uniqueness"], {"none", "server", "global"})
                for sub in each.get("subAttributes", ()):
                    self.assertNotEqual("complex", sub["type"])

    @row(MUST, "7643 4.1, 7, 8.7")
    def test_B20_key_characteristics(self) -> None:
        """userName, password and groups have the characteristics that the RFC gives them."""
        user = {each["name"]: each for each in self.schemas()[CORE]["attributes"]}
        name = user["userName"]
        self.assertEqual(
            (True, "server", False), (name["required"], name["uniqueness"], name["caseExact"])
        )
        self.assertEqual("writeOnly", user["password"]["mutability"])
        self.assertEqual("never", user["password"]["returned"])
        self.assertEqual("readOnly", user["groups"]["mutability"])

    @row(SHOULD, "scimverify")
    def test_B21_only_declared(self) -> None:
        """A resource holds what its schemas declare, and nothing else."""
        user = self.user(nope=1, **{ENTERPRISE: {"department": "d", "nope": 1}})
        schemas = self.schemas()
        names = {each["name"] for each in schemas[CORE]["attributes"]}
        self.assertLessEqual(set(user), {*names, ENTERPRISE, "schemas", "id", "externalId", "meta"})
        extension = {each["name"] for each in schemas[ENTERPRISE]["attributes"]}
        self.assertLessEqual(set(user[ENTERPRISE]), extension)

    @row(IOP, "Entra ID")
    def test_B22_no_nulls(self) -> None:
        """There is no null in the schemas."""
        body = self.read("/Schemas")
        self.assertFalse(holds_null(body))
        self.assertEqual([LIST], body["schemas"])
