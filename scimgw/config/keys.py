"""Where does the secret come from that all keys are derived of?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, ENOTDIR
from pathlib import Path
from typing import Final

from scimgw.config.hkdf import FILE, LENGTH, derive
from scimgw.config.load import MAIN, Configuration, Fault, Faults

__all__ = ["CURSORS", "FILE", "TOKENS", "check", "derive", "secret"]

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
    with _telling(file):
        _make(file)
        return _read(file)


def check(configuration: Configuration) -> None:
    """Look whether there is a secret, or one could be made, and make none.

    Raises: Faults, as `secret` would.
    """
    file = configuration.data_directory / FILE
    if configuration.secret_key is not None:
        return
    with _telling(file):
        if file.exists():
            _read(file)
            return
        above = next(each for each in file.parents if each.exists())
        if not above.is_dir():
            raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR))
        if not os.access(above, os.W_OK | os.X_OK):
            raise PermissionError(EACCES, os.strerror(EACCES))


@contextmanager
def _telling(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        fault = f"can't keep a key in {file}: {error.strerror}"
        raise Faults([Fault(MAIN, "$.dataDirectory", fault)]) from error


def _read(file: Path) -> bytes:
    found = file.read_bytes()
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
