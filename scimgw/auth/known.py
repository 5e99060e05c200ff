"""Which of several secrets is presented?

All are compared, in constant time, so that what is unknown and what is almost right take as long.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from secrets import token_bytes
from typing import Final

from scimgw.connector import Principal

_LENGTH: Final = 32
"""Bytes of a key, and of a digest."""


class Known:
    """Keeps secrets as digests under a key of this process."""

    def __init__(self, secrets: Iterable[tuple[Principal, bytes]]) -> None:
        """Know whose secrets there are."""
        self._key = token_bytes(_LENGTH)
        self._digests = [(self._digest(secret), principal) for principal, secret in secrets]

    def find(self, presented: bytes) -> Principal | None:
        """Tell whose secret it is, None if it is nobody's."""
        digest = self._digest(presented)
        found = None
        for each, principal in self._digests:
            if hmac.compare_digest(each, digest):
                found = principal
        return found

    def _digest(self, secret: bytes) -> bytes:
        return hashlib.blake2b(secret, key=self._key, digest_size=_LENGTH).digest()
