"""Who has which connection to a directory, and for how long?"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from attrs import define, field, frozen
from attrs.validators import ge, gt
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from connectors.ldap.client import Client
from connectors.ldap.server import Server, Tls, connect
from scimgw.deferred import Pending
from scimgw.errors import Unavailable

log = Logger()

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 10.0
"""Seconds between attempts at a directory that can't be reached: twice as long each time."""


@frozen(kw_only=True)
class Limits:
    """How many connections, and how long; all times are in seconds."""

    size: int = field(default=10, validator=ge(1))
    """Connections at most."""
    timeout: float = field(default=30.0, validator=gt(0))
    """Until an operation must be answered."""
    connect_timeout: float = field(default=10.0, validator=gt(0))
    """Until a connection must be open and bound."""
    wait: float = field(default=10.0, validator=gt(0))
    """For a connection to be free."""
    idle_timeout: float = field(default=300.0, validator=gt(0))
    """After which a connection is closed that nobody used."""
    max_age: float = field(default=3600.0, validator=gt(0))
    """After which a connection isn't used again."""


@define(eq=False)
class Lease:
    """A connection that is somebody's alone, until it is given back."""

    client: Client
    opened: float
    """When; in seconds, as the clock has it."""
    idle_since: float = field(default=0.0, init=False)


class Pool:
    """Bound connections to one directory, opened when they are needed.

    Who finds none free waits in line.  When the directory can't be reached, whoever needs a new
    connection is told so at once, until it is time for another attempt.
    """

    def __init__(self, server: Server, limits: Limits, reactor: Any, clock: IReactorTime) -> None:
        """Begin without a connection."""
        self._server = server
        self._limits = limits
        self._reactor = reactor
        self._clock = clock
        self._count = 0
        """Connections that there are, or are being opened."""
        self._idle: deque[Lease] = deque()
        """Who waits longest comes first; the last is used first, so that others can go."""
        self._held: set[Lease] = set()
        self._waiting: dict[Deferred[Lease | None], None] = {}
        """In their order: for a connection, or for a place to open one."""
        self._leaving = Pending()
        self._sweeper: IDelayedCall | None = None
        self._reason = ""
        self._pause = _FIRST_PAUSE
        self._next_attempt = clock.seconds()
        self._closed = False
        if server.tls is not Tls.NONE and not server.verify:
            log.warn(
                "anybody may pretend to be {host}: its certificate isn't verified",
                host=server.host,
            )
        if server.tls is Tls.NONE and not server.is_here:
            log.warn(
                "{host} is sent the gateway's password in clear: use ldaps or startTls",
                host=server.host,
            )

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Client]:
        """Have a connection for some operations.

        Raises: Unavailable
        """
        lease = await self.take()
        try:
            yield lease.client
        finally:
            self.give_back(lease)

    async def take(self) -> Lease:
        """Have a connection until it is given back, or discarded: one of the two must follow.

        Raises: Unavailable
        """
        if self._closed:
            raise Unavailable("the gateway is stopping")
        lease = self._free()
        if lease is None:
            lease = await self._turn() or await self._open()
        self._held.add(lease)
        return lease

    def give_back(self, lease: Lease) -> None:
        """Leave a connection to others, if it is still good; what was given back is no more."""
        if lease not in self._held:
            return
        self._held.remove(lease)
        if not self._usable(lease):
            self._let_go(lease)
        elif self._waiting:
            self._first().callback(lease)
        else:
            lease.idle_since = self._clock.seconds()
            self._idle.append(lease)
            self._schedule()

    def discard(self, lease: Lease) -> None:
        """End a connection that isn't in a state for others."""
        lease.client.abort()
        self.give_back(lease)

    async def close(self) -> None:
        """Take leave on idle connections now, and on others when they are given back."""
        self._closed = True
        self._refuse_all("the gateway is stopping")
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        while self._idle:
            self._let_go(self._idle.pop())
        await self._leaving.none()

    def _free(self) -> Lease | None:
        """Give the connection that was used last, and forget those that are no more."""
        while self._idle:
            lease = self._idle.pop()
            if self._usable(lease):
                return lease
            self._let_go(lease)
        return None

    def _usable(self, lease: Lease) -> bool:
        age = self._clock.seconds() - lease.opened
        return bool(lease.client.connected) and age < self._limits.max_age and not self._closed

    async def _turn(self) -> Lease | None:
        """Wait for a connection, or for a place to open one, which is counted already."""
        if self._count < self._limits.size:
            self._count += 1
            return None
        turn: Deferred[Lease | None] = Deferred()
        self._waiting[turn] = None
        expiry = self._clock.callLater(self._limits.wait, self._expire, turn)
        try:
            return await turn
        finally:
            self._waiting.pop(turn, None)
            if expiry.active():
                expiry.cancel()

    def _expire(self, turn: Deferred[Lease | None]) -> None:
        turn.errback(Unavailable("the directory is busy", retry_after=1))

    async def _open(self) -> Lease:
        """Open a connection in the place that was counted for it."""
        client = Client(self._clock, self._limits.timeout)
        try:
            await self._attempt(client)
        except BaseException:
            self._count -= 1
            self._next()
            raise
        return Lease(client, self._clock.seconds())

    async def _attempt(self, client: Client) -> None:
        within = self._limits.connect_timeout
        pause = self._next_attempt - self._clock.seconds()
        if pause > 0:
            raise Unavailable(self._reason, retry_after=pause)
        try:
            await connect(client, self._server, self._reactor, self._clock, within=within)
        except Unavailable as error:
            raise self._failed(error) from error
        self._pause = _FIRST_PAUSE

    def _failed(self, error: Unavailable) -> Unavailable:
        now = self._clock.seconds()
        if now >= self._next_attempt:  # else it is one of several that failed at once
            log.warn(
                "no connection to {host}:{port}: {reason} ({cause})",
                host=self._server.host,
                port=self._server.port,
                reason=error.detail,
                cause=_root(error),
            )
            self._reason = error.detail
            self._next_attempt = now + self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return Unavailable(error.detail, retry_after=self._next_attempt - now)

    def _next(self) -> None:
        """Let the first in line have a place that was freed.

        While there is no use in an attempt they wait for connections of others, if there are any.
        """
        while self._waiting and self._count < self._limits.size:
            if self._clock.seconds() >= self._next_attempt:
                self._count += 1
                self._first().callback(None)
            elif self._count:
                return
            else:
                self._refuse_all(self._reason)

    def _first(self) -> Deferred[Lease | None]:
        turn = next(iter(self._waiting))
        del self._waiting[turn]
        return turn

    def _refuse_all(self, reason: str) -> None:
        waiting, self._waiting = self._waiting, {}
        for turn in waiting:
            if not turn.called:  # the failure of one may have cancelled another
                turn.errback(Unavailable(reason, retry_after=_FIRST_PAUSE))

    def _let_go(self, lease: Lease) -> None:
        """Take leave without keeping anybody waiting."""
        self._count -= 1
        Deferred.fromCoroutine(self._leave(lease.client))
        self._next()

    async def _leave(self, client: Client) -> None:
        with self._leaving:
            await client.close()

    def _schedule(self) -> None:
        """Look again when the connection that is idle for longest has been so for long enough."""
        if self._idle and self._sweeper is None:
            due = self._idle[0].idle_since + self._limits.idle_timeout - self._clock.seconds()
            self._sweeper = self._clock.callLater(max(due, 0), self._sweep)

    def _sweep(self) -> None:
        self._sweeper = None
        last = self._clock.seconds() - self._limits.idle_timeout
        while self._idle and self._idle[0].idle_since <= last:
            self._let_go(self._idle.popleft())
        self._schedule()


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error
