"""How often may somebody be wrong?

Whoever presents wrong credentials may do so a few times; then comes a pause, twice as long with
each further failure, in which nothing is verified, so that what is guessed meanwhile stays unknown.
Failures are forgiven in time.  Nobody is kept out by somebody else:

- Failures count against the address that they come from, and against the account, wherever they
  come from.
- An account that has once got in from an address has a count of its own there, and the other two
  don't concern it.  Neither does it reset them.
- A secret too long to be guessed that has once got in from an address does so whatever else comes
  from there.  A short one doesn't: a pause that the right password ends would tell it.
- To present again what has failed before is no further guess: it has a count of its own.

While something is verified it may turn out to be wrong.  Whoever might be one too many then waits
until that is decided, so that many at once are no way round, and those who are right are none too
many.  The same credentials several times at once are one attempt.  IPv6 addresses are counted by
the /64.  Everything is bounded, and what was longest untouched is forgotten first.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from enum import Enum, auto
from functools import lru_cache, partial
from ipaddress import IPv6Network, ip_address
from secrets import token_bytes
from types import TracebackType
from typing import Final, TypeVar, assert_never

from attrs import define, field, frozen
from twisted.internet.interfaces import IReactorTime

from scimgw.auth.undecided import ROOM, Undecided
from scimgw.errors import ScimError, TooManyRequests, Unauthorized

FREE: Final = 5
"""Failures after which the pauses begin, with one second."""
FORGIVEN: Final = 300.0
"""Seconds in which one failure is forgiven; no pause is longer."""
LONG: Final = 16
"""Characters of a secret that can't be guessed."""
CAPACITY: Final = 16_384
"""Counts kept; as many accounts and as many secrets that have succeeded."""
_LENGTH: Final = 16
"""Bytes of a digest."""
_NOBODY: Final = b""
"""Whose failures concern a secret that can't be guessed."""
V = TypeVar("V")


@frozen
class Presented:
    """Credentials as far as they are told apart; tokens have no account."""

    secret: str = field(repr=False)
    account: str | None = None

    @classmethod
    def in_header(cls, header: str) -> Presented:
        """Read an Authorization header."""
        scheme, _, value = header.strip().partition(" ")
        value = value.strip()
        if scheme.casefold() == "basic":
            try:
                name, colon, password = base64.b64decode(value, validate=True).partition(b":")
            except ValueError:
                return cls(value)
            if colon:  # what isn't UTF-8 is told apart too: an endpoint may want something else
                return cls(*(each.decode(errors="surrogateescape") for each in (password, name)))
        return cls(value)


@frozen
class _Count:
    failures: float
    at: float
    """When that many were left."""
    until: float
    """When the pause ends."""

    def left(self, now: float) -> float:
        return max(0.0, self.failures - (now - self.at) / FORGIVEN)


class Verdict(Enum):
    """What became of credentials."""

    RIGHT = auto()
    WRONG = auto()
    UNTOLD = auto()
    """They couldn't be verified."""
    LEFT = auto()
    """Who has presented them left before it was told."""


class Throttle:
    """Remembers, in memory, who was wrong lately, and who was right."""

    def __init__(self, clock: IReactorTime, capacity: int = CAPACITY, *, room: int = ROOM) -> None:
        """Remember nobody yet; there is room for so many who wait."""
        self._seconds = clock.seconds
        self._capacity = capacity
        self._key = token_bytes(_LENGTH)
        self._counts: OrderedDict[bytes, _Count] = OrderedDict()
        self._right: OrderedDict[bytes, bytes] = OrderedDict()
        """Credentials that got in -> whose count concerns them."""
        self._homes: OrderedDict[bytes, None] = OrderedDict()
        """Accounts that got in, each with an address."""
        self._undecided = Undecided(self._full, clock, room)

    @property
    def size(self) -> int:
        """How much is remembered."""
        kept = len(self._counts) + len(self._right) + len(self._homes)
        return kept + self._undecided.size

    def attempt(self, address: str, presented: Presented) -> Attempt | None:
        """Give the context in which credentials are verified; None if they have to wait.

        Raises: TooManyRequests, if nothing may be verified yet.
        """
        found = self._here(network(address), presented)
        return None if found.places and any(map(self._full, found.places)) else found

    async def turn(self, address: str, presented: Presented) -> Attempt:
        """Give the context in which credentials are verified, once they may be.

        Raises: TooManyRequests, if nothing may be verified yet, or too many wait.
        """
        return await self._turn(partial(self._here, network(address), presented))

    async def passing(self, address: str, presented: Presented) -> Attempt:
        """Give, once they may go on, credentials that are judged elsewhere.

        Whom the other side has let in waits for nobody any more.  But that may have been for what
        it lets anybody do, so failures count all the same, unless it was by what can't be guessed.
        Those that come from other addresses don't, since they would keep out whoever is right.

        Raises: TooManyRequests.
        """
        return await self._turn(partial(self._elsewhere, network(address), presented))

    async def _turn(self, find: Callable[[], Attempt]) -> Attempt:
        while True:
            found = find()
            full = next(filter(self._full, found.places), None)
            if full is None:
                return found
            await self._undecided.wait(full)

    def _here(self, place: str, presented: Presented) -> Attempt:
        itself = self._digest("credentials", place, presented.account, presented.secret)
        concerned = self._right.get(itself)
        if concerned is not None and not self._concerns_others(concerned):
            return Attempt(self, itself, failing=(itself,), concerned=concerned)
        here = self._digest("address", place)
        home = None
        keys: tuple[bytes, ...] = (itself, here)
        if presented.account is not None:
            name = _name(presented.account)
            home = self._digest("home", place, name)
            known = home in self._homes
            keys = (itself, home) if known else (*keys, self._digest("account", name))
        keys, places = self._at_stake(itself, keys)
        self._wait_for(places)
        concerned = _NOBODY if len(presented.secret) >= LONG else home or here
        return Attempt(self, itself, places=places, failing=keys, concerned=concerned, home=home)

    def _elsewhere(self, place: str, presented: Presented) -> Attempt:
        itself = self._digest("credentials", place, presented.account, presented.secret)
        keys: tuple[bytes, ...] = (itself, self._digest("address", place))
        if presented.account is not None:
            keys = (*keys, self._digest("home", place, _name(presented.account)))
        known = itself in self._right
        if known and len(presented.secret) >= LONG:
            keys = (itself,)
        keys, places = self._at_stake(itself, keys)
        self._wait_for(places)
        places = () if known else places
        return Attempt(self, itself, places=places, failing=keys, concerned=_NOBODY)

    def _concerns_others(self, key: bytes) -> bool:
        return key in self._counts or self._undecided.count(key) > 0

    def _at_stake(
        self, itself: bytes, keys: tuple[bytes, ...]
    ) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """Give whose failure it would be, which is its own only if the same has failed before.

        And the places that it takes: none if the same is being verified.
        """
        failing = (itself,) if itself in self._counts else keys
        return failing, () if self._undecided.count(itself) else failing

    def _wait_for(self, keys: Iterable[bytes]) -> None:
        now = self._seconds()
        wait = max(
            (count.until - now for key in keys if (count := self._counts.get(key))), default=0
        )
        if wait > 0:
            raise TooManyRequests("wrong credentials were presented too often", wait)

    def _full(self, key: bytes) -> bool:
        """Whether one more failure would be too many if all fail that are undecided.

        After a pause there is one place.  In a pause nobody is kept waiting.
        """
        undecided = self._undecided.count(key)
        if not undecided:
            return False
        now, count = self._seconds(), self._counts.get(key)
        if count is None:
            return pause(undecided) > 0
        return count.until <= now and pause(count.left(now) + undecided) > 0

    def begin(self, attempt: Attempt) -> None:
        """Have it that credentials are being verified."""
        if attempt.places:
            self._undecided.begin(attempt.places)

    def end(self, attempt: Attempt, verdict: Verdict) -> None:
        """Remember what has become of credentials, and let on who waits for that."""
        match verdict:
            case Verdict.RIGHT:
                self._keep(self._right, attempt.itself, attempt.concerned)
                if attempt.home is not None:
                    self._keep(self._homes, attempt.home, None)
            case Verdict.WRONG:
                self._right.pop(attempt.itself, None)
                self._fail(attempt)
            case Verdict.LEFT if attempt.itself not in self._right:
                self._fail(attempt)
            case Verdict.LEFT | Verdict.UNTOLD:
                pass
            case _:
                assert_never(verdict)
        if attempt.places:
            self._undecided.end(attempt.places)

    def _fail(self, attempt: Attempt) -> None:
        """Charge a failure, once for all who present the same at a time: to the first of them."""
        if attempt.itself not in self._counts or attempt.places == (attempt.itself,):
            self._charge(attempt.failing)

    def _charge(self, keys: Iterable[bytes]) -> None:
        now = self._seconds()
        for key in keys:
            before = self._counts.get(key)
            failures = 1.0 if before is None else 1.0 + before.left(now)
            self._keep(self._counts, key, _Count(failures, now, now + pause(failures)))

    def _keep(self, kept: OrderedDict[bytes, V], key: bytes, value: V) -> None:
        kept[key] = value
        kept.move_to_end(key)
        if len(kept) > self._capacity:
            kept.popitem(last=False)

    def _digest(self, *parts: str | None) -> bytes:
        text = repr(parts).encode()
        return hashlib.blake2b(text, key=self._key, digest_size=_LENGTH).digest()


@define(kw_only=True)
class Attempt(AbstractContextManager[None]):
    """Credentials that are being verified: in its context, Unauthorized tells that they are wrong.

    What can't be verified, as any other ScimError tells, is no failure.
    """

    _throttle: Throttle = field(kw_only=False)
    itself: bytes = field(kw_only=False)
    places: tuple[bytes, ...] = ()
    """What it is undecided for."""
    failing: tuple[bytes, ...]
    """Whose failure it is if they are wrong."""
    concerned: bytes
    """Whose failures concern them if they are right."""
    home: bytes | None = None
    """Who then is known at the address."""
    _decided: bool = field(init=False, default=False)

    def begin(self) -> None:
        """Begin to verify them."""
        self._throttle.begin(self)

    def decide(self, verdict: Verdict) -> None:
        """Tell what has become of them; the first verdict counts."""
        if not self._decided:
            self._decided = True
            self._throttle.end(self, verdict)

    def __enter__(self) -> None:
        self.begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if error is None:
            self.decide(Verdict.RIGHT)
        elif isinstance(error, Unauthorized):
            self.decide(Verdict.WRONG)
        else:
            self.decide(Verdict.UNTOLD if isinstance(error, ScimError) else Verdict.LEFT)


def _name(account: str) -> str:
    """Give what is one account, however it is spelt."""
    return " ".join(account.casefold().split())


def pause(failures: float) -> float:
    """Give the seconds in which nothing is verified after so many failures."""
    if failures <= FREE - 1:
        return 0.0
    return min(math.exp2(min(failures - FREE, 10)), FORGIVEN)


@lru_cache(maxsize=1024)
def network(address: str) -> str:
    """Give what an address is counted as: itself, or the /64 that it is in."""
    if ":" not in address:
        return address
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or IPv6Network((int(found), 64), strict=False))
