"""Which resource types does a plugin have, by its files in `schemas/`?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from scimgw import jsontext
from scimgw.config.model import Scim
from scimgw.jsontext import NotJson
from scimgw.scim.custom import STANDARD, check_documents, extended, own_types
from scimgw.scim.fitting import unknown_references
from scimgw.scim.schema import ResourceType
from scimgw.scim.words import Unfit

FOLDER: Final = "schemas"
"""Where the files are, in the configuration folder."""
_CUSTOM: Final = "customSchema"
_OWN: Final = "resourceTypes"


class Unusable(Exception):
    """What is wrong with files: pairs of the key that names them, and the fault."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(fault for _, fault in faults))
        self.faults = tuple(faults)


def resource_types(folder: Path, scim: Scim) -> tuple[ResourceType, ...]:
    """Give users and groups, with custom attributes, and resource types of one's own.

    Raises: Unusable, with all that is wrong.
    """
    reader = _Reader(folder / FOLDER)
    standard: tuple[ResourceType, ...] = STANDARD
    if scim.custom_schema is not None:
        with reader.telling(_CUSTOM, scim.custom_schema):
            standard = extended(reader.read(scim.custom_schema))
    documents: list[Any] = []
    for name in scim.resource_types:
        with reader.telling(_OWN, name):
            listed = _listed(reader.read(name))
            check_documents(listed)
            documents += listed
    reader.end()
    own: tuple[ResourceType, ...] = ()
    with reader.telling(_OWN, *scim.resource_types):
        own = own_types(documents, standard)
    reader.end()
    types = (*standard, *own)
    for key, names, holders in (
        (_CUSTOM, [str(scim.custom_schema)], standard),
        (_OWN, scim.resource_types, own),
    ):
        with reader.telling(key, *names):
            faults = [fault for each in holders for fault in unknown_references(each, types)]
            if faults:
                raise Unfit(*faults)
    reader.end()
    return types


@frozen
class _Reader:
    """Reads files of a folder, and collects what is wrong with them."""

    folder: Path
    faults: list[tuple[str, str]] = field(init=False, factory=list)

    def read(self, name: str) -> Any:
        return jsontext.decode((self.folder / name).read_bytes())

    @contextmanager
    def telling(self, key: str, *names: str) -> Iterator[None]:
        where = f"{FOLDER}/{', '.join(names)}"
        try:
            yield
        except Unfit as unfit:
            self.faults.extend((key, f"{where}: {fault}") for fault in unfit.faults)
        except NotJson as fault:
            self.faults.append((key, f"{where}: {fault}"))
        except OSError as fault:
            self.faults.append((key, f"{where}: can't be read: {fault.strerror}"))
        except ValueError:  # of a NUL, or half a character
            self.faults.append((key, f"{where!r}: can't be the name of a file"))

    def end(self) -> None:
        if self.faults:
            raise Unusable(self.faults)


def _listed(document: Any) -> list[Any]:
    return document if isinstance(document, list) else [document]
