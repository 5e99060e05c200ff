"""Where is what, in the directory of one base entity?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from attrs import frozen

from connectors.ldap import dn as dns
from connectors.ldap import filtertext
from connectors.ldap.config import Entity, Ldap
from connectors.ldap.filters import all_of, equal, present
from connectors.ldap.identity import Identity
from connectors.ldap.pool import Limits, Pool
from connectors.ldap.server import Server, Tls, parse_url, trust
from scimgw.connector import Misconfigured, Services
from scimgw.mapping import Mapping as Mapped
from scimgw.scim.schema import USER
from scimgw.secret import Secret

CERTIFICATES: Final = "certs"
_NEEDS_MEMBER: Final = frozenset({"groupofnames", "groupofuniquenames"})


@frozen(kw_only=True, eq=False)
class Branch:
    """The entries that are resources of one type.

    `filter` selects them below `base`; `naming` names new ones; `empty_member` stands for no member
    where there must be one; `nobody` is who isn't shown.
    """

    mapping: Mapped
    identity: Identity
    base: str
    filter: Any
    naming: str
    object_classes: tuple[str, ...]
    empty_member: str | None = None
    nobody: str | None = None


@frozen(kw_only=True, eq=False)
class Directory:
    """One directory: its connections, and its branches by the name of their resource type."""

    pool: Pool
    branches: Mapping[str, Branch]
    open_ldap: bool
    must_change_password: bool
    encrypted: bool
    """Whether passwords can be sent to it."""

    def kind_of(self, name: str) -> str | None:
        """Tell of what type an entry is by where it is: None if that isn't certain.

        It is for many names: one that isn't spelt as the base is, but for case, isn't certain.
        """
        folded = name.casefold()
        kinds = [kind for kind, each in self.branches.items() if _is_below(folded, each.base)]
        return kinds[0] if len(kinds) == 1 else None


def _is_below(folded: str, base: str) -> bool:
    above = folded.removesuffix(f",{dns.normal(base)}")
    return len(above) < len(folded) and not above.endswith("\\")


def made(
    entities: Mapping[str, Entity],
    mappings: Mapping[str, tuple[Mapped, Identity]],
    services: Services,
) -> dict[str, Directory]:
    """Make the directory of each base entity; nothing is connected yet.

    Raises: Misconfigured.
    """
    found: dict[str, Directory] = {}
    faults: list[tuple[str, str]] = []
    for name, entity in entities.items():
        try:
            found[name] = _directory(entity, mappings, services)
        except Misconfigured as wrong:
            faults += [(f".entity.{name}{path}", fault) for path, fault in wrong.faults]
    if len({entity.ldap.is_open_ldap for entity in entities.values()}) > 1:
        faults.append((".entity", "isOpenLdap must be the same for all, as the map is"))
    if faults:
        raise Misconfigured(faults)
    return found


def _directory(
    entity: Entity, mappings: Mapping[str, tuple[Mapped, Identity]], services: Services
) -> Directory:
    faults = list(_faults(entity, services, with_groups=len(mappings) > 1))
    if faults:
        raise Misconfigured(faults)
    server = _server(entity, services)
    branches = {
        type: _branch(type, entity.ldap, mapping, identity)
        for type, (mapping, identity) in mappings.items()
    }
    limits = Limits(
        size=entity.connections, timeout=entity.timeout, connect_timeout=entity.connect_timeout
    )
    return Directory(
        pool=Pool(server, limits, services.reactor, services.clock),
        branches=branches,
        open_ldap=entity.ldap.is_open_ldap,
        must_change_password=entity.ldap.must_change_password,
        encrypted=server.tls is not Tls.NONE,
    )


def _server(entity: Entity, services: Services) -> Server:
    address = parse_url(entity.base_urls[0])
    ca = entity.tls.ca
    return Server(
        host=address.host,
        port=address.port,
        tls=Tls.START_TLS if entity.tls.start_tls else address.tls,
        trust_root=None if ca is None else trust(_pem(ca, services)),
        verify=entity.tls.reject_unauthorized,
        bind_dn=entity.username,
        password=entity.password or Secret(""),
    )


def _pem(name: str, services: Services) -> bytes:
    return (services.folder / CERTIFICATES / name).read_bytes()


def _faults(entity: Entity, services: Services, *, with_groups: bool) -> Iterator[tuple[str, str]]:
    ldap, ca = entity.ldap, entity.tls.ca
    if entity.username and entity.password is None:
        yield ".password", "required with a username"
    if with_groups and ldap.group_base is None:
        yield ".ldap.groupBase", "required where map has groups"
    checks: list[tuple[str, Callable[[], object]]] = [
        (".baseUrls[0]", lambda: _check_url(entity)),
        (".ldap.userBase", lambda: _check_dn(ldap.user_base)),
        (".ldap.groupBase", lambda: _check_dn(ldap.group_base)),
        (".ldap.emptyMember", lambda: _check_dn(ldap.empty_member)),
        (".ldap.userFilter", lambda: ldap.user_filter and filtertext.parse(ldap.user_filter)),
        (".ldap.groupFilter", lambda: ldap.group_filter and filtertext.parse(ldap.group_filter)),
        (".tls.ca", lambda: ca and trust(_pem(ca, services))),
    ]
    for path, check in checks:
        try:
            check()
        except (OSError, ValueError) as fault:
            yield path, str(fault)


def _check_url(entity: Entity) -> None:
    if parse_url(entity.base_urls[0]).tls is Tls.LDAPS and entity.tls.start_tls:
        raise ValueError("is encrypted from the start, so that startTls can't be")


def _check_dn(text: str | None) -> None:
    if text is not None and not dns.parse(text):
        raise ValueError("must be a DN")


def _branch(type: str, ldap: Ldap, mapping: Mapped, identity: Identity) -> Branch:
    if type == USER.name:
        base, text = ldap.user_base, ldap.user_filter
        naming, classes = ldap.user_naming_attr, ldap.user_object_classes
    else:
        assert ldap.group_base is not None
        base, text = ldap.group_base, ldap.group_filter
        naming, classes = ldap.group_naming_attr, ldap.group_object_classes
    tests = [equal("objectClass", name.encode()) for name in classes if name.lower() != "top"]
    if text is not None:
        tests.append(filtertext.parse(text))
    needed = any(name.lower() in _NEEDS_MEMBER for name in classes)
    return Branch(
        mapping=mapping,
        identity=identity,
        base=base,
        filter=all_of(tests or [present("objectClass")]),
        naming=naming,
        object_classes=classes,
        empty_member=ldap.empty_member if needed else None,
        # OpenLDAP's refint puts it wherever the last reference has gone
        nobody=ldap.empty_member if ldap.is_open_ldap else None,
    )
