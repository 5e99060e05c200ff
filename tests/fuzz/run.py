"""Fuzz one target, guided by coverage: `python -m tests.fuzz.run TARGET [options of libFuzzer]`.

What is found to reach new code is kept in the first folder that the options name.
"""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-untyped]  # it has no types

with atheris.instrument_imports(include=["scimgw", "connectors"]):
    from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
