"""Settings of a directory: what is wrong with them is told before anything starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from connectors.ldap import Config, LdapConnector
from scimgw.config.structure import Misfits, structure
from scimgw.connector import Call, Misconfigured, Principal
from scimgw.errors import NotFound
from scimgw.scim.custom import extended
from scimgw.scim.query import Query
from scimgw.scim.schema import USER, Mutability
from tests.fakes.services import in_memory

ETC = Path(__file__).parent.parent.parent.parent / "etc"
Json = dict[str, Any]


def shipped(name: str) -> Json:
    """Give the endpoint of a shipped configuration."""
    document: Json = json.loads((ETC / f"plugin-{name}.json").read_text("utf-8"))
    endpoint: Json = document["endpoint"]
    return endpoint


def made(endpoint: Json) -> LdapConnector:
    """Make the connector."""
    return LdapConnector(structure(endpoint, Config, "$.endpoint"), in_memory(Clock()))


class SettingsTests(SynchronousTestCase):
    """The endpoint's part of a plugin's file."""

    def faults(self, endpoint: Json) -> dict[str, str]:
        """Give what is wrong."""
        return dict(self.assertRaises(Misconfigured, made, endpoint).faults)

    def entity(self, endpoint: Json) -> Json:
        """Give the settings of the only base entity."""
        found: Json = endpoint["entity"]["undefined"]
        return found

    def test_shipped(self) -> None:
        """What is shipped holds users and groups."""
        for name in ("ldap", "openldap"):
            types = [type.name for type in made(shipped(name)).resource_types]
            self.assertEqual(["User", "Group"], types)

    def test_faults(self) -> None:
        """All that is wrong is told at once, with its place."""
        endpoint = shipped("ldap")
        entity = self.entity(endpoint)
        entity |= {"baseUrls": ["http://dc"], "password": None, "tls": {"ca": "nowhere.pem"}}
        entity["ldap"] |= {
            "userBase": "nowhere",
            "groupBase": "",
            "userFilter": "(uid=",
            "groupFilter": "x",
        }
        self.assertEqual(
            {
                f".entity.undefined.{key}"
                for key in (
                    "baseUrls[0]",
                    "password",
                    "tls.ca",
                    "ldap.userBase",
                    "ldap.groupBase",
                    "ldap.userFilter",
                    "ldap.groupFilter",
                )
            },
            set(self.faults(endpoint)),
        )

    def test_encrypted_twice(self) -> None:
        """StartTLS is for connections that aren't encrypted yet."""
        endpoint = shipped("ldap")
        self.entity(endpoint)["tls"] = {"startTls": True}
        self.assertEqual([".entity.undefined.baseUrls[0]"], list(self.faults(endpoint)))

    def test_map(self) -> None:
        """Rules are checked against the schemas, and one must be the id."""
        endpoint = shipped("ldap")
        endpoint["map"]["user"]["title"] = {"mapTo": "titel"}
        del endpoint["map"]["group"]["objectGUID"]
        faults = self.faults(endpoint)
        self.assertEqual({".map.user.title", ".map.group"}, set(faults))
        self.assertIn("entryUUID", faults[".map.group"])
        endpoint = shipped("ldap")
        endpoint["map"]["user"]["dn"] = endpoint["map"]["user"].pop("objectGUID")
        self.assertEqual([".map"], list(self.faults(endpoint)))
        endpoint = shipped("ldap")
        endpoint["map"]["user"]["cn"] = endpoint["map"]["user"].pop("objectGUID")
        self.assertEqual([".map.user"], list(self.faults(endpoint)))

    def test_groups(self) -> None:
        """Groups may be left out, but not where they are."""
        endpoint = shipped("ldap")
        self.entity(endpoint)["ldap"]["groupBase"] = None
        self.assertEqual([".entity.undefined.ldap.groupBase"], list(self.faults(endpoint)))
        endpoint["map"]["group"] = {}
        self.assertEqual(["User"], [type.name for type in made(endpoint).resource_types])

    def test_mixed(self) -> None:
        """All base entities share a map, and so must be of one kind."""
        endpoint = shipped("openldap")
        other = json.loads(json.dumps(self.entity(endpoint)))
        other["ldap"]["isOpenLdap"] = False
        endpoint["entity"]["clientA"] = other
        self.assertEqual([".entity"], list(self.faults(endpoint)))

    def test_misfits(self) -> None:
        """One URL, and numbers that make sense."""
        changes: tuple[Json, ...] = (
            {"baseUrls": []},
            {"baseUrls": ["ldaps://a", "ldaps://b"]},
            {"timeout": 0},
            {"connections": -1},
        )
        for change in changes:
            endpoint = shipped("ldap")
            self.entity(endpoint).update(change)
            self.assertRaises(Misfits, made, endpoint)

    def test_unknown_entity(self) -> None:
        """A base entity that isn't configured has no directory."""
        call = Call(entity="other", principal=Principal("x"), request_id="1", deadline=60.0)
        searching = Deferred.fromCoroutine(made(shipped("ldap")).search(call, Query(type=USER)))
        self.failureResultOf(searching, NotFound)

    def test_unfollowed(self) -> None:
        """A search that is over can be given back, and connections that never were be closed."""
        connector = made(shipped("ldap"))
        call = Call(entity="undefined", principal=Principal("x"), request_id="1", deadline=60.0)
        over = connector.search(call, Query(type=USER, cursor="1", count=0))
        self.assertEqual([], list(self.successResultOf(Deferred.fromCoroutine(over)).resources))
        self.successResultOf(Deferred.fromCoroutine(connector.close()))


class CustomTests(SynchronousTestCase):
    """What a file of custom schema adds, where the map says what holds it."""

    def test_mapped(self) -> None:
        """A mapped attribute is as its schema describes it; others aren't there."""
        own = {"name": "mood", "type": "string", "required": True, "mutability": "immutable"}
        urn = "urn:acme:User"
        types = extended(
            [
                {"name": "User", "attributes": [own, {"name": "other"}]},
                {"name": "User", "id": urn, "required": True, "attributes": [{"name": "desk"}]},
            ]
        )
        endpoint = shipped("openldap")
        endpoint["map"]["user"] |= {
            "description": {"mapTo": "mood"},
            "roomNumber": {"mapTo": f"{urn}:desk"},
        }
        config = structure(endpoint, Config, "$.endpoint")
        services = evolve(in_memory(Clock()), resource_types=types)
        user = LdapConnector(config, services).resource_types[0]
        mood = user.find("mood")
        assert mood is not None
        self.assertEqual((True, Mutability.IMMUTABLE), (mood.required, mood.mutability))
        self.assertIsNone(user.find("other"))
        self.assertIn((urn, True), [(each.schema.id, each.required) for each in user.extensions])
