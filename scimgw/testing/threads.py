"""How do the suite's plain tests wait for a real server?

Beside a trial TestCase, `InThread` runs each test in a thread, where waiting is allowed, while the
reactor goes on with the connector's work:

    class AcmeTests(threads.InThread, contract.ConnectorContract, TestCase):
        reactor = reactor

`setUp` runs in the reactor's thread, and may be asynchronous.  The connector's methods must be
coroutine functions: a method that returns a Deferred would begin its work in the wrong thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from queue import Empty, Queue
from typing import Any, TypeVar, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

T = TypeVar("T")


class InThread:
    """Runs the plain tests of a class in a thread, and waits there for results."""

    reactor: Any
    """Twisted's reactor."""
    patience = 60.0
    """Seconds for one result; trial can't end a thread, which must end by itself."""

    def __init_subclass__(cls, **more: Any) -> None:
        """Take every plain test, inherited ones too, to a thread."""
        super().__init_subclass__(**more)
        for name in dir(cls):
            if name.startswith("test_") and not iscoroutinefunction(getattr(cls, name)):
                setattr(cls, name, _in_thread(getattr(cls, name)))

    def clock(self) -> IReactorTime:
        """Give the connector's clock."""
        clock: IReactorTime = self.reactor
        return clock

    def run_to_end(self, awaitable: Awaitable[T]) -> T:
        """Wait for a result."""

        async def running() -> T:
            return await awaitable

        outcome: Queue[Any] = Queue()

        def begin() -> None:
            Deferred.fromCoroutine(running()).addBoth(outcome.put)

        self.reactor.callFromThread(begin)
        try:
            result = outcome.get(timeout=self.patience)
        except Empty:
            raise TimeoutError(f"no result within {self.patience:g} seconds") from None
        if isinstance(result, Failure):
            result.raiseException()
        return cast("T", result)


def _in_thread(test: Callable[[Any], object]) -> Callable[[Any], Deferred[object]]:
    if hasattr(test, "in_thread"):
        return test  # type: ignore[return-value]  # a subclass of a class that did this already

    @wraps(test)
    def run(case: Any) -> Deferred[object]:
        return deferToThreadPool(case.reactor, case.reactor.getThreadPool(), test, case)

    run.in_thread = True  # type: ignore[attr-defined]  # found by the lines above
    return run
