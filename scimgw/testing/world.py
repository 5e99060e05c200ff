"""What does a test of a connector do with it, past the gateway and through it?"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from twisted.internet.interfaces import IReactorTime

from scimgw.connector import NO_ENTITY, Call, Connector, Principal
from scimgw.errors import ScimError
from scimgw.gateway import cursors, reads, writes
from scimgw.gateway.change import Change
from scimgw.gateway.endpoint import Endpoint
from scimgw.gateway.scan import scan
from scimgw.scim import patch, resource
from scimgw.scim.changes import Changes
from scimgw.scim.cursor import Place
from scimgw.scim.path import Path, resolve
from scimgw.scim.project import projection
from scimgw.scim.query import Page, Query, Search
from scimgw.scim.resource import Resource
from scimgw.scim.schema import Attribute, ResourceType
from scimgw.scim.schema import Uniqueness as Within
from scimgw.scim.several import parse_several
from scimgw.scim.version import Conditions
from scimgw.testing import strategies

JSON = dict[str, Any]
T = TypeVar("T")


class Run(Protocol):
    """Waits for a result."""

    def __call__(self, awaitable: Awaitable[T], /) -> T:
        """Give it."""


NO_CONDITIONS: Final = Conditions()
DERIVED: Final = ("id", "schemas", "meta", "groups")
"""What the endpoint adds to what was written."""


class World:
    """A connector, the gateway before it, and what tests do with them."""

    def __init__(self, run: Run, connector: Connector, clock: IReactorTime) -> None:
        """Stand before a connector."""
        self._run = run
        self.connector = connector
        self.types = list(connector.resource_types)
        deadline = clock.seconds() + 3600
        self.call = Call(
            entity=NO_ENTITY, principal=Principal("tester"), request_id="test", deadline=deadline
        )
        self.endpoint = run(Endpoint(connector=connector, clock=clock).at(self.call))

    def empty(self) -> None:
        """Delete whatever the endpoint holds."""
        for type in self.types:
            for each in self.everything(type):
                self.delete(type, each["id"])

    def versioned(self) -> list[ResourceType]:
        """Name the types whose resources have versions."""
        return [type for type in self.types if self.endpoint.capabilities[type].versions]

    def user_type(self) -> ResourceType:
        """Give the type of users, or of whatever comes first."""
        return self.types[0]

    def group(self) -> tuple[ResourceType | None, Path | None]:
        """Give the type that has members, and the path of these."""
        for type in self.types:
            if type.find("members") is not None:
                return type, resolve(type, "members")
        return None, None

    def unique(self, type: ResourceType) -> list[str]:
        """Name the attributes whose values are unique without regard to case."""
        return [
            each.name
            for each in type.attributes
            if each.uniqueness is not Within.NONE and each.name != "id" and not each.case_exact
        ]

    def changeable(self, type: ResourceType) -> Path:
        """Give a simple attribute that may be changed freely."""
        free = [
            each
            for each in strategies.writable_attributes(type)
            if each.container is None
            and each.attribute.type.value == "string"
            and not each.attribute.multi_valued
            and each.attribute.uniqueness is Within.NONE
        ]
        return next((each for each in free if not each.attribute.required), free[0])

    def body(self, type: ResourceType, name: str) -> JSON:
        """Describe the least that a resource must hold."""
        return {each.name: name for each in type.attributes if each.required}

    def create(self, type: ResourceType, body: JSON) -> str:
        """Create a resource, and give its id."""
        created = resource.parse(type, body, refuse)
        return self._run(self.connector.create(self.call, type, created)).id

    def users(self, number: int) -> list[str]:
        """Create so many users, and give their ids."""
        type = self.user_type()
        return [self.create(type, self.body(type, f"member-{n}")) for n in range(number)]

    def some_groups(self, ids: Sequence[str]) -> list[str]:
        """Put users into three groups, and give the groups' ids."""
        type, _ = self.group()
        if type is None:
            return []
        parts = [ids[::2], ids[1::3], ids[:1]]
        return [
            self.create(
                type, {**self.body(type, f"g{n}"), "members": [{"value": id} for id in part]}
            )
            for n, part in enumerate(parts)
        ]

    def modify(
        self, type: ResourceType, id: str, changes: Changes, version: str | None = None
    ) -> None:
        """Change a resource, past the gateway."""
        self._run(self.connector.modify(self.call, type, id, changes, version))

    def delete(self, type: ResourceType, id: str, version: str | None = None) -> None:
        """Delete a resource, past the gateway."""
        self._run(self.connector.delete(self.call, type, id, version))

    def search(self, query: Query) -> Page:
        """Ask the connector."""
        return self._run(self.connector.search(self.call, query))

    def page(
        self, type: ResourceType, parameters: Mapping[str, str], place: Place | None
    ) -> tuple[list[str], Place | None]:
        """Give the ids of two resources that follow a place, through the gateway, and the next."""
        several = parse_several([type], parameters, 2)
        part = self._run(cursors.page(self.endpoint, self.call, several, place))
        return [each.id for each in part.resources], part.next

    def walk(self, query: Query) -> list[Resource]:
        """Ask the connector, page by page."""
        return self._run(scan(self.endpoint, self.call, query, None))

    def by_ids(self, type: ResourceType, *ids: str) -> Sequence[Resource]:
        """Ask the connector for ids."""
        return self.search(Query(type=type, ids=ids)).resources

    def contents(self, resources: Sequence[Resource]) -> list[JSON]:
        """Give what was written of resources."""
        return [written(each) for each in resources]

    def version(self, type: ResourceType, id: str) -> str | None:
        """Give the version of a resource."""
        return self.by_ids(type, id)[0].version

    def members(self, id: str) -> list[str]:
        """Give the ids of a group's members."""
        type, members = self.group()
        assert type is not None
        assert members is not None
        page = self.search(Query(type=type, ids=(id,), attributes=frozenset({members})))
        return sorted(each["value"] for each in page.resources[0].data.get("members", ()))

    def everything(self, type: ResourceType) -> list[JSON]:
        """Give all resources of a type through the gateway, users with their groups."""
        search = Search(type=type, projection=projection(type, "", ""), count=10**6)
        found = self._run(reads.search(self.endpoint, self.call, search))
        return [dict(each.data) for each in found.resources]

    def get(self, type: ResourceType, id: str) -> Resource:
        """Read a resource through the gateway."""
        return self._run(reads.get(self.endpoint, self.call, type, id, projection(type, "", "")))

    def change(self, type: ResourceType, id: str, conditions: Conditions = NO_CONDITIONS) -> Change:
        """Set out to change a resource through the gateway."""
        return Change(self.endpoint, self.call, type, id, conditions)

    def patch(
        self,
        type: ResourceType,
        id: str,
        operations: list[JSON],
        conditions: Conditions = NO_CONDITIONS,
    ) -> str | None:
        """Carry out a PATCH request through the gateway; tell by what name it was refused."""
        message = {"schemas": [patch.PATCH_OP], "Operations": operations}
        try:
            parsed = patch.parse(type, message, refuse)
            self._run(writes.patch(self.change(type, id, conditions), parsed))
        except ScimError as error:
            return error.scim_type or error.__class__.__name__
        return None


def refuse(name: str) -> None:
    """Fail a test that sends what no schema has."""
    raise AssertionError(f"the test sends {name}, which isn't in the schema")


def written(resource: Resource) -> JSON:
    """Leave of a resource what was written."""
    data = {name: value for name, value in resource.data.items() if name not in DERIVED}
    for attribute in resource.type.attributes:
        computed = {sub.name for sub in attribute.sub_attributes if sub.computed}
        if computed and attribute.multi_valued and attribute.name in data:
            data[attribute.name] = [
                {name: value for name, value in element.items() if name not in computed}
                for element in data[attribute.name]
            ]
    return data


def varied(world: World, type: ResourceType) -> list[JSON]:
    """Describe resources that differ, the same ones in each run."""
    paths = [
        path
        for path in strategies.writable_attributes(type)
        if path.attribute.uniqueness is Within.NONE
    ]
    bodies = []
    for number in range(9):
        body = world.body(type, f"{'aAbBc'[number % 5]}-{number}")
        for place, path in enumerate(paths):
            if (place + number) % 3 and not path.attribute.required:
                _put(body, path, _sample(path, place * 7 + number))
        bodies.append(body)
    return bodies


def _put(body: JSON, path: Path, value: Any) -> None:
    inside = body if path.container is None else body.setdefault(path.container, {})
    inside[path.attribute.name] = value


def _sample(path: Path, seed: int) -> Any:
    attribute = path.attribute
    if not attribute.is_complex:
        one = _sample_value(attribute, seed)
        return [one] if attribute.multi_valued else one
    subs = [
        sub
        for sub in attribute.sub_attributes
        if not (sub.read_only or sub.computed) and sub.name != "primary"
    ]

    def element(shift: int) -> JSON:
        return {
            sub.name: _sample_value(sub, seed + shift + place)
            for place, sub in enumerate(subs)
            if sub.required or sub.name == "value" or (seed + shift + place) % 4
        } or {subs[0].name: _sample_value(subs[0], seed)}

    if not attribute.multi_valued:
        return element(0)
    first, second = element(0), {**element(1)}
    if "value" in first:
        second["value"] = _sample_value(subs[0], seed + 5)
    if attribute.find("primary") is not None and seed % 2:
        second["primary"] = True
    return [first, second] if strategies.distinguishable(attribute, first, second) else [first]


def _sample_value(attribute: Attribute, seed: int) -> Any:
    pool: Sequence[Any] = strategies.pool(attribute)
    return pool[seed % len(pool)]
