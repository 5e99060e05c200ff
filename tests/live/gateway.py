"""The gateway over a real directory, as the service puts it together, and asked over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import quote

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from connectors.ldap.client import Client as Ldap
from connectors.ldap.client import Found
from connectors.ldap.request import Control, Modification, Scope, Search
from connectors.ldap.result import LdapError, ResultCode
from scimgw.config.load import load
from scimgw.service import PluginService
from scimgw.testing.client import Client, Response, Transport, parse
from tests.live.case import LiveCase, reactor
from tests.live.directory import raw
from tests.live.samba import Samba
from tests.live.slapd import Slapd

ETC = Path(__file__).parent.parent.parent / "etc"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATIENCE = 120.0
"""Seconds after which the gateway must have found the directory again."""
UNAVAILABLE = 503
Json = dict[str, Any]


def preset(server: Slapd | Samba, unit: str, ldap: Json, **entity: Any) -> Json:
    """Read the shipped plugin file for a server; only where it is, and who asks, is filled in."""
    name = "plugin-openldap" if isinstance(server, Slapd) else "plugin-ldap"
    document: Json = json.loads((ETC / f"{name}.json").read_text())
    told = document["endpoint"]["entity"]["undefined"]
    told.update(
        baseUrls=[server.url if told["tls"].get("startTls") else server.tls_url],
        username=server.bind_dn,
        password=server.password,
    )
    told["tls"]["ca"] = str(server.ca_file)
    told["ldap"].update(userBase=f"OU=people,{unit}", groupBase=f"OU=groups,{unit}", **ldap)
    told.update(entity)
    document["scimgateway"]["connector"] = "ldap"
    return document


class GatewayCase(LiveCase):
    """Serves directories over HTTP."""

    async def unit(self, server: Slapd | Samba) -> str:
        """Make room of a test's own for users and groups, and give its DN."""
        unit = f"OU=test-{token_hex(4)},{server.base}"
        client = await raw(server)
        for dn in (unit, f"OU=people,{unit}", f"OU=groups,{unit}"):
            await client.add(dn, {"objectClass": [b"organizationalUnit"]})
        await client.close()
        self.addCleanup(lambda: Deferred.fromCoroutine(_cleared(server, unit)))
        return unit

    def serve(self, document: Json) -> Gateway:
        """Serve what a plugin file says."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "scimgw.json").write_text(json.dumps({"plugins": ["plugin-test"]}))
        (folder / "plugin-test.json").write_text(json.dumps(document))
        (config,) = load(folder).plugins
        gateway = Gateway(self, PluginService(config, reactor))
        self.addCleanup(lambda: Deferred.fromCoroutine(gateway.close()))
        return gateway

    async def over(self, server: Slapd | Samba, ldap: Json | None = None, **entity: Any) -> Gateway:
        """Serve the shipped plugin file over room of the test's own."""
        unit = await self.unit(server)
        gateway = self.serve(preset(server, unit, ldap or {}, **entity))
        gateway.unit = unit
        return gateway

    async def raw(self, server: Slapd | Samba) -> Ldap:
        """Connect past the gateway."""
        client = await raw(server)
        self.addCleanup(lambda: Deferred.fromCoroutine(client.close()))
        return client

    def watch(self) -> Watched:
        """Note from now on what is asked of directories."""
        watched = Watched()
        search, modify = Ldap.search, Ldap.modify

        async def searching(client: Ldap, asked: Search) -> Found:
            watched.searches.append(asked)
            found = await search(client, asked)
            watched.entries += len(found.entries)
            return found

        async def modifying(
            client: Ldap, dn: str, made: list[Modification], controls: list[Control]
        ) -> None:
            watched.modifications.append(made)
            await modify(client, dn, made, controls)

        self.patch(Ldap, "search", searching)
        self.patch(Ldap, "modify", modifying)
        return watched


class Watched:
    """What was asked of directories."""

    def __init__(self) -> None:
        self.searches: list[Search] = []
        self.modifications: list[list[Modification]] = []
        self.entries = 0


class Gateway:
    """One plugin, without a port."""

    unit = ""
    """Where its users and groups are."""

    def __init__(self, case: LiveCase, service: PluginService) -> None:
        self._case = case
        self.endpoint = service.endpoint
        self._site = service.site
        self._client = Client(service.site, headers={"Connection": "close"})

    async def close(self) -> None:
        """Close the connector."""
        await self.endpoint.connector.close()

    async def request(self, method: str, path: str, body: Any = None) -> Response:
        """Make one request, and wait for the answer; who cancels that leaves."""
        address = IPv4Address("TCP", self._client.address, 4711)
        transport = _Transport(peerAddress=address)
        protocol = self._site.buildProtocol(address)
        protocol.makeConnection(transport)
        protocol.dataReceived(self._client.encoded(method, path, body))
        try:
            await transport.closed
        finally:
            protocol.connectionLost(Failure(ConnectionDone()))
        return parse(transport.value(), method)

    async def get(self, path: str, status: int = 200) -> Any:
        """Read."""
        return self._checked(status, await self.request("GET", path))

    async def post(self, path: str, body: Any, status: int = 201) -> Any:
        """Create."""
        return self._checked(status, await self.request("POST", path, body))

    async def put(self, path: str, body: Any, status: int = 200) -> Any:
        """Replace."""
        return self._checked(status, await self.request("PUT", path, body))

    async def patch(self, path: str, *operations: Mapping[str, Any], status: int = 200) -> Any:
        """Change."""
        schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
        body = {"schemas": schemas, "Operations": list(operations)}
        return self._checked(status, await self.request("PATCH", path, body))

    async def delete(self, path: str, status: int = 204) -> Any:
        """Remove."""
        return self._checked(status, await self.request("DELETE", path))

    async def found(self, path: str, filter: str, *attributes: str) -> list[Json]:
        """Give what a filter selects."""
        shown = f"&attributes={','.join(attributes)}" if attributes else ""
        body = await self.get(f"{path}?filter={quote(filter, safe='')}{shown}")
        resources: list[Json] = body["Resources"]
        return resources

    async def eventually(self, path: str) -> Any:
        """Read, once the directory is back."""
        deadline = reactor.seconds() + PATIENCE
        while (await self.request("GET", path)).status == UNAVAILABLE:
            self._case.assertLess(reactor.seconds(), deadline, "the directory isn't back")
            await deferLater(reactor, 0.1)
        return await self.get(path)

    def _checked(self, status: int, response: Response) -> Any:
        shown = response.body[:2000]
        self._case.assertEqual(status, response.status, shown)
        return response.json() if response.body else None


def segment(id: str) -> str:
    """Spell an id in a path."""
    return quote(id, safe="")


def replace(path: str, value: Any) -> Json:
    """Spell an operation."""
    return {"op": "replace", "path": path, "value": value}


def add(path: str, value: Any) -> Json:
    """Spell an operation."""
    return {"op": "add", "path": path, "value": value}


def remove(path: str) -> Json:
    """Spell an operation."""
    return {"op": "remove", "path": path}


class _Transport(Transport):
    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.closed: Deferred[None] = Deferred()

    def loseConnection(self) -> None:
        super().loseConnection()
        if not self.closed.called:
            self.closed.callback(None)


async def _cleared(server: Slapd | Samba, unit: str) -> None:
    client = await raw(server)
    found = await client.search(Search(base=unit, scope=Scope.SUB, attributes=("1.1",)))
    for entry in sorted(found.entries, key=lambda entry: -len(entry.dn)):
        try:
            await client.delete(entry.dn)
        except LdapError as error:
            if error.code != ResultCode.NO_SUCH_OBJECT:
                raise
    await client.close()
