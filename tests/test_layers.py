"""Which module may import which: the arrows of docs/architecture.md."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parent.parent

CORE = {"scimgw.scim", "scimgw.errors"}
CLIENTS = {
    "scimgw.clients",
    "scimgw.connector",
    "scimgw.deferred",
    "scimgw.errors",
    "scimgw.jsontext",
    "scimgw.secret",
}
CONNECTOR = CORE | {
    "scimgw.clients",
    "scimgw.connector",
    "scimgw.deferred",
    "scimgw.mapping",
    "scimgw.secret",
}
GATEWAY = CORE | {"scimgw.connector", "scimgw.deferred", "scimgw.gateway"}
AUTH = {
    "scimgw.auth",
    "scimgw.connector",
    "scimgw.deferred",
    "scimgw.errors",
    "scimgw.jsontext",
    "scimgw.scrypt",
    "scimgw.secret",
    "scimgw.tls.names",
}
WEB = GATEWAY | AUTH | {"scimgw.web", "scimgw.networks", "scimgw.seldom"}
CONFIG = {
    "scimgw.config",
    "scimgw.networks",
    "scimgw.registry",
    "scimgw.connector",
    "scimgw.jsontext",
    "scimgw.secret",
    "scimgw.scim",
    "scimgw.scrypt",
    "scimgw.sealed",
    "scimgw.clients",
    "scimgw.tls",
    "scimgw.tls.names",
}

ALLOWED: dict[str, set[str]] = {
    # a package or module -> what of ours it may import
    "scimgw": set(),
    "scimgw.errors": set(),
    "scimgw.secret": set(),
    "scimgw.networks": set(),
    "scimgw.seldom": set(),
    "scimgw.scrypt": {"scimgw.secret"},
    "scimgw.sealed": {"scimgw.secret"},
    "scimgw.deferred": set(),
    "scimgw.hangup": set(),
    "scimgw.threads": {"scimgw.deferred", "scimgw.errors"},
    "scimgw.jsontext": {"scimgw.scim"},
    "scimgw.scim": CORE,
    "scimgw.connector": {"scimgw.scim", "scimgw.secret"},
    "scimgw.clients": CLIENTS,
    "scimgw.tls": {
        "scimgw.tls",
        "scimgw.tls.names",
        "scimgw.connector",
        "scimgw.secret",
        "scimgw.seldom",
    },
    "scimgw.tls.names": set(),
    "scimgw.mapping": CORE | {"scimgw.mapping"},
    "scimgw.gateway": GATEWAY,
    "scimgw.auth": AUTH,
    "scimgw.web": WEB,
    "scimgw.web.chaining": WEB | {"scimgw.clients"},
    "scimgw.registry": {"scimgw.connector"},
    "scimgw.config": CONFIG,
    "scimgw.tokens": AUTH | CONFIG,
    "scimgw.admission": AUTH | CONFIG | {"scimgw.tokens"},
    "scimgw.service": WEB
    | CONFIG
    | {
        "scimgw.admission",
        "scimgw.hangup",
        "scimgw.ports",
        "scimgw.threads",
        "scimgw.tokens",
        "scimgw.web.chaining",
    },
    "scimgw.secrets": {"scimgw.config", "scimgw.scrypt", "scimgw.sealed", "scimgw.secret"},
    "scimgw.ports": CONFIG,
    "scimgw.tap": {"scimgw.ports", "scimgw.service", "scimgw.config"},
    "scimgw.testing": WEB | {"scimgw.testing"},
    "connectors": CONNECTOR | {"connectors"},
    "connectors.ldap": CONNECTOR,
    "twisted.plugins": set(),
}
OUTSIDE: dict[str, set[str]] = {
    # a package -> the only ones that may import it
    "twisted": {
        "connectors.ldap",
        "scimgw.auth",
        "scimgw.clients",
        "scimgw.connector",
        "scimgw.deferred",
        "scimgw.gateway",
        "scimgw.hangup",
        "scimgw.web",
        "scimgw.web.chaining",
        "scimgw.service",
        "scimgw.tap",
        "scimgw.testing",
        "scimgw.threads",
        "scimgw.tls",
        "connectors",
        "twisted.plugins",
    },
    "klein": {"scimgw.web"},
    "werkzeug": {"scimgw.web"},
    "orjson": {"scimgw.web"},
    "ldaptor": {"connectors.ldap"},
    "treq": {"scimgw.clients"},
    "jwt": {"scimgw.auth", "scimgw.clients"},
    "OpenSSL": {"connectors.ldap", "scimgw.clients", "scimgw.tls"},
    "cattrs": {"scimgw.config"},
    "hypothesis": {"scimgw.testing"},
}


def modules() -> Iterator[tuple[str, Path]]:
    """Name every module of ours."""
    for top in ("scimgw", "connectors", "twisted"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path: Path) -> Iterator[str]:
    """Name what a module imports, but for type checking only."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str, rooms: set[str]) -> str | None:
    """Give the most special of some packages that a module is in."""
    inside = [each for each in rooms if module == each or module.startswith(each + ".")]
    return max(inside, key=len, default=None)


class LayersTests(SynchronousTestCase):
    """The law."""

    def test_every_module_has_a_room(self) -> None:
        """A module that no rule speaks of isn't allowed."""
        for name, path in modules():
            self.assertIsNotNone(room(name, set(ALLOWED)), path)

    def test_arrows_point_down(self) -> None:
        """A module imports only what its room may."""
        for name, path in modules():
            here = room(name, set(ALLOWED))
            assert here is not None
            for imported in imports(path):
                there = room(imported, set(ALLOWED))
                if there is None or there == "twisted.plugins" or imported.startswith("twisted"):
                    continue
                if there == "scimgw" and imported != "scimgw":
                    self.fail(f"{name} imports {imported}, which has no room")
                allowed = ALLOWED[here] | {here, "scimgw"}
                self.assertIn(there, allowed, f"{name} imports {imported}")

    def test_libraries_stay_in_their_rooms(self) -> None:
        """What a library is like is known in one place."""
        for name, path in modules():
            here = room(name, set(ALLOWED))
            for imported in imports(path):
                library = imported.partition(".")[0]
                if library in OUTSIDE:
                    self.assertIn(here, OUTSIDE[library], f"{name} imports {imported}")

    def test_core_is_pure(self) -> None:
        """The core knows the standard library, attrs, and its errors."""
        for name, path in modules():
            if room(name, set(ALLOWED)) != "scimgw.scim":
                continue
            for imported in imports(path):
                known = imported.startswith(("scimgw.scim", "scimgw.errors", "attrs"))
                standard = imported.partition(".")[0] in sys.stdlib_module_names
                self.assertTrue(known or standard, f"{name} imports {imported}")

    def test_reactor(self) -> None:
        """Only the command line knows which reactor there is."""
        for name, path in modules():
            if "twisted.internet.reactor" in set(imports(path)):
                self.assertEqual("scimgw.tap", name)

    def test_no_package_hides_twisted(self) -> None:
        """Twisted's own packages must not get an __init__.py of ours."""
        self.assertEqual([], [str(path) for path in (ROOT / "twisted").rglob("__init__.py")])
