"""Putting the parts together, in memory: start, stop, and what happens in between."""

from __future__ import annotations

import json
import resource
import shutil
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from scimgw.config.identities import Auth, Basic
from scimgw.config.load import Configuration, Faults, PluginConfig, load
from scimgw.config.model import Gateway
from scimgw.connector import ConnectorPlugin, Misconfigured, Services
from scimgw.scim.custom import STANDARD, extended, own_types
from scimgw.secret import Secret
from scimgw.service import GRACE, PluginService, build
from scimgw.testing.client import Client, Connection, Transport, parse
from tests.fakes.memory import MemoryConnector

ETC = Path(__file__).parent.parent / "etc"


class StartTests(SynchronousTestCase):
    """The shipped configuration."""

    def test_started(self) -> None:
        """Each plugin listens on its port."""
        reactor = MemoryReactorClock()
        service = build(load(ETC), reactor)
        self.assertEqual([], reactor.tcpServers)
        service.privilegedStartService()
        service.startService()
        servers: list[Any] = list(reactor.tcpServers)
        self.assertEqual([(8880, "127.0.0.1")], [(each[0], each[3]) for each in servers])
        (plugin,) = list(service)
        assert isinstance(plugin, PluginService)
        self.assertEqual(200, Client(plugin.site).get("/clientA/Users").status)
        self.successResultOf(service.stopService())


class ShippedTests(SynchronousTestCase):
    """The configurations that are shipped beside the one that runs."""

    def test_sound(self) -> None:
        """Each is sound, and listens on loopback as long as its password is what it is."""
        names = sorted(path.stem for path in ETC.glob("plugin-*.json"))
        folder = Path(self.mktemp())
        shutil.copytree(ETC, folder)
        (folder / "scimgw.json").write_text(json.dumps({"plugins": names}))
        plugins = list(build(load(folder), MemoryReactorClock()))
        self.assertEqual(names, [plugin.name for plugin in plugins])
        for plugin in plugins:
            assert isinstance(plugin, PluginService)
            self.assertTrue(plugin.config.gateway.localhostonly)


class RoomTests(SynchronousTestCase):
    """How many connections there may be."""

    def room(self, plugins: int, open_files: int) -> set[tuple[int, int]]:
        """Build so many plugins; give the most connections of each, in all and of one address."""
        self.patch(resource, "getrlimit", lambda _: (open_files, resource.RLIM_INFINITY))
        (one,) = load(ETC).plugins
        several = tuple(evolve(one, name=f"plugin-{each}") for each in range(plugins))
        built = build(evolve(load(ETC), plugins=several), MemoryReactorClock())
        sites = [each.site for each in built if isinstance(each, PluginService)]
        return {(site.patience.connections, site.patience.per_address) for site in sites}

    def test_shared(self) -> None:
        """No plugin can have what the process may have open for others, nor an address for all."""
        self.assertEqual({(1024, 256)}, self.room(1, 3072))
        self.assertEqual({(256, 128)}, self.room(4, 3072))
        self.assertEqual({(1, 1)}, self.room(1, 3))
        self.assertEqual({(10_000, 256)}, self.room(2, 100_000))
        self.assertEqual({(10_000, 256)}, self.room(1, resource.RLIM_INFINITY))


class BuiltCase(SynchronousTestCase):
    """Builds the document store out of files."""

    def built(self, more: dict[str, Any], user: dict[str, Any]) -> PluginService:
        """Build the document store for one user."""
        folder = Path(self.mktemp())
        shutil.copytree(ETC, folder)
        document = json.loads((ETC / "plugin-loki.json").read_text())
        document["scimgateway"] |= more
        document["scimgateway"]["auth"]["basic"][0] |= user
        (folder / "plugin-loki.json").write_text(json.dumps(document))
        self.reactor = MemoryReactorClock()
        (plugin,) = list(build(load(folder), self.reactor))
        assert isinstance(plugin, PluginService)
        return plugin


class PerimeterTests(BuiltCase):
    """From where requests may come."""

    def test_allow_list(self) -> None:
        """What a file says of networks and proxies holds for its requests."""
        more = {"ipAllowList": ["203.0.113.0/24"], "trustedProxies": ["192.0.2.7"]}
        client = Client(self.built(more, {}).site)
        for address, status in (("203.0.113.9", 200), ("198.51.100.1", 403)):
            answer = client.get("/Users", **{"X-Forwarded-For": address})
            self.assertEqual(status, answer.status)

    def test_proxy_protocol(self) -> None:
        """Where PROXY headers are awaited, what listens awaits them."""
        more = {"trustedProxies": ["192.0.2.7"], "proxyProtocol": True}
        plugin = self.built(more, {})
        plugin.startService()
        servers: list[Any] = list(self.reactor.tcpServers)
        factory = servers[0][1]
        peer = IPv4Address("TCP", "192.0.2.7", 1)
        self.assertIsNone(factory.buildProtocol(IPv4Address("TCP", "192.0.2.8", 1)))
        connection, transport = factory.buildProtocol(peer), Transport(peerAddress=peer)
        connection.makeConnection(transport)
        connection.dataReceived(b"PROXY UNKNOWN\r\n" + Client(plugin.site).encoded("GET", "/ping"))
        self.assertEqual(200, parse(transport.value()).status)
        connection.connectionLost(Failure(ConnectionDone()))
        self.successResultOf(plugin.stopService())

    def test_without_location(self) -> None:
        """Resources are shown without their address where a file says so."""
        site = self.built({"scim": {"skipMetaLocation": True}}, {}).site
        self.assertNotIn("location", Client(site).get("/Users").json()["Resources"][0]["meta"])


class IdentityTests(BuiltCase):
    """Who is configured to be let in."""

    def test_limited(self) -> None:
        """What a file says of a user holds for its requests."""
        user = {"readOnly": True, "baseEntities": ["clientA"]}
        client = Client(self.built({}, user).site)
        self.assertEqual(200, client.get("/clientA/Users").status)
        self.assertEqual(404, client.get("/Users").status)
        self.assertEqual(403, client.post("/clientA/Users", {"userName": "x"}).status)

    def test_token(self) -> None:
        """A token of the file lets in, within what the file says of it."""
        tokens = [{"token": "x"}, {"token": "y", "readOnly": True}]
        auth = {"basic": [{"username": "gwadmin", "password": "password"}], "bearerToken": tokens}
        site = self.built({"auth": auth}, {}).site
        for token, status in (("x", 201), ("y", 403), ("z", 401)):
            client = Client(site, headers={"Authorization": f"Bearer {token}"})
            self.assertEqual(status, client.post("/Users", {"userName": token}).status)

    def test_bad_token(self) -> None:
        """Nothing starts with a token that no header can hold."""
        with self.assertRaises(Faults) as raised:
            basic = [{"username": "a", "password": "b"}]
            self.built({"auth": {"basic": basic, "bearerToken": [{"token": "a b"}]}}, {})
        self.assertIn("auth.bearerToken[0].token: must be printable", str(raised.exception))

    def test_no_such_entity(self) -> None:
        """Nobody is limited to a base entity that there isn't, unless another gateway knows it."""
        user = {"baseEntities": ["undefined", "clientX"]}
        with self.assertRaises(Faults) as raised:
            self.built({}, user)
        path = "$.scimgateway.auth.basic[0].baseEntities"
        self.assertEqual(
            f"plugin-loki.json: {path}: there is no base entity 'clientX'", str(raised.exception)
        )
        self.built({"chainingBaseUrl": "http://127.0.0.1:1"}, user)


class StopTests(SynchronousTestCase):
    """Stopping with requests under way."""

    def setUp(self) -> None:
        """Start a plugin over a connector that waits."""
        self.reactor = MemoryReactorClock()
        self.connector = MemoryConnector()
        self.gate: Deferred[None] = Deferred()

        async def wait(_method: str, _id: str) -> None:
            await self.gate

        self.connector.interlude = wait
        users = (Basic(username="gwadmin", password=Secret("password")),)
        config = PluginConfig(
            name="plugin-test",
            gateway=Gateway(port=1234, auth=Auth(basic=users)),
            connector=ConnectorPlugin(config=object, build=self.build),
            endpoint=None,
            entities=frozenset({"undefined"}),
        )
        self.root = build(Configuration(plugins=(config,)), self.reactor)
        (plugin,) = list(self.root)
        assert isinstance(plugin, PluginService)
        self.plugin = plugin
        self.root.startService()

    def build(self, _config: Any, services: Services) -> MemoryConnector:
        """Give the connector."""
        self.services = services
        return self.connector

    def begin(self) -> Connection:
        """Begin a request, and stop the plugin."""
        connection = Connection(self.plugin.site)
        connection.send(Client(self.plugin.site).encoded("GET", "/Users"))
        self.idle = Connection(self.plugin.site)
        self.stopped = self.root.stopService()
        self.assertNoResult(self.stopped)
        return connection

    def lose(self, connection: Connection) -> None:
        """Let a connection that was asked to close be closed."""
        self.assertTrue(connection.transport.disconnecting)
        connection.lose()

    def test_in_order(self) -> None:
        """Requests end, connections are closed, then the connector is."""
        connection = self.begin()
        self.lose(self.idle)
        self.assertNotIn("close", self.connector.calls)
        self.gate.callback(None)
        self.assertEqual(200, connection.response().status)
        self.assertNoResult(self.stopped)
        self.lose(connection)
        self.successResultOf(self.stopped)
        self.assertEqual("close", self.connector.calls[-1])

    def test_grace(self) -> None:
        """Who takes too long isn't waited for."""
        self.begin()
        self.reactor.advance(GRACE + 1)
        self.successResultOf(self.stopped)
        self.assertEqual("close", self.connector.calls[-1])
        self.gate.callback(None)

    def test_services(self) -> None:
        """A connector is given the plugin's name, a clock and randomness."""
        self.assertEqual(("plugin-test", self.reactor), (self.services.name, self.services.clock))
        self.assertEqual(7, len(self.services.random(7)))
        self.assertIs(self.reactor, self.services.reactor)
        self.gate.callback(None)
        self.successResultOf(self.root.stopService())

    def test_misconfigured(self) -> None:
        """What a connector refuses of its settings is told with the file and the path."""

        def refuse(_config: Any, _services: Services) -> MemoryConnector:
            raise Misconfigured([(".map.user.mail", "is wrong"), (".map.group", "is missing")])

        plugin = evolve(self.plugin.config.connector, build=refuse)
        config = evolve(self.plugin.config, connector=plugin)
        faults = self.assertRaises(Faults, build, Configuration(plugins=(config,)), self.reactor)
        self.assertEqual(
            [
                "plugin-test.json: $.endpoint.map.user.mail: is wrong",
                "plugin-test.json: $.endpoint.map.group: is missing",
            ],
            [str(fault) for fault in faults.found],
        )
        self.gate.callback(None)
        self.successResultOf(self.root.stopService())

    def test_entities(self) -> None:
        """A base entity with the name of a route is a fault."""
        for name in ("ping", "Schemas", "v2", "GROUPS"):
            config = PluginConfig(
                name="plugin-test",
                gateway=self.plugin.config.gateway,
                connector=self.plugin.config.connector,
                endpoint=None,
                entities=frozenset({name, "fine"}),
            )
            faults = self.assertRaises(
                Faults, build, Configuration(plugins=(config,)), self.reactor
            )
            self.assertEqual([f"$.endpoint.entity.{name}"], [fault.path for fault in faults.found])
        self.gate.callback(None)
        self.successResultOf(self.root.stopService())

    def test_custom_schema(self) -> None:
        """The attributes that a connector can't hold are named."""
        entries = [
            {"name": "User", "attributes": [{"name": "mood"}]},
            {"name": "User", "id": "urn:acme:User", "attributes": [{"name": "desk"}]},
        ]
        config = evolve(self.plugin.config, resource_types=extended(entries))
        connector = MemoryConnector(resource_types=STANDARD)
        plugin = evolve(config.connector, build=lambda *_: connector)
        configuration = Configuration(plugins=(evolve(config, connector=plugin),))
        (fault,) = self.assertRaises(Faults, build, configuration, self.reactor).found
        self.assertEqual("$.scimgateway.scim.customSchema", fault.path)
        self.assertIn("what is added: User: mood, User: urn:acme:User:desk", fault.fault)
        self.gate.callback(None)
        self.successResultOf(self.root.stopService())

    def test_types(self) -> None:
        """What a connector can't hold, and what can't be addressed, is a fault."""
        schema = {"id": "urn:x:y", "attributes": [{"name": "z"}]}
        for endpoint, held, fault in (
            ("/Devices", False, "this connector doesn't hold what is added: Device"),
            ("/Bulk", True, "Device: /Bulk can't be an endpoint"),
        ):
            document = {"name": "Device", "endpoint": endpoint, "schema": "urn:x:y"}
            types = (*STANDARD, *own_types([document, schema], STANDARD))
            connector = MemoryConnector(resource_types=types if held else STANDARD)
            plugin = evolve(
                self.plugin.config.connector, build=lambda *_, connector=connector: connector
            )
            config = evolve(self.plugin.config, connector=plugin, resource_types=types)
            faults = self.assertRaises(
                Faults, build, Configuration(plugins=(config,)), self.reactor
            )
            self.assertEqual([fault], [each.fault for each in faults.found])
        self.gate.callback(None)
        self.successResultOf(self.root.stopService())
