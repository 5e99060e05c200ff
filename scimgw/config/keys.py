"""Where does the secret come from that all keys are derived of?"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from scimgw.config.hkdf import FILE, LENGTH, derive
from scimgw.config.load import MAIN, Configuration, Fault, Faults

__all__ = ["CURSORS", "FILE", "TOKENS", "derive", "secret"]

CURSORS: Final = "scimgw cursors"
"""The purpose of the key that cursors are signed with."""
TOKENS: Final = "scimgw tokens"
"""The purpose of the key that the tokens of the token endpoint are signed with."""


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
    if len(found) != LENGTH:
        raise Faults([Fault(MAIN, "$.dataDirectory", f"{file} isn't a key of {LENGTH} bytes")])
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
            stream.write(os.urandom(LENGTH))
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):  # somebody else was faster
            file.hardlink_to(new)
    finally:
        new.unlink(missing_ok=True)
