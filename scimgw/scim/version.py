"""Does a version meet the conditions that a request sets?

RFC 7644 section 3.14, RFC 9110 section 13.  Versions are weak tags, and compared as such.
"""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

_TAG: Final = re.compile(r'\s*(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)', re.IGNORECASE)


def _opaque(tag: str) -> str:
    """Take the quotes and the mark of a weak tag away; clients send some of these wrong."""
    return tag.removeprefix("W/").removeprefix("w/").strip('"')


@frozen
class Tags:
    """What If-Match or If-None-Match lists: tags without quotes, or any (`*`)."""

    any: bool = False
    opaque: tuple[str, ...] = ()

    @classmethod
    def parse(cls, header: str) -> Tags:
        """Read the header; clients copy meta.version in many ways, also without its quotes."""
        text = header.strip()
        if text == "*":
            return cls(any=True)
        found = _TAG.findall(text)
        if found and not _TAG.sub("", text):
            return cls(opaque=tuple(found))
        return cls(opaque=tuple(_opaque(tag.strip()) for tag in text.split(",") if tag.strip()))

    def match(self, version: str | None) -> bool:
        """Whether a resource that exists, of this version, is among the tags."""
        return self.any or (version is not None and _opaque(version) in self.opaque)


@frozen
class Conditions:
    """What a request demands of the version of its resource."""

    if_match: Tags | None = None
    if_none_match: Tags | None = None

    def __bool__(self) -> bool:
        """Whether anything is demanded."""
        return self.if_match is not None or self.if_none_match is not None

    def hold(self, version: str | None) -> bool:
        """Whether a resource that exists, of this version, may be acted on."""
        if self.if_match is not None and not self.if_match.match(version):
            return False
        return self.if_none_match is None or not self.if_none_match.match(version)
