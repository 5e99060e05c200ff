"""How is a secret written into a file?

    python -m scimgw.secrets hash                     of a password or token that clients show
    python -m scimgw.secrets encrypt [-c FOLDER]      what the gateway shows to endpoints

The secret is asked for at the terminal, without an echo, or else is the first line of the input; it
is never an argument, which others could see.  What is to be written into the file is printed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from getpass import getpass
from pathlib import Path
from typing import Final

from scimgw.config import keys
from scimgw.config.load import Faults, load_main
from scimgw.scrypt import Scrypt
from scimgw.sealed import PURPOSE, seal
from scimgw.secret import Secret

EX_USAGE: Final = 64
"""Exit status where there is no secret (sysexits.h)."""
EX_CONFIG: Final = 78


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, make what is asked for, and give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scimgw.secrets", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("hash", help="make the scrypt hash of a secret")
    encrypting = commands.add_parser("encrypt", help="encrypt a secret under the secretKey")
    encrypting.add_argument("-c", "--config", default="etc", help="folder with scimgw.json")
    given = parser.parse_args(arguments)
    try:
        if given.command == "hash":
            made = str(Scrypt.made(_asked().reveal().encode(), os.urandom))
        else:
            secret = keys.secret(load_main(Path(given.config)))
            made = seal(_asked(), keys.derive(secret, PURPOSE), os.urandom)
    except Faults as faults:
        sys.stderr.write(f"{faults}\n")
        return EX_CONFIG
    except _NoSecret as fault:
        sys.stderr.write(f"{fault}\n")
        return EX_USAGE
    sys.stdout.write(f"{made}\n")
    return 0


class _NoSecret(Exception):
    """There is no secret, or there are two."""


def _asked() -> Secret:
    if sys.stdin.isatty():
        text = getpass("Secret: ")
        if getpass("Once more: ") != text:
            raise _NoSecret("the two aren't the same")
    else:
        text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise _NoSecret("there is no secret")
    return Secret(text)


if __name__ == "__main__":
    sys.exit(main())
