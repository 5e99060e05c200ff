"""A map, branches and a directory, for tests of what is pure."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.task import Clock

from connectors.ldap import filtertext
from connectors.ldap.ber import SearchEntry
from connectors.ldap.directory import Branch, Directory
from connectors.ldap.entries import codec
from connectors.ldap.identity import Identity
from connectors.ldap.pool import Limits, Pool
from connectors.ldap.server import Server
from scimgw.mapping import Mapping, Rule, build
from scimgw.scim.schema import GROUP, USER

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PEOPLE = "OU=people,DC=example,DC=com"
GROUPS = "OU=groups,DC=example,DC=com"
RULES = {
    "dn": Rule(map_to="id"),
    "sAMAccountName": Rule(map_to="userName"),
    "userAccountControl": Rule(map_to="active", type="integer"),
    "unicodePwd": Rule(map_to="password"),
    "mail": Rule(map_to="emails.work.value"),
    "otherMail": Rule(map_to="emails.home.value"),
    "co": Rule(map_to="addresses.work.country"),
    "role": Rule(map_to="roles.value", type="array"),
    "cert": Rule(map_to="x509Certificates.value", type="binary"),
    "aliases": Rule(map_to="nickName", type="array", type_inbound="string"),
    "exact": Rule(map_to="title", search=False),
    "floor": Rule(map_to="userType", type="integer"),
    "memberOf": Rule(map_to="groups.value", type="array"),
    "manager": Rule(map_to=f"{ENTERPRISE}:manager.value"),
    "badge": Rule(map_to="badge", type="integer", custom=True),
    "whenChanged": Rule(map_to="meta.lastModified", type="date", format="generalizedTime"),
}
GROUP_RULES = {
    "dn": Rule(map_to="id"),
    "cn": Rule(map_to="displayName"),
    "member": Rule(map_to="members.value", type="array"),
}
USERS: Mapping = build(USER, RULES, codec, ("groups",))
MEMBERS: Mapping = build(GROUP, GROUP_RULES, codec)
USER_BRANCH = Branch(
    mapping=USERS,
    identity=Identity.DN,
    base=PEOPLE,
    filter=filtertext.parse("(objectClass=user)"),
    naming="CN",
    object_classes=("top", "user"),
)
GROUP_BRANCH = Branch(
    mapping=MEMBERS,
    identity=Identity.DN,
    base=GROUPS,
    filter=filtertext.parse("(objectClass=group)"),
    naming="CN",
    object_classes=("top", "group"),
)


def directory(**more: Any) -> Directory:
    """Give Active Directory, behind TLS unless said otherwise."""
    clock = Clock()
    found = Directory(
        pool=Pool(Server(host="dc", port=636), Limits(), None, clock),
        branches={"User": USER_BRANCH, "Group": GROUP_BRANCH},
        open_ldap=False,
        must_change_password=True,
        encrypted=True,
    )
    return evolve(found, **more)


def entry(dn: str = f"CN=x,{PEOPLE}", **attributes: list[bytes]) -> SearchEntry:
    """Give an entry."""
    return SearchEntry(dn=dn, attributes=attributes)
