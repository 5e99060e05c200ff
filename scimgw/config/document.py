"""What does the page about configuration say?

`make docs` runs this as a command, which writes the page out of the classes.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args, get_origin, get_type_hints

import attrs

from scimgw import registry
from scimgw.clients.http import Auth as HttpAuth
from scimgw.clients.http import AuthOptions, Connection, Options, Proxy, Tls
from scimgw.config.checks import Never, Span, Texts, Unbuilt
from scimgw.config.identities import (
    Auth,
    Basic,
    BearerJwt,
    BearerJwtAzure,
    BearerOAuth,
    BearerToken,
    ClientCertificate,
    JwtOptions,
    PassThrough,
)
from scimgw.config.model import Gateway, Main, Scim
from scimgw.config.structure import camel_case
from scimgw.networks import Network
from scimgw.secret import Secret
from scimgw.tls.settings import Certificate, Pfx

CONNECTORS: Final = ("loki", "ldap", "restful", "api")
_HTTP: Final[tuple[tuple[str, type[Any]], ...]] = (
    ("connection", Connection),
    ("connection.auth", HttpAuth),
    ("connection.auth.options", AuthOptions),
    ("connection.options", Options),
    ("connection.options.tls", Tls),
    ("connection.proxy", Proxy),
)
_HTTP_HEAD: Final = """
## `connection` of connectors that speak HTTP

Part of each base entity of restful and api.  Names of files are relative to the configuration's
folder.
"""
_NAMES: Final[Mapping[Any, str]] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "true or false",
    Secret: "text",
    Network: "text",
    Texts: "text or list of text",
    Span: "number or text",
    type(None): "null",
}
_HEAD: Final = """\
# Configuration

<!-- made by `make docs` out of scimgw/config and the connectors' classes -->

`twistd scimgw -c FOLDER` reads `scimgw.json` in that folder, which names the plugins to start, and
for each plugin a file of its name: `plugin-loki.json`.  A plugin's file has two parts:
`scimgateway`, which is the same for every plugin, and `endpoint`, which is its connector's own.

Everything is checked before anything starts.  All faults are told at once, each with its file and
its path, and the exit status is 78; `--check` stops there.  Whether keys go
together, and what only the connector can tell, is looked at when each key by itself is right.  An
unknown key is a fault.  So is a key that is known but not supported yet, unless it is off: `null`,
`false`, `[]`, or `"enabled": false`.
"""


def page() -> str:
    """Write the whole page."""
    parts = [_HEAD, "\n## `scimgw.json`\n", *_section(Main)]
    for title, kind in (
        ("`scimgateway`", Gateway),
        ("`scimgateway.auth`", Auth),
        ("`scimgateway.auth.basic[]`", Basic),
        ("`scimgateway.auth.bearerToken[]`", BearerToken),
        ("`scimgateway.auth.bearerJwt[]`", BearerJwt),
        ("`scimgateway.auth.bearerJwt[].options`", JwtOptions),
        ("`scimgateway.auth.bearerJwtAzure[]`", BearerJwtAzure),
        ("`scimgateway.auth.bearerOAuth[]`", BearerOAuth),
        ("`scimgateway.auth.clientCertificate[]`", ClientCertificate),
        ("`scimgateway.auth.passThrough`", PassThrough),
        ("`scimgateway.certificate`", Certificate),
        ("`scimgateway.certificate.pfx`", Pfx),
        ("`scimgateway.scim`", Scim),
    ):
        parts += [f"\n## {title}\n", *_section(kind)]
    for name in CONNECTORS:
        config = registry.find(name).config
        parts += [
            f"\n## `endpoint` of {name}\n",
            f"\n{inspect.getdoc(config)}\n",
            *_section(config),
        ]
        for kind, places in _parts(config).items():
            if kind in dict(_HTTP).values():
                continue
            title = ", ".join(f"`endpoint{place}`" for place in places)
            parts += [f"\n### {title} of {name}\n", f"\n{inspect.getdoc(kind)}\n", *_section(kind)]
    parts.append(_HTTP_HEAD)
    for title, settings in _HTTP:
        parts += [f"\n### `{title}`\n", *_section(settings)]
    return "".join(parts)


def _section(kind: type[Any]) -> Iterator[str]:
    """Tell the keys of one object."""
    hints, docs = get_type_hints(kind), _docstrings(kind)
    later, never = [], []
    yield "\n| key | value | default | |\n|---|---|---|---|\n"
    for field in attrs.fields(kind):
        key = f"`{camel_case(field.name)}`"
        if hints[field.name] is Unbuilt:
            later.append(key)
        elif hints[field.name] is Never:
            never.append(key)
        else:
            kind_of_value = _spelled(hints[field.name])
            yield f"| {key} | {kind_of_value} | {_default(field)} | {docs[field.name]} |\n"
    if later:
        yield f"\nKnown, but not supported yet: {', '.join(later)}.\n"
    if never:
        yield f"\nKnown, and refused with the reason unless off: {', '.join(never)}.\n"


def _docstrings(kind: type[Any]) -> dict[str, str]:
    """Read the docstrings that follow the fields of a class, each on one line."""
    found: dict[str, str] = {}
    for each in kind.__mro__:
        if attrs.has(each):
            found |= _own_docstrings(each)
    return found


def _own_docstrings(kind: type[Any]) -> dict[str, str]:
    (definition,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, after in zip(definition.body, definition.body[1:], strict=False):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                value=ast.Constant(value=str(text))
            ):
                found[name] = " ".join(text.split())
    return found


def _spelled(hint: Any) -> str:
    arguments = get_args(hint)
    if hint in _NAMES:
        return _NAMES[hint]
    if attrs.has(hint):
        return "object"
    if get_origin(hint) is tuple:
        return f"list of {_spelled(arguments[0])}"
    if arguments and all(isinstance(each, str) for each in arguments):
        return " or ".join(f'`"{each}"`' for each in arguments)
    if type(None) in arguments:
        return " or ".join(_spelled(each) for each in arguments)
    return "object"


def _default(field: attrs.Attribute[Any]) -> str:
    match field.default:
        case attrs.NOTHING:
            return "required"
        case None:
            return "null"
        case bool(value):
            return str(value).lower()
        case float(value):
            return f"`{value:g}`"
        case int(value) | str(value) if value != "":
            return f"`{value}`"
        case _:  # empty: text, an object or a list
            return ""


def _parts(kind: type[Any], place: str = "") -> dict[type[Any], list[str]]:
    """Name the places of all objects below one, by their class, in order."""
    found: dict[type[Any], list[str]] = {}
    for name, hint in get_type_hints(kind).items():
        inner = next((each for each in (hint, *get_args(hint)[-1:]) if attrs.has(each)), None)
        if inner is None:
            continue
        below = f"{place}.{camel_case(name)}" + ("" if inner is hint else ".<name>")
        found.setdefault(inner, []).append(below)
        for each, places in _parts(inner, below).items():
            found.setdefault(each, []).extend(places)
    return found


if __name__ == "__main__":
    sys.stdout.write(page())
