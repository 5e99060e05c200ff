"""How does a port speak TLS, and how does it come by new certificates?"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from OpenSSL import SSL
from twisted.application.service import Service
from twisted.internet.interfaces import (
    IOpenSSLServerConnectionCreator,
    IProtocolFactory,
    IReactorTime,
)
from twisted.internet.protocol import connectionDone
from twisted.internet.task import LoopingCall
from twisted.logger import Logger, LogLevel
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from scimgw.connector import Misconfigured
from scimgw.tls.asking import Refusals
from scimgw.tls.context import Ready, ready
from scimgw.tls.expiry import endings, title
from scimgw.tls.settings import Certificate

log = Logger()

LOOK: Final = 5.0
"""Seconds between two looks at the files."""
_DAY: Final = 24 * 3600.0
_State = tuple[tuple[int, int, int] | None, ...]
"""Of each file when it was written, its size, and which one it is; None if it isn't there."""


class _Transport(BufferingTLSTransport):
    """A connection."""

    @property
    def refusals(self) -> Refusals:
        """Whom to tell that the client isn't taken."""
        factory: Any = self.factory
        found: Refusals = factory.refusals
        return found

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell why the handshake came to nothing, before Twisted forgets it."""
        if self._reason is not None:
            self.refusals.broken_off(self.getPeer(), self._reason.value)
        super().connectionLost(reason)

    def loseConnection(self) -> None:
        """Say that this is the end, and don't wait for the client to say so too.

        RFC 8446 section 6.1 allows that; a client that says nothing would be kept for ever.
        """
        super().loseConnection()
        if self.connected and self.transport is not None:
            self.transport.loseConnection()


class _Factory(TLSMemoryBIOFactory):
    protocol = _Transport
    refusals: Refusals


@implementer(IOpenSSLServerConnectionCreator)
class Tls(Service):
    """The TLS of one plugin's port."""

    def __init__(  # noqa: PLR0913 - all that it depends on
        self,
        plugin: str,
        settings: Certificate,
        folder: Path,
        first: Ready,
        clock: IReactorTime,
        *,
        now: Callable[[], float],
    ) -> None:
        """Begin with what was read when the configuration was; `now` gives seconds since 1970."""
        self._plugin = plugin
        self._settings = settings
        self._folder = folder
        self._ready = first
        self._clock = clock
        self._now = now
        self.on_distrust: Callable[[], None] = lambda: None
        """What is to be told once an authority of clients isn't trusted any more."""
        self._read = self._seen = self._state()
        self._told = 0.0
        self._refusals = Refusals(plugin, clock.seconds)
        self._looking = LoopingCall(self._look)
        self._looking.clock = clock

    def around(self, factory: IProtocolFactory) -> IProtocolFactory:
        """Speak TLS in front of a protocol."""
        made = _Factory(self, isClient=False, wrappedFactory=factory, clock=self._clock)
        made.refusals = self._refusals
        return made

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N803 - Twisted's name
        """Begin a connection, with the certificate of the hour."""
        connection = SSL.Connection(self._ready.context, None)
        connection.set_app_data(tlsProtocol)
        return connection

    def startService(self) -> None:
        """Begin to look after the files."""
        super().startService()
        self._tell()
        for file in self._settings.files(self._folder):
            if not os.access(file, os.R_OK):
                log.warn(
                    "{plugin}: {file} can't be read by the user that the gateway runs as, so that "
                    "it can't be renewed",
                    plugin=self._plugin,
                    file=file.name,
                )
        self._looking.start(LOOK, now=False)

    def stopService(self) -> None:
        """Look no more; connections go on."""
        super().stopService()
        if self._looking.running:
            self._looking.stop()

    def concerns(self) -> Iterator[tuple[LogLevel, str]]:
        """Tell what needs attention: certificates that end, keys that everybody can read."""
        yield from endings(self._ready.material, datetime.fromtimestamp(self._now(), tz=UTC))
        for file in self._settings.keys(self._folder):
            with suppress(OSError):
                if _is_open(file):
                    text = f"everybody on this machine can read {file.name}: chmod o-r is due"
                    yield LogLevel.warn, text

    def reload(self) -> None:
        """Read the files again; if anything is wrong with them, go on with what there is."""
        self._read = self._seen = self._state()
        trusted = self._ready.material.client_ca
        try:
            self._ready = ready(self._settings, self._folder)
        except Misconfigured as misconfigured:
            faults = "; ".join(
                f"certificate{path}: {fault}" for path, fault in misconfigured.faults
            )
            self._keep(faults)
        except Exception:  # noqa: BLE001 - whatever a file may make a library raise, the port goes on
            log.failure("{plugin} can't read its certificate", plugin=self._plugin)
        else:
            self._tell()
            if not set(trusted) <= set(self._ready.material.client_ca):
                self.on_distrust()

    def _keep(self, faults: str) -> None:
        log.error(
            "{plugin} goes on with the certificate that it has: {faults}",
            plugin=self._plugin,
            faults=faults,
        )

    def _look(self) -> None:
        """Read files that have changed, once two looks find the same: all are written then."""
        state, before = self._state(), self._seen
        self._seen = state
        if state != self._read and state == before:
            self.reload()
        elif self._clock.seconds() - self._told >= _DAY:
            self._warn()

    def _tell(self) -> None:
        """Say what is shown from now on."""
        certificate = self._ready.material.certificate
        log.info(
            "{plugin} shows the certificate {title}, valid until {end}",
            plugin=self._plugin,
            title=title(certificate),
            end=f"{certificate.not_valid_after_utc:%Y-%m-%d}",
        )
        self._warn()

    def _warn(self) -> None:
        """Say what needs attention."""
        self._told = self._clock.seconds()
        for level, text in self.concerns():
            log.emit(level, "{plugin}: {text}", plugin=self._plugin, text=text)

    def _state(self) -> _State:
        return tuple(map(_state, self._settings.files(self._folder)))


def _is_open(file: Path) -> bool:
    """Whether everybody may read a file, and its folder doesn't keep them out."""
    within = file.parent.stat().st_mode & stat.S_IXOTH
    return bool(within and file.stat().st_mode & stat.S_IROTH)


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except (OSError, ValueError):  # a name may be none
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
