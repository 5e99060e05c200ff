"""Gateways in a chain, each a process of its own: restful over restful over the document store."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scimgw.scim.bulk import BULK_REQUEST
from scimgw.scim.several import SEARCH_REQUEST
from tests.live.ports import free_port
from tests.service.process import ROOT, Answer, Json, Running, ServiceCase, section

HOSTILE = 'a/../b?c=d&e#f%2F"\\ü '


def server(port: int, path: str = "") -> Json:
    """Point a base entity to a gateway."""
    return {
        "baseUrls": [f"http://127.0.0.1:{port}{path}"],
        "username": "gwadmin",
        "password": "password",
    }


class ChainCase(ServiceCase):
    """Starts gateways over others."""

    async def store(self, port: int) -> Running:
        """Start the document store, names as ids."""
        entity: Json = {"undefined": {}, "clientA": {}}
        return await self.start(self.one(port, {"idFrom": "userName", "entity": entity}))

    async def over(self, *ports: int, **more: Any) -> int:
        """Start restful over gateways, and give its port."""
        port = free_port()
        urls = [f"http://127.0.0.1:{each}" for each in ports]
        undefined = {**server(ports[0]), "baseUrls": urls}
        entity = {"undefined": undefined, "clientA": server(ports[0], "/clientA")}
        plugin = {"scimgateway": section(port, **more), "endpoint": {"entity": entity}}
        await self.start(self.folder(scimgw={"plugins": ["plugin-restful"]}, plugin_restful=plugin))
        return port

    async def told(self, port: int, path: str, method: str = "GET", body: Any = None) -> Answer:
        """Make a request of a gateway."""
        return await self.request(port, path, method, body)


class ChainTests(ChainCase):
    """Three gateways in a chain."""

    async def test_three(self) -> None:
        """What the last holds, the first gives, and changes; every attribute, and versions."""
        last = free_port()
        await self.store(last)
        first = await self.over(await self.over(last))
        for path in ("/Users/bjensen", "/clientA/Groups/Admins"):
            through, direct = await self.told(first, path), await self.told(last, path)
            self.assertEqual(200, through.status)
            self.assertEqual(_plain(direct.json()), _plain(through.json()))
            self.assertEqual(
                direct.headers.getRawHeaders("ETag"), through.headers.getRawHeaders("ETag")
            )
        query = quote('emails.value sw "bjensen" and name.familyName pr')
        found = (await self.told(first, f"/Users?filter={query}&attributes=userName")).json()
        self.assertEqual(["bjensen"], [each["userName"] for each in found["Resources"]])
        operation = {"op": "add", "path": "members", "value": [{"value": "jsmith"}]}
        patch = {"schemas": [PATCH], "Operations": [operation]}
        changed = await self.told(first, "/Groups/Admins", "PATCH", patch)
        self.assertEqual(204, changed.status)
        groups = (await self.told(last, "/Users/jsmith")).json()["groups"]
        self.assertEqual({"Admins", "Employees"}, {each["value"] for each in groups})
        self.assertEqual(204, (await self.told(first, "/Users/jsmith", "DELETE")).status)
        self.assertEqual(404, (await self.told(last, "/Users/jsmith")).status)

    async def test_failures(self) -> None:
        """What the last refuses, the first refuses in the same words."""
        last = free_port()
        await self.store(last)
        first = await self.over(await self.over(last))
        await self.told(first, "/Users", "POST", {"userName": "x"})
        again = await self.told(first, "/Users", "POST", {"userName": "X"})
        self.assertEqual((409, "uniqueness"), (again.status, again.json()["scimType"]))
        missing = await self.told(first, "/Users/nobody")
        self.assertEqual((404, "404"), (missing.status, missing.json()["status"]))
        outdated = await self.request(
            first, "/Users/x", "PUT", {"userName": "x", "title": "t"}, **{"If-Match": 'W/"1"'}
        )
        self.assertEqual(412, outdated.status)

    async def test_hostile(self) -> None:
        """An id of any characters passes through the chain unharmed."""
        last = free_port()
        await self.store(last)
        first = await self.over(await self.over(last))
        created = await self.told(first, "/Users", "POST", {"userName": HOSTILE})
        self.assertEqual((201, HOSTILE), (created.status, created.json()["id"]))
        path = f"/Users/{quote(HOSTILE, safe='')}"
        self.assertEqual(HOSTILE, (await self.told(first, path)).json()["userName"])
        query = quote(f"userName eq {json.dumps(HOSTILE)}", safe="")
        found = (await self.told(first, f"/Users?filter={query}")).json()
        self.assertEqual([HOSTILE], [each["id"] for each in found["Resources"]])
        self.assertEqual(204, (await self.told(first, path, "DELETE")).status)

    async def test_bulk(self) -> None:
        """A bulk request is carried out there, and what it says of its own resources holds."""
        last = free_port()
        await self.store(last)
        first = await self.over(last)
        operations: list[Json] = [
            {
                "method": "POST",
                "path": "/Groups",
                "bulkId": "g",
                "data": {"displayName": "new", "members": [{"value": "bulkId:u"}]},
            },
            {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"userName": "u/1"}},
            {"method": "POST", "path": "/Users", "bulkId": "v", "data": {"userName": "BJENSEN"}},
            {"method": "DELETE", "path": "/Users/jsmith"},
        ]
        message = {"schemas": [BULK_REQUEST], "Operations": operations}
        answer = await self.told(first, "/Bulk", "POST", message)
        self.assertEqual(200, answer.status)
        statuses = {
            each.get("bulkId", "gone"): each["status"] for each in answer.json()["Operations"]
        }
        self.assertEqual({"g": "201", "u": "201", "v": "409", "gone": "204"}, statuses)
        group = (await self.told(last, "/Groups/new")).json()
        self.assertEqual(["u/1"], [each["value"] for each in group["members"]])
        self.assertEqual(404, (await self.told(last, "/Users/jsmith")).status)

    async def test_cursor(self) -> None:
        """Pages that follow cursors hold everything once, in the order that is asked for."""
        last = free_port()
        await self.store(last)
        first = await self.over(last)
        for number in range(7):
            user = {"userName": f"page{number}", "title": "paged"}
            self.assertEqual(201, (await self.told(last, "/Users", "POST", user)).status)
        query = quote('title eq "paged"')
        names, sizes, cursor = [], [], ""
        while True:
            asked = f"/Users?filter={query}&sortBy=userName&count=3&cursor={quote(cursor, safe='')}"
            page = (await self.told(first, asked)).json()
            names += [each["userName"] for each in page["Resources"]]
            sizes.append(len(page["Resources"]))
            if "nextCursor" not in page:
                break
            cursor = page["nextCursor"]
        self.assertEqual([f"page{number}" for number in range(7)], names)
        self.assertEqual([3, 3, 1], sizes)

    async def test_long_filter(self) -> None:
        """A filter that fits into no URL is posted on."""
        last = free_port()
        running = await self.store(last)
        first = await self.over(last)
        names = " or ".join(f'userName eq "{"n" * 30}{number}"' for number in range(400))
        asked = {"schemas": [SEARCH_REQUEST], "filter": f'{names} or userName eq "bjensen"'}
        found = await self.told(first, "/Users/.search", "POST", asked)
        self.assertEqual(200, found.status, found.body)
        self.assertEqual(["bjensen"], [each["id"] for each in found.json()["Resources"]])
        await running.says("POST /Users/.search 200")

    async def test_request_id(self) -> None:
        """The other side is told the number of the request."""
        last = free_port()
        running = await self.store(last)
        first = await self.over(last)
        answer = await self.told(first, "/Users/bjensen")
        self.assertTrue(answer.headers.hasHeader("X-Request-Id"))
        await running.says("GET /Users/bjensen 200")


class FaultTests(ChainCase):
    """Gateways whose endpoint isn't well."""

    async def test_dead(self) -> None:
        """A dead endpoint gives 503, not a dead gateway; it works as soon as the endpoint does."""
        last = free_port()
        first = await self.over(last)
        answer = await self.told(first, "/Users")
        self.assertEqual((503, "503"), (answer.status, answer.json()["status"]))
        self.assertEqual(b"hello", (await self.told(first, "/ping")).body)
        await self.store(last)
        self.assertEqual(200, (await self.told(first, "/Users")).status)

    async def test_circuit(self) -> None:
        """An endpoint that fails again and again isn't asked any more, and Retry-After says so."""
        first = await self.over(free_port())
        answers = [await self.told(first, "/Users") for _ in range(4)]
        self.assertEqual({503}, {each.status for each in answers})
        (seconds,) = answers[-1].headers.getRawHeaders("Retry-After", [])
        self.assertTrue(0 < int(seconds) <= 10)

    async def test_failover(self) -> None:
        """Of two addresses the one that is alive is used, also when the first dies later."""
        one, two = free_port(), free_port()
        running = await self.store(one)
        await self.store(two)
        first = await self.over(one, two)
        self.assertEqual(200, (await self.told(first, "/Users")).status)
        assert running.transport is not None
        running.transport.signalProcess(signal.SIGKILL)
        await running.ended
        created = await self.told(first, "/Users", "POST", {"userName": "x"})
        self.assertEqual(201, created.status)
        self.assertEqual(200, (await self.told(two, "/Users/x")).status)

    async def test_wrong_password(self) -> None:
        """That the gateway isn't let in is told as its own failure, not as the client's."""
        last, port = free_port(), free_port()
        await self.store(last)
        entity = {"undefined": {**server(last), "password": "hunter2"}}
        plugin = {"scimgateway": section(port), "endpoint": {"entity": entity}}
        running = await self.start(
            self.folder(scimgw={"plugins": ["plugin-restful"]}, plugin_restful=plugin)
        )
        answer = await self.told(port, "/Users")
        self.assertEqual(502, answer.status)
        self.assertIn("doesn't let the gateway in (401)", answer.json()["detail"])
        self.assertNotIn(b"hunter2", running.output + answer.body)


class ShippedTests(ServiceCase):
    """The shipped files."""

    async def test_check(self) -> None:
        """They are sound."""
        shipped = {
            path.stem.replace("-", "_"): json.loads(path.read_text())
            for path in Path(ROOT, "etc").glob("plugin-*.json")
        }
        names = [name.replace("_", "-") for name in sorted(shipped)]
        folder = self.folder(scimgw={"plugins": names}, **shipped)
        ended = await self.ends("scimgw", "-c", str(folder), "--check")
        self.assertEqual((0, ""), (ended.status, ended.err))


PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def _plain(value: Any) -> Any:
    """Leave out what tells which gateway a resource came from."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: _plain(each) for name, each in value.items() if name not in {"location", "$ref"}}
