"""Which key does a purpose get?

All come from one secret by HKDF (RFC 5869), so that what is signed or encrypted for one purpose is
worth nothing for another.
"""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Final

FILE: Final = "secret.key"
"""The file in the data directory that holds the secret, where none is configured."""
LENGTH: Final = 32
"""Bytes of a key, the length of a SHA-256 digest."""


def derive(secret: bytes, purpose: str) -> bytes:
    """Give the key of 32 bytes for one purpose: HKDF-SHA-256 without a salt, one block."""
    pseudorandom = hmac.digest(bytes(LENGTH), secret, "sha256")
    return hmac.digest(pseudorandom, purpose.encode() + b"\x01", "sha256")


def kept(data_directory: Path) -> bytes | None:
    """Give the secret that a data directory holds, None if there is none that can be read."""
    try:
        found = (data_directory / FILE).read_bytes()
    except OSError:
        return None
    return found if len(found) == LENGTH else None
