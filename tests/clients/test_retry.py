"""Which requests are made again, and when."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from scimgw.clients.http.retry import (
    Answered,
    Lost,
    NotSent,
    Outcome,
    pause,
    repeatable,
    retry_after,
    unwell,
)


class RepeatableTests(SynchronousTestCase):
    """The table in retry.py."""

    def test_table(self) -> None:
        """What may be repeated depends on what is known of the first time."""
        rows: list[tuple[Outcome, bool, bool]] = [
            # outcome, idempotent, not idempotent
            (NotSent(), True, True),
            (Lost(), True, False),
            (Answered(429), True, True),
            (Answered(503, 1.0), True, True),
            (Answered(503), True, False),
            (Answered(502), True, False),
            (Answered(504), True, False),
            (Answered(500), False, False),
            (Answered(409), False, False),
            (Answered(200), False, False),
        ]
        for outcome, safe, unsafe in rows:
            told = (repeatable(outcome, idempotent=True), repeatable(outcome, idempotent=False))
            self.assertEqual((safe, unsafe), told, outcome)

    def test_unwell(self) -> None:
        """A server that asks to slow down, or that refuses, is well."""
        outcomes: list[Outcome] = [NotSent(), Lost(), Answered(502), Answered(503, 1.0)]
        self.assertEqual({True}, {unwell(each) for each in outcomes})
        self.assertEqual({False}, {unwell(Answered(each)) for each in (200, 404, 429, 500)})


class PauseTests(SynchronousTestCase):
    """Seconds before the next attempt."""

    def test_grows(self) -> None:
        """The pause doubles up to a bound, and is never twice the same for all callers."""
        longest = [pause(Lost(), attempt, 1.0, elsewhere=False) for attempt in range(7)]
        self.assertEqual([0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0], longest)
        self.assertEqual(0.1, pause(Lost(), 0, 0.0, elsewhere=False))

    def test_elsewhere(self) -> None:
        """Another address is tried at once."""
        self.assertEqual(0.0, pause(NotSent(), 3, 1.0, elsewhere=True))
        self.assertEqual(0.0, pause(Answered(503, 9.0), 0, 1.0, elsewhere=True))

    def test_retry_after(self) -> None:
        """What the endpoint asks for is heeded; its rate limit at all its addresses."""
        self.assertEqual(9.0, pause(Answered(503, 9.0), 0, 1.0, elsewhere=False))
        self.assertEqual(9.0, pause(Answered(429, 9.0), 0, 1.0, elsewhere=True))


class RetryAfterTests(SynchronousTestCase):
    """RFC 9110 section 10.2.3."""

    def test_read(self) -> None:
        """Seconds or a date; what is neither says nothing."""
        rows = [
            ("120", 120.0),
            (" 0 ", 0.0),
            ("Thu, 01 Jan 1970 00:01:00 GMT", 50.0),
            ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
            ("9" * 400, 999999999.0),
            ("-1", None),
            ("soon", None),
            ("٣", None),
            ("", None),
        ]
        for text, seconds in rows:
            self.assertEqual(seconds, retry_after({"retry-after": text}, 10.0), text)
        self.assertIsNone(retry_after({}, 10.0))
