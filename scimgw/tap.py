"""What does `twistd scimgw` take, and what does it start?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar, Final, NoReturn

from twisted.application.service import IService
from twisted.python import usage

from scimgw.config.keys import check, secret
from scimgw.config.load import Configuration, Faults, load
from scimgw.ports import PortsTaken, check_ports
from scimgw.service import build, concerns

EX_CONFIG: Final = 78
"""Exit status of a faulty configuration (sysexits.h)."""
EX_FAILURE: Final = 1


class Options(usage.Options):
    """The command line after `twistd scimgw`."""

    synopsis = "[options]"
    optParameters: ClassVar[list[list[Any]]] = [
        ["config", "c", "etc", "Folder with scimgw.json and the plugins' files."]
    ]
    optFlags: ClassVar[list[list[Any]]] = [["check", None, "Check the configuration and exit."]]
    configuration: Configuration

    def postOptions(self) -> None:
        """Read and check the configuration before anything is forked or bound."""
        try:
            self.configuration = load(Path(self["config"]))
            if self["check"]:
                check(self.configuration)
                for concern in concerns(build(self.configuration, _reactor())):
                    sys.stdout.write(f"{concern}\n")
        except Faults as faults:
            _refuse(str(faults), EX_CONFIG)
        if self["check"]:
            names = ", ".join(plugin.name for plugin in self.configuration.plugins)
            sys.stdout.write(f"the configuration is sound: {names}\n")
            raise SystemExit(0)


def makeService(options: Options) -> IService:
    """Make the service of a configuration; a port in use ends the program before any is bound."""
    try:
        service = build(options.configuration, _reactor(), secret(options.configuration))
        check_ports(options.configuration)
    except Faults as faults:
        _refuse(str(faults), EX_CONFIG)
    except PortsTaken as taken:
        _refuse(str(taken), EX_FAILURE)
    return service


def _reactor() -> Any:
    from twisted.internet import reactor  # noqa: PLC0415 - twistd installs the one that --reactor names first

    return reactor


def _refuse(message: str, status: int) -> NoReturn:
    sys.stderr.write(f"{message}\n")
    raise SystemExit(status)
