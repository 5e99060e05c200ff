"""How is an answer's body received, within its bounds?"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IResponse


class TooLarge(Exception):
    """The body has more bytes than are allowed."""


class Silent(Exception):
    """The endpoint has sent nothing for too long."""


class Receiver(Protocol):
    """Hands on the pieces of a body; ends with it, past the bound, and when nothing comes.

    `done` fails with TooLarge, Silent, or the reason for which the connection was lost; to cancel
    it drops the connection.
    """

    def __init__(
        self,
        take: Callable[[bytes], object],
        limit: int | None,
        silence: float,
        clock: IReactorTime,
    ) -> None:
        """Hand pieces to a function; the bound is in bytes, silence in seconds."""
        self._take = take
        self._left = limit
        self._silence = silence
        self._clock = clock
        self._late: IDelayedCall | None = None
        self.done: Deferred[None] = Deferred(lambda _: self._drop())

    def connectionMade(self) -> None:
        """Begin to wait."""
        self._late = self._clock.callLater(self._silence, self._end, Silent())

    def dataReceived(self, data: bytes) -> None:
        """Hand on a piece."""
        if self.done.called:
            return
        if self._late is not None and self._late.active():
            self._late.reset(self._silence)
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                self._end(TooLarge())
                return
        self._take(data)

    def pause(self) -> None:
        """Let the endpoint wait, since who takes the pieces can't keep up."""
        self._stop_waiting()
        self._transport.pauseProducing()

    def resume(self) -> None:
        """Go on."""
        if not self.done.called:
            self._stop_waiting()
            self._late = self._clock.callLater(self._silence, self._end, Silent())
            self._transport.resumeProducing()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell the end; a body without a length ends with its connection."""
        self._stop_waiting()
        if self.done.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.done.callback(None)
        else:
            self.done.errback(reason)

    def _end(self, why: Exception) -> None:
        self.done.errback(why)
        self._drop()

    def _drop(self) -> None:
        self._stop_waiting()
        self._transport.loseConnection()

    def _stop_waiting(self) -> None:
        if self._late is not None and self._late.active():
            self._late.cancel()

    @property
    def _transport(self) -> Any:
        assert self.transport is not None
        return self.transport


async def read(response: IResponse, limit: int, silence: float, clock: IReactorTime) -> bytes:
    """Receive a whole body.

    Raises: TooLarge, Silent, ResponseFailed.
    """
    pieces: list[bytes] = []
    receiver = Receiver(pieces.append, limit, silence, clock)
    response.deliverBody(receiver)
    await receiver.done
    return b"".join(pieces)


async def pieces(response: IResponse, silence: float, clock: IReactorTime) -> AsyncIterator[bytes]:
    """Receive a body piece by piece, each when the one before was taken.

    To close the iterator before its end drops the connection.

    Raises: Silent, ResponseFailed.
    """
    queue: deque[bytes] = deque()
    awaited: list[Deferred[None]] = []

    def wake(result: object = None) -> object:
        due = awaited[:]
        awaited.clear()
        for each in due:
            each.callback(None)
        return result

    def take(data: bytes) -> None:
        queue.append(data)
        receiver.pause()
        wake()

    receiver = Receiver(take, None, silence, clock)
    receiver.done.addBoth(wake)
    response.deliverBody(receiver)
    try:
        while queue or not receiver.done.called:
            if queue:
                yield queue.popleft()
                continue
            receiver.resume()
            if not queue and not receiver.done.called:
                awaited.append(Deferred())
                await awaited[0]
        await receiver.done
    finally:
        if not receiver.done.called:
            receiver.done.addErrback(lambda _: None).cancel()
