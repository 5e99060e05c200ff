"""Which resource types does a plugin have, by its files in `schemas/`?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from scimgw import jsontext
from scimgw.config.model import Scim
from scimgw.jsontext import NotJson
from scimgw.scim.custom import STANDARD, Unfit, extended, own_types
from scimgw.scim.schema import ResourceType

FOLDER: Final = "schemas"
"""Where the files are, in the configuration folder."""


class Unusable(Exception):
    """What is wrong with a file, and the key that names it."""

    def __init__(self, key: str, fault: str) -> None:
        super().__init__(fault)
        self.key = key


def resource_types(folder: Path, scim: Scim) -> tuple[ResourceType, ...]:
    """Give users and groups, with custom attributes, and resource types of one's own.

    Raises: Unusable.
    """
    types: tuple[ResourceType, ...] = STANDARD
    if scim.custom_schema is not None:
        name = scim.custom_schema
        try:
            types = extended(_read(folder, name))
        except (Unfit, OSError, NotJson) as fault:
            raise Unusable("customSchema", f"{FOLDER}/{name}: {_told(fault)}") from fault
    name = ""
    documents: list[Any] = []
    try:
        for name in scim.resource_types:
            documents += _listed(_read(folder, name))
        name = ", ".join(scim.resource_types)
        return (*types, *own_types(documents, types))
    except (Unfit, OSError, NotJson) as fault:
        raise Unusable("resourceTypes", f"{FOLDER}/{name}: {_told(fault)}") from fault


def _read(folder: Path, name: str) -> Any:
    return jsontext.decode((folder / FOLDER / name).read_bytes())


def _listed(document: Any) -> Iterator[Any]:
    yield from document if isinstance(document, list) else (document,)


def _told(fault: Exception) -> str:
    return f"can't be read: {fault.strerror}" if isinstance(fault, OSError) else str(fault)
