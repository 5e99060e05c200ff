"""How does what keeps a processor busy run beside the reactor, within bounds?

A few threads, and a queue that has an end; who asks for what somebody waits for already joins in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from scimgw.deferred import Pending
from scimgw.errors import Unavailable

THREADS: Final = 2
WAITING: Final = 32
"""What may wait for a thread."""
_LATER: Final = 1.0
"""Seconds after which it may be tried again."""
T = TypeVar("T")


@frozen(eq=False)
class _Job:
    key: Hashable
    work: Callable[[], Any]
    waiting: list[Deferred[Any]] = field(factory=list)


@define(eq=False)
class Threads:
    """Threads, which begin when there is something to do."""

    reactor: Any
    most: int = THREADS
    longest: int = WAITING
    _pool: ThreadPool = field(init=False)
    _jobs: dict[Hashable, _Job] = field(init=False, factory=dict)
    _queue: deque[_Job] = field(init=False, factory=deque)
    _busy: int = field(init=False, default=0)
    _pending: Pending = field(init=False, factory=Pending)
    _closed: bool = field(init=False, default=False)

    @_pool.default
    def _made(self) -> ThreadPool:
        return ThreadPool(0, self.most, "scimgw")

    def seconds(self) -> float:
        """Tell the time."""
        now: float = self.reactor.seconds()
        return now

    def run(self, key: Hashable, work: Callable[[], T]) -> Deferred[T]:
        """Do some work in a thread, once for all who ask for the same key at a time.

        What nobody waits for any more isn't begun.

        Raises: Unavailable, if too much waits already.
        """
        job = self._jobs.get(key)
        if job is None:
            if self._closed or len(self._queue) >= self.longest:
                raise Unavailable("too many secrets are being verified at a time", _LATER)
            job = self._jobs[key] = _Job(key, work)
            self._queue.append(job)
        mine: Deferred[T] = Deferred(lambda given_up: self._leave(job, given_up))
        job.waiting.append(mine)
        self._begin()
        return mine

    async def close(self) -> None:
        """Drop what waits, let what has begun end, and give the threads back."""
        self._closed = True
        while self._queue:
            job = self._queue.popleft()
            self._tell(job, Failure(Unavailable("the gateway is being stopped")))
        await self._pending.none()
        if self._pool.started:
            self._pool.stop()

    def _begin(self) -> None:
        while self._queue and self._busy < self.most:
            Deferred.fromCoroutine(self._done(self._queue.popleft()))

    async def _done(self, job: _Job) -> None:
        self._busy += 1
        if not self._pool.started:
            self._pool.start()
        with self._pending:
            try:
                result = await deferToThreadPool(self.reactor, self._pool, job.work)
            except Exception:  # noqa: BLE001 - whoever waits is told whatever it is
                result = Failure()
            self._busy -= 1
            self._begin()
            self._tell(job, result)

    def _tell(self, job: _Job, result: Any) -> None:
        del self._jobs[job.key]
        for each in job.waiting:
            each.callback(result)

    def _leave(self, job: _Job, given_up: Deferred[Any]) -> None:
        job.waiting.remove(given_up)
        if not job.waiting and job in self._queue:
            self._queue.remove(job)
            del self._jobs[job.key]
