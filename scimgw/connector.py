"""What is a connector?

The contract between the gateway and an endpoint's own protocol: declarations only, no logic.  A
connector is one kind of endpoint, for all base entities that its configuration names.
`scimgw.testing.contract` is the same contract as a test suite.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path as FilePath
from typing import Any, Final, Protocol, runtime_checkable

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from scimgw.scim.changes import Changes
from scimgw.scim.filter import Operator
from scimgw.scim.path import Path
from scimgw.scim.query import Page, Query
from scimgw.scim.resource import Resource
from scimgw.scim.schema import GROUP, USER, ResourceType
from scimgw.secret import Secret

NO_ENTITY: Final = "undefined"
"""The base entity of a request whose path names none, as configuration files spell it."""


@frozen
class Principal:
    """Whom a request comes from, and what it may do.

    `entities` are the base entities that there are for it; None: all.  Where the endpoint is to
    judge who it is, `credentials` are what was shown, and the name is what was claimed.
    """

    name: str
    read_only: bool = False
    entities: frozenset[str] | None = None
    credentials: Secret | None = None

    def reaches(self, entity: str) -> bool:
        """Whether a base entity exists, as far as this identity is concerned."""
        return self.entities is None or entity in self.entities


@frozen(kw_only=True)
class Call:
    """On whose behalf a connector acts: the only context it gets.

    `entity` is the base entity; `deadline` is in seconds of the reactor's clock; `credentials` is
    the request's Authorization header, Basic or Bearer, only where it is to be passed through to
    the endpoint (`PassingThrough`).  Then nobody has verified it, and what is kept for one caller
    is kept from all others.
    """

    entity: str
    principal: Principal
    request_id: str
    deadline: float
    credentials: Secret | None = None


class Support(Enum):
    """How well an endpoint evaluates a comparison itself."""

    NO = "no"
    SUPERSET = "superset"
    """It finds all that match, and others, as where case is of no account to it."""
    EXACT = "exact"


class Paging(Enum):
    """How an endpoint gives a long result in parts."""

    NONE = "none"
    INDEX = "index"
    CURSOR = "cursor"
    """By what each page says of the next, which may bind a connection or a lock of the endpoint's.

    A cursor that isn't followed to its end is given back: asked for once more, with a count of 0;
    then it is no error if there is none any more.
    """


def _never(*_: object) -> bool:
    return False


@frozen(kw_only=True)
class Capabilities:
    """What an endpoint does itself for one resource type; the gateway fills every gap.

    filter: for an attribute path without value filter, or a place such as
    `emails[type eq "work"].value` (scimgw.scim.places), and an operator.
    value_paths: whether conditions in one value filter are met by one value of the attribute, not
    each by any.
    sort: whether it orders by an attribute.
    stateless_cursors: whether `Page.next` is given wherever there is more, and can be taken up at
    any time by any process: what was there all the while is then given once.  Endpoints that page
    by index may have such cursors too.
    versions: whether it keeps them, and refuses a write whose `if_version` is outdated.
    atomic: whether a failed write leaves nothing behind.
    removes_members: whether deleting a resource takes it out of the groups that it was a member of.
    max_count: the most resources that it gives in one page.
    """

    filter: Callable[[Path, Operator], Support]
    value_paths: bool = False
    sort: Callable[[Path], bool] = _never
    paging: Paging = Paging.NONE
    stateless_cursors: bool = False
    versions: bool = False
    atomic: bool = False
    removes_members: bool = False
    max_count: int | None = None


@frozen(kw_only=True)
class Stored:
    """What a write left in the endpoint: the resource, or its id where more would cost a read."""

    id: str
    resource: Resource | None = None
    version: str | None = None

    @classmethod
    def whole(cls, resource: Resource) -> Stored:
        """Answer with the resource."""
        return cls(id=resource.id, resource=resource, version=resource.version)


@frozen(kw_only=True)
class GroupRef:
    """A group that a user is a member of, `direct`ly or `indirect`ly."""

    value: str
    display: str | None = None
    type: str = "direct"


@runtime_checkable
class Connector(Protocol):
    """One kind of endpoint.  Every method may be a coroutine or return a Deferred.

    All raise `ScimError` only, with its cause chained; anything else is a bug.  Reads may be
    cancelled, writes are not.
    """

    @property
    def resource_types(self) -> Sequence[ResourceType]:
        """What /Schemas and /ResourceTypes announce: exactly what the endpoint can hold."""

    def capabilities(self, type: ResourceType) -> Capabilities:
        """Say what the endpoint does itself; asked once at start."""

    def search(self, call: Call, query: Query) -> Awaitable[Page]:
        """Find resources; an id that names none is left out.

        A `$ref` is worked out by the gateway; one that is given, of a member that doesn't tell its
        type, tells it by its endpoint: `Users/1`.

        Raises: Unavailable.
        """

    def create(self, call: Call, type: ResourceType, resource: Resource) -> Awaitable[Stored]:
        """Add a resource, which has no id yet.

        Raises: Uniqueness, InvalidValue, Unavailable, PartialWrite.
        """

    def modify(
        self, call: Call, type: ResourceType, id: str, changes: Changes, if_version: str | None
    ) -> Awaitable[Stored | None]:
        """Change a resource, only if it still has a version where one is given.

        Changes that make no difference leave the version as it is.

        Raises: NotFound, Conflict (another version), Uniqueness, InvalidValue, Unavailable,
        PartialWrite.
        """

    def delete(
        self, call: Call, type: ResourceType, id: str, if_version: str | None
    ) -> Awaitable[None]:
        """Remove a resource, only if it still has a version where one is given.

        Raises: NotFound, Conflict (another version), Unavailable.
        """

    def memberships(
        self, call: Call, user_ids: Sequence[str]
    ) -> Awaitable[Mapping[str, Sequence[GroupRef]]]:
        """Name the groups of several users in a constant number of endpoint calls.

        A user without groups may be left out.  Asked only where the user type has a readOnly
        `groups` and a search result doesn't bring it.
        """

    def close(self) -> Awaitable[None]:
        """Give back connections, files and threads."""


@runtime_checkable
class Learner(Protocol):
    """A connector whose endpoints tell themselves what they can do: each base entity's its own.

    What it declares at start, when nobody was asked yet, is what the gateway announces.
    """

    def learn(self, call: Call) -> Awaitable[Mapping[ResourceType, Capabilities]]:
        """Say what the endpoint of the call's base entity does itself.

        Asked at each request, and so kept by the connector; the same mapping as before means that
        nothing has changed.

        Raises: Unavailable, BadGateway.
        """


@runtime_checkable
class PassingThrough(Protocol):
    """A connector that can show its endpoints the caller's own credentials, `Call.credentials`.

    Nothing starts with `auth.passThrough` unless every base entity asks for it, nor does a base
    entity that asks without it.
    """

    def passes_through(self, entity: str) -> bool:
        """Whether the caller's credentials, and no others, are shown for a base entity."""


@runtime_checkable
class Informed(Protocol):
    """A connector that knows of what type a member is, though the member doesn't tell."""

    def kinds(self, call: Call, ids: Sequence[str]) -> Sequence[str | None]:
        """Name the resource type of each id, None where it isn't known, without asking for it."""


@frozen(kw_only=True)
class ApiRequest:
    """What a client asks of /api, whose meaning only the connector knows.

    `id` is the segment after /api; `query` the URL's parameters; `body` a JSON value, a form's
    members, text or bytes, as its media type says, None if there is none.  GET may have one.
    """

    method: str
    id: str | None = None
    query: Mapping[str, str] = field(factory=dict)
    body: Any = None
    content_type: str | None = None


@frozen(kw_only=True)
class ApiAnswer:
    """What it is answered.

    `body` is a JSON value, text (a `str`), bytes, or an asynchronous iterable of bytes, sent as
    they come.  `status` is, where it isn't told, 201 after POST, 204 without a body, else 200.
    `headers` may say a Content-Type of its own.
    """

    body: Any = None
    status: int | None = None
    headers: Mapping[str, str] = field(factory=dict)


@runtime_checkable
class ApiConnector(Protocol):
    """A connector that answers /api.  It may be a Connector as well, and needn't be one."""

    def api(self, call: Call, request: ApiRequest) -> Awaitable[ApiAnswer]:
        """Carry a request out.

        Raises: any ScimError.
        """

    def close(self) -> Awaitable[None]:
        """Give back connections, files and threads."""


@runtime_checkable
class PublicApi(Protocol):
    """An ApiConnector that also answers /pub/api, to anybody, without credentials."""

    def public_api(self, call: Call, request: ApiRequest) -> Awaitable[ApiAnswer]:
        """Carry a request of nobody known out.

        Raises: any ScimError.
        """


@frozen(kw_only=True)
class Services:
    """What the gateway hands to a connector when it is built."""

    name: str
    """The plugin's name, for messages."""
    folder: FilePath
    """The configuration folder, where relative names of files start."""
    reactor: Any
    """Twisted's reactor, for connections."""
    clock: IReactorTime
    """Seconds since 1970, and delayed calls."""
    random: Callable[[int], bytes]
    """So many random bytes, fit for keys."""
    resource_types: Sequence[ResourceType] = (USER, GROUP)
    """User and Group with the attributes that the configuration adds to them, then the types that
    it adds.  Nothing starts if the connector doesn't hold what is added."""


class Invalid(ValueError):
    """A value of the right type that isn't allowed for a key; for validators of settings.

    `name` is the field's, with what leads on from it: `options.token_url`, `base_urls[0]`.
    """

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(fault)
        self.name = name


class Misconfigured(Exception):
    """What a plugin file's `endpoint` says fits its class, and still can't be used.

    `faults` are pairs of a JSON path below `endpoint`, such as `.map.user.mail`, and what is wrong.
    """

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {fault}" for path, fault in faults))
        self.faults = tuple(faults)


@frozen(kw_only=True)
class ConnectorPlugin:
    """The one name, PLUGIN, that a connector's module binds.

    `config` is the attrs class that the plugin file's `endpoint` is parsed by; `build` makes the
    connector of it, without connecting to anything, and may raise Misconfigured.
    """

    config: type[Any]
    build: Callable[[Any, Services], Connector | ApiConnector]
