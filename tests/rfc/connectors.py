"""What does each connector hold, and do itself?

Told by the connectors that the shipped files describe; no endpoint is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path as FilePath
from typing import Final

from attrs import frozen
from twisted.internet.task import Clock

from scimgw.config.structure import structure
from scimgw.connector import Capabilities, Connector, Informed, Paging, Support
from scimgw.registry import find
from scimgw.scim.filter import Operator
from scimgw.scim.path import Path
from scimgw.scim.places import places_of
from scimgw.scim.schema import COMMON, GROUP, USER, Attribute, ResourceType, Returned
from scimgw.testing.strategies import operators
from tests.fakes.services import in_memory

ETC: Final = FilePath(__file__).parent.parent.parent / "etc"
PLUGINS: Final = {
    "loki": ("loki", "loki"),
    "restful": ("restful", "restful"),
    "ldap": ("ldap", "ldap, Active Directory"),
    "openldap": ("ldap", "ldap, OpenLDAP"),
}
"""By the file of a plugin: its connector, and what it is called here.  That of `api` holds no
resources."""
_WORSE: Final = [Support.EXACT, Support.SUPERSET, Support.NO]
_ORDER: Final = [each.value for each in Operator]


@frozen
class Described:
    """One connector, as a shipped file describes it."""

    title: str
    connector: Connector

    @property
    def types(self) -> dict[str, ResourceType]:
        """What it holds, by name."""
        return {type.name: type for type in self.connector.resource_types}

    def capabilities(self, type: ResourceType) -> Capabilities:
        """Say what it does itself."""
        return self.connector.capabilities(self.types[type.name])


def described() -> list[Described]:
    """Build the connectors; none connects to anything."""
    found = []
    for file, (name, title) in PLUGINS.items():
        endpoint = json.loads((ETC / f"plugin-{file}.json").read_text("utf-8")).get("endpoint", {})
        plugin = find(name)
        settings = structure(endpoint, plugin.config, "$.endpoint")
        connector = plugin.build(settings, in_memory(Clock()))
        assert isinstance(connector, Connector)
        found.append(Described(title, connector))
    return found


# --- what it does ---


def _versions(each: Described) -> str:
    return "yes" if each.capabilities(USER).versions else "no"


def _atomic(each: Described) -> str:
    return "yes" if each.capabilities(USER).atomic else "no"


def _leaving(each: Described) -> str:
    return "endpoint" if each.capabilities(USER).removes_members else "gateway"


def _paging(each: Described) -> str:
    offered = each.capabilities(USER)
    if offered.paging is Paging.NONE:
        return "gateway"
    most = "" if offered.max_count is None else f", {offered.max_count} at once"
    return f"by {offered.paging.value}{most}"


def _cursors(each: Described) -> str:
    return "endpoint" if each.capabilities(USER).stateless_cursors else "gateway"


def _moments(each: Described) -> str:
    meta = each.types["User"].find("meta")
    named = ("created", "lastModified")
    return "yes" if meta and all(meta.find(name) for name in named) else "no"


def _kinds(each: Described) -> str:
    if isinstance(each.connector, Informed):
        return "by their ids"
    members = each.types["Group"].find("members")
    kind = members.find("type") if members else None
    if kind is None:
        return "no"
    return "by their DNs" if kind.computed else "if they tell it"


def _sorted(each: Described) -> str:
    offered = each.capabilities(USER)
    leaves = [*_leaves(each.types["User"])]
    found = [path for path in leaves if offered.sort(path)]
    if not found:
        return "gateway"
    return "endpoint" if len(found) == len(leaves) else f"{len(found)} of {len(leaves)} attributes"


def _values(each: Described) -> str:
    return "endpoint" if each.capabilities(USER).value_paths else "gateway"


ABILITIES: Final[Sequence[tuple[str, str, Callable[[Described], str]]]] = (
    ("T01 to T05, V17", "versions: ETags, and changes that no other process undoes", _versions),
    ("M27", "a failed write leaves nothing behind", _atomic),
    ("X", "a deleted user leaves its groups, by the", _leaving),
    ("F", "how pages are fetched", _paging),
    ("W01 to W12", "cursors are followed by the", _cursors),
    ("S", "resources are put in order by the", _sorted),
    ("G", "conditions on one value (`emails[...]`) are checked by the", _values),
    ("C06, Z04", "when a resource was made and changed is told", _moments),
    ("C27", "the types of members, and with them `$ref`, are known", _kinds),
)
"""The rules that depend on what a connector does, what that is, and how it does it."""


def _leaves(type: ResourceType) -> Iterator[Path]:
    for container, attributes in type.containers():
        for attribute in attributes:
            if attribute.returned is not Returned.NEVER and COMMON.find(attribute.name) is None:
                yield from _compared(Path(container=container, attribute=attribute))


def _compared(root: Path) -> list[Path]:
    """Name what is compared of an attribute: of a reference the id, else all parts and places."""
    if root.attribute.address is not None and root.attribute.value is not None:
        return [root.to(root.attribute.value)]
    subs = [sub for sub in root.attribute.sub_attributes if not sub.computed]
    own = places_of(root.container, root.attribute)
    return [*own] or [root.to(sub) for sub in subs] or [root]


# --- what it holds ---


def _cell(each: Described, container: str | None, standard: Attribute, type: ResourceType) -> str:
    own = each.types[type.name]
    if container is None:
        found = own.find(standard.name)
    else:
        extension = own.extension(container)
        found = None if extension is None else extension.find(standard.name)
    if found is None:
        return "-"
    searched = _searched(each.capabilities(type), Path(container=container, attribute=found))
    return "; ".join(filter(None, [_held(standard, found), searched])) or "yes"


def _held(standard: Attribute, found: Attribute) -> str:
    kind = found.find("type")
    if found.one_per_type and kind is not None:
        return f"one for each of {', '.join(kind.canonical_values)}"
    if len(found.sub_attributes) < len(standard.sub_attributes):
        return ", ".join(sub.name for sub in found.sub_attributes)
    return ""


def _searched(offered: Capabilities, root: Path) -> str:
    """Say which operators the gateway has to check, or to carry out, for any part."""
    if root.attribute.returned is Returned.NEVER:
        return "never returned"
    worst: dict[str, Support] = {}
    for path in _compared(root):
        for operator in (*operators(path.leaf), Operator.PR):
            support = offered.filter(path, operator)
            known = worst.get(operator.value, Support.EXACT)
            worst[operator.value] = max(known, support, key=_WORSE.index)
    parts = []
    for support, word in ((Support.SUPERSET, "checked"), (Support.NO, "scanned")):
        names = [name for name in _ORDER if worst.get(name) is support]
        if names:
            some = "all" if len(names) == len(worst) else " ".join(names)
            parts.append(f"{word}: {some}")
    return "; ".join(parts)


# --- the tables ---


def tables() -> str:
    """Write what the page tells of connectors."""
    return "".join(_tables(described()))


def _tables(found: Sequence[Described]) -> Iterator[str]:
    titles = " | ".join(each.title for each in found)
    rule = "|---" * len(found)
    yield f"| rules | depend on | {titles} |\n|---|---{rule}|\n"
    for rules, question, answer in ABILITIES:
        yield f"| {rules} | {question} | {' | '.join(map(answer, found))} |\n"
    for type in (USER, GROUP):
        yield f"\n| {type.name} | {titles} |\n|---{rule}|\n"
        for container, attributes in type.containers():
            for attribute in attributes:
                if COMMON.find(attribute.name) is None or attribute.name == "externalId":
                    cells = [_cell(each, container, attribute, type) for each in found]
                    yield f"| {attribute.name} | {' | '.join(cells)} |\n"
