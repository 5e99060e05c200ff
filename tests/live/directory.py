"""An LDAP connector to a server of the tests."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from connectors.ldap import Config, LdapConnector
from connectors.ldap.client import Client
from connectors.ldap.result import LdapError
from connectors.ldap.server import Server, connect, parse_url, trust
from scimgw.config.structure import structure
from scimgw.connector import Services
from scimgw.secret import Secret
from tests.live.case import reactor
from tests.live.samba import Samba
from tests.live.slapd import Slapd

Json = dict[str, Any]
PATIENCE = 60.0
"""Seconds that a directory has to answer."""

SUITE: Json = {
    # attributes that OpenLDAP compares as SCIM does, so that all that SCIM can ask is asked
    "user": {
        "dn": {"mapTo": "id"},
        "uid": {"mapTo": "userName"},
        "displayName": {"mapTo": "displayName"},
        "title": {"mapTo": "title"},
        "employeeType": {"mapTo": "userType"},
        "givenName": {"mapTo": "name.givenName"},
        "initials": {"mapTo": "name.middleName"},
        "roomNumber": {"mapTo": "emails.work.value"},
        "carLicense": {"mapTo": "emails.home.value"},
        "street": {"mapTo": "addresses.work.streetAddress"},
        "l": {"mapTo": "addresses.work.locality"},
        "ou": {"mapTo": "roles.value", "type": "array"},
        "departmentNumber": {
            "mapTo": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"
        },
        "createTimestamp": {"mapTo": "meta.created", "type": "date", "format": "generalizedTime"},
        "modifyTimestamp": {
            "mapTo": "meta.lastModified",
            "type": "date",
            "format": "generalizedTime",
        },
    },
    "group": {
        "dn": {"mapTo": "id"},
        "description": {"mapTo": "displayName"},
        "member": {"mapTo": "members.value", "type": "array"},
    },
}


ACTIVE_DIRECTORY_SUITE: Json = {
    # attributes of users in Active Directory that have no rules of their own
    "user": {
        "dn": {"mapTo": "id"},
        "info": {"mapTo": "userName"},
        "displayName": {"mapTo": "displayName"},
        "title": {"mapTo": "title"},
        "employeeNumber": {"mapTo": "userType"},
        "givenName": {"mapTo": "name.givenName"},
        "personalTitle": {"mapTo": "name.honorificPrefix"},
        "mail": {"mapTo": "emails.work.value"},
        "wWWHomePage": {"mapTo": "emails.home.value"},
        "streetAddress": {"mapTo": "addresses.work.streetAddress"},
        "l": {"mapTo": "addresses.work.locality"},
        "otherTelephone": {"mapTo": "roles.value", "type": "array"},
        "memberOf": {"mapTo": "groups.value", "type": "array"},
        "department": {
            "mapTo": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"
        },
        "whenCreated": {"mapTo": "meta.created", "type": "date", "format": "generalizedTime"},
        "whenChanged": {"mapTo": "meta.lastModified", "type": "date", "format": "generalizedTime"},
    },
    "group": {
        "dn": {"mapTo": "id"},
        "info": {"mapTo": "displayName"},
        "member": {"mapTo": "members.value", "type": "array"},
    },
}


def known_by(map: Json, name: str) -> Json:
    """Give a map in which another attribute is the id."""
    return {
        kind: {name if key == "dn" else key: rule for key, rule in rules.items()}
        for kind, rules in map.items()
    }


def connector(server: Slapd | Samba, ldap: Json, map: Json, **entity: Any) -> LdapConnector:
    """Make a connector as a plugin's file would."""
    endpoint = {
        "entity": {
            "undefined": {
                "baseUrls": [server.tls_url],
                "username": server.bind_dn,
                "password": server.password,
                "ldap": ldap,
                "tls": {"ca": str(server.ca_file)},
                **entity,
            }
        },
        "map": map,
    }
    services = Services(
        name="test",
        folder=Path(),
        reactor=reactor,
        clock=reactor,
        random=os.urandom,
    )
    return LdapConnector(structure(endpoint, Config, "$.endpoint"), services)


def open_ldap(server: Slapd, **more: Any) -> Json:
    """Say where users and groups are in slapd."""
    return {
        "userBase": f"ou=people,{server.base}",
        "groupBase": f"ou=groups,{server.base}",
        "userNamingAttr": "cn",
        "groupNamingAttr": "cn",
        "userObjectClasses": ["inetOrgPerson", "extensibleObject"],
        "groupObjectClasses": ["groupOfNames"],
        "isOpenLdap": True,
        **more,
    }


PEOPLE = "OU=people"
GROUPS = "OU=groups"


def active_directory(server: Samba, **more: Any) -> Json:
    """Say where users and groups are in Samba, once `with_units` has made room for them."""
    return {
        "userBase": f"{PEOPLE},{server.base}",
        "groupBase": f"{GROUPS},{server.base}",
        "userObjectClasses": ["top", "person", "organizationalPerson", "user"],
        "groupObjectClasses": ["top", "group"],
        **more,
    }


async def with_units(server: Samba) -> Samba:
    """Make room for users and groups, if nobody has."""
    client = await raw(server)
    for unit in (PEOPLE, GROUPS):
        with suppress(LdapError):
            await client.add(f"{unit},{server.base}", {"objectClass": [b"organizationalUnit"]})
    await client.close()
    return server


async def raw(server: Slapd | Samba) -> Client:
    """Connect past the connector."""
    address = parse_url(server.tls_url)
    client = Client(reactor, PATIENCE)
    await connect(
        client,
        Server(
            host=address.host,
            port=address.port,
            tls=address.tls,
            trust_root=trust(server.ca_file.read_bytes()),
            bind_dn=server.bind_dn,
            password=Secret(server.password),
        ),
        reactor,
        reactor,
        within=PATIENCE,
    )
    return client
