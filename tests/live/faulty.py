"""An HTTP server that misbehaves as its paths say, and counts what reaches it."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted.internet import reactor as installed
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

reactor: Any = installed

_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_GZIP: Final = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
_BOMB: Final = gzip.compress(bytes(40 * 1024 * 1024))
"""40 KB that become 40 MB."""
_CANNED: Final[Mapping[bytes, bytes]] = {
    b"cookie": _HEAD + b"Set-Cookie: session=1; Path=/\r\nContent-Length: 2\r\n\r\n{}",
    b"redirect": (
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/good\r\nContent-Length: 0\r\n\r\n"
    ),
    b"html": (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>"
    ),
    b"garbage": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    b"large": _HEAD + b"Content-Length: 5000\r\n\r\n" + b"x" * 5000,
    b"endless": _HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + b"400\r\n%s\r\n" % (b"x" * 1024) * 9,
    b"bomb": _HEAD + _GZIP % len(_BOMB) + _BOMB,
    b"torn": _HEAD + _GZIP % 9 + b"not gzip!",
    b"half": _HEAD + b"Content-Length: 100\r\n\r\n{",
    b"more": _HEAD + b"Content-Length: 2\r\n\r\n{}HTTP/1.1 200 OK and what nobody asked for",
    b"busy": b"HTTP/1.1 429 Slow\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n",
    b"down": b"HTTP/1.1 503 No\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n",
    b"broken": b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n",
    b"wrong": b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
}


class Faulty(Protocol):
    """One connection: reads requests, and answers each as its path says."""

    factory: FaultyServer

    def __init__(self) -> None:
        """Begin without a request."""
        self._data = b""
        self._trickling: LoopingCall | None = None

    @property
    def _socket(self) -> Any:
        return self.transport

    def connectionMade(self) -> None:
        """Join the server's connections."""
        self.factory.connections.add(self)
        self.factory.accepted += 1

    def connectionLost(self, _reason: Failure = connectionDone) -> None:
        """Leave them."""
        self.factory.connections.discard(self)
        if self._trickling is not None and self._trickling.running:
            self._trickling.stop()

    def dataReceived(self, data: bytes) -> None:
        """Wait for a whole request."""
        if not self.factory.answers:
            return
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        length = next(
            (int(each.split(b":")[1]) for each in lines if each.lower().startswith(b"content-len")),
            0,
        )
        if end and len(body) >= length:
            self._data = b""
            self.factory.requests.append(head)
            self.factory.bodies.append(body)
            method, path, _ = lines[0].split(b" ")
            self._answer(method, path.partition(b"?")[0].rpartition(b"/")[2])

    def _answer(self, method: bytes, path: bytes) -> None:
        """Do as the path says; `a-then-b` does a the first time and b from then on."""
        first, _, later = path.partition(b"-then-")
        if later:
            key = (method, path)
            path = later if key in self.factory.seen else first
            self.factory.seen.add(key)
        special: Mapping[bytes, Callable[[], None]] = {
            b"good": self._good,
            b"hang": lambda: None,
            b"reset": self._reset,
            b"close": self._close,
            b"trickle": self._trickle,
            b"short": self._short,
            b"stale": self._stale,
        }
        if path in special:
            special[path]()
        else:
            self._socket.write(_CANNED[path])

    def _good(self) -> None:
        content = self.factory.good
        self._socket.write(_HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(content), content))

    def _reset(self) -> None:
        self._socket.abortConnection()

    def _close(self) -> None:
        self._socket.loseConnection()

    def _short(self) -> None:
        self._socket.write(_CANNED[b"half"])
        self._socket.loseConnection()

    def _trickle(self) -> None:
        self._socket.write(_HEAD + b"Content-Length: 1000\r\n\r\n")
        self._trickling = LoopingCall(self._socket.write, b" ")
        self._trickling.start(0.05)

    def _stale(self) -> None:
        """Answer well, and drop whatever comes next on this connection."""
        self._good()
        self._answer = lambda *_: self._reset()  # type: ignore[method-assign]  # of this one


class FaultyServer(Factory[Faulty]):
    """Counts connections and requests."""

    noisy = False
    protocol = Faulty

    def __init__(self) -> None:
        """Begin without any."""
        self.connections: set[Faulty] = set()
        self.requests: list[bytes] = []
        self.bodies: list[bytes] = []
        self.good = b"{}"
        """What a good answer holds."""
        self.answers = True
        self.seen: set[tuple[bytes, bytes]] = set()
        self.accepted = 0

    def listen(self, port: int = 0) -> Any:
        """Listen on a port of the loopback address."""
        return reactor.listenTCP(port, self, interface="127.0.0.1")
