"""How is a request handed on as it is, and its answer taken as it comes?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.web.client import Agent
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer, IResponse

from scimgw.clients.http import body, retry, tls, wire
from scimgw.clients.http.retry import Lost, NotSent
from scimgw.clients.http.settings import Tls
from scimgw.clients.http.targets import Targets
from scimgw.clients.http.unanswered import outcome_of, reason, within
from scimgw.connector import Services
from scimgw.errors import InvalidValue, Unavailable

log = Logger()

CONNECT: Final = 5.0
"""Seconds for connecting."""
SILENCE: Final = 55.0
"""Seconds that the other side may be silent: a little less than a request may take here."""
_KEPT: Final = 64
"""Connections that are kept."""


@frozen(kw_only=True)
class Forwarded:
    """An answer: its status, its headers, and its body as it comes."""

    status: int
    headers: Headers
    length: int | None
    """Bytes of the body, None if that isn't known before its end."""
    body: AsyncIterator[bytes]


class Forwarder:
    """Hands requests on to one server."""

    def __init__(self, url: str, services: Services, silence: float = SILENCE) -> None:
        """Prepare; nothing is connected yet.  Silence is in seconds."""
        self._silence = silence
        self._targets = Targets.of([url])
        self._clock = services.clock
        self._endpoints = wire.Endpoints(
            reactor=services.reactor,
            policy=tls.policy(Tls(), services.folder),
            connect_timeout=CONNECT,
            proxy=None,
        )
        self._pool = wire.pool(services.reactor, _KEPT)
        self._agent = Agent.usingEndpointFactory(services.reactor, self._endpoints, self._pool)

    async def forward(
        self,
        method: bytes,
        path: bytes,
        headers: Headers,
        content: Callable[[], IBodyProducer | None],
    ) -> Forwarded:
        """Send a request, once more if a kept connection was stale and that is safe.

        Raises: Unavailable, InvalidValue (a path that can't be part of a URL).
        """
        target = self._targets.pick(self._clock.seconds(), ())
        if target is None:
            until = self._targets.until(self._clock.seconds())
            raise Unavailable("the next gateway has failed repeatedly", until)
        idempotent = method.decode("ascii", "replace") in retry.IDEMPOTENT
        probe = target.begin(self._clock.seconds())
        for last in (False, True):
            try:
                answer = await self._sent(method, target.url.encode() + path, headers, content())
            except ValueError as error:
                target.abandoned(probe=probe)
                raise InvalidValue("the URL holds what can't be handed on") from error
            except CancelledError:
                target.abandoned(probe=probe)
                raise
            except Exception as error:
                outcome = outcome_of(error)
                stale = isinstance(outcome, Lost) and not isinstance(error, body.Silent)
                if stale and idempotent and not last:
                    continue
                target.failed(self._clock.seconds())
                log.warn("the next gateway, {url}: {why}", url=target.url, why=reason(error))
                raise _failure(outcome, error) from error
            target.succeeded()
            return Forwarded(
                status=answer.code,
                headers=answer.headers,
                length=None if answer.length is UNKNOWN_LENGTH else answer.length,
                body=self._pieces(answer),
            )
        raise AssertionError("the last attempt returns or raises")

    async def close(self) -> None:
        """Close every connection."""
        await wire.close(self._pool, self._endpoints)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._endpoints.open)

    async def _sent(
        self, method: bytes, url: bytes, headers: Headers, content: IBodyProducer | None
    ) -> IResponse:
        begun: Deferred[Any] = self._agent.request(method, url, headers, content)
        return await within(self._silence, begun, self._clock)

    async def _pieces(self, answer: IResponse) -> AsyncIterator[bytes]:
        try:
            async for piece in body.pieces(answer, self._silence, self._clock):
                yield piece
        except (CancelledError, GeneratorExit):
            raise
        except Exception as error:
            raise Unavailable("the next gateway broke off its answer") from error


def _failure(outcome: NotSent | Lost, error: Exception) -> Unavailable:
    if isinstance(outcome, NotSent):
        return Unavailable("the next gateway can't be reached")
    if isinstance(error, body.Silent):
        return Unavailable("the next gateway took too long to answer")
    return Unavailable("the next gateway gave no answer")
