"""How does a request find its way: let in, routed, answered?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

from klein.resource import KleinResource
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.web.http import NO_CONTENT
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from scimgw.auth.chain import Chain
from scimgw.auth.oauth import TokenIssuer
from scimgw.auth.undecided import ROOM
from scimgw.connector import NO_ENTITY, Call, Principal
from scimgw.errors import InvalidValue, MethodNotAllowed, NotFound, Unavailable
from scimgw.gateway.endpoint import Endpoint
from scimgw.gateway.readonly import read_only
from scimgw.scim.cursor import Cursors
from scimgw.scim.messages import Features, encode_error
from scimgw.seldom import Seldom
from scimgw.web import access, extension, scim, stream, token
from scimgw.web.api import DISCOVERY_METHODS, Api
from scimgw.web.bulk import ON_BULK, bulk
from scimgw.web.conversation import Answer, origin, prepare
from scimgw.web.errors import answer_to
from scimgw.web.exchange import Context, Exchange, Limits
from scimgw.web.login import Login
from scimgw.web.me import ON_ME, me
from scimgw.web.request import ScimRequest
from scimgw.web.routes import (
    API,
    BULK,
    ME,
    OAUTH,
    PING,
    PUBLIC,
    ROOT,
    SEARCH,
    SERVICE_PROVIDER_CONFIG,
    TOKEN,
    Routes,
    Target,
)
from scimgw.web.search import ON_ROOT, ON_SEARCH, root_listed, root_searched

__all__ = ["Limits", "Root"]

log = Logger()

TIMEOUT: Final = 60.0
"""Seconds within which a request is to be answered."""
_SOON: Final = "1"
"""Seconds after which to try again, where too much is under way."""
ANYBODY: Final = Principal("-")
"""Who makes a request that needs no credentials."""


HandOn = Callable[[ScimRequest], Awaitable[None]]
"""Has a request answered by another gateway.  Raises: ScimError."""


class Root(Resource):
    """Lets in whom it may, then leads to the resources, or to the Klein routes."""

    isLeaf = True
    hand_on: HandOn | None = None
    """What has all requests but the health check answered elsewhere."""
    issuer: TokenIssuer | None = None
    """What gives tokens to clients."""

    def __init__(
        self,
        endpoint: Endpoint,
        chain: Chain,
        entities: frozenset[str],
        limits: Limits,
        cursors: Cursors,
    ) -> None:
        """Serve an endpoint."""
        super().__init__()
        self._cursors = cursors
        self._endpoint = endpoint
        self._chain = chain
        # whoever waits to log in is a request under way too: most of these are for others
        self.login = Login(chain, endpoint.clock, min(ROOM, limits.max_requests // 4))
        self._seldom = Seldom(endpoint.clock.seconds)
        self._entities = entities
        self._limits = limits
        self._routes = Routes.of(endpoint)
        user = endpoint.types.get("User")
        features = Features(
            max_results=limits.max_results,
            max_operations=limits.max_operations,
            max_payload_size=limits.max_body,
            cursor_timeout=cursors.lifetime,
            change_password=user is not None and user.find("password") is not None,
            etag=all(each.versions for each in endpoint.capabilities.values()),
            authentication_schemes=chain.descriptions,
        )
        self._klein: KleinResource = Api(endpoint, features).app.resource()

    def render(self, request: ScimRequest) -> int:
        """Begin to answer; a client that leaves cancels what is only read."""
        if self._endpoint.pending.count >= self._limits.max_requests and not self._pings(request):
            self._turn_away(request)
            return NOT_DONE_YET
        request.answering = Deferred.fromCoroutine(self._serve(request))
        return NOT_DONE_YET

    def _pings(self, request: ScimRequest) -> bool:
        with suppress(InvalidValue):
            return self._routes.find(request.path).route == PING
        return False

    def _turn_away(self, request: ScimRequest) -> None:
        """Answer a request more than can be worked on; what that costs is little."""
        times = self._seldom.happened()
        if times:
            log.warn(
                "{plugin}: too many requests: {times} refused since this was told last",
                plugin=request.site.name,
                times=times,
            )
        error = encode_error(Unavailable("too many requests are under way"))
        answer = Answer(Unavailable.status, error, {"Retry-After": _SOON})
        request.write(prepare(request, self.spelled(request, answer)))
        request.finish()

    def spelled(self, request: ScimRequest, failed: Answer) -> Answer:
        """Spell a failure as who makes the request expects it."""
        with suppress(InvalidValue):
            if self._gives_tokens(self._routes.find(request.uri.partition(b"?")[0])):
                return token.respelled(failed)
        return failed

    def _gives_tokens(self, target: Target) -> bool:
        return self.issuer is not None and target.route == OAUTH and target.rest == (TOKEN,)

    async def _serve(self, request: ScimRequest) -> None:
        with self._endpoint.pending:
            try:
                answer = await self._answer(request)
                content = None if answer is None else prepare(request, answer)
                if content is not None and len(content) > stream.PIECE:
                    await stream.send(request, stream.cut(content))
                    content = b""
            except Exception as error:  # noqa: BLE001 - the table of errors knows what may be told
                if request.gone and isinstance(error, CancelledError):
                    return
                if request.startedWriting:
                    stream.break_off(request, error)
                    return
                failed = answer_to(error, request.request_id, self._chain.challenges)
                content = prepare(request, self.spelled(request, failed))
            if content is not None and not request.gone:
                request.write(content)
                request.finish()

    async def _answer(self, request: ScimRequest) -> Answer | None:
        """Give the answer, None if Klein is giving it."""
        target = self._routes.find(request.path)
        if self.issuer is not None and self._gives_tokens(target):
            return await self._give_token(request, target, self.issuer)
        if self.hand_on is not None and target.route != PING:
            if target.route != SERVICE_PROVIDER_CONFIG or not target.public:
                access.on_handing(await self._identify(request, target), target, request)
            await self.hand_on(request)
            return None
        return await self._answer_here(request, target)

    async def _answer_here(self, request: ScimRequest, target: Target) -> Answer | None:
        principal = await self._let_in(request, target)
        if target.route in {None, OAUTH}:
            raise NotFound("no such endpoint")
        request.base = origin(request) + target.prefix
        if target.route in {API, PUBLIC}:
            return await self._extend(request, target, principal)
        operation = _OPERATIONS.get(target.route)
        if target.type is None and operation is None:
            return self._discover(request, target)
        if len(target.rest) > (0 if target.type is None else 1):
            raise NotFound("no such endpoint")
        if request.method == b"OPTIONS":
            return _options(_allowed(target))
        call = self._call(request, target, principal)
        endpoint = await self._endpoint.at(call)
        if principal.read_only:
            endpoint = read_only(endpoint)
        if target.type is None:
            assert operation is not None
            return await operation[0](self._context(request, call, endpoint))
        exchange = Exchange(
            request=request,
            endpoint=endpoint,
            call=call,
            type=target.type,
            id=target.rest[0] if target.rest else None,
            base=request.base,
            limits=self._limits,
            cursors=self._cursors,
        )
        return await scim.answer(exchange)

    def _call(self, request: ScimRequest, target: Target, principal: Principal) -> Call:
        return Call(
            entity=target.base_entity,
            principal=principal,
            request_id=request.request_id,
            deadline=self._endpoint.clock.seconds() + TIMEOUT,
            credentials=principal.credentials,
        )

    async def _extend(
        self, request: ScimRequest, target: Target, principal: Principal
    ) -> Answer | None:
        """Have the connector answer what only it understands."""
        handler, rest = self._handler(target, principal)
        if request.method == b"OPTIONS" and len(rest) < 2:  # noqa: PLR2004 - none, or an id
            return _options(extension.allowed_on(rest[0] if rest else None))
        call = self._call(request, target, principal)
        await extension.answer(handler, call, request, rest)
        return None

    def _handler(
        self, target: Target, principal: Principal
    ) -> tuple[extension.Handler, tuple[str, ...]]:
        """Find what answers, and leave of the path what it is told."""
        endpoint = read_only(self._endpoint) if principal.read_only else self._endpoint
        if target.route == API and endpoint.api is not None:
            return endpoint.api.api, target.rest
        public = self._endpoint.public_api
        if public is None or [each.casefold() for each in target.rest[:1]] != [API]:
            raise NotFound("no such endpoint")
        return public.public_api, target.rest[1:]

    def _context(self, request: ScimRequest, call: Call, endpoint: Endpoint) -> Context:
        return Context(
            request=request,
            endpoint=endpoint,
            call=call,
            base=request.base,
            limits=self._limits,
            cursors=self._cursors,
        )

    async def _let_in(self, request: ScimRequest, target: Target) -> Principal:
        """Ask who it is, and whether the base entity exists.

        Raises: Unauthorized, NotFound.
        """
        principal = ANYBODY
        if not target.public:
            principal = await self._identify(request, target)
        elif target.route != PUBLIC:
            return principal
        # the name by which configuration files say that there is none isn't one
        if target.entity == NO_ENTITY or target.base_entity not in self._entities:
            raise access.no_entity(target)
        access.on_serving(principal, target, request)
        return principal

    async def _give_token(
        self, request: ScimRequest, target: Target, issuer: TokenIssuer
    ) -> Answer:
        """Let a client in by its secret, to give it a token; it logs in whatever the path says."""
        if request.method == b"OPTIONS":
            return _options(token.METHODS)
        try:
            client = await token.login(request, issuer, self.login)
        except token.Refused as refusal:
            return token.refused(refusal)
        request.principal = client.principal.name
        if target.entity is not None and not self._known(target, client.principal):
            raise access.no_entity(target)
        return token.given(issuer, client)

    def _known(self, target: Target, principal: Principal) -> bool:
        """Whether there is a base entity of that name, as far as an identity is concerned."""
        # with another gateway behind this one, that one knows
        there = self.hand_on is not None or target.base_entity in self._entities
        return there and target.entity != NO_ENTITY and principal.reaches(target.base_entity)

    async def _identify(self, request: ScimRequest, target: Target) -> Principal:
        principal = await self.login.identify(request, target)
        request.principal = principal.name
        return principal

    def _discover(self, request: ScimRequest, target: Target) -> Answer | None:
        if request.method == b"OPTIONS":
            return _options(DISCOVERY_METHODS)
        if request.method not in {b"GET", b"HEAD"}:
            raise MethodNotAllowed("discovery can only be read", DISCOVERY_METHODS)
        request.prepath = []
        request.postpath = [each.encode() for each in (target.route or "", *target.rest)]
        self._klein.render(request)
        return None


_OPERATIONS: Final[Mapping[str, tuple[Callable[[Context], Awaitable[Answer]], tuple[str, ...]]]] = {
    ROOT: (root_listed, ON_ROOT),
    SEARCH: (root_searched, ON_SEARCH),
    BULK: (bulk, ON_BULK),
    ME: (me, ON_ME),
}
"""What is carried out on no type in particular, and by which methods."""


def _allowed(target: Target) -> tuple[str, ...]:
    if target.type is None:
        return _OPERATIONS[target.route or ROOT][1]
    if target.rest == (SEARCH,):
        return (*scim.ON_RESOURCE, "POST")
    return scim.ON_RESOURCE if target.rest else scim.ON_COLLECTION


def _options(allowed: tuple[str, ...]) -> Answer:
    return Answer(NO_CONTENT, None, {"Allow": ", ".join(allowed)})
