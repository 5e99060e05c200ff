"""What does the path of a URL address?

    [/<entity>][/scim][/v2][/<route>[/<id>]]
    [/<entity>]/api[/<id>]   [/<entity>]/pub/api[/<id>]   [/<entity>]/oauth/token

Segments are decoded once, so that an id may hold a slash.  Names of routes can't be entities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from attrs import frozen

from scimgw.connector import NO_ENTITY
from scimgw.errors import InvalidValue
from scimgw.gateway.endpoint import Endpoint
from scimgw.scim.schema import ResourceType

PING: Final = "ping"
SERVICE_PROVIDER_CONFIG: Final = "ServiceProviderConfig"
SCHEMAS: Final = "Schemas"
RESOURCE_TYPES: Final = "ResourceTypes"
API: Final = "api"
PUBLIC: Final = "pub"
OAUTH: Final = "oauth"
TOKEN: Final = "token"  # noqa: S105 - what follows it in a path
DISCOVERY: Final = (SERVICE_PROVIDER_CONFIG, SCHEMAS, RESOURCE_TYPES)
ROOT: Final = ""
"""The route of a path that ends at the base URL: all resource types at once."""
SEARCH: Final = ".search"
BULK: Final = "Bulk"
ME: Final = "Me"
PREFIXES: Final = ("scim", "v2")


@frozen(kw_only=True)
class Target:
    """What a request is about.

    `entity` is None where the path names none; `prefix` is the path up to the route; `route` is
    None where the path names nothing that there is.
    """

    entity: str | None
    prefix: str
    route: str | None
    type: ResourceType | None = None
    rest: tuple[str, ...] = ()

    @property
    def base_entity(self) -> str:
        """The base entity as connectors know it."""
        return NO_ENTITY if self.entity is None else self.entity

    @property
    def public(self) -> bool:
        """Whether no credentials are asked for: a health check, and what tells which there are."""
        if self.route == PUBLIC:
            return True
        if self.rest:
            return False
        return self.route == SERVICE_PROVIDER_CONFIG or (self.route == PING and not self.prefix)

    @property
    def asks(self) -> bool:
        """Whether the endpoint has to be asked, for an answer that is a success as a whole."""
        return self.type is not None or self.route in {API, ROOT, SEARCH, ME}


class Routes:
    """The routes of one plugin."""

    def __init__(self, types: Sequence[ResourceType], others: Sequence[str] = ()) -> None:
        """Serve some resource types, discovery, and what else the connector answers."""
        self._types: Mapping[str, ResourceType] = {
            type.endpoint.strip("/").casefold(): type for type in types
        }
        self._routes = {
            name.casefold(): name
            for name in (PING, *DISCOVERY, ROOT, SEARCH, BULK, ME, OAUTH, *others)
        }
        self._routes |= {name: type.endpoint.strip("/") for name, type in self._types.items()}

    @classmethod
    def of(cls, endpoint: Endpoint) -> Routes:
        """Serve what a connector offers."""
        offered = ((API, endpoint.api), (PUBLIC, endpoint.public_api))
        others = [name for name, answering in offered if answering is not None]
        return cls(list(endpoint.types.values()), others)

    @property
    def names(self) -> frozenset[str]:
        """What can't be the name of an entity, in lower case."""
        return frozenset((*self._routes, *PREFIXES))

    def find(self, path: bytes) -> Target:
        """Read the path of a request.

        Raises: InvalidValue, if it isn't UTF-8 or holds a NUL.
        """
        segments = [_decoded(segment) for segment in _segments(path)]
        at = 0
        entity = None
        if not self._is_route(segments[0]) and segments[0] not in PREFIXES and segments != [""]:
            entity, at = segments[0], 1
        for name in PREFIXES:
            if segments[at : at + 1] == [name]:
                at += 1
        prefix = "".join(f"/{quote(segment, safe='')}" for segment in segments[:at]) if at else ""
        name = segments[at].casefold() if at < len(segments) else ""
        route = self._routes.get(name)
        rest = () if route is None else tuple(segments[at + 1 :])
        return Target(
            entity=entity, prefix=prefix, route=route, type=self._types.get(name), rest=rest
        )

    def _is_route(self, segment: str) -> bool:
        return segment.casefold() in self._routes


def _segments(path: bytes) -> list[bytes]:
    """Part a path, or a whole URL (RFC 9112 section 3.2.2); a slash at the end is nothing."""
    if not path.startswith(b"/"):
        path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
    segments = path.split(b"/")[1:]
    return segments[:-1] if len(segments) > 1 and not segments[-1] else segments


def _decoded(segment: bytes) -> str:
    try:
        text = (unquote_to_bytes(segment) if b"%" in segment else segment).decode()
    except UnicodeDecodeError:
        raise InvalidValue("the path of the URL isn't UTF-8") from None
    if "\0" in text:
        raise InvalidValue("the path of the URL holds a NUL")
    return text
