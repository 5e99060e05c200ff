"""How is a body sent as it comes?"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from scimgw.errors import ScimError
from scimgw.web.request import ScimRequest

log = Logger()

PIECE: Final = 128 * 1024
"""Bytes of a long body that are sent at once."""


@implementer(IPushProducer)
class Flow:
    """Lets the source wait while the client can't take more."""

    stopped = False
    """Whether nobody listens any more; the transport knows it before the request does."""

    def __init__(self) -> None:
        """Begin to flow."""
        self._paused: Deferred[None] | None = None

    def pauseProducing(self) -> None:
        """Hold the source back."""
        if self._paused is None:
            self._paused = Deferred()

    def resumeProducing(self) -> None:
        """Let it go on."""
        paused, self._paused = self._paused, None
        if paused is not None:
            paused.callback(None)

    def stopProducing(self) -> None:
        """Let it go on, to find that nobody listens."""
        self.stopped = True
        self.resumeProducing()

    async def open(self) -> None:
        """Wait until the client can take more."""
        if self._paused is not None:
            await self._paused


def break_off(request: ScimRequest, error: Exception) -> None:
    """Cut the connection of an answer that failed half-way, so that nobody takes it for whole."""
    if isinstance(error, ScimError):
        detail = error.detail
        log.warn("request {id} broke off: {detail}", id=request.request_id, detail=detail)
    elif not isinstance(error, CancelledError):
        log.failure("request {id} broke off", Failure(error), id=request.request_id)
    if not request.gone:
        request.channel.forceAbortClient()


async def send(request: ScimRequest, pieces: AsyncIterable[bytes]) -> None:
    """Send the pieces of a body, no faster than the client takes them.

    Raises: CancelledError, if the client has left.
    """
    flow = Flow()
    request.registerProducer(flow, streaming=True)
    try:
        async for piece in pieces:
            if request.gone or flow.stopped:
                raise CancelledError
            request.write(piece)
            if request.method == b"HEAD":  # the headers are sent, and nothing more is asked for
                break
            await flow.open()
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
        if not request.gone:
            request.unregisterProducer()


async def cut(content: bytes) -> AsyncIterator[bytes]:
    """Cut a body into pieces, so that it is seen whether the client takes it."""
    for start in range(0, len(content), PIECE):
        yield content[start : start + PIECE]
