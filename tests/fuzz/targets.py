"""What may be asked of the gateway with any bytes whatever, and must never break it?

Each target takes bytes.  What a client can be told is a `ScimError`; anything else that is raised,
or a status from 500 up, is a bug, but for /Me, which is nobody here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import quote_from_bytes

from twisted.internet.task import Clock

from connectors.loki import Config, LokiConnector
from scimgw import jsontext
from scimgw.auth.basic import BasicAuthenticator
from scimgw.auth.chain import Chain
from scimgw.connector import NO_ENTITY, Principal
from scimgw.errors import ScimError
from scimgw.gateway.endpoint import Endpoint
from scimgw.jsontext import NotJson
from scimgw.scim import filter as filters
from scimgw.scim import patch, resource
from scimgw.scim.changes import outcome, value_at
from scimgw.scim.cursor import Cursors
from scimgw.scim.direct import by_attribute
from scimgw.scim.match import predicate
from scimgw.scim.schema import GROUP, USER
from scimgw.secret import Secret
from scimgw.testing.client import Client, Response
from scimgw.web.root import Limits
from scimgw.web.site import ScimSite
from tests.fakes.services import in_memory

_LIVES: Final = 500
"""Requests after which a gateway is replaced, so that no store grows without end."""
JANE: Final = {
    "userName": "jane",
    "name": {"givenName": "Jane"},
    "emails": [{"value": "j@x", "type": "work", "primary": True}, {"value": "h@x", "type": "home"}],
    "active": True,
}
METHODS: Final = (
    ("POST", "/Users"),
    ("PUT", "/Users/bjensen"),
    ("PATCH", "/Users/bjensen"),
    ("POST", "/Groups"),
    ("PATCH", "/Groups/Admins"),
    ("POST", "/Bulk"),
    ("POST", "/.search"),
    ("POST", "/Users/.search"),
    ("GET", "/Users?filter="),
    ("GET", "/?filter="),
    ("GET", "/Users?sortBy="),
    ("GET", "/Users?attributes="),
    ("GET", "/Users?cursor="),
    ("GET", "/Users/"),
    ("GET", "/"),
)
"""What the first byte of a request chooses from."""
_ME: Final = re.compile(rb"/(scim/)?(v2/)?me/?", re.IGNORECASE)


def on_filter(data: bytes) -> None:
    """Read a filter; what is read is printed, and read again as the same, and can be evaluated."""
    with suppress(ScimError, UnicodeDecodeError):
        parsed = filters.parse(data.decode(), USER)
        again = filters.parse(str(parsed), USER)
        assert str(again) == str(parsed)
        assert predicate(parsed)(JANE) == predicate(again)(JANE)


def on_path(data: bytes) -> None:
    """Read a path; what is read is printed, and read again as the same."""
    with suppress(ScimError, UnicodeDecodeError):
        parsed = filters.parse_path(data.decode(), USER)
        assert filters.parse_path(str(parsed), USER) == parsed


def on_json(data: bytes) -> None:
    """Read a body, then a resource out of it."""
    with suppress(ScimError, NotJson):
        resource.parse(USER, jsontext.decode(data), lambda _: None)


def on_patch(data: bytes) -> None:
    """Read a PATCH message, and carry it out."""
    with suppress(ScimError, NotJson):
        for type in (USER, GROUP):
            operations = patch.parse(type, jsontext.decode(data), lambda _: None)
            for root, own in by_attribute(operations).items():
                outcome(root, own, value_at(JANE, root))


class _Gateway:
    """A gateway in memory, until it has had enough."""

    def __init__(self) -> None:
        self._left = 0
        self._client: Client

    def client(self) -> Client:
        if not self._left:
            self._left, clock = _LIVES, Clock()
            endpoint = Endpoint(
                connector=LokiConnector(Config(), in_memory(clock)), clock=clock, max_scan=10_000
            )
            chain = Chain([BasicAuthenticator([(Principal("gwadmin"), Secret("password"))])])
            site = ScimSite(
                endpoint,
                chain,
                frozenset({NO_ENTITY}),
                Limits(),
                clock,
                cursors=Cursors(key=b"k" * 32),
            )
            self._client = Client(site)
        self._left -= 1
        return self._client


_GATEWAY: Final = _Gateway()


def on_request(data: bytes) -> None:
    """Make a request: the first byte says which, the rest stands in its body or its URL."""
    if not data:
        return
    method, path = METHODS[data[0] % len(METHODS)]
    rest = data[1:4000]
    client = _GATEWAY.client()
    if method == "GET":
        response = client.request(method, path + quote_from_bytes(rest, safe="/"))
        found = faults(path.encode() + rest, response)
    else:
        response = client.request(method, path, rest or None)
        found = faults(path.encode(), response)
    assert not found, (method, path, rest, found, response.body)


def faults(path: bytes, response: Response) -> list[int]:
    """Give the statuses of an answer, and of the operations in it, that tell of a bug.

    That nobody is /Me is told by 501 (RFC 7644 section 3.11), and is none.
    """
    statuses = [response.status]
    if path == b"/Bulk" and response.status == 200:
        statuses = [int(each["status"]) for each in response.json()["Operations"]]
    nobody = 501 if _ME.fullmatch(path) else None
    return [status for status in statuses if status >= 500 and status != nobody]


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    "filter": on_filter,
    "path": on_path,
    "json": on_json,
    "patch": on_patch,
    "request": on_request,
}
