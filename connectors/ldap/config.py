"""What does a plugin's file say of a directory?"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import Attribute, field, frozen

from scimgw.mapping import Rule
from scimgw.secret import Secret


def _one(_: object, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    if len(value) != 1:
        raise ValueError(f"{attribute.name} must hold one URL: more aren't supported yet")


def _positive(_: object, attribute: Attribute[int], value: int) -> None:
    if value < 1:
        raise ValueError(f"{attribute.name} must be 1 at least, not {value}")


@frozen(kw_only=True)
class Tls:
    """How the directory's certificate is checked."""

    ca: str | None = None
    """PEM file with the authorities that are trusted, in `certs/`; null trusts the system's."""
    reject_unauthorized: bool = True
    """Whether a certificate must be trusted, and be the host's."""
    start_tls: bool = False
    """Whether a connection by ldap:// turns to TLS before anything else."""


@frozen(kw_only=True)
class Ldap:
    """Where users and groups are, and what makes an entry one."""

    user_base: str
    """DN below which users are."""
    group_base: str | None = None
    """DN below which groups are; null where there are none."""
    user_filter: str | None = None
    """LDAP filter that users match beside their object classes."""
    group_filter: str | None = None
    """LDAP filter that groups match beside their object classes."""
    user_naming_attr: str = "CN"
    """Attribute that names the entry of a new user, by its userName."""
    group_naming_attr: str = "CN"
    """Attribute that names the entry of a new group, by its displayName."""
    user_object_classes: tuple[str, ...]
    """Object classes of users."""
    group_object_classes: tuple[str, ...] = ()
    """Object classes of groups."""
    is_open_ldap: bool = False
    """Whether it is OpenLDAP, or another directory by the RFCs, not Active Directory."""
    must_change_password: bool = True
    """Whether a user who is created with a password must change it (Active Directory)."""
    empty_member: str = "cn=nobody"
    """DN that stands for no member where groups must have one (groupOfNames)."""


@frozen(kw_only=True)
class Entity:
    """The directory of one base entity."""

    base_urls: tuple[str, ...] = field(validator=_one)
    """`ldaps://host:636`, or `ldap://host:389`."""
    username: str = ""
    """DN, or in Active Directory a user principal name, of the account that the gateway uses."""
    password: Secret | None = None
    """Its password."""
    ldap: Ldap
    """Where users and groups are."""
    tls: Tls = field(factory=Tls)
    """How the directory's certificate is checked."""
    timeout: int = field(default=15, validator=_positive)
    """Seconds for one operation."""
    connect_timeout: int = field(default=5, validator=_positive)
    """Seconds to connect and log in."""
    connections: int = field(default=8, validator=_positive)
    """Connections at most."""


@frozen(kw_only=True)
class Maps:
    """Which attributes of the directory are which of SCIM's, for every base entity."""

    user: Mapping[str, Rule]
    """Attributes of users."""
    group: Mapping[str, Rule] = field(factory=dict)
    """Attributes of groups; none where groups aren't to be seen."""


@frozen(kw_only=True)
class Config:
    """A directory behind LDAP: Active Directory, OpenLDAP."""

    entity: Mapping[str, Entity]
    """Base entities and their directories."""
    map: Maps
    """Attributes of the directory and of SCIM."""
