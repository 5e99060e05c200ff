"""Configuration: every fault at once, with its file and path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import Attribute, field, frozen
from twisted.trial.unittest import SynchronousTestCase

from scimgw import registry
from scimgw.config.checks import between
from scimgw.config.load import Faults, load, modern
from scimgw.config.structure import Misfits, camel_case, is_off, structure
from scimgw.connector import ConnectorPlugin, Invalid
from scimgw.registry import UnknownConnector

Json = dict[str, Any]
LOKI = "plugin-loki.json: $.scimgateway"
SHIPPED = Path(__file__).parent.parent.parent / "etc"


def gateway(**more: Any) -> Json:
    """Give the least that a plugin's file must say, and more."""
    return {
        "port": 8880,
        "auth": {"basic": [{"username": "gwadmin", "password": "password"}]},
        **more,
    }


class LoadCase(SynchronousTestCase):
    """Writes configuration folders."""

    def folder(self, **files: Any) -> Path:
        """Write files: bytes as they are, anything else as JSON."""
        folder = Path(self.mktemp())
        folder.mkdir()
        for name, content in files.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            (folder / f"{name.replace('_', '-')}.json").write_bytes(data)
        return folder

    def plugin(self, section: Any, endpoint: Any = None, **others: Any) -> Path:
        """Write a folder with one plugin."""
        document = {
            "scimgateway": section,
            "endpoint": {} if endpoint is None else endpoint,
            **others,
        }
        return self.folder(scimgw={"plugins": ["plugin-loki"]}, plugin_loki=document)

    def faults(self, folder: Path) -> list[str]:
        """Load a faulty folder, and give its faults."""
        return [str(fault) for fault in self.assertRaises(Faults, load, folder).found]


class GoodTests(LoadCase):
    """What is accepted."""

    def test_shipped(self) -> None:
        """The shipped configuration is sound, and listens on loopback."""
        (plugin,) = load(SHIPPED).plugins
        self.assertEqual(("plugin-loki", 8880), (plugin.name, plugin.gateway.port))
        self.assertTrue(plugin.gateway.localhostonly)
        self.assertEqual({"undefined", "clientA"}, plugin.entities)

    def test_defaults(self) -> None:
        """What isn't said has its default."""
        (plugin,) = load(self.plugin(gateway())).plugins
        self.assertFalse(plugin.gateway.localhostonly)
        self.assertEqual(
            (200, 100_000, "2.0"),
            (
                plugin.gateway.scim.max_results,
                plugin.gateway.scim.max_scan,
                plugin.gateway.scim.version,
            ),
        )
        self.assertEqual({"undefined"}, plugin.entities)

    def test_values(self) -> None:
        """What is said is taken, in camelCase."""
        section = gateway(
            localhostonly=True, payloadSize=2048, scim={"maxResults": 5, "maxScan": 6}
        )
        (plugin,) = load(self.plugin(section, {"idFrom": "userName", "entity": {"a": {}}})).plugins
        self.assertEqual(
            (2048, 5, 6),
            (
                plugin.gateway.payload_size,
                plugin.gateway.scim.max_results,
                plugin.gateway.scim.max_scan,
            ),
        )
        self.assertEqual(("userName", {"a"}), (plugin.endpoint.id_from, plugin.entities))

    def test_off(self) -> None:
        """Keys that aren't built yet may be there as long as they are off."""
        section = gateway(
            scim={"version": "2.0", "customSchema": None},
            ipAllowList=[],
            certificate={
                "key": None,
                "cert": None,
                "ca": None,
                "pfx": {"bundle": None, "password": None},
            },
            emailOnError={
                "smtp": {"enabled": False, "host": None, "port": 587, "authenticate": True}
            },
        )
        section["auth"]["bearerToken"] = [{"token": None, "readOnly": False}]
        section["auth"]["basic"][0]["readOnly"] = False
        load(self.plugin(section))

    def test_old_spellings(self) -> None:
        """What older files spell otherwise is understood."""
        section = {
            "port": 8880,
            "scimversion": "2.0",
            "auth": {"basic": {"username": "a", "password": "b"}},
        }
        (plugin,) = load(self.plugin(section)).plugins
        self.assertEqual("a", plugin.gateway.auth.basic[0].username)
        self.assertEqual(
            {"scimgateway": {"scim": {"version": "1.1", "x": 1}, "log": {"loglevel": "debug"}}},
            modern(
                {
                    "scimgateway": {
                        "scimversion": "1.1",
                        "scim": {"x": 1},
                        "loglevel": "debug",
                        "log": None,
                    }
                }
            ),
        )

    def test_marked(self) -> None:
        """A mark that editors put before UTF-8 is passed over."""
        document = {"scimgateway": gateway(), "endpoint": {}}
        files = {"scimgw": {"plugins": ["plugin-loki"]}, "plugin_loki": document}
        marked = {name: b"\xef\xbb\xbf" + json.dumps(each).encode() for name, each in files.items()}
        self.assertEqual(1, len(load(self.folder(**marked)).plugins))

    def test_connector_named(self) -> None:
        """A plugin may name its connector, so that one connector can serve several ports."""
        files = {
            "scimgw": {"plugins": ["plugin-one", "plugin-two"]},
            "plugin_one": {"scimgateway": gateway(connector="loki"), "endpoint": {}},
            "plugin_two": {
                "scimgateway": gateway(port=8881, connector="connectors.loki:PLUGIN"),
                "endpoint": {},
            },
        }
        one, two = load(self.folder(**files)).plugins
        self.assertIs(one.connector, two.connector)


class FaultTests(LoadCase):
    """What isn't, and how that is told."""

    def test_all_at_once(self) -> None:
        """Every fault of every file is told, each with its file and its path."""
        files: dict[str, Any] = {
            "scimgw": {
                "plugins": [
                    "plugin-loki",
                    "plugin-two",
                    "plugin-nope",
                    "plugin-gone",
                    "plugin-loki",
                ],
                "worker": 1,
            },
            "plugin_loki": {
                "scimgateway": {
                    "port": 70000,
                    "localhostonly": "yes",
                    "auth": {
                        "basic": [{"username": "a:b"}, {"username": 5, "password": 7, "x": 1}, 5]
                    },
                    "scim": {"version": "1.1", "maxResults": 0},
                    "foo": 1,
                },
                "endpoint": {"idFrom": "mail", "entity": {"a": {"dbname": "x", "y": 1}}},
                "other": {},
            },
            "plugin_two": {"scimgateway": gateway(connector="loki", port=70000)},
            "plugin_nope": {"scimgateway": gateway(), "endpoint": {}},
        }
        expected = {
            "scimgw.json: $.worker: unknown key; is workers meant?",
        }
        self.assertEqual(expected, set(self.faults(self.folder(**files))))
        del files["scimgw"]["worker"]
        expected = {
            "scimgw.json: $.plugins[4]: plugin-loki is listed twice",
            "plugin-loki.json: $.other: unknown key",
            f"{LOKI}.foo: unknown key",
            f"{LOKI}.port: must be from 1 to 65535, not 70000",
            f"{LOKI}.localhostonly: must be true or false, not 'yes'",
            f"{LOKI}.auth.basic[0].username: must be a name without a colon",
            f"{LOKI}.auth.basic[0].password: required",
            f"{LOKI}.auth.basic[1].username: must be a string, not 5",
            f"{LOKI}.auth.basic[1].password: must be a string that isn't empty",
            f"{LOKI}.auth.basic[1].x: unknown key",
            f"{LOKI}.auth.basic[2]: must be an object, not a number",
            f"{LOKI}.scim.version: must be '2.0', not '1.1'",
            f"{LOKI}.scim.maxResults: must be from 1 to 10000, not 0",
            "plugin-loki.json: $.endpoint.idFrom: must be 'userName', not 'mail'",
            "plugin-loki.json: $.endpoint.entity.a.y: unknown key",
            "plugin-two.json: $.scimgateway.port: must be from 1 to 65535, not 70000",
            "plugin-two.json: $.scimgateway.port: 70000 is the port of plugin-loki too",
            "plugin-two.json: $.endpoint: required",
            (
                "plugin-nope.json: $.scimgateway.connector: "
                "there is no connector 'nope': no module connectors.nope"
            ),
        }
        folder = self.folder(**files)
        gone = f"can't be read in {folder.absolute()}: No such file or directory"
        expected.add(f"plugin-gone.json: $: {gone}")
        self.assertEqual(expected, set(self.faults(folder)))

    def test_no_folder(self) -> None:
        """A folder that isn't there is told as such, and which it is."""
        folder = Path(self.mktemp())
        fault = f"can't be read in {folder.absolute()}: No such file or directory"
        self.assertEqual([f"scimgw.json: $: {fault}"], self.faults(folder))

    def test_misspelt(self) -> None:
        """Of a key that isn't known, the one that may be meant is told."""
        auth = {"basic": [{"username": "a", "password": "b", "readonly": True, "z": 1}]}
        document = {"scimGateway": {}, "scimgateway": gateway(auth=auth, ipAllowlist=[])}
        files: dict[str, Any] = {"scimgw": {"plugins": ["plugin-loki"]}, "plugin_loki": document}
        document["endpoint"] = {}
        self.assertEqual(
            {
                "plugin-loki.json: $.scimGateway: unknown key; is scimgateway meant?",
                f"{LOKI}.ipAllowlist: unknown key; is ipAllowList meant?",
                f"{LOKI}.auth.basic[0].readonly: unknown key; is readOnly meant?",
                f"{LOKI}.auth.basic[0].z: unknown key",
            },
            set(self.faults(self.folder(**files))),
        )

    def test_words(self) -> None:
        """What JSON spells otherwise than Python is spelled as in JSON."""
        section = gateway(port=None, scim={"maxResults": True})
        found = set(self.faults(self.plugin(section)))
        port = f"{LOKI}.port: must be an integer, not null"
        self.assertEqual({port, f"{LOKI}.scim.maxResults: must be an integer, not true"}, found)

    def test_no_json(self) -> None:
        """A file that isn't JSON, or that two readers might read differently, is refused."""
        for content, reason in (
            (b'{"plugins": ', "not JSON"),
            (b'{"plugins": [], "plugins": []}', "'plugins' stands twice"),
            (b"[]", "must be an object"),
            (b"", "empty"),
            (b"\xff", "not UTF-8"),
        ):
            (fault,) = self.faults(self.folder(scimgw=content))
            self.assertIn(reason, fault)

    def test_nothing_to_start(self) -> None:
        """There must be a plugin, and a way in."""
        self.assertEqual(
            ["scimgw.json: $.plugins: must hold at least one entry"],
            self.faults(self.folder(scimgw={"plugins": []})),
        )
        ways = "basic, bearerToken, bearerJwt, bearerJwtAzure, bearerOAuth or clientCertificate"
        self.assertEqual(
            [f"{LOKI}.auth: must hold at least one way in: {ways}"],
            self.faults(self.plugin(gateway(auth={"basic": []}))),
        )
        self.assertEqual(
            [f"{LOKI}.auth: required"],
            self.faults(self.plugin({"port": 8880})),
        )
        self.assertEqual(
            [f"{LOKI}: must be an object, not a string"],
            self.faults(self.plugin("x")),
        )

    def test_names(self) -> None:
        """A user's name is there, and holds no colon, which would end it."""
        for name in ("a:b", ""):
            section = gateway(auth={"basic": [{"username": name, "password": "x"}]})
            self.assertEqual(
                [f"{LOKI}.auth.basic[0].username: must be a name without a colon"],
                self.faults(self.plugin(section)),
            )

    def test_not_built_yet(self) -> None:
        """A key that is known and does nothing yet is refused, never ignored."""
        for path, section in {
            "scim.usePutSoftSync": gateway(scim={"usePutSoftSync": True}),
            "log": gateway(loglevel={"file": "debug"}),
        }.items():
            self.assertEqual(
                [f"{LOKI}.{path}: isn't supported yet: leave it out, or set it to null"],
                self.faults(self.plugin(section)),
            )
        (fault,) = self.faults(
            self.folder(
                scimgw={"plugins": ["plugin-loki"], "workers": 4},
                plugin_loki={"scimgateway": gateway(), "endpoint": {}},
            )
        )
        self.assertEqual("scimgw.json: $.workers: more than one isn't supported yet", fault)

    def test_networks(self) -> None:
        """What isn't a network is told by its place, and how it is to be written."""
        networks = ["10.0.0.0/8", "10.1.2.3/8", "2001:db8::1", "x", 7]
        for key in ("ipAllowList", "trustedProxies"):
            faults = self.faults(self.plugin(gateway(**{key: networks})))
            places = [fault.removeprefix(f"{LOKI}.{key}").partition(":")[0] for fault in faults]
            self.assertEqual(["[1]", "[3]", "[4]"], places)
            self.assertIn("write 10.0.0.0/8 for the network, 10.1.2.3 for the address", faults[0])

    def test_proxy_protocol(self) -> None:
        """Nothing starts that awaits PROXY headers of nobody."""
        section = gateway(proxyProtocol=True)
        self.assertEqual(
            [f"{LOKI}.proxyProtocol: needs trustedProxies, which alone may send the header"],
            self.faults(self.plugin(section)),
        )
        (plugin,) = load(self.plugin({**section, "trustedProxies": ["::1"]})).plugins
        self.assertTrue(plugin.gateway.proxy_protocol)

    def test_values_from_elsewhere(self) -> None:
        """A value that stands elsewhere isn't taken for the value itself."""
        section = gateway(auth={"basic": [{"username": "a", "password": "process.env.PASSWORD"}]})
        self.assertEqual(
            [f"{LOKI}.auth.basic[0].password: values from elsewhere aren't supported yet"],
            self.faults(self.plugin(section)),
        )

    def test_no_secret_is_shown(self) -> None:
        """A fault of a secret doesn't show it, nor does one of what it may have been put into."""
        user = {"username": "a", "password": "hunter2"}
        sections: list[Json] = [
            {"auth": {"basic": [{"username": "a", "password": ["hunter2"]}]}},
            {"auth": {"basic": [{"username": user, "password": "x"}]}},
            {"auth": {"bearerToken": "hunter2"}},
            {"auth": {"bearerToken": ["hunter2"]}},
            {"auth": {"basic": [user, 4711]}},
            {"auth": "hunter2"},
            {"auth": {"basic": [user]}, "port": user, "localhostonly": [user]},
            {"auth": {"bearerJwt": [{"secret": "hunter2", "options": {"issuer": user}}]}},
            {"auth": {"bearerJwt": [{"secret": "hunter2", "options": {"maxAge": [user]}}]}},
        ]
        for section in sections:
            faults = "".join(self.faults(self.plugin(gateway(**section))))
            for secret in ("hunter2", "4711"):
                self.assertNotIn(secret, faults)

    def test_connectors_own_checks(self) -> None:
        """What a connector's class refuses is told at the place of the object."""
        faults = self.faults(self.plugin(gateway(), {"entity": {"a": {"persistence": True}}}))
        (fault,) = faults
        self.assertTrue(
            fault.startswith(
                "plugin-loki.json: $.endpoint.entity.a: persistence isn't supported yet"
            )
        )

    def test_schemas(self) -> None:
        """Files of schemas are read, and their faults told with file and reason."""
        good = {"name": "User", "attributes": [{"name": "shoeSize", "type": "integer"}]}
        reference = {"name": "boss", "type": "reference", "referenceTypes": ["Nobody"]}
        for key, value, content, fault in (
            ("customSchema", "x.json", None, "can't be read: No such file or directory"),
            (
                "customSchema",
                "x.json",
                {**good, "name": "Device"},
                "name must be one of User, Group",
            ),
            ("customSchema", "x.json", b"{", "not JSON"),
            ("resourceTypes", ["x.json"], good, "needs id"),
            ("resourceTypes", ["x.json"], [1], "must be an object"),
            ("customSchema", "x\0.json", None, "can't be the name of a file"),
            (
                "customSchema",
                "x.json",
                {**good, "attributes": [reference]},
                "User: boss: there is no resource type Nobody to refer to",
            ),
        ):
            folder = self.plugin(gateway(scim={key: value}))
            (folder / "schemas").mkdir()
            if content is not None:
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                (folder / "schemas" / "x.json").write_bytes(data)
            (told,) = self.faults(folder)
            self.assertIn(f"{LOKI}.scim.{key}: ", told)
            self.assertIn("schemas/x", told)
            self.assertIn(fault, told)
        folder = self.plugin(gateway(scim={"customSchema": "x.json"}))
        (folder / "schemas").mkdir()
        (folder / "schemas" / "x.json").write_text(json.dumps(good))
        (plugin,) = load(folder).plugins
        self.assertIsNotNone(plugin.resource_types[0].find("shoesize"))

    def test_all_schemas(self) -> None:
        """All that is wrong is told, each with its file; a byte order mark is nothing wrong."""
        folder = self.plugin(gateway(scim={"customSchema": "x", "resourceTypes": ["y", "z"]}))
        (folder / "schemas").mkdir()
        entry = {"name": "User", "attributes": [{"name": "a b"}, {"name": "c", "type": "text"}]}
        (folder / "schemas" / "x").write_text(json.dumps(entry), "utf-8-sig")
        (folder / "schemas" / "y").write_text(json.dumps([{"name": "Device"}]))
        (folder / "schemas" / "z").write_text("[]")
        found = [each.partition(".scim.")[2] for each in self.faults(folder)]
        files = ["customSchema: schemas/x"] * 2 + ["resourceTypes: schemas/y"] * 2
        self.assertEqual(files, [": ".join(each.split(": ")[:2]) for each in found])
        (folder / "schemas" / "x").write_text(json.dumps({**entry, "attributes": [{"name": "a"}]}))
        device = {"name": "Device", "endpoint": "/Devices", "schema": "urn:acme:Device"}
        (folder / "schemas" / "y").write_text(json.dumps(device))
        (told,) = self.faults(folder)
        self.assertIn("schemas/y, z: Device: there is no schema urn:acme:Device", told)

    def test_secret(self) -> None:
        """A secret must be long, and stand in the file itself; it doesn't show itself."""
        plugin = {"scimgateway": gateway(), "endpoint": {}}
        for key, fault in (
            ("short", "must have at least 32 characters"),
            ("process.env.KEY", "values from elsewhere aren't supported yet"),
        ):
            main = {"plugins": ["plugin-loki"], "secretKey": key}
            folder = self.folder(scimgw=main, plugin_loki=plugin)
            self.assertIn(f"scimgw.json: $.secretKey: {fault}", self.faults(folder))
        main = {"plugins": ["plugin-loki"], "secretKey": "s" * 32, "dataDirectory": "d"}
        folder = self.folder(scimgw=main, plugin_loki=plugin)
        found = load(folder)
        self.assertEqual(folder / "d", found.data_directory)
        self.assertNotIn("sss", repr(found))


class StructureTests(SynchronousTestCase):
    """JSON values and attrs classes."""

    def test_containers(self) -> None:
        """Arrays and objects are taken for what they are, and nothing else is."""

        @frozen
        class Holder:
            names: tuple[str, ...] = ()
            numbers: dict[str, int] = field(factory=dict)

        self.assertEqual(
            Holder(("a",), {"b": 1}), structure({"names": ["a"], "numbers": {"b": 1}}, Holder, "$")
        )
        faults = self.assertRaises(
            Misfits, structure, {"names": "a", "numbers": [1]}, Holder, "$"
        ).found
        self.assertEqual(
            {
                ("$.names", "must be an array, not a string"),
                ("$.numbers", "must be an object, not an array"),
            },
            {(each.path, each.fault) for each in faults},
        )
        faults = self.assertRaises(
            Misfits, structure, {"numbers": {"b": True}, "names": [1]}, Holder, "$"
        ).found
        self.assertEqual({"$.numbers.b", "$.names[0]"}, {each.path for each in faults})

    def test_bounds(self) -> None:
        """Each value out of bounds is told, and asked once more where the object is needed."""

        def below(holder: Holder, attribute: Attribute[int], value: int) -> None:
            if value > holder.most:
                raise Invalid(attribute.name, "is too much")

        def first(_: object, attribute: Attribute[Any], value: tuple[int, ...]) -> None:
            if value[0]:
                raise Invalid(f"{attribute.name}[0]", "isn't 0")

        @frozen
        class Holder:
            most: int = field(default=1, validator=between(0, 9))
            number: int = field(default=0, validator=below)
            the_list: tuple[int, ...] = field(default=(0,), validator=first)

        def faults(**value: Any) -> set[str]:
            found = self.assertRaises(Misfits, structure, value, Holder, "$").found
            return {f"{each.path}: {each.fault}" for each in found}

        self.assertEqual(Holder(2, 2), structure({"most": 2, "number": 2}, Holder, "$"))
        self.assertEqual({"$.number: is too much"}, faults(number=2))
        self.assertEqual(
            {"$.most: must be from 0 to 9, not 10", "$.theList[0]: isn't 0"},
            faults(most=10, theList=[1]),
        )

    def test_names(self) -> None:
        """Fields are spelled as the files of old spell them."""
        self.assertEqual(
            ["port", "localhostonly", "bearerJwtAzure", "bearerOAuth", "ipAllowList"],
            [
                camel_case(name)
                for name in (
                    "port",
                    "localhostonly",
                    "bearer_jwt_azure",
                    "bearer_o_auth",
                    "ip_allow_list",
                )
            ],
        )

    def test_off(self) -> None:
        """What is off is off at every depth."""
        self.assertTrue(
            all(
                map(
                    is_off,
                    (
                        None,
                        False,
                        [],
                        {},
                        {"enabled": False, "host": "x"},
                        [{"a": None}],
                        {"a": [False]},
                    ),
                )
            )
        )
        self.assertFalse(any(map(is_off, ("x", 0, True, ["x"], {"a": "x"}, {"enabled": True}))))


NOT_A_PLUGIN = object()


class RegistryTests(SynchronousTestCase):
    """Connectors by name."""

    def test_found(self) -> None:
        """A connector is found by its module, or by module and name."""
        self.assertIsInstance(registry.find("loki"), ConnectorPlugin)
        self.assertIs(registry.find("loki"), registry.find("connectors.loki:PLUGIN"))

    def test_not_found(self) -> None:
        """What isn't there, or isn't a connector, is told."""
        for name in (
            "nope",
            "",
            "../loki",
            "a b",
            "nope.nope:X",
            "nope:X",
            "loki.index",
            "tests.config.test_load:NOT_A_PLUGIN",
            "os:sep",
            "os:nope",
        ):
            self.assertRaises(UnknownConnector, registry.find, name)
