"""Who makes a request, if whoever it is hasn't been wrong too often?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.http import MULTIPLE_CHOICE, OK, UNAUTHORIZED

from scimgw.auth.chain import Chain, Credentials
from scimgw.auth.oauth import OAuthClient, TokenIssuer
from scimgw.auth.signed import told
from scimgw.auth.throttle import Attempt, Presented, Throttle, Verdict
from scimgw.auth.undecided import ROOM
from scimgw.connector import Principal
from scimgw.errors import TooManyRequests, Unauthorized
from scimgw.seldom import Seldom
from scimgw.tls.names import spelled
from scimgw.web.conversation import header
from scimgw.web.request import ScimRequest
from scimgw.web.routes import Target

log = Logger()

_SHOWN = 100
"""Characters of an account that the log shows."""
_SAID = 1000
"""Characters of what a token or a certificate says."""


class Login:
    """The ways in, and the throttle before them."""

    def __init__(self, chain: Chain, clock: IReactorTime, room: int = ROOM) -> None:
        """Let nobody be slowed down yet; there is room for so many who wait."""
        self.throttle = Throttle(clock, room=room)
        self._chain = chain
        self._seldom: defaultdict[str, Seldom] = defaultdict(lambda: Seldom(clock.seconds))
        """By the reason of a refusal, of which there are a few."""

    async def identify(self, request: ScimRequest, target: Target) -> Principal:
        """Tell whom the credentials of a request belong to; to present none is no failure.

        A certificate, which counts where there are none, can't be guessed.

        Raises: Unauthorized, TooManyRequests.
        """
        authorization = header(request, b"authorization")
        if authorization is None:
            return await self._by_certificate(request)
        presented = Presented.in_header(authorization)
        try:
            if self._chain.elsewhere:
                return await self._pass(request, target, authorization, presented)
            attempt = self.throttle.attempt(request.client_host, presented)
            if attempt is None:
                proven = self._proven(authorization)
                if proven is not None:
                    return proven
                attempt = await self.throttle.turn(request.client_host, presented)
            with attempt:
                return await self._chain.authenticate(authorization)
        except (Unauthorized, TooManyRequests) as error:
            if isinstance(error, TooManyRequests):
                proven = self._proven(authorization)
                if proven is not None:
                    return proven
            said = partial(told, Credentials.parse(authorization))
            self._tell(request, error.detail, presented.account, said)
            raise

    async def _by_certificate(self, request: ScimRequest) -> Principal:
        shown = request.certificate
        try:
            return await self._chain.authenticate(None, shown)
        except Unauthorized as error:
            if shown is not None:
                self._tell(request, error.detail, said=partial(spelled, shown))
            raise

    async def _pass(
        self, request: ScimRequest, target: Target, authorization: str, presented: Presented
    ) -> Principal:
        """Let credentials go on to the endpoint; the answer tells what it makes of them."""
        principal = await self._chain.authenticate(authorization)
        attempt = await self.throttle.passing(request.client_host, presented)
        attempt.begin()
        request.on_verdict = partial(self._judged, attempt, request, target, presented)
        return principal

    async def client(
        self, request: ScimRequest, issuer: TokenIssuer, shown: Sequence[tuple[str, str]]
    ) -> OAuthClient:
        """Tell which client of the token endpoint it is, by id and secret.

        Raises: Unauthorized, TooManyRequests.
        """
        id, secret = shown[0]
        try:
            presented = Presented(secret, f"client {id}")
            with await self.throttle.turn(request.client_host, presented):
                return await issuer.login(shown)
        except (Unauthorized, TooManyRequests) as error:
            self._tell(request, error.detail, id)
            raise

    def _proven(self, authorization: str) -> Principal | None:
        """Tell who it is, in a pause that others have caused, if it can't have been guessed.

        Nothing is waited for, such as keys of an issuer, since nobody counts who waits.
        """
        found: list[Principal | None] = []
        looking = Deferred.fromCoroutine(self._chain.proven(authorization))
        looking.addCallbacks(found.append, lambda failure: failure.trap(CancelledError))
        looking.cancel()
        return found[0] if found else None

    def _judged(
        self, attempt: Attempt, request: ScimRequest, target: Target, presented: Presented
    ) -> None:
        """Remember what the endpoint says of whom the gateway has let on."""
        verdict = request.verdict or _verdict(request, target)
        attempt.decide(verdict)
        if verdict is Verdict.WRONG:
            self._tell(request, "the endpoint refuses the credentials", presented.account)

    def _tell(
        self,
        request: ScimRequest,
        reason: str,
        account: str | None = None,
        said: Callable[[], str] = str,
    ) -> None:
        """Log a refusal, and how many there were for this reason since that was told last."""
        times = self._seldom[reason].happened()
        if times:
            shown = said()[:_SAID]
            log.warn(
                "{plugin}: login refused from {address} as {account}: {reason}{said} "
                "(request {id}; {times} such since this was told last)",
                plugin=request.site.name,
                reason=reason,
                address=ascii(request.client_host),
                account="-" if account is None else ascii(account[:_SHOWN]),
                said=shown and f"; {shown}",
                id=request.request_id,
                times=times,
            )


def _verdict(request: ScimRequest, target: Target) -> Verdict:
    """Read out of an answer what the endpoint says of the credentials.

    That it has let somebody in only an answer tells that the gateway couldn't give by itself.  Who
    leaves may have learnt enough: where refusals take long, that there is no answer yet.
    """
    if request.gone:
        return Verdict.LEFT
    if request.code == UNAUTHORIZED:
        return Verdict.WRONG
    asked = target.asks and request.method != b"OPTIONS"
    return Verdict.RIGHT if asked and OK <= request.code < MULTIPLE_CHOICE else Verdict.UNTOLD
