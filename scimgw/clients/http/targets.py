"""Which of an endpoint's addresses is tried next, and which is left alone?

The first address is preferred.  One that failed is passed over for a while if there is another;
then one request tries whether it is back.  One that failed again and again isn't tried at all in
that while: the circuit is open.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from attrs import define, field, frozen

THRESHOLD: Final = 5
"""Failures in a row that open the circuit."""
COOL_DOWN: Final = 10.0
"""Seconds for which an address that failed is passed over."""


@define(eq=False)
class Target:
    """One address, and what is remembered of its health."""

    url: str
    failures: int = field(default=0, init=False)
    _failed_at: float = field(default=0.0, init=False)
    _probed: bool = field(default=False, init=False)

    def suspect(self, now: float) -> bool:
        """Whether it failed a short while ago, or is just being tried again."""
        return self.failures > 0 and (self._probed or now < self._failed_at + COOL_DOWN)

    def open(self, now: float) -> bool:
        """Whether it must not be tried."""
        return self.failures >= THRESHOLD and self.suspect(now)

    def until(self, now: float) -> float:
        """Give the seconds until it may be tried again."""
        return max(1.0, self._failed_at + COOL_DOWN - now)

    def begin(self, now: float) -> bool:
        """Begin to try it; tell whether this is the one request that tries it again."""
        probe = self.failures > 0 and not self.suspect(now)
        self._probed = self._probed or probe
        return probe

    def succeeded(self) -> None:
        """Remember that it works; tell nobody that it once didn't."""
        self.failures = 0
        self._probed = False

    def failed(self, now: float) -> None:
        """Remember that it doesn't."""
        self.failures += 1
        self._failed_at = now
        self._probed = False

    def abandoned(self, *, probe: bool) -> None:
        """Learn nothing, since the caller gave up."""
        if probe:
            self._probed = False


@frozen
class Targets:
    """The addresses of one endpoint, in the order of preference."""

    all: Sequence[Target]

    @classmethod
    def of(cls, urls: Sequence[str]) -> Targets:
        """Begin with addresses that all may work."""
        return cls([Target(url.rstrip("/")) for url in urls])

    def pick(self, now: float, tried: Collection[Target]) -> Target | None:
        """Give the best address, rather one that wasn't tried yet; None if none may be tried."""
        allowed = [each for each in self.all if not each.open(now)]
        return min(allowed, key=lambda each: (each in tried, each.suspect(now)), default=None)

    def until(self, now: float) -> float:
        """Give the seconds until some address may be tried again."""
        return min(each.until(now) for each in self.all)
