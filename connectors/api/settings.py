"""What can be configured about a service desk?"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from scimgw.clients.http import HttpEntity


@frozen(kw_only=True)
class EntityConfig(HttpEntity):
    """The service desk of one base entity."""


@frozen(kw_only=True)
class Config:
    """Service desks: one for each base entity."""

    entity: Mapping[str, EntityConfig]
    """Base entities and their service desks."""
