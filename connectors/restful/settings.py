"""What can be configured about SCIM servers as endpoints?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Attribute as Field
from attrs import field, frozen

from scimgw.clients.http import HttpEntity
from scimgw.connector import Invalid


def _spoken(_: object, attribute: Field[Any], value: str) -> None:
    if value == "1.1":
        raise Invalid(attribute.name, "1.1 isn't supported yet")
    if value != "2.0":
        raise Invalid(attribute.name, "must be '2.0'")


@frozen(kw_only=True)
class EntityConfig(HttpEntity):
    """The server of one base entity."""

    scim_version: str = field(default="2.0", validator=_spoken)
    """Version of SCIM that it speaks: `2.0`."""


@frozen(kw_only=True)
class Config:
    """SCIM servers: one for each base entity."""

    entity: Mapping[str, EntityConfig]
    """Base entities and their servers."""
