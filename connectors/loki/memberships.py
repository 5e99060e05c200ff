"""Who is a member of which group?

Held apart from the groups, by group and by member, so that adding one member to a hundred thousand
costs what adding one to ten does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from scimgw.scim.changes import Changes
from scimgw.scim.path import Path

Element = dict[str, Any]
"""A value of `members`: its `value` is the member's id."""

_NONE: Final[Mapping[str, Any]] = {}


class Memberships:
    """The members of all groups of one base entity."""

    def __init__(self) -> None:
        """Begin without any."""
        self._members: dict[str, dict[str, Element]] = {}
        self._groups: dict[str, set[str]] = {}

    def of_group(self, group: str) -> list[Element]:
        """Give the members of a group in the order in which they came."""
        return list(self._members.get(group, _NONE).values())

    def of_member(self, member: str) -> set[str]:
        """Give the ids of the groups that hold a member."""
        return self._groups.get(member, set())

    def change(self, group: str, path: Path, changes: Changes) -> bool:
        """Carry out what `changes` says of the members' path; tell whether it made a difference."""
        differs = False
        if path in changes.clear or path in changes.set:
            differs = self._replace(group, changes.set.get(path, ()))
        for element in changes.remove.get(path, ()):
            differs = self.remove(group, element["value"]) or differs
        for element in changes.add.get(path, ()):
            differs = self.add(group, element) or differs
        return differs

    def add(self, group: str, element: Element) -> bool:
        """Add a member; one that is there already stays as it is."""
        members = self._members.setdefault(group, {})
        if element["value"] in members:
            return False
        members[element["value"]] = element
        self._groups.setdefault(element["value"], set()).add(group)
        return True

    def remove(self, group: str, member: str) -> bool:
        """Remove a member, if it is one."""
        members = self._members.get(group, {})
        if members.pop(member, None) is None:
            return False
        if not members:
            del self._members[group]
        groups = self._groups[member]
        groups.discard(group)
        if not groups:
            del self._groups[member]
        return True

    def clear(self, group: str) -> None:
        """Remove all members of a group."""
        for member in list(self._members.get(group, _NONE)):
            self.remove(group, member)

    def _replace(self, group: str, elements: Iterable[Element]) -> bool:
        wanted = {element["value"]: element for element in elements}
        if wanted == self._members.get(group, {}):
            return False
        self.clear(group)
        for element in wanted.values():
            self.add(group, element)
        return True
