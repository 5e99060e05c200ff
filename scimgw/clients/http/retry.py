"""May a request be made again, and when?

A request that never left, or that the endpoint said it didn't take, may be; one that may have been
carried out only if twice is as good as once (RFC 9110 section 9.2.2).

| what came of it              | GET HEAD OPTIONS PUT DELETE | POST PATCH |
|------------------------------|-----------------------------|------------|
| never sent                   | again                       | again      |
| sent, and no whole answer    | again                       | -          |
| 429, or 503 with Retry-After | again                       | again      |
| 502, 503, 504                | again                       | -          |
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from attrs import frozen

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
TOO_MANY: Final = 429
UNAVAILABLE: Final = 503
BROKEN: Final = frozenset({502, 503, 504})
"""Statuses of a gateway or a server that isn't well."""
_FIRST: Final = 0.2
_LONGEST: Final = 5.0
"""Seconds of the first and of the longest pause."""


@frozen
class NotSent:
    """No byte of the request reached the endpoint."""


@frozen
class Lost:
    """The request was sent, at least in part, and no whole answer came."""


@frozen
class Answered:
    """The endpoint answered; `retry_after` is in seconds."""

    status: int
    retry_after: float | None = None


Outcome = NotSent | Lost | Answered


def repeatable(outcome: Outcome, *, idempotent: bool) -> bool:
    """Whether a request that came to this may be made again."""
    match outcome:
        case NotSent():
            return True
        case Lost():
            return idempotent
        case Answered(status, retry_after):
            told = status == TOO_MANY or (status == UNAVAILABLE and retry_after is not None)
            return told or (status in BROKEN and idempotent)


def unwell(outcome: Outcome) -> bool:
    """Whether the outcome speaks against the address that was tried."""
    return not isinstance(outcome, Answered) or outcome.status in BROKEN


def pause(outcome: Outcome, attempt: int, chance: float, *, elsewhere: bool) -> float:
    """Give the seconds to wait before the next attempt.

    `attempt` counts from 0, `chance` is from 0 to 1, `elsewhere` whether another address is next.
    """
    if isinstance(outcome, Answered) and outcome.retry_after is not None:
        if outcome.status == TOO_MANY or not elsewhere:
            return outcome.retry_after
        return 0.0
    if elsewhere:
        return 0.0
    longest = min(_LONGEST, _FIRST * 2.0**attempt)
    return longest * (0.5 + chance / 2)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Read Retry-After as seconds from now (RFC 9110 section 10.2.3); None if it says nothing.

    `now` is in seconds since 1970.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        moment: datetime = parsedate_to_datetime(text)
        return max(0.0, moment.timestamp() - now)
    except (TypeError, ValueError, OverflowError):
        return None
