"""What is in the cursor that a client holds?

RFC 9865.  An envelope around the place where the next page begins: signed, so that nobody makes one
up; bound to its query, so that it serves no other; with an end to its life.  Nothing of it is kept,
so it survives a restart and is good at every replica that has the key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, Final

from attrs import field, frozen

from scimgw.errors import ExpiredCursor, InvalidCursor

_SIGNED: Final = 16
"""Bytes of the signature."""


@frozen(kw_only=True)
class Place:
    """Where the next page begins.

    type: name of the resource type that it begins in.
    token: how far that type has been given, None if not at all; known to who made it only.
    before, given: how many resources of the types before, and of this type, have been given.
    """

    type: str
    token: str | None = None
    before: int = 0
    given: int = 0


@frozen(kw_only=True)
class Cursors:
    """Makes cursors under a key, good for `lifetime` seconds, and reads them."""

    key: bytes = field(repr=False)
    lifetime: int = 3600

    def seal(self, place: Place, query: Sequence[Any], now: float) -> str:
        """Put a place into a cursor that is bound to a query; `now` is in seconds since 1970."""
        content = json.dumps(
            [int(now) + self.lifetime, place.type, place.token, place.before, place.given],
            separators=(",", ":"),
        ).encode()
        sealed = urlsafe_b64encode(self._signature(content, query) + content)
        return sealed.decode().rstrip("=")

    def open(self, cursor: str, query: Sequence[Any], now: float) -> Place:
        """Take the place out of a cursor.

        Raises: InvalidCursor, ExpiredCursor.
        """
        try:
            raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except ValueError:
            raw = b""
        signature, content = raw[:_SIGNED], raw[_SIGNED:]
        if not hmac.compare_digest(signature, self._signature(content, query)):
            raise InvalidCursor("the cursor isn't one that was given for this query")
        end, type, token, before, given = json.loads(content)
        if now >= end:
            raise ExpiredCursor(f"the cursor is older than {self.lifetime} seconds; start again")
        return Place(type=type, token=token, before=before, given=given)

    def _signature(self, content: bytes, query: Sequence[Any]) -> bytes:
        bound = hashlib.sha256(json.dumps(query).encode()).digest()
        return hmac.digest(self.key, bound + content, "sha256")[:_SIGNED]
