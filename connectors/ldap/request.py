"""How is a request written?

Pure functions from our values to ldaptor's requests, whose text is UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any, Final

from attrs import evolve, frozen
from ldaptor.protocols import pureber, pureldap

from scimgw.secret import Secret


@frozen
class Control:
    """What extends an operation (RFC 4511 section 4.1.11)."""

    oid: str
    critical: bool = False
    """Whether the operation is to fail where the control isn't known."""
    value: bytes | None = None


PAGED_RESULTS: Final = "1.2.840.113556.1.4.319"
PERMISSIVE_MODIFY: Final = Control("1.2.840.113556.1.4.1413")
"""Adding what is there and deleting what isn't succeed.

OpenLDAP still refuses to delete a value that isn't there from among others: no such attribute (16).
"""
EXTENDED_DN: Final = Control(
    "1.2.840.113556.1.4.529",
    critical=True,
    value=pureber.BERSequence([pureber.BERInteger(1)]).toWire(),
)
"""Active Directory gives DNs as `<GUID=...>;<SID=...>;CN=...`, GUIDs with hyphens."""


def matched_values(filters: Iterable[Any]) -> Control:
    """Ask for those values only that match one of some filters of pureldap's (RFC 3876)."""
    return Control("1.2.826.0.1.3344810.2.3", value=pureber.BERSequence(filters).toWire())


class Scope(IntEnum):
    """How much below a base is searched."""

    BASE = pureldap.LDAP_SCOPE_baseObject
    ONE = pureldap.LDAP_SCOPE_singleLevel
    SUB = pureldap.LDAP_SCOPE_wholeSubtree


EVERYTHING: Final = pureldap.LDAPFilter_present(b"objectClass")
NO_ATTRIBUTES: Final = ("1.1",)


@frozen(kw_only=True)
class Search:
    """What is searched for."""

    base: str
    """A DN, or what a directory takes for one, such as `<GUID=...>`."""
    scope: Scope = Scope.SUB
    filter: Any = EVERYTHING
    """One of pureldap's."""
    attributes: tuple[str, ...] = ()
    """All that aren't operational, if there are none here; none, if `NO_ATTRIBUTES`."""
    size_limit: int = 0
    """If there are more entries the search fails; 0 is no limit but the directory's."""
    controls: tuple[Control, ...] = ()
    page_size: int | None = None
    """Entries at once."""
    cookie: bytes = b""
    """What came with the page before, on the same connection."""

    def after(self, cookie: bytes) -> Search:
        """Ask for the page after the one that came with a cookie."""
        return evolve(self, cookie=cookie)

    def ending(self) -> Search:
        """Tell the directory that the rest isn't wanted (RFC 2696 section 3)."""
        return evolve(self, page_size=0)


class Kind(IntEnum):
    """What becomes of values (RFC 4511 section 4.6)."""

    ADD = 0
    DELETE = 1
    REPLACE = 2


@frozen
class Modification:
    """A change to one attribute; without values, DELETE and REPLACE remove all that it has."""

    kind: Kind
    name: str
    values: tuple[bytes, ...] = ()


def to_search(search: Search) -> Any:
    """Write a search; what it pages by is a control, and not in here.

    This is the elements of `pureldap.LDAPSearchRequest`, of which those that are the same in many
    searches are written once: else the names of attributes are a fifth of the work of a search.
    """
    return pureber.BERSequence(
        [
            pureber.BEROctetString(search.base),
            _settings(search.scope, search.size_limit),
            search.filter,
            _names(search.attributes),
        ],
        tag=pureldap.LDAPSearchRequest.tag,
    )


def search_controls(search: Search) -> tuple[Control, ...]:
    """Give the controls of a search, paging included (RFC 2696)."""
    if search.page_size is None:
        return search.controls
    value = pureber.BERSequence(
        [pureber.BERInteger(search.page_size), pureber.BEROctetString(search.cookie)]
    )
    return (*search.controls, Control(PAGED_RESULTS, critical=True, value=value.toWire()))


def to_add(dn: str, attributes: Mapping[str, Sequence[bytes]]) -> Any:
    """Write an entry to be added."""
    return pureldap.LDAPAddRequest(
        entry=dn,
        attributes=[
            (pureldap.LDAPAttributeDescription(name), _set(values))
            for name, values in attributes.items()
        ],
    )


def to_modify(dn: str, modifications: Iterable[Modification]) -> Any:
    """Write changes to an entry, which are carried out in order, all or none."""
    return pureldap.LDAPModifyRequest(
        object=dn,
        modification=[
            pureber.BERSequence(
                [
                    pureber.BEREnumerated(each.kind),
                    pureber.BERSequence(
                        [pureldap.LDAPAttributeDescription(each.name), _set(each.values)]
                    ),
                ]
            )
            for each in modifications
        ],
    )


def to_delete(dn: str) -> Any:
    """Write that an entry is to go."""
    return pureldap.LDAPDelRequest(entry=dn)


def to_bind(dn: str, password: Secret) -> Any:
    """Write a simple bind.

    Raises: ValueError, for a DN without a password: many directories take that for anonymous,
    and answer success (RFC 4513 section 5.1.2).
    """
    if dn and not password.reveal():
        raise ValueError("a simple bind needs a password")
    return pureldap.LDAPBindRequest(dn=dn, auth=password.reveal())


def to_set_password(dn: str, password: Secret) -> Any:
    """Write that an entry is to have a password (RFC 3062)."""
    return pureldap.LDAPPasswordModifyRequest(userIdentity=dn, newPasswd=password.reveal())


def to_controls(controls: Iterable[Control]) -> list[tuple[str, bool | None, bytes | None]] | None:
    """Write what extends a request."""
    # false is the default, and a default must be absent (RFC 4511 section 5.1)
    return [(each.oid, each.critical or None, each.value) for each in controls] or None


def _set(values: Iterable[bytes]) -> Any:
    return pureber.BERSet([pureldap.LDAPAttributeValue(value) for value in values])


@lru_cache(maxsize=64)
def _settings(scope: Scope, size_limit: int) -> bytes:
    settings = (
        pureber.BEREnumerated(scope),
        pureber.BEREnumerated(pureldap.LDAP_DEREF_neverDerefAliases),
        pureber.BERInteger(size_limit),
        pureber.BERInteger(0),  # the time limit: the client has its own
        pureber.BERBoolean(False),  # values are wanted, not only types
    )
    return b"".join(each.toWire() for each in settings)


@lru_cache(maxsize=64)
def _names(attributes: tuple[str, ...]) -> bytes:
    return bytes(
        pureber.BERSequence([pureber.BEROctetString(each) for each in attributes]).toWire()
    )
