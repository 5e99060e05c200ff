"""What does a plugin's file say of one attribute of the endpoint?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from attrs import frozen

from scimgw.scim.schema import Attribute, AttributeType


@frozen(kw_only=True)
class Rule:
    """Where in SCIM an attribute of the endpoint is, and how its values are written."""

    map_to: str
    """SCIM paths, comma-separated: `userName`, `name.givenName`, `emails.work.value` (the work
    address), `members.value` (all members), `urn:...:User:department`."""
    type: Literal["string", "boolean", "integer", "array", "date", "binary"] = "string"
    """How a value is written; `array` is several strings."""
    format: Literal["generalizedTime", "fileTime", "iso"] | None = None
    """How a date is written: as in LDAP, in Active Directory's timestamps, or by ISO 8601."""
    type_inbound: Literal["string"] | None = None
    """`string`: the several values of an array are one text in SCIM, parted by commas."""
    custom: bool = False
    """Whether the SCIM attribute is one of your own, which joins the core schema."""
    description: str = ""
    """What /Schemas says of an attribute of your own."""
    canonical: tuple[str, ...] = ()
    """What /Schemas says of its usual values."""
    search: bool = True
    """Whether the endpoint can search by it, without regard to case; if not, the gateway does."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The SCIM paths."""
        return tuple(each.strip() for each in self.map_to.split(","))

    @property
    def many(self) -> bool:
        """Whether the endpoint's attribute may hold several values."""
        return self.type in {"array", "binary"}

    def attribute(self, name: str, *, many: bool) -> Attribute:
        """Define the SCIM attribute of one's own that this maps to."""
        return Attribute(
            name=name,
            type=_TYPES.get(self.type, AttributeType.STRING),
            multi_valued=many,
            description=self.description,
            canonical_values=self.canonical,
        )


_TYPES = {
    "boolean": AttributeType.BOOLEAN,
    "integer": AttributeType.INTEGER,
    "date": AttributeType.DATE_TIME,
    "binary": AttributeType.BINARY,
}


class Unmappable(Exception):
    """Rules that can't be followed: pairs of an endpoint attribute ("" for all) and the fault."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {fault}" for name, fault in faults))
        self.faults = tuple(faults)
