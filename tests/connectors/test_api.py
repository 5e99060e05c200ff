"""How tickets are spoken of."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from connectors.api.tickets import from_desk, to_desk
from scimgw.errors import BadGateway, InvalidSyntax, InvalidValue

TICKET = {"eventName": "e", "subjectName": "s", "userID": "u"}


class TicketTests(SynchronousTestCase):
    """There and back."""

    def test_there(self) -> None:
        """A ticket's members have other names in the service desk."""
        expected = {"title": "e", "description": "s", "requester": "u"}
        self.assertEqual(expected, to_desk(TICKET, whole=True))
        self.assertEqual({"status": "closed"}, to_desk({"status": "closed"}, whole=False))

    def test_back(self) -> None:
        """What the service desk knows beside isn't told."""
        ticket = {"id": "1", "title": "e", "status": "open", "internal": "x"}
        self.assertEqual({"id": "1", "eventName": "e", "status": "open"}, from_desk(ticket))
        others: list[Any] = [None, [], {}]
        for other in others:
            with self.assertRaises(BadGateway):
                from_desk(other)

    def test_refused(self) -> None:
        """What is missing, unknown, or of the wrong type is named."""
        rows: list[tuple[Any, bool, str]] = [
            ({"eventName": "e", "userID": "u"}, True, "subjectName is required"),
            ({}, False, "one of eventName, "),
            ({**TICKET, "x": "y"}, True, "no 'x'"),
            ({"status": "ajar"}, False, "not 'ajar'"),
            ({"userID": 7}, False, "userID must be a string"),
            ({"userID": ""}, False, "userID must be a string"),
        ]
        for body, whole, expected in rows:
            with self.assertRaisesRegex(InvalidValue, expected):
                to_desk(body, whole=whole)
        with self.assertRaises(InvalidSyntax):
            to_desk("x", whole=False)
