"""How does one connection carry operations to a directory, and answers back?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import define, field, frozen
from ldaptor.protocols import pureldap
from ldaptor.protocols.ldap.ldapclient import LDAPClient
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from connectors.ldap import ber, request
from connectors.ldap.ber import Answer, ExtendedResult, Message, Result, SearchEntry
from connectors.ldap.request import Control, Modification, Scope, Search
from connectors.ldap.result import ConnectionLost, LdapError, NoBase, ResultCode, TimedOut
from scimgw.secret import Secret

LONGEST: Final = 64 * 2**20
"""Octets of the longest message that is read."""
START_TLS: Final = "1.3.6.1.4.1.1466.20037"
DISCONNECTION: Final = "1.3.6.1.4.1.1466.20036"
"""Notice of Disconnection (RFC 4511 section 4.4.1)."""

_LAST_ID: Final = 2**31 - 1
_GRACE: Final = 5.0
"""Seconds that a farewell may take."""


@frozen(kw_only=True)
class Found:
    """What a search, or a page of it, found."""

    entries: Sequence[SearchEntry]
    references: Sequence[str]
    """URIs of where else to search."""
    cookie: bytes = b""
    """What asks for the next page; empty after the last."""


@define(eq=False)
class Operation:
    """What is under way, and what came of it so far."""

    answer: Answer
    """What will end it."""
    done: Deferred[Result]
    entries: list[SearchEntry] = field(factory=list)
    references: list[str] = field(factory=list)
    controls: Mapping[str, bytes] = field(factory=dict)


class Client(LDAPClient):  # type: ignore[misc]  # ldaptor is untyped
    """One connection, whose operations may overlap.

    Of ldaptor's client this keeps the connection and what is on the wire; requests are pureldap's,
    answers are decoded by `ber`, and all is sent by `send`.  Each operation is a coroutine; it
    raises LdapError for whatever isn't success, ConnectionLost, or TimedOut, which gives the
    connection up.  To cancel one abandons it, and leaves the connection usable, unless it was
    extended or a bind: those can't be abandoned (RFC 4511 section 4.11).
    """

    def __init__(self, clock: IReactorTime, timeout: float) -> None:
        """Begin without a connection; the timeout is that of each operation, in seconds."""
        super().__init__()
        self.onwire: dict[int, Operation] = {}
        self._clock = clock
        self._timeout = timeout
        self._last_id = 0
        self._unread = bytearray()
        self._size = 0
        self._more = False
        self._gone = False
        self._closing: list[Deferred[None]] = []

    async def bind(self, dn: str, password: Secret) -> None:
        """Authenticate by a simple bind, or as nobody, without DN and password.

        Raises: ValueError, for a DN without a password.
        """
        await self.send(request.to_bind(dn, password), Answer.BIND)

    async def start_tls(self, options: IOpenSSLClientConnectionCreator) -> None:
        """Turn to TLS while nothing else is under way; the options tell what is verified.

        What is sent afterwards waits for the handshake; if that fails, all fails.
        """
        _, result = await self.send(pureldap.LDAPStartTLSRequest(), Answer.EXTENDED)
        if isinstance(result, ExtendedResult) and result.name not in {None, START_TLS}:
            raise self._drop("the directory answered something else than StartTLS")
        if self._more:
            raise self._drop("the directory went on in the clear after StartTLS")
        self.transport.startTLS(options)

    async def search(self, search: Search) -> Found:
        """Search, and give the entries in the order in which they came.

        Raises: NoBase, where what is below an entry is searched, and there is no such entry.
        """
        try:
            operation, _ = await self.send(
                request.to_search(search), Answer.SEARCH, request.search_controls(search)
            )
        except LdapError as error:
            if error.code == ResultCode.NO_SUCH_OBJECT and search.scope is not Scope.BASE:
                raise NoBase(search.base, error) from error
            raise
        value = operation.controls.get(request.PAGED_RESULTS)
        try:
            cookie = b"" if value is None else ber.paged_cookie(value)
        except ValueError as error:
            raise self._drop("the directory gave a page a malformed cookie", error) from error
        return Found(entries=operation.entries, references=operation.references, cookie=cookie)

    async def add(self, dn: str, attributes: Mapping[str, Sequence[bytes]]) -> None:
        """Add an entry."""
        await self.send(request.to_add(dn, attributes), Answer.ADD)

    async def modify(
        self, dn: str, modifications: Iterable[Modification], controls: Sequence[Control] = ()
    ) -> None:
        """Change an entry: all of it, or nothing."""
        await self.send(request.to_modify(dn, modifications), Answer.MODIFY, controls)

    async def delete(self, dn: str) -> None:
        """Delete an entry that has none below it."""
        await self.send(request.to_delete(dn), Answer.DELETE)

    async def set_password(self, dn: str, password: Secret) -> None:
        """Have the directory set a password, and hash it as it does (RFC 3062)."""
        await self.send(request.to_set_password(dn, password), Answer.EXTENDED)

    async def close(self) -> None:
        """Take leave, and wait until the connection is gone; what is under way fails."""
        if self.connected is None or self._gone:
            return
        if self.connected:
            self.send_noResponse(pureldap.LDAPUnbindRequest())
            self._fail("the connection was closed")
            self.transport.loseConnection()
        gone: Deferred[None] = Deferred()
        self._closing.append(gone)
        grace = self._clock.callLater(_GRACE, self.transport.abortConnection)
        try:
            await gone
        finally:
            if grace.active():
                grace.cancel()

    def abort(self) -> None:
        """Give the connection up at once."""
        self._drop("the connection was given up")

    async def send(
        self, op: Any, answer: Answer, controls: Sequence[Control] = ()
    ) -> tuple[Operation, Result]:
        """Send a request of pureldap's, and wait for the answer that ends it, which is success."""
        message = self._send(op, request.to_controls(controls))
        wire = message.toWire()
        operation = Operation(answer, Deferred(lambda _: self._abandon(message.id)))
        self.onwire[message.id] = operation
        self.transport.write(wire)
        expiry = self._clock.callLater(self._timeout, self._expire, message.id)
        try:
            result = await operation.done
        finally:
            if expiry.active():
                expiry.cancel()
        if result.code != ResultCode.SUCCESS:
            raise LdapError(result.code, result.message, result.matched_dn, result.referrals)
        return operation, result

    def dataReceived(self, recd: bytes) -> None:
        """Read what messages there are; the beginning of one more is kept until its end comes."""
        if self._unread:
            self._unread += recd
            if len(self._unread) < self._size:
                return
            recd = bytes(self._unread)
            self._unread.clear()
        start = 0
        while self.connected:
            try:
                size = ber.size(recd, start, LONGEST)
                if size is None or start + size > len(recd):
                    self._unread += recd[start:]
                    self._size = size or 0
                    return
                message = ber.decode(recd[start : start + size])
            except ValueError as error:
                self._drop("the directory sent what is no answer", error)
                return
            start += size
            self._more = start < len(recd)
            self.handle(message)

    def handle(self, msg: Message) -> None:
        """Give an answer to who waits for it, or to nobody, if it was abandoned."""
        if not msg.id:
            self.unsolicitedNotification(msg)
            return
        operation = self.onwire.get(msg.id)
        if operation is None:
            return
        response = msg.response
        if isinstance(response, Result):
            if response.answer is not operation.answer:
                self._drop("the directory answered another operation than was asked for")
                return
            del self.onwire[msg.id]
            operation.controls = msg.controls
            operation.done.callback(response)
        elif operation.answer is not Answer.SEARCH:
            self._drop("the directory answered a search that nobody asked for")
        elif isinstance(response, SearchEntry):
            operation.entries.append(response)
        else:
            operation.references.extend(response.uris)

    def unsolicitedNotification(self, msg: Message) -> None:
        """Leave when the directory says that it does, and ignore all else."""
        response = msg.response
        if isinstance(response, ExtendedResult) and response.name == DISCONNECTION:
            reason = LdapError(response.code, response.message)
            self._drop(f"the directory took leave: {reason}", reason)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fail what is under way."""
        self._fail("the connection to the directory was lost", reason.value)
        closing, self._closing = self._closing, []
        self._gone = True
        for deferred in closing:
            deferred.callback(None)

    def _send(self, op: Any, controls: Any = None) -> Any:
        """Write a message; it is numbered here, because ldaptor's own numbers never end."""
        if not self.connected:
            raise ConnectionLost("there is no connection to the directory")
        self._last_id = self._last_id % _LAST_ID + 1
        while self._last_id in self.onwire:
            self._last_id = self._last_id % _LAST_ID + 1
        return pureldap.LDAPMessage(op, controls=controls, id=self._last_id)

    def _abandon(self, id: int) -> None:
        operation = self.onwire.pop(id, None)
        if operation is None:  # it was about to fail
            return
        if operation.answer in {Answer.BIND, Answer.EXTENDED}:
            self._drop("an operation was cancelled that can't be abandoned")
        else:
            self.send_noResponse(pureldap.LDAPAbandonRequest(id=id))

    def _expire(self, id: int) -> None:
        self.connected = 0
        self.onwire.pop(id).done.errback(
            TimedOut(f"the directory didn't answer within {self._timeout:g} seconds")
        )
        self._drop("the connection was given up, because an answer took too long")

    def _drop(self, message: str, cause: BaseException | None = None) -> ConnectionLost:
        self._fail(message, cause)
        if not self._gone:
            self.transport.abortConnection()
        return ConnectionLost(message)

    def _fail(self, message: str, cause: BaseException | None = None) -> None:
        self.connected = 0
        operations, self.onwire = self.onwire, {}
        for operation in operations.values():
            error = ConnectionLost(message)
            error.__cause__ = cause
            if not operation.done.called:  # the failure of one may have cancelled another
                operation.done.errback(error)
