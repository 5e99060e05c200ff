"""What happens on SIGHUP, which would end the process?"""

from __future__ import annotations

import signal
from typing import Any, Protocol, runtime_checkable

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.logger import Logger

log = Logger()


@runtime_checkable
class Reloading(Protocol):
    """A service with files that can be read again while it runs."""

    def reload(self) -> None:
        """Read them again; if they are faulty, go on as before, and log why."""


class Plugins(MultiService):
    """All plugins, which read their files again on SIGHUP."""

    def __init__(self, reactor: Any) -> None:
        """Begin without any."""
        super().__init__()
        self.setName("scimgw")
        self._reactor = reactor
        self._before: Any = signal.SIG_DFL

    def startService(self) -> None:
        """Listen to the signal, then start them."""
        self._before = signal.signal(
            signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload)
        )
        super().startService()

    def stopService(self) -> Deferred[None]:
        """Stop them, and leave the signal to whoever had it before."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        try:
            await super().stopService()
        finally:
            signal.signal(signal.SIGHUP, self._before)

    def reload(self) -> None:
        """Have all of them read their files again."""
        log.info("files are read again, as SIGHUP asks for")
        for plugin in self:
            if isinstance(plugin, Reloading):
                plugin.reload()
