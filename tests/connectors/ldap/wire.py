"""A connection in memory, and what a directory says on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ldaptor.protocols import pureber, pureldap
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

_CONTEXT: Any = pureldap.LDAPBERDecoderContext_TopLevel(
    inherit=pureldap.LDAPBERDecoderContext_LDAPMessage(
        fallback=pureldap.LDAPBERDecoderContext(fallback=pureber.BERDecoderContext()),
        inherit=pureldap.LDAPBERDecoderContext(fallback=pureber.BERDecoderContext()),
    )
)
DONE = pureldap.LDAPSearchResultDone(0)


class Transport(StringTransport):
    """Remembers what was written and whether TLS was begun; ends when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False
        self.tls: Any = None

    def startTLS(self, options: Any) -> None:
        """Turn to TLS."""
        self.tls = options

    def abortConnection(self) -> None:
        """End at once; the client hears of it later, as from a real one."""
        self.aborted = True

    def setTcpKeepAlive(self, enabled: bool) -> None:  # noqa: FBT001 - Twisted's own
        """Keep nothing alive."""


class Wire:
    """Plays the directory at the other end."""

    def __init__(self, client: Any, transport: Transport | None = None) -> None:
        """Connect a client."""
        self.client = client
        self.transport = transport or Transport()
        client.makeConnection(self.transport)

    @property
    def over(self) -> bool:
        """Whether the client has ended the connection, or said that it does."""
        return self.transport.aborted or self.transport.disconnecting

    def sent(self) -> list[Any]:
        """Take the messages that were sent since it was last asked."""
        data, messages = self.transport.value(), []
        self.transport.clear()
        while data:
            message, length = pureber.berDecodeObject(_CONTEXT, data)
            messages.append(message)
            data = data[length:]
        return messages

    def one(self) -> Any:
        """Take the one message that was sent."""
        (message,) = self.sent()
        return message

    def say(self, id: int, *operations: Any, controls: Iterable[Any] | None = None) -> None:
        """Answer."""
        self.hear(
            b"".join(
                pureldap.LDAPMessage(operation, controls=controls, id=id).toWire()
                for operation in operations
            )
        )

    def answer(self, *operations: Any, controls: Iterable[Any] | None = None) -> Any:
        """Answer the one message that was sent, and give what it asked."""
        message = self.one()
        self.say(message.id, *operations, controls=controls)
        return message.value

    def hear(self, data: bytes) -> None:
        """Say what may be no message."""
        self.client.dataReceived(data)

    def lose(self, reason: Exception | None = None) -> None:
        """End the connection."""
        self.client.connectionLost(Failure(reason or ConnectionDone()))


@implementer(IHostResolution)
class _Resolution:
    """How a name was looked up."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Be over already."""


@implementer(IHostnameResolver)
class _Resolver:
    """Knows one name, and may think about it for ever."""

    def __init__(self) -> None:
        self.known = HOST
        self.slow = False

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,  # noqa: N803 - Twisted's own
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        *_: Any,
        **__: Any,
    ) -> IHostResolution:
        """Find the address of the name, and nothing for all others."""
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        if hostName == self.known:
            resolutionReceiver.addressResolved(IPv4Address("TCP", "127.0.0.1", portNumber))
        if not self.slow:
            resolutionReceiver.resolutionComplete()
        return resolution


HOST = "directory.example"


@implementer(IReactorPluggableNameResolver)
class Network(MemoryReactorClock):
    """A reactor in memory, with one host."""

    def __init__(self) -> None:
        super().__init__()
        self.nameResolver = self.names = _Resolver()

    def installNameResolver(self, resolver: Any) -> Any:
        """Keep to the one that there is."""
        raise NotImplementedError

    def accept(self) -> Wire:
        """Accept the first connection that is waiting to be."""
        _, _, factory, _, _ = self.tcpClients.pop(0)
        transport = Transport()
        protocol = factory.buildProtocol(None)
        return Wire(protocol, transport)

    def refuse(self, reason: Exception) -> None:
        """Refuse the first connection that is waiting to be accepted."""
        _, _, factory, _, _ = self.tcpClients.pop(0)
        connector: Any = None
        factory.clientConnectionFailed(connector, Failure(reason))
        # another address would be tried by now, if there were one
        self.advance(0.3)
