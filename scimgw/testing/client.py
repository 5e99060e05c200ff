"""How does a test speak HTTP to a site without a port?

Bytes go into the site's real protocol and come out of it; nothing between is replaced.
"""

from __future__ import annotations

import io
import json
from base64 import b64encode
from collections.abc import Mapping
from http.client import HTTPMessage, HTTPResponse
from socket import socket
from typing import Any, Final, cast

from attrs import field, frozen
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Site

ADDRESS: Final = "192.0.2.7"
"""Where requests come from, unless another address is told."""


@frozen
class Response:
    """An answer as it came over the wire."""

    status: int
    headers: HTTPMessage
    body: bytes

    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)


class Transport(StringTransport):
    """What a site writes to; tells whether it was cut off."""

    aborted = False

    def abortConnection(self) -> None:
        """Cut off."""
        self.aborted = True
        super().abortConnection()


class Connection:
    """One connection to a site."""

    def __init__(self, site: Site, address: str = ADDRESS) -> None:
        """Connect from an address."""
        peer = (IPv6Address if ":" in address else IPv4Address)("TCP", address, 4711)
        self.transport = Transport(peerAddress=peer)
        self.protocol = site.buildProtocol(peer)
        self.protocol.makeConnection(self.transport)

    def send(self, data: bytes) -> None:
        """Send bytes, as the network would deliver them."""
        self.protocol.dataReceived(data)

    def lose(self) -> None:
        """Lose the connection."""
        self.protocol.connectionLost(Failure(ConnectionDone()))

    def received(self) -> bytes:
        """Give what the site has sent since this was last asked."""
        data: bytes = self.transport.value()
        self.transport.clear()
        return data

    def response(self, method: str = "GET") -> Response:
        """Read the answer to one request of this method."""
        return parse(self.received(), method)


def parse(data: bytes, method: str = "GET") -> Response:
    """Read the answer to a request of this method out of bytes, which end with it."""
    sent = _Bytes(data)
    response = HTTPResponse(cast("socket", sent), method=method)
    response.begin()
    content = response.read()
    left = sent.read()
    assert not left, f"behind the answer there is {left[:100]!r}"
    return Response(response.status, response.headers, content)


class _Bytes(io.BytesIO):
    """Looks enough like a socket to http.client, which closes what it has read its answer from."""

    def makefile(self, _mode: str) -> io.BytesIO:
        return self

    def close(self) -> None:
        pass


@frozen
class Client:
    """Makes requests of a site, each over a connection of its own, as one user."""

    site: Site
    user: str = "gwadmin"
    password: str = "password"  # noqa: S105 - of tests
    headers: Mapping[str, str] = field(factory=dict)
    address: str = ADDRESS

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Response:
        """Make one request; a value is sent as SCIM JSON, a header of None isn't sent."""
        connection = Connection(self.site, self.address)
        connection.send(self.encoded(method, path, body, headers))
        response = connection.response(method)
        connection.lose()
        return response

    def encoded(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> bytes:
        """Spell a request."""
        content = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        credentials = b64encode(f"{self.user}:{self.password}".encode()).decode()
        sent: dict[str, str | None] = {
            "Host": "gateway.example",
            "Authorization": f"Basic {credentials}",
            **(
                {"Content-Type": "application/scim+json", "Content-Length": str(len(content))}
                if content
                else {}
            ),
            **self.headers,
            **(headers or {}),
        }
        lines = [
            f"{method} {path} HTTP/1.1",
            *(f"{k}: {v}" for k, v in sent.items() if v is not None),
            "",
            "",
        ]
        return "\r\n".join(lines).encode() + content

    def get(self, path: str, **headers: str) -> Response:
        """Read."""
        return self.request("GET", path, headers=headers)

    def post(self, path: str, body: Any) -> Response:
        """Create."""
        return self.request("POST", path, body)

    def put(self, path: str, body: Any) -> Response:
        """Replace."""
        return self.request("PUT", path, body)

    def patch(self, path: str, *operations: Mapping[str, Any]) -> Response:
        """Change by operations."""
        schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
        return self.request("PATCH", path, {"schemas": schemas, "Operations": list(operations)})

    def delete(self, path: str) -> Response:
        """Remove."""
        return self.request("DELETE", path)
