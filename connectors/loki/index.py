"""Which records hold a value?"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

from scimgw.scim.match import reader
from scimgw.scim.path import Path
from scimgw.scim.values import comparable


class Index:
    """Finds ids by the values at one path; what is compared is what a filter compares.

    Most values belong to one id, which is then held without a set around it.
    """

    def __init__(self, path: Path) -> None:
        """Begin empty."""
        self.key: Callable[[Any], Hashable] = comparable(path.leaf)
        self._values = reader(path)
        self._ids: dict[Hashable, str | set[str]] = {}

    def keys(self, data: Mapping[str, Any]) -> set[Hashable]:
        """Give the keys under which a record is found."""
        return {self.key(value) for value in self._values(data)}

    def move(self, id: str, before: set[Hashable], after: set[Hashable]) -> None:
        """File an id under other keys."""
        for key in before - after:
            self.discard(key, id)
        for key in after - before:
            self.add(key, id)

    def add(self, key: Hashable, id: str) -> None:
        """File an id under a key."""
        held = self._ids.setdefault(key, id)
        if isinstance(held, set):
            held.add(id)
        elif held != id:
            self._ids[key] = {held, id}

    def discard(self, key: Hashable, id: str) -> None:
        """Take an id from under a key."""
        held = self._ids.get(key)
        if isinstance(held, set):
            held.discard(id)
            if len(held) == 1:
                self._ids[key] = held.pop()
        elif held == id:
            del self._ids[key]

    def find(self, key: Hashable) -> Iterable[str]:
        """Give the ids under a key."""
        held = self._ids.get(key, ())
        return (held,) if isinstance(held, str) else held
