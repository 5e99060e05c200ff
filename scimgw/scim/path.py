"""What does a path name?

RFC 7644 section 3.10 (attribute notation).  Names are resolved against a resource type once, here;
whoever holds a `Path` has canonical names and the definitions behind them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import field, frozen

from scimgw.errors import InvalidPath
from scimgw.scim.schema import Attribute, ResourceType, Returned, Schema
from scimgw.scim.values import show

if TYPE_CHECKING:
    from scimgw.scim.filter import Filter

# attrPath = [URI ":"] ATTRNAME *1subAttr
# ATTRNAME = ALPHA *(nameChar)               nameChar = "-" / "_" / DIGIT / ALPHA
# subAttr  = "." ATTRNAME                    and $ref (RFC 7643 section 2.4), which the ABNF forgot
NAME = re.compile(r"\$?[A-Za-z][-_0-9A-Za-z]*", re.ASCII)


class UnknownAttribute(InvalidPath):
    """A well-formed path that names nothing in the resource type's schemas."""


@frozen(kw_only=True, eq=False, repr=False)
class Path:
    """An attribute, one of its sub-attributes, or those of selected values.

    `container` is the URN of the extension that holds the attribute, None at the top.  Two paths
    are the same if they read the same.
    """

    container: str | None = None
    attribute: Attribute
    filter: Filter | None = None
    sub: Attribute | None = None
    text: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Spell the path once."""
        text = self.attribute.name
        if self.container is not None:
            text = f"{self.container}:{text}"
        if self.filter is not None:
            text = f"{text}[{self.filter}]"
        if self.sub is not None:
            text = f"{text}.{self.sub.name}"
        object.__setattr__(self, "text", text)

    def __eq__(self, other: object) -> bool:
        """Compare as text."""
        return isinstance(other, Path) and self.text == other.text

    def __hash__(self) -> int:
        """Hash as text."""
        return hash(self.text)

    def __str__(self) -> str:
        """Spell the path as a client would."""
        return self.text

    def __repr__(self) -> str:
        """Show the text, which is all there is to tell."""
        return f"Path({self.text!r})"

    @property
    def leaf(self) -> Attribute:
        """The definition of what stands at the end of the path."""
        return self.sub or self.attribute

    @property
    def root(self) -> Path:
        """The whole attribute that this path is about."""
        if self.filter is None and self.sub is None:
            return self
        return Path(container=self.container, attribute=self.attribute)

    @property
    def hidden(self) -> bool:
        """Whether what stands there is never returned."""
        return Returned.NEVER in {self.attribute.returned, self.leaf.returned}

    def to(self, sub: Attribute) -> Path:
        """Go on to a sub-attribute."""
        return Path(container=self.container, attribute=self.attribute, filter=self.filter, sub=sub)


def _schema_prefix(type: ResourceType, text: str) -> tuple[Schema | None, str]:
    """Split off the URN before a name; it is in whatever case, and holds dots and colons."""
    folded = text.casefold()
    named = [each for each in type.schemas if folded.startswith(each.id.casefold() + ":")]
    if not named:
        raise UnknownAttribute(f"no schema of {type.name} has {show(text)}")
    schema = max(named, key=lambda each: len(each.id))  # one URN may begin with another
    return schema, text[len(schema.id) + 1 :]


@lru_cache(maxsize=1024)
def resolve(type: ResourceType, text: str) -> Path:
    """Find what a path without a value filter names.

    Raises: InvalidPath if it is malformed, UnknownAttribute if nothing has that name.
    """
    schema, rest = _schema_prefix(type, text) if text[:4].casefold() == "urn:" else (None, text)
    names = rest.split(".")
    if len(names) > 2 or not all(map(NAME.fullmatch, names)):  # noqa: PLR2004 - attribute and sub-attribute
        raise InvalidPath(f"{show(text)} isn't an attribute path")
    container = None
    if schema is None or schema is type.schema:
        attribute = type.find(names[0])
    else:
        container, attribute = schema.id, schema.find(names[0])
    if attribute is None:
        raise UnknownAttribute(f"{type.name} has no attribute {show(text)}")
    path = Path(container=container, attribute=attribute)
    return path if len(names) == 1 else path.to(sub_attribute(path, names[1]))


def sub_attribute(path: Path, name: str) -> Attribute:
    """Find a sub-attribute of what a path names.

    Raises: InvalidPath if it is malformed, UnknownAttribute if there is none of that name.
    """
    if not NAME.fullmatch(name):
        raise InvalidPath(f"{show(name)} isn't the name of a sub-attribute")
    sub = path.attribute.find(name)
    if sub is None:
        raise UnknownAttribute(f"{path} has no sub-attribute {show(name)}")
    return sub
