"""What do the files in a configuration folder say, and what is wrong with them?

Everything is read and checked before anything is built, and all faults are told at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from attrs import field, frozen

from scimgw import jsontext, registry
from scimgw.config.encrypted import opened
from scimgw.config.hkdf import derive, kept
from scimgw.config.model import Gateway, Main, Scim
from scimgw.config.schemas import Unusable, resource_types
from scimgw.config.structure import Misfits, is_off, structure, unknown
from scimgw.connector import NO_ENTITY, ConnectorPlugin, Misconfigured
from scimgw.jsontext import NotJson
from scimgw.registry import UnknownConnector
from scimgw.scim.custom import STANDARD
from scimgw.scim.schema import ResourceType
from scimgw.sealed import PREFIX as ENCRYPTED
from scimgw.sealed import PURPOSE
from scimgw.secret import Secret
from scimgw.tls.context import Ready, ready
from scimgw.tls.settings import Certificate

MAIN: Final = "scimgw.json"
PREFIX: Final = "plugin-"
EXTERNAL: Final = ("process.env.", "process.file.", "process.text.")
"""What is in values that stand elsewhere."""

T = TypeVar("T")


@frozen
class Fault:
    """What is wrong, in which file, at which JSON path."""

    file: str
    path: str
    fault: str

    def __str__(self) -> str:
        """Spell the fault on one line."""
        return f"{self.file}: {self.path}: {self.fault}"


class Faults(Exception):
    """All that is wrong with a configuration."""

    def __init__(self, found: list[Fault]) -> None:
        super().__init__("\n".join(map(str, found)))
        self.found = found


@frozen(kw_only=True)
class PluginConfig:
    """One plugin: its settings, its connector, the endpoint's settings, its base entities."""

    name: str
    gateway: Gateway
    connector: ConnectorPlugin
    endpoint: Any
    entities: frozenset[str]
    folder: Path = Path()
    resource_types: tuple[ResourceType, ...] = STANDARD
    tls: Ready | None = None


@frozen(kw_only=True)
class Configuration:
    """All that a folder says."""

    plugins: tuple[PluginConfig, ...]
    data_directory: Path = Path()
    secret_key: Secret | None = field(default=None, repr=False)


def load(folder: Path) -> Configuration:
    """Read a configuration folder.

    Raises: Faults.
    """
    reader = _Reader(folder)
    main = reader.main()
    names = () if main is None else main.plugins
    key = None if main is None else _secrets_key(folder, main)
    plugins = [
        plugin for name in dict.fromkeys(names) if (plugin := reader.plugin(name, key)) is not None
    ]
    faults = [*reader.faults, *_twice(names), *_shared_ports(reader.ports)]
    if faults or main is None:
        raise Faults(faults)
    return _configuration(folder, main, tuple(plugins))


def load_main(folder: Path) -> Configuration:
    """Read `scimgw.json` of a configuration folder, and nothing of the plugins.

    Raises: Faults.
    """
    reader = _Reader(folder)
    main = reader.main()
    if reader.faults or main is None:
        raise Faults(reader.faults)
    return _configuration(folder, main)


def _configuration(
    folder: Path, main: Main, plugins: tuple[PluginConfig, ...] = ()
) -> Configuration:
    return Configuration(
        plugins=plugins,
        data_directory=folder / main.data_directory,
        secret_key=main.secret_key,
    )


def _secrets_key(folder: Path, main: Main) -> bytes | None:
    """Give the key of what is encrypted; none is made here."""
    if main.secret_key is not None:
        secret: bytes | None = main.secret_key.reveal().encode()
    else:
        secret = kept(folder / main.data_directory)
    return None if secret is None else derive(secret, PURPOSE)


@frozen
class _Reader:
    """Reads files, and collects what is wrong with them."""

    folder: Path
    faults: list[Fault] = field(init=False, factory=list)
    ports: dict[str, Any] = field(init=False, factory=dict)
    """The port of each plugin, be it otherwise faulty."""

    def main(self) -> Main | None:
        document = self.document(MAIN)
        if document is None:
            return None
        if str(document.get("secretKey")).startswith(ENCRYPTED):
            self._fault(MAIN, "$.secretKey", "is what others are encrypted with")
            return None
        return self.structured(MAIN, document, Main, "$")

    def plugin(self, name: str, key: bytes | None) -> PluginConfig | None:
        file = f"{name}.json"
        document = self.document(file)
        if document is None:
            return None
        document = modern(opened(document, key, lambda *fault: self._fault(file, *fault)))
        sections = {key: document.get(key) for key in ("scimgateway", "endpoint")}
        self.faults.extend(
            Fault(file, f"$.{key}", unknown(key, sections))
            for key in document
            if key not in sections
        )
        self.ports[name] = _mapping(sections["scimgateway"]).get("port")
        gateway = self.structured(file, sections["scimgateway"], Gateway, "$.scimgateway")
        scim = _sound(sections["scimgateway"], "scim", Scim) or Scim()
        certificate = _sound(sections["scimgateway"], "certificate", Certificate)
        types = self._resource_types(file, scim)
        tls = None if certificate is None else self._tls(file, certificate)
        connector = self._connector(file, name, sections["scimgateway"])
        if connector is None:
            return None
        endpoint = self.structured(file, sections["endpoint"], connector.config, "$.endpoint")
        if gateway is None or endpoint is None or types is None:
            return None
        entities = _mapping(sections["endpoint"]).get("entity", {NO_ENTITY: {}})
        return PluginConfig(
            name=name,
            gateway=gateway,
            connector=connector,
            endpoint=endpoint,
            entities=frozenset(entities),
            folder=self.folder,
            resource_types=types,
            tls=tls,
        )

    def document(self, file: str) -> dict[str, Any] | None:
        fault = "must be an object"
        try:
            document = jsontext.decode((self.folder / file).read_bytes())
        except NotJson as error:
            document, fault = None, str(error)
        except OSError as error:
            where = self.folder.absolute()
            document, fault = None, f"can't be read in {where}: {error.strerror}"
        if isinstance(document, dict):
            self.faults.extend(
                Fault(file, path, "values from elsewhere aren't supported yet")
                for path in _external(document)
            )
            return document
        self._fault(file, "$", fault)
        return None

    def structured(self, file: str, value: Any, kind: type[T], path: str) -> T | None:
        if value is None:
            self._fault(file, path, "required")
            return None
        try:
            return structure(value, kind, path)
        except Misfits as misfits:
            for each in misfits.found:
                self._fault(file, each.path, each.fault)
            return None

    def _resource_types(self, file: str, scim: Scim) -> tuple[ResourceType, ...] | None:
        try:
            return resource_types(self.folder, scim)
        except Unusable as unusable:
            for key, fault in unusable.faults:
                self._fault(file, f"$.scimgateway.scim.{key}", fault)
            return None

    def _tls(self, file: str, certificate: Certificate) -> Ready | None:
        try:
            return ready(certificate, self.folder)
        except Misconfigured as misconfigured:
            for path, fault in misconfigured.faults:
                self._fault(file, f"$.scimgateway.certificate{path}", fault)
            return None

    def _connector(self, file: str, name: str, section: Any) -> ConnectorPlugin | None:
        named = section.get("connector") if isinstance(section, dict) else None
        connector = named if isinstance(named, str) else name.removeprefix(PREFIX).replace("-", "_")
        try:
            return registry.find(connector)
        except UnknownConnector as fault:
            self._fault(file, "$.scimgateway.connector", str(fault))
            return None

    def _fault(self, file: str, path: str, fault: str) -> None:
        self.faults.append(Fault(file, path, fault))


def modern(document: Mapping[str, Any]) -> dict[str, Any]:
    """Respell what older files of the original gateway say."""
    section = document.get("scimgateway")
    if not isinstance(section, dict):
        return dict(document)
    section = dict(section)
    if "scimversion" in section:
        section["scim"] = {"version": section.pop("scimversion"), **_mapping(section.get("scim"))}
    if "loglevel" in section:
        section["log"] = {"loglevel": section.pop("loglevel"), **_mapping(section.get("log"))}
    certificate = section.get("certificate")
    if isinstance(certificate, dict):
        listed = {key: _list(each) if key in _FILES else each for key, each in certificate.items()}
        section["certificate"] = None if is_off(certificate) else listed  # templates: no values
    auth = section.get("auth")
    if isinstance(auth, dict):
        section["auth"] = {
            key: [value] if isinstance(value, dict) and key in _LISTS else value
            for key, value in auth.items()
            if value is not None
        }
        if is_off(section["auth"].get("passThrough")):
            section["auth"].pop("passThrough", None)
        for key in section["auth"].keys() & _LISTS:
            entries = section["auth"][key]
            if isinstance(entries, list):  # templates have entries without values
                section["auth"][key] = [_respelled(each) for each in entries if not is_off(each)]
    return {**document, "scimgateway": section}


def _respelled(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {_OLDER.get(key, key): value for key, value in entry.items()}


def _list(value: Any) -> Any:
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


_LISTS: Final = frozenset({"basic", "bearerToken", "bearerJwt", "bearerJwtAzure", "bearerOAuth"})
_FILES: Final = frozenset({"ca", "clientCa"})
"""Lists of files that may be one file."""
_OLDER: Final = {
    "client_id": "clientId",
    "client_secret": "clientSecret",
    "expires_in": "expiresIn",
}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _sound(section: Any, key: str, kind: type[T]) -> T | None:
    """Read a part of a section, which is faulty elsewhere perhaps; None if it is none."""
    value = _mapping(section).get(key)
    try:
        return None if value is None else structure(value, kind, "")
    except Misfits:  # which is told of the section
        return None


def _external(value: Any, path: str = "$") -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _external(each, f"{path}.{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _external(each, f"{path}[{number}]")
    elif isinstance(value, str) and any(marker in value for marker in EXTERNAL):
        yield path


def _twice(names: tuple[str, ...]) -> list[Fault]:
    return [
        Fault(MAIN, f"$.plugins[{place}]", f"{name} is listed twice")
        for place, name in enumerate(names)
        if name in names[:place]
    ]


def _shared_ports(ports: Mapping[str, Any]) -> list[Fault]:
    first: dict[Any, str] = {}
    return [
        Fault(f"{name}.json", "$.scimgateway.port", f"{port} is the port of {first[port]} too")
        for name, port in ports.items()
        if type(port) is int and first.setdefault(port, name) != name
    ]
