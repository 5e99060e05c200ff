"""Which key does a purpose get, and where does it come from?

All come from one secret by HKDF (RFC 5869), so that what is signed for one purpose is worth nothing
for another.
"""

from __future__ import annotations

import hmac
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from scimgw.config.load import MAIN, Configuration, Fault, Faults

CURSORS: Final = "scimgw cursors"
"""The purpose of the key that cursors are signed with."""
FILE: Final = "secret.key"
_LENGTH: Final = 32
"""Bytes of a key, the length of a SHA-256 digest."""


def derive(secret: bytes, purpose: str) -> bytes:
    """Give the key of 32 bytes for one purpose: HKDF-SHA-256 without a salt, one block."""
    pseudorandom = hmac.digest(bytes(_LENGTH), secret, "sha256")
    return hmac.digest(pseudorandom, purpose.encode() + b"\x01", "sha256")


def secret(configuration: Configuration) -> bytes:
    """Give the secret that is configured, or that of the data directory, made if there is none.

    Raises: Faults.
    """
    if configuration.secret_key is not None:
        return configuration.secret_key.reveal().encode()
    file = configuration.data_directory / FILE
    try:
        _make(file)
        found = file.read_bytes()
    except OSError as error:
        fault = f"can't keep a key in {file}: {error.strerror}"
        raise Faults([Fault(MAIN, "$.dataDirectory", fault)]) from error
    if len(found) != _LENGTH:
        raise Faults([Fault(MAIN, "$.dataDirectory", f"{file} isn't a key of {_LENGTH} bytes")])
    return found


def _make(file: Path) -> None:
    """Make the file of a key, whole and once, even if several processes begin at a time."""
    if file.exists():
        return
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_name(f"{FILE}.{os.getpid()}")
    new.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(os.urandom(_LENGTH))
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):  # somebody else was faster
            file.hardlink_to(new)
    finally:
        new.unlink(missing_ok=True)
