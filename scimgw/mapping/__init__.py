"""Endpoint attributes and the SCIM paths that they stand for, in both directions."""

from scimgw.mapping.codec import Codec, text_codec
from scimgw.mapping.mapping import Edit, Kind, Mapping, Slot, build
from scimgw.mapping.rule import Rule, Unmappable

__all__ = ["Codec", "Edit", "Kind", "Mapping", "Rule", "Slot", "Unmappable", "build", "text_codec"]
