"""How is a request made of an endpoint, and what comes of it?

Every failure becomes a ScimError within the time that is allowed, and leaves no connection behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final

import treq.client
from attrs import field, frozen
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore, TimeoutError
from twisted.internet.interfaces import IConsumer
from twisted.internet.task import deferLater
from twisted.logger import Logger, LogLevel
from twisted.web.client import Agent
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer, IPolicyForHTTPS, IResponse
from zope.interface import implementer

from scimgw import jsontext
from scimgw.clients.http import body as bodies
from scimgw.clients.http import retry, wire
from scimgw.clients.http.credentials import Credential
from scimgw.clients.http.mask import masked
from scimgw.clients.http.retry import Answered, Lost, Outcome
from scimgw.clients.http.settings import Connection
from scimgw.clients.http.targets import Target, Targets
from scimgw.clients.http.unanswered import outcome_of, reason, told, within
from scimgw.connector import Services
from scimgw.errors import BadGateway, Unavailable
from scimgw.jsontext import NotJson
from scimgw.secret import Secret

log = Logger()

_UNAUTHORIZED: Final = 401
_REDIRECTS: Final = frozenset({300, 301, 302, 303, 305, 307, 308})


@frozen(kw_only=True)
class Request:
    """What is asked of an endpoint; `path` follows the base URL, and is encoded.

    `idempotent` of None means: as the method says.  `credentials` are the caller's own,
    `deadline` is in seconds of the reactor's clock.
    """

    method: str
    path: str = ""
    body: bytes | None = None
    headers: Mapping[str, str] = field(factory=dict)
    request_id: str | None = None
    credentials: Secret | None = None
    deadline: float | None = None
    idempotent: bool | None = None

    @property
    def repeatable(self) -> bool:
        """Whether twice is as good as once."""
        return self.method in retry.IDEMPOTENT if self.idempotent is None else self.idempotent

    @property
    def title(self) -> str:
        """What the log calls it."""
        own = "a request of the gateway's own"
        return own if self.request_id is None else f"request {self.request_id}"


@frozen(kw_only=True)
class Response:
    """What an endpoint answered: header names are in lower case.

    `repeated` tells that an earlier attempt may have been carried out too.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    repeated: bool = False

    def json(self) -> Any:
        """Read the body.

        Raises: BadGateway.
        """
        try:
            return jsontext.decode(self.body)
        except NotJson as error:
            kind = self.headers.get("content-type", "").partition(";")[0] or "something"
            raise BadGateway(
                f"the endpoint answered {kind[:60]!r} that isn't JSON, status {self.status}"
            ) from error


@frozen
class _Attempt:
    """One attempt: what came of it, with an answer or an error."""

    outcome: Outcome
    response: Response | None = None
    error: Exception | None = None


class HttpClient:
    """Makes requests of one endpoint, over connections that are kept."""

    def __init__(
        self,
        settings: Connection,
        credential: Credential,
        services: Services,
        policy: IPolicyForHTTPS,
        no_proxy: tuple[str, ...] = (),
    ) -> None:
        """Prepare; nothing is connected yet."""
        options = settings.options
        self._options = options
        self._credential = credential
        self._services = services
        self._clock = services.clock
        self._targets = Targets.of(settings.base_urls)
        self._calls: set[Deferred[Response]] = set()
        self._slots = DeferredSemaphore(options.max_connections)
        self._endpoints = wire.Endpoints(
            reactor=services.reactor,
            policy=policy,
            connect_timeout=options.connect_timeout,
            proxy=settings.proxy,
            no_proxy=no_proxy,
        )
        self._pool = wire.pool(services.reactor, options.max_connections)
        agent = Agent.usingEndpointFactory(services.reactor, self._endpoints, self._pool)
        # cookies of one caller must not travel with another's request: none are kept
        jar: Any = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self._treq = treq.client.HTTPClient(agent, jar)

    async def request(self, request: Request) -> Response:
        """Make a request, again where that is safe and may help, and receive the answer.

        Raises: Unavailable (not reached, too late, 429, 503), BadGateway (a redirect, an answer
        too large), Unauthorized (no credentials to pass through).
        """
        now = self._clock.seconds()
        end = now + self._options.abort_timeout
        if request.deadline is not None:
            end = min(end, request.deadline)
        calling = Deferred.fromCoroutine(self._call(request, end))
        self._calls.add(calling)
        try:
            return await calling.addTimeout(max(0.0, end - now), self._clock)
        except TimeoutError as error:
            raise Unavailable("the endpoint took too long to answer") from error
        except CancelledError as error:
            if calling in self._calls:
                raise
            raise Unavailable("the gateway is being stopped") from error
        finally:
            self._calls.discard(calling)

    async def close(self) -> None:
        """Give up what is under way, and close every connection."""
        calls = list(self._calls)
        self._calls.clear()
        for each in calls:
            each.cancel()
        await wire.close(self._pool, self._endpoints)
        await self._credential.close()

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._endpoints.open)

    async def _call(self, request: Request, end: float) -> Response:
        tried: list[Target] = []
        renewed = repeated = False
        while True:
            target = self._pick(tried)
            authorization = await self._credential.authorization(request.credentials)
            attempt = await self._in_turn(target, request, authorization)
            response, outcome = attempt.response, attempt.outcome
            if (
                response is not None
                and response.status == _UNAUTHORIZED
                and authorization is not None
                and not renewed
                and self._credential.refused(authorization)
            ):
                renewed = True
                continue
            tried.append(target)
            again = retry.repeatable(outcome, idempotent=request.repeatable)
            most = max(self._options.retries + 1, len(self._targets.all))
            if again and len(tried) < most:
                wait = self._pause(outcome, tried)
                if self._clock.seconds() + wait < end:
                    _tell(request, target, attempt, again=True)
                    repeated = repeated or isinstance(outcome, Lost)
                    await deferLater(self._clock, wait)
                    continue
            _tell(request, target, attempt, again=False)
            return _settled(attempt, repeated=repeated)

    def _pick(self, tried: list[Target]) -> Target:
        now = self._clock.seconds()
        target = self._targets.pick(now, tried)
        if target is None:
            raise Unavailable(
                "the endpoint has failed repeatedly and isn't asked for now",
                self._targets.until(now),
            )
        return target

    def _pause(self, outcome: Outcome, tried: list[Target]) -> float:
        next = self._targets.pick(self._clock.seconds(), tried)
        chance = int.from_bytes(self._services.random(4), "big") / 2**32
        return retry.pause(
            outcome, len(tried) - 1, chance, elsewhere=next is not None and next not in tried
        )

    async def _in_turn(
        self, target: Target, request: Request, authorization: Secret | None
    ) -> _Attempt:
        """Make one attempt when it is its turn, and remember what it says of the address."""
        await self._slots.acquire()
        probe = target.begin(self._clock.seconds())
        try:
            attempt = await self._attempt(target, request, authorization)
        except BaseException:
            target.abandoned(probe=probe)
            raise
        finally:
            self._slots.release()
        if not retry.unwell(attempt.outcome):
            target.succeeded()
            return attempt
        target.failed(self._clock.seconds())
        return attempt

    async def _attempt(
        self, target: Target, request: Request, authorization: Secret | None
    ) -> _Attempt:
        silence = self._options.read_timeout
        said = f"{request.method} {target.url}{request.path}"
        self._log(request, said, request.headers.get("Content-Type", ""), request.body or b"")
        try:
            answer = await self._begin(target, request, authorization, _producer(request.body))
            headers = {
                name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
                for name, values in answer.headers.getAllRawHeaders()
            }
            content = await bodies.read(answer, self._options.max_response, silence, self._clock)
        except CancelledError:
            raise
        except bodies.TooLarge as error:
            return _Attempt(Answered(0), error=error)
        except Exception as error:  # noqa: BLE001 - whatever a connection may end with
            return _Attempt(outcome_of(error), error=error)
        response = Response(status=answer.code, headers=headers, body=content)
        self._log(request, str(answer.code), headers.get("content-type", ""), content)
        after = retry.retry_after(headers, self._clock.seconds())
        return _Attempt(Answered(answer.code, after), response)

    async def _begin(
        self,
        target: Target,
        request: Request,
        authorization: Secret | None,
        producer: IBodyProducer | None,
    ) -> IResponse:
        """Send a request, and wait for the head of its answer."""
        sent = Headers()
        own = {name: value.reveal() for name, value in self._options.headers.items()}
        for name, value in {**own, **request.headers}.items():
            sent.setRawHeaders(name, [value])
        if authorization is not None:
            sent.setRawHeaders("Authorization", [authorization.reveal()])
        if request.request_id is not None:
            sent.setRawHeaders("X-Request-Id", [request.request_id])
        begun: Deferred[Any] = self._treq.request(
            request.method,
            (target.url + request.path).encode("ascii"),
            headers=sent,
            data=producer,
            allow_redirects=False,
            unbuffered=True,
            reactor=self._services.reactor,
        )
        seconds = self._options.connect_timeout + self._options.read_timeout
        return await within(seconds, begun, self._clock)

    def _log(self, request: Request, said: str, kind: str, content: bytes) -> None:
        if self._options.debug:
            log.debug(
                "{request}: {said}: {body}",
                request=request.title,
                said=said,
                body=masked(content, kind),
            )


def _tell(request: Request, target: Target, attempt: _Attempt, *, again: bool) -> None:
    """Log that an endpoint isn't well.

    That a connection is lost and the request made again is no reason to worry: servers close those
    that are idle.
    """
    if not retry.unwell(attempt.outcome):
        return
    log.emit(
        LogLevel.info if again and isinstance(attempt.outcome, Lost) else LogLevel.warn,
        "{request}: {method} {url}: {why}{then}",
        request=request.title,
        method=request.method,
        url=target.url,
        why=attempt.outcome if attempt.error is None else reason(attempt.error),
        then="; it is made again" if again else "",
    )


def _settled(attempt: _Attempt, *, repeated: bool) -> Response:
    """Give the answer, or raise what a client may be told instead."""
    response = attempt.response
    if response is None:
        assert attempt.error is not None
        raise told(attempt.outcome, attempt.error) from attempt.error
    if response.status in _REDIRECTS:
        raise BadGateway(f"the endpoint redirects ({response.status}), which isn't followed")
    outcome = attempt.outcome
    if isinstance(outcome, Answered) and outcome.status in {retry.TOO_MANY, retry.UNAVAILABLE}:
        raise Unavailable(f"the endpoint is busy ({outcome.status})", outcome.retry_after)
    return Response(
        status=response.status, headers=response.headers, body=response.body, repeated=repeated
    )


@implementer(IBodyProducer)
@frozen
class _Bytes:
    """A body that is written at once."""

    content: bytes

    @property
    def length(self) -> int:
        return len(self.content)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self.content)
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done

    def pauseProducing(self) -> None:
        pass

    def resumeProducing(self) -> None:
        pass

    def stopProducing(self) -> None:
        pass


def _producer(content: bytes | None) -> IBodyProducer | None:
    return None if content is None else _Bytes(content)
