"""A service desk of one file, for the example: tickets over REST, kept in memory.

    python -m connectors.api.service_desk --port 8891

    GET    /tickets[?status=open]   {"tickets": [...]}
    POST   /tickets                 201, and the ticket with its id
    GET PUT PATCH DELETE            /tickets/{id}

A ticket has `title`, `description`, `requester` and `status` (open, closed).  HTTP Basic
authentication.
"""

from __future__ import annotations

import argparse
import hmac
import json
import sys
from base64 import b64encode
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Lock
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

FIELDS: Final = ("title", "description", "requester", "status")
_LONGEST: Final = 64 * 1024
"""Bytes of a body."""


class Desk:
    """The tickets."""

    def __init__(self) -> None:
        """Begin without any."""
        self._tickets: dict[str, dict[str, str]] = {}
        self._numbers = count(1)
        self._lock = Lock()

    def find(self, status: str | None) -> list[dict[str, str]]:
        """List tickets, those of one status if so asked."""
        with self._lock:
            return [each for each in self._tickets.values() if status in {None, each["status"]}]

    def get(self, id: str) -> dict[str, str] | None:
        """Give a ticket."""
        with self._lock:
            return self._tickets.get(id)

    def add(self, said: Mapping[str, str]) -> dict[str, str]:
        """Open a ticket."""
        with self._lock:
            id = str(next(self._numbers))
            self._tickets[id] = {"id": id, "status": "open", **said}
            return self._tickets[id]

    def change(self, id: str, said: Mapping[str, str], *, whole: bool) -> dict[str, str] | None:
        """Change a ticket, or replace it."""
        with self._lock:
            if id not in self._tickets:
                return None
            kept = {"id": id, "status": "open"} if whole else self._tickets[id]
            self._tickets[id] = {**kept, **said}
            return self._tickets[id]

    def remove(self, id: str) -> bool:
        """Remove a ticket; tell whether there was one."""
        with self._lock:
            return self._tickets.pop(id, None) is not None


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        """List tickets, or read one."""
        id = self._begin()
        if id == "":
            status = parse_qs(urlsplit(self.path).query).get("status", [None])[0]
            self._answer(HTTPStatus.OK, {"tickets": self.server.desk.find(status)})
        elif id is not None:
            self._found(self.server.desk.get(id))

    def do_POST(self) -> None:
        """Open a ticket."""
        id, said = self._begin(), self._said()
        if id == "" and said is not None:
            self._answer(HTTPStatus.CREATED, self.server.desk.add(said))
        elif id:
            self._answer(HTTPStatus.METHOD_NOT_ALLOWED)

    def do_PUT(self) -> None:
        """Replace a ticket, or change it."""
        id, said = self._begin(), self._said()
        if id is not None and said is not None:
            whole = self.command == "PUT"
            self._found(self.server.desk.change(id, said, whole=whole))

    do_PATCH = do_PUT

    def do_DELETE(self) -> None:
        """Remove a ticket."""
        id = self._begin()
        if id is not None:
            gone = self.server.desk.remove(id)
            self._answer(HTTPStatus.NO_CONTENT if gone else HTTPStatus.NOT_FOUND)

    def _begin(self) -> str | None:
        """Let in, and read the id out of the path: "" for all tickets, None if it is answered."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _LONGEST or "Transfer-Encoding" in self.headers:
            # what is left of the body must not be taken for a request
            self.close_connection = True
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return None
        self._read = self.rfile.read(int(length))
        given = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, self.server.authorization):
            self._answer(HTTPStatus.UNAUTHORIZED)
            return None
        first, _, rest = urlsplit(self.path).path.removeprefix("/").partition("/")
        if first != "tickets" or "/" in rest:
            self._answer(HTTPStatus.NOT_FOUND)
            return None
        return unquote(rest)

    def _said(self) -> dict[str, str] | None:
        """Read what is said of a ticket; None if it is nothing that can be, which is answered."""
        if self._answered:
            return None
        try:
            said: Any = json.loads(self._read)
        except ValueError:
            said = None
        if isinstance(said, dict) and all(
            name in FIELDS and isinstance(value, str) for name, value in said.items()
        ):
            return said
        self._answer(HTTPStatus.BAD_REQUEST)
        return None

    def _found(self, ticket: dict[str, str] | None) -> None:
        self._answer(HTTPStatus.NOT_FOUND if ticket is None else HTTPStatus.OK, ticket)

    def _answer(self, status: HTTPStatus, value: Any = None) -> None:
        self._answered = True
        content = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        if status is HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", 'Basic realm="service desk"')
        if status is not HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def parse_request(self) -> bool:
        """Begin anew with each request of a connection."""
        self._answered = False
        return super().parse_request()


class Server(ThreadingHTTPServer):
    """The service."""

    daemon_threads = True

    def __init__(self, port: int, username: str, password: str) -> None:
        """Listen on the loopback address."""
        super().__init__(("127.0.0.1", port), Handler)
        self.desk = Desk()
        self.authorization = b"Basic " + b64encode(f"{username}:{password}".encode())

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that have gone, as they do."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def main() -> None:
    """Read the command line, and serve."""
    parser = argparse.ArgumentParser(description="A service desk, for the example of an API plugin")
    parser.add_argument("--port", type=int, default=8891)
    parser.add_argument("--username", default="desk")
    parser.add_argument("--password", default="password")
    given = parser.parse_args()
    server = Server(given.port, given.username, given.password)
    sys.stdout.write(f"the service desk listens on 127.0.0.1:{given.port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
