"""By what is an entry known as a SCIM resource?

By its DN, or by the UUID that the directory gave it: `entryUUID` (RFC 4530), `objectGUID` of Active
Directory.  The latter stay when an entry is renamed or moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Any, Final
from uuid import UUID

from connectors.ldap import dn as dns
from connectors.ldap.ber import SearchEntry
from connectors.ldap.filters import any_of, equal
from scimgw.errors import Unavailable

_EXTENDED: Final = re.compile(r"<GUID=([0-9a-fA-F-]{36})>(?:;<SID=[^>]*>)?;(.*)", re.DOTALL)


class Identity(Enum):
    """The attribute that is the id."""

    DN = "dn"
    ENTRY_UUID = "entryuuid"
    OBJECT_GUID = "objectguid"

    @property
    def attribute(self) -> str | None:
        """What has to be fetched to know the id."""
        return None if self is Identity.DN else self.value

    def of(self, entry: SearchEntry) -> str:
        """Give the id of an entry.

        Raises: Unavailable, if the directory doesn't tell it.
        """
        if self is Identity.DN:
            return entry.dn
        values = entry.attributes.get(self.value)
        if not values:
            raise Unavailable(f"the directory doesn't let the gateway read {self.value}")
        return values[0].decode() if self is Identity.ENTRY_UUID else str(UUID(bytes_le=values[0]))

    def selecting(self, ids: Iterable[str], *, open_ldap: bool) -> Any:
        """Give the filter that selects some ids' entries; what can't be an id selects none."""
        return any_of([test for id in ids if (test := self._test(id, open_ldap)) is not None])

    def _test(self, id: str, open_ldap: bool) -> Any | None:  # noqa: FBT001 - private
        if self is Identity.DN:
            return (
                equal("entryDN" if open_ldap else "distinguishedName", id.encode())
                if is_dn(id)
                else None
            )
        if not is_guid(id):
            return None
        value = UUID(id).bytes_le if self is Identity.OBJECT_GUID else id.encode()
        return equal(self.value, value)


def is_dn(text: str) -> bool:
    """Whether a text is a DN of an entry."""
    try:
        return bool(dns.parse(text))
    except ValueError:
        return False


def is_guid(text: str) -> bool:
    """Whether a text is a UUID, as ids spell it."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def extended(value: str) -> tuple[str, str]:
    """Part what Active Directory gives for a DN with the control for it: the GUID, and the DN.

    Raises: ValueError.
    """
    found = _EXTENDED.fullmatch(value)
    if found is None:
        raise ValueError(f"{value!r} has no GUID")
    return str(UUID(found[1])), found[2]
