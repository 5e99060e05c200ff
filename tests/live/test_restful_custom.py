"""What the configuration adds, over restful: both sides have the same files of schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.live.ports import free_port
from tests.service.process import ServiceCase, section

CUSTOM = [
    {"name": "User", "attributes": [{"name": "mood"}]},
    {"name": "User", "id": "urn:acme:User", "attributes": [{"name": "desk"}]},
]
OWN = [
    {"name": "Device", "endpoint": "/Devices", "schema": "urn:acme:Device"},
    {"id": "urn:acme:Device", "attributes": [{"name": "serial", "uniqueness": "server"}]},
]
SCIM = {"customSchema": "custom.json", "resourceTypes": ["own.json"]}


class CustomTests(ServiceCase):
    """Attributes, extensions and types of one's own."""

    def schemas(self, folder: Path) -> Path:
        """Add the files of schemas to a configuration."""
        (folder / "schemas").mkdir()
        for name, content in (("custom", CUSTOM), ("own", OWN)):
            (folder / "schemas" / f"{name}.json").write_text(json.dumps(content), "utf-8")
        return folder

    async def test_over_restful(self) -> None:
        """They are written, found and changed there as users and groups are."""
        there, here = free_port(), free_port()
        await self.start(self.schemas(self.one(there, scim=SCIM)))
        connection = {
            "baseUrls": [f"http://127.0.0.1:{there}"],
            "auth": {"type": "basic", "options": {"username": "gwadmin", "password": "password"}},
        }
        endpoint = {"entity": {"undefined": {"connection": connection}}}
        plugin = {"scimgateway": section(here, scim=SCIM), "endpoint": endpoint}
        folder = self.folder(scimgw={"plugins": ["plugin-restful"]}, plugin_restful=plugin)
        await self.start(self.schemas(folder))

        async def asked(port: int, method: str, path: str, body: Any = None) -> Any:
            answer = await self.request(port, path, method=method, body=body)
            return answer.json()

        made = await asked(here, "POST", "/Devices", {"serial": "s1"})
        found = await asked(there, "GET", f"/Devices/{made['id']}")
        self.assertEqual("s1", found["serial"])
        again = await asked(here, "POST", "/Devices", {"serial": "S1"})
        self.assertEqual(("409", "uniqueness"), (again["status"], again["scimType"]))
        user = {"userName": "x", "mood": "good", "urn:acme:User": {"desk": "d"}}
        id = (await asked(here, "POST", "/Users", user))["id"]
        message = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "urn:acme:User:desk", "value": "e"}],
        }
        await asked(here, "PATCH", f"/Users/{id}", message)
        for port in (here, there):
            listed = await asked(port, "GET", "/Users?filter=mood%20eq%20%22GOOD%22")
            (one,) = listed["Resources"]
            self.assertEqual(("good", {"desk": "e"}), (one["mood"], one["urn:acme:User"]))
