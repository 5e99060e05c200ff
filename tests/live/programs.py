"""Programs that tests run, or do without."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import SkipTest

VAR = Path(__file__).parent.parent.parent / "var"
SKIPPED = VAR / "skipped"
"""What was not there, a line each; the Makefile asks for no coverage then."""
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def missing(what: str, notes: Path = SKIPPED) -> SkipTest:
    """Note that tests are skipped, for which the coverage is no measure then."""
    notes.parent.mkdir(exist_ok=True)
    noted = notes.read_text() if notes.exists() else ""
    if what not in noted.splitlines():
        notes.write_text(f"{noted}{what}\n")
    return SkipTest(what)


def program(name: str, package: str, notes: Path = SKIPPED) -> str:
    """Find a program.

    Raises: SkipTest, which names the Debian package that has it.
    """
    path = shutil.which(name, path=PATH)
    if path is None:
        raise missing(f"{name} is not installed: apt-get install {package}", notes)
    return path


async def run(command: str, *arguments: str, stdin: str = "") -> str:
    """Run a program to its end, and give what it wrote to its standard output.

    Raises: RuntimeError with all that it wrote, if it failed.
    """
    out, err, status = await getProcessOutputAndValue(
        command, arguments, env={**os.environ, "PATH": PATH}, stdinBytes=stdin.encode()
    )
    if status:
        raise RuntimeError(f"{command} ended with {status}: {(out + err).decode()}")
    return str(out.decode())
