"""How long is a connection waited for, and how many may there be?"""

from __future__ import annotations

from enum import Enum, auto
from typing import assert_never

from attrs import frozen


class Stage(Enum):
    """What a connection is waited for to do."""

    HEADERS = auto()
    """To send a request's headers; the first time, TLS's handshake before them."""
    BODY = auto()
    """To send a request's body."""
    WORK = auto()
    """Nothing: it is the gateway's turn."""
    UNREAD = auto()
    """To take what it is sent."""
    IDLE = auto()
    """To make another request."""
    LEAVING = auto()
    """To take what is left, and to close."""


@frozen(kw_only=True)
class Patience:
    """The bounds of a plugin's connections; times are in seconds, and kept to a second or two."""

    headers: float = 30.0
    body: float = 30.0
    rate: float = 1024.0
    """Bytes of a body for each of which a second more is waited."""
    unread: float = 30.0
    """For a piece of an answer, of which there are 128 KiB at most."""
    idle: float = 120.0
    leaving: float = 10.0
    per_address: int = 256
    """Connections from one address."""
    connections: int = 10_000
    """Connections in all."""

    def ends(self, stage: Stage, seconds: float, received: int) -> bool:
        """Whether that is too long for a stage, and for so many bytes of a body."""
        match stage:
            case Stage.HEADERS:
                return seconds > self.headers
            case Stage.BODY:
                return seconds > self.body + received / self.rate
            case Stage.WORK:
                return False
            case Stage.UNREAD:
                return seconds > self.unread
            case Stage.IDLE:
                return seconds > self.idle
            case Stage.LEAVING:
                return seconds > self.leaving
            case _:
                assert_never(stage)
