"""What the gateway hands to a connector, for tests without a reactor."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.internet.interfaces import IReactorTime

from scimgw.connector import Services


def in_memory(clock: IReactorTime) -> Services:
    """Give what a connector gets that connects to nothing."""
    return Services(name="test", folder=Path(), reactor=None, clock=clock, random=os.urandom)
