"""Which connector does a name stand for?"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from scimgw.connector import ConnectorPlugin

PACKAGE = "connectors"
"""Where the built-in connectors are."""


class UnknownConnector(Exception):
    """No connector of that name, or what has the name isn't one."""


def find(name: str) -> ConnectorPlugin:
    """Find a built-in connector by its module's name, or any by `module:NAME`.

    Raises: UnknownConnector, saying what was looked for and where.
    """
    module_name, _, attribute = name.partition(":")
    if not attribute:
        module_name, attribute = f"{PACKAGE}.{name}", "PLUGIN"
    if not _exists(module_name):
        raise UnknownConnector(f"there is no connector {name!r}: no module {module_name}")
    module = import_module(module_name)
    plugin = getattr(module, attribute, None)
    if not isinstance(plugin, ConnectorPlugin):
        raise UnknownConnector(
            f"{module_name} ({module.__file__}) has no ConnectorPlugin {attribute}"
        )
    return plugin


def _exists(module_name: str) -> bool:
    try:
        return (
            all(part.isidentifier() for part in module_name.split("."))
            and find_spec(module_name) is not None
        )
    except ModuleNotFoundError:
        return False
