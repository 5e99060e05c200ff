"""Which of several secrets is presented?

All that are known in clear are compared, in constant time, so that what is unknown and what is
almost right take as long.  Those of which there are only hashes are verified after that.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from secrets import token_bytes
from typing import Final, Generic, TypeVar

from scimgw.auth.hashed import Beside, Hashed
from scimgw.scrypt import Scrypt
from scimgw.secret import Secret

_LENGTH: Final = 32
"""Bytes of a key, and of a digest."""
T = TypeVar("T")


class Known(Generic[T]):
    """Keeps secrets as digests under a key of this process, and hashes as they are."""

    def __init__(
        self, secrets: Iterable[tuple[str, T, Secret]], beside: Beside | None = None
    ) -> None:
        """Know secrets: the name that is presented with each, and whose they are.

        Where secrets are presented alone, the name is "".  Hashes need somebody to verify them.

        Raises: BadHash.
        """
        self._key = token_bytes(_LENGTH)
        self._digests: list[tuple[bytes, T]] = []
        hashes: list[tuple[bytes, T, Scrypt]] = []
        for name, whose, secret in secrets:
            found = Scrypt.of(secret)
            if found is None:
                digest = self._digest(name.encode(), secret.reveal().encode())
                self._digests.append((digest, whose))
            else:
                hashes.append((name.encode(), whose, found))
        self._hashed: Hashed[T] | None = None
        if hashes:
            assert beside is not None, "nothing verifies hashes where the reactor runs"
            self._hashed = Hashed(hashes, beside)

    async def find(self, name: bytes, secret: bytes) -> T | None:
        """Tell whose secret it is, None if it is nobody's.

        Raises: Unavailable, if too many secrets are being verified.
        """
        digest = self._digest(name, secret)
        found = None
        for each, whose in self._digests:
            if hmac.compare_digest(each, digest):
                found = whose
        if found is None and self._hashed is not None:
            return await self._hashed.find(digest, name, secret)
        return found

    def _digest(self, name: bytes, secret: bytes) -> bytes:
        content = b"%d:%b%b" % (len(name), name, secret)  # no two pairs make the same
        return hashlib.blake2b(content, key=self._key, digest_size=_LENGTH).digest()
