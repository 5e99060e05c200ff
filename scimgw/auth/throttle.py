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

An attempt counts as a failure from its beginning until it has succeeded, so that many at once are
no way round, save that the same credentials several times at once are one attempt.  IPv6 addresses
are counted by the /64.  Everything is bounded, and what was longest untouched is forgotten first.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import lru_cache
from ipaddress import IPv6Network, ip_address
from secrets import token_bytes
from types import TracebackType
from typing import Final, TypeVar

from attrs import define, field, frozen

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
            if colon:
                return cls(password.decode("utf-8", "replace"), name.decode("utf-8", "replace"))
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


class Throttle:
    """Remembers, in memory, who was wrong lately, and who was right."""

    def __init__(self, seconds: Callable[[], float], capacity: int = CAPACITY) -> None:
        """Remember nobody yet."""
        self._seconds = seconds
        self._capacity = capacity
        self._key = token_bytes(_LENGTH)
        self._counts: OrderedDict[bytes, _Count] = OrderedDict()
        self._right: OrderedDict[bytes, bytes] = OrderedDict()
        """Credentials that got in -> whose count concerns them."""
        self._homes: OrderedDict[bytes, None] = OrderedDict()
        """Accounts that got in, each with an address."""
        self._running: set[bytes] = set()

    @property
    def size(self) -> int:
        """How much is remembered."""
        return len(self._counts) + len(self._right) + len(self._homes) + len(self._running)

    def attempt(self, address: str, presented: Presented) -> AbstractContextManager[None]:
        """Give the context in which credentials are verified: Unauthorized there is a failure.

        What can't be verified, as any other ScimError tells, is none.  On entering it raises
        TooManyRequests if nothing may be verified yet.
        """
        place = network(address)
        itself = self._digest("credentials", place, presented.account, presented.secret)
        concerned = self._right.get(itself)
        if concerned is not None and concerned not in self._counts:
            return _Again(self, itself)
        return self._unsure(itself, place, presented)

    def elsewhere(self, address: str, presented: Presented) -> Callable[[], None]:
        """Let credentials go on to who judges them; give what counts that they were wrong.

        What got in is never certain here, so it isn't remembered; nor do failures count that come
        from other addresses, since they would keep out whoever is right.

        Raises: TooManyRequests.
        """
        place = network(address)
        itself = self._digest("credentials", place, presented.account, presented.secret)
        keys = [itself, self._digest("address", place)]
        if presented.account is not None:
            keys.append(self._digest("home", place, _name(presented.account)))
        self._wait_for(keys[:1] if itself in self._counts else keys)

        def failed() -> None:
            for key in keys[:1] if itself in self._counts else keys:
                self._charge(key, self._seconds())

        return failed

    def _unsure(self, itself: bytes, place: str, presented: Presented) -> _Attempt:
        here = self._digest("address", place)
        home = None
        keys: tuple[bytes, ...] = (itself, here)
        if presented.account is not None:
            name = _name(presented.account)
            home = self._digest("home", place, name)
            known = home in self._homes
            keys = (itself, home) if known else (*keys, self._digest("account", name))
        if itself in self._counts:
            keys = () if itself in self._running else (itself,)
        concerned = _NOBODY if len(presented.secret) >= LONG else home or here
        return _Attempt(self, itself, keys, concerned, home)

    def begin(self, itself: bytes, keys: Iterable[bytes]) -> Mapping[bytes, _Count]:
        """Count a failure beforehand.

        Raises: TooManyRequests.
        """
        self._wait_for(keys)
        if keys:
            self._running.add(itself)
        now = self._seconds()
        return {key: self._charge(key, now) for key in keys}

    def _wait_for(self, keys: Iterable[bytes]) -> None:
        now = self._seconds()
        wait = max(
            (count.until - now for key in keys if (count := self._counts.get(key))), default=0
        )
        if wait > 0:
            raise TooManyRequests("wrong credentials were presented too often", wait)

    def _charge(self, key: bytes, now: float) -> _Count:
        before = self._counts.get(key)
        failures = 1.0 if before is None else 1.0 + before.left(now)
        count = _Count(failures, now, now + pause(failures))
        self._keep(self._counts, key, count)
        return count

    def take_back(self, charged: Mapping[bytes, _Count]) -> None:
        """Have it that there was no failure."""
        for key, count in charged.items():
            present = self._counts.get(key)
            if present is None:
                continue
            failures = present.failures - 1
            if failures <= 0:
                del self._counts[key]
            else:
                until = 0.0 if present is count else present.until
                self._counts[key] = _Count(failures, present.at, until)

    def end(self, itself: bytes) -> None:
        """Have it that the credentials aren't being verified any more."""
        self._running.discard(itself)

    def right(self, itself: bytes, concerned: bytes, home: bytes | None) -> None:
        """Remember what has got in, and from where."""
        self._keep(self._right, itself, concerned)
        if home is not None:
            self._keep(self._homes, home, None)

    def again(self, itself: bytes) -> None:
        """Remember that it has got in once more."""
        if itself in self._right:
            self._right.move_to_end(itself)

    def no_longer(self, itself: bytes) -> None:
        """Forget that it got in: a token has expired, say, which is nobody's guess."""
        self._right.pop(itself, None)
        self._charge(itself, self._seconds())

    def _keep(self, kept: OrderedDict[bytes, V], key: bytes, value: V) -> None:
        kept[key] = value
        kept.move_to_end(key)
        if len(kept) > self._capacity:
            kept.popitem(last=False)

    def _digest(self, *parts: str | None) -> bytes:
        text = repr(parts).encode()
        return hashlib.blake2b(text, key=self._key, digest_size=_LENGTH).digest()


@define
class _Attempt(AbstractContextManager[None]):
    """Credentials of which it isn't known whether they are right."""

    _throttle: Throttle
    _itself: bytes
    _keys: tuple[bytes, ...]
    _concerned: bytes
    _home: bytes | None
    _charged: Mapping[bytes, _Count] = field(init=False, factory=dict)

    def __enter__(self) -> None:
        self._charged = self._throttle.begin(self._itself, self._keys)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._charged:
            self._throttle.end(self._itself)
        if error is None:
            self._throttle.right(self._itself, self._concerned, self._home)
        if error is None or (isinstance(error, ScimError) and not isinstance(error, Unauthorized)):
            self._throttle.take_back(self._charged)


@define
class _Again(AbstractContextManager[None]):
    """Credentials that have got in from there before."""

    _throttle: Throttle
    _itself: bytes

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if error is None:
            self._throttle.again(self._itself)
        elif isinstance(error, Unauthorized):
            self._throttle.no_longer(self._itself)


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
