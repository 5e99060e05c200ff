"""What is the scrypt hash of a secret, and does a secret go with it?

RFC 7914, spelled as PHC strings are, and as passlib and others write them:

    hash   = "$scrypt$ln=" number ",r=" number ",p=" number "$" salt "$" key
    number = %x31-39 *DIGIT
    salt   = base64             ; RFC 4648 section 4, without padding
    key    = base64
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Final, TypeVar

from attrs import frozen

from scimgw.secret import Secret

PREFIX: Final = "$scrypt$"
"""What a hash begins with, and no secret in clear does."""
WEAKEST: Final = 2**17
"""The least work that a hash is worth: N = 2^14, r = 8, p = 1."""
MOST_WORK: Final = 2**23
"""The most that one login may take in all: eight times `USUAL`, some seconds."""
MOST_MEMORY: Final = 256 * 1024 * 1024
"""Bytes that one computation may take."""
_SALT: Final = range(8, 65)
_KEY: Final = range(16, 65)
"""Bytes, as few and as many as are good for something."""
_MADE: Final = (16, 32)
"""Bytes of salt and key that are made here."""
_HASH: Final = re.compile(
    r"\$scrypt\$ln=([1-9][0-9]?),r=([1-9][0-9]{0,3}),p=([1-9][0-9]{0,3})"
    r"\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)"
)
K = TypeVar("K", bound=Hashable)


class BadHash(ValueError):
    """A text begins as a hash does and isn't one, or one that is good for nothing."""


@frozen
class Cost:
    """What a hash takes to compute: N = 2^ln, in blocks of 128 r bytes, p times."""

    ln: int
    r: int
    p: int

    @property
    def memory(self) -> int:
        """How many bytes."""
        return 128 * self.r << self.ln

    @property
    def work(self) -> int:
        """How much time, in blocks."""
        return self.r * self.p << self.ln

    def derive(self, secret: bytes, salt: bytes, length: int) -> bytes:
        """Compute so many bytes, which blocks for as long as that takes."""
        return hashlib.scrypt(
            secret,
            salt=salt,
            n=1 << self.ln,
            r=self.r,
            p=self.p,
            maxmem=self.memory + 256 * self.r * (self.p + 2) + 4096,
            dklen=length,
        )


USUAL: Final = Cost(17, 8, 1)
"""What hashes cost that are made here: 128 MiB, some tenths of a second."""


@frozen(repr=False)
class Scrypt:
    """The hash of one secret."""

    cost: Cost
    salt: bytes
    key: bytes

    @classmethod
    def of(cls, secret: Secret) -> Scrypt | None:
        """Read a hash; None if the secret is one in clear.

        Raises: BadHash.
        """
        text = secret.reveal()
        if not text.startswith(PREFIX):
            return None
        found = _HASH.fullmatch(text)
        if found is None:
            raise BadHash("isn't a scrypt hash as in $scrypt$ln=17,r=8,p=1$<salt>$<key>")
        cost = Cost(*map(int, found.groups()[:3]))
        made = cls(cost, _bytes(found[4]), _bytes(found[5]))
        if str(made) != text or len(made.salt) not in _SALT or len(made.key) not in _KEY:
            raise BadHash("its salt or its key isn't base64, too short or too long")
        if cost.work < WEAKEST:
            raise BadHash("is too weak: at least ln=14,r=8,p=1, better ln=17, is needed")
        if cost.work > MOST_WORK or cost.memory > MOST_MEMORY:
            raise BadHash("would take too much time or memory: ln=17,r=8,p=1 is enough")
        return made

    @classmethod
    def made(cls, secret: bytes, random: Callable[[int], bytes], cost: Cost = USUAL) -> Scrypt:
        """Hash a secret, which blocks for as long as that takes."""
        salt, length = random(_MADE[0]), _MADE[1]
        return cls(cost, salt, cost.derive(secret, salt, length))

    @classmethod
    def decoy(cls, cost: Cost, random: Callable[[int], bytes]) -> Scrypt:
        """Give a hash that takes as long as others and that no secret goes with."""
        return cls(cost, random(_MADE[0]), random(_MADE[1]))

    def matches(self, secret: bytes) -> bool:
        """Whether a secret is the one, which blocks for as long as it takes to tell."""
        return hmac.compare_digest(self.key, self.cost.derive(secret, self.salt, len(self.key)))

    def __str__(self) -> str:
        """Spell the hash."""
        cost = f"ln={self.cost.ln},r={self.cost.r},p={self.cost.p}"
        return f"{PREFIX}{cost}${_text(self.salt)}${_text(self.key)}"


def rounds(hashes: Iterable[tuple[K, Scrypt]]) -> Mapping[Cost, int]:
    """Tell how often which costs arise when a secret is compared, whoever's it is said to be.

    That is so often as for whoever has most of a kind, so that nobody's name takes longer than
    another's.
    """
    most: dict[Cost, int] = {}
    for (_, cost), number in Counter((name, each.cost) for name, each in hashes).items():
        most[cost] = max(most.get(cost, 0), number)
    return most


def work(hashes: Iterable[tuple[K, Scrypt]]) -> int:
    """Tell how much work that is."""
    return sum(cost.work * number for cost, number in rounds(hashes).items())


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""


def _text(content: bytes) -> str:
    return b64encode(content).decode().rstrip("=")
