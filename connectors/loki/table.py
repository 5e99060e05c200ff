"""How are the resources of one type kept, so that no lookup grows with their number?

A resource's data are a value that is replaced, never changed in place; only the members of groups
are kept apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, KeysView, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from attrs import define

from connectors.loki.index import Index
from connectors.loki.memberships import Element, Memberships
from scimgw.errors import Conflict, InvalidPath, NotFound, Uniqueness
from scimgw.scim.changes import Changes, changed
from scimgw.scim.match import reader
from scimgw.scim.path import Path, resolve
from scimgw.scim.schema import GROUP, ResourceType
from scimgw.scim.schema import Uniqueness as Within
from scimgw.scim.values import show

INDEXED: Final = ("userName", "externalId", "displayName", "emails.value")
MEMBERS: Final = "members"
Stamp = Callable[[], tuple[str, str]]
"""Gives the present time as a dateTime, and a version that was never given before."""


@define(eq=False)
class Record:
    """One resource, without its members."""

    number: int
    """Rises with each creation; resources are listed in this order."""
    data: dict[str, Any]

    @property
    def id(self) -> str:
        """The resource's id."""
        id: str = self.data["id"]
        return id

    @property
    def version(self) -> str:
        """The resource's version."""
        version: str = self.data["meta"]["version"]
        return version


class Table:
    """The resources of one type in one base entity.

    `members` is the attribute that is kept apart, None if the type has none of that kind.
    """

    def __init__(self, type: ResourceType, stamp: Stamp) -> None:
        """Begin empty."""
        self.type = type
        self.memberships = Memberships()
        self.members = members_of(type)
        self._left_out = {"schemas", "id", "meta", *({MEMBERS} if self.members else ())}
        self._unique = _unique(type)
        self._indexes = {str(path): Index(path) for path in _indexed(type, self._unique)}
        self._records: dict[str, Record] = {}
        self._listed: Sequence[Record] | None = None
        self._numbered = 0
        self._stamp = stamp

    def all(self) -> Sequence[Record]:
        """Give all records in order, as they are now; listed anew only after they have changed."""
        if self._listed is None:
            self._listed = tuple(self._records.values())
        return self._listed

    @property
    def ids(self) -> KeysView[str]:
        """The ids of which there are records."""
        return self._records.keys()

    def get(self, ids: Iterable[str]) -> list[Record]:
        """Give the records that there are of these ids, in order."""
        found = [record for id in ids if (record := self._records.get(id)) is not None]
        return found if len(found) < 2 else sorted(found, key=_number)  # noqa: PLR2004 - to be put in order

    def index(self, path: str) -> Index | None:
        """Give the index over the values at a path, if there is one."""
        return self._indexes.get(path)

    def whole(self, record: Record) -> dict[str, Any]:
        """Give a record's data with the members in their place."""
        if self.members is None:
            return record.data
        members = self.memberships.of_group(record.id)
        return {**record.data, MEMBERS: members} if members else record.data

    def create(self, id: str, data: Mapping[str, Any]) -> Record:
        """Add a resource under an id.

        Raises: Uniqueness.
        """
        if id in self._records:
            raise Uniqueness(f"{self.type.name} with id {show(id)} exists already")
        self._check_unique(data, None)
        now, version = self._stamp()
        meta = {
            "resourceType": self.type.name,
            "created": now,
            "lastModified": now,
            "version": version,
        }
        kept = {name: value for name, value in data.items() if name not in self._left_out}
        self._numbered += 1
        record = Record(
            self._numbered, {"schemas": data["schemas"], "id": id, **kept, "meta": meta}
        )
        self._records[id] = record
        self._listed = None
        self._file(id, {}, record.data)
        members: Iterable[Element] = () if self.members is None else data.get(MEMBERS, ())
        for member in members:
            self.memberships.add(id, member)
        return record

    def modify(self, id: str, changes: Changes, if_version: str | None) -> Record:
        """Change a resource; what makes no difference leaves the version as it is.

        Raises: NotFound, Conflict, Uniqueness.
        """
        record = self._expect(id, if_version)
        after = changed(self.type, record.data, self._without_members(changes))
        differs = after != record.data
        if differs:
            self._check_unique(after, id)
            self._file(id, record.data, after)
            record.data = after
        if self.members is not None:
            differs = self.memberships.change(id, self.members, changes) or differs
        if differs:
            self._touch(record)
        return record

    def delete(self, id: str, if_version: str | None) -> None:
        """Remove a resource.

        Raises: NotFound, Conflict.
        """
        record = self._expect(id, if_version)
        del self._records[id]
        self._listed = None
        self._file(id, record.data, {})
        self.memberships.clear(id)

    def forget_member(self, member: str) -> None:
        """Take a member out of all groups."""
        for group in self.get(self.memberships.of_member(member)):
            self.memberships.remove(group.id, member)
            self._touch(group)

    def _expect(self, id: str, if_version: str | None) -> Record:
        record = self._records.get(id)
        if record is None:
            raise NotFound(f"{self.type.name} {id!r} not found")
        if if_version is not None and if_version != record.version:
            raise Conflict(
                f"{self.type.name} {id!r} has version {record.version}, not {if_version}"
            )
        return record

    def _check_unique(self, data: Mapping[str, Any], own: str | None) -> None:
        for path in self._unique:
            index = self._indexes[str(path)]
            if any(id != own for key in index.keys(data) for id in index.find(key)):
                taken = ", ".join(map(show, reader(path)(data)))
                raise Uniqueness(f"{path} {taken} is taken by another {self.type.name}")

    def _file(self, id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        for index in self._indexes.values():
            index.move(id, index.keys(before), index.keys(after))

    def _without_members(self, changes: Changes) -> Changes:
        path = self.members
        if path is None:
            return changes
        return Changes(
            set={other: value for other, value in changes.set.items() if other != path},
            clear=changes.clear - {path},
            add={other: values for other, values in changes.add.items() if other != path},
            remove={other: values for other, values in changes.remove.items() if other != path},
        )

    def _touch(self, record: Record) -> None:
        now, version = self._stamp()
        record.data = {
            **record.data,
            "meta": {**record.data["meta"], "lastModified": now, "version": version},
        }


def _number(record: Record) -> int:
    return record.number


def members_of(type: ResourceType) -> Path | None:
    """Find the members of groups, which are kept apart; others may have members of another kind."""
    return resolve(type, MEMBERS) if type.find(MEMBERS) is GROUP.find(MEMBERS) else None


def _unique(type: ResourceType) -> list[Path]:
    """Name the attributes whose values no two resources may share, but the id."""
    return [
        path
        for container, attributes in type.containers()
        for attribute in attributes
        for path in _with_parts(Path(container=container, attribute=attribute))
        if path.leaf.uniqueness is not Within.NONE
        and not path.leaf.is_complex
        and str(path) != "id"
    ]


def _with_parts(path: Path) -> Iterable[Path]:
    return (path, *(path.to(sub) for sub in path.attribute.sub_attributes))


def _indexed(type: ResourceType, unique: Iterable[Path]) -> Iterable[Path]:
    for name in INDEXED:
        with suppress(InvalidPath):
            path = resolve(type, name)
            if not path.leaf.is_complex:
                yield path
    yield from unique
