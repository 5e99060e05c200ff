"""Who makes a request, if whoever it is hasn't been wrong too often?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from scimgw.auth.chain import Chain, Credentials
from scimgw.auth.oauth import OAuthClient, TokenIssuer
from scimgw.auth.signed import told
from scimgw.auth.throttle import Presented, Throttle
from scimgw.connector import Principal
from scimgw.errors import TooManyRequests, Unauthorized
from scimgw.tls.names import spelled
from scimgw.web.conversation import header
from scimgw.web.request import ScimRequest
from scimgw.web.seldom import Seldom

log = Logger()

_SHOWN = 100
"""Characters of an account that the log shows."""
_SAID = 1000
"""Characters of what a token or a certificate says."""


class Login:
    """The ways in, and the throttle before them."""

    def __init__(self, chain: Chain, clock: IReactorTime) -> None:
        """Let nobody be slowed down yet."""
        self.throttle = Throttle(clock.seconds)
        self._chain = chain
        self._seldom: defaultdict[str, Seldom] = defaultdict(lambda: Seldom(clock.seconds))
        """By the reason of a refusal, of which there are a few."""

    async def identify(self, request: ScimRequest) -> Principal:
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
                principal = await self._chain.authenticate(authorization)
                failed = self.throttle.elsewhere(request.client_host, presented)
                request.on_refusal = partial(self._refused, failed, request, presented)
                return principal
            with self.throttle.attempt(request.client_host, presented):
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

    async def client(
        self, request: ScimRequest, issuer: TokenIssuer, shown: Sequence[tuple[str, str]]
    ) -> OAuthClient:
        """Tell which client of the token endpoint it is, by id and secret.

        Raises: Unauthorized, TooManyRequests.
        """
        id, secret = shown[0]
        try:
            with self.throttle.attempt(request.client_host, Presented(secret, f"client {id}")):
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

    def _refused(
        self, failed: Callable[[], None], request: ScimRequest, presented: Presented
    ) -> None:
        """Count that the endpoint doesn't know whom the gateway has let on."""
        failed()
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
