"""What may a document of a schema or of a resource type say, and how is it written?

RFC 7643 sections 6 and 7, and the words that SCIM 1.1 had for the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from attrs import frozen

from scimgw.scim.schema import AttributeType, Mutability, Returned, Uniqueness
from scimgw.scim.values import show

T = TypeVar("T")
_NAME: Final = re.compile(r"[A-Za-z][-_0-9A-Za-z]*", re.ASCII)
_ENDPOINT: Final = re.compile(r"/[A-Za-z][-_.0-9A-Za-z]*", re.ASCII)
# RFC 8141, without what parts the words of a filter or the names in a list
_URN: Final = re.compile(
    r"urn:[0-9a-z][-0-9a-z]*:[-0-9a-z._~:/%+@!$&'*;=]*[-0-9a-z_~]", re.ASCII | re.IGNORECASE
)


class Unfit(ValueError):
    """Documents that can't be used; `faults` say why, each naming what is at fault."""

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@frozen
class Word:
    """What a member of a document must be."""

    fits: Callable[[Any], bool]
    expected: str


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in kinds


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: type(value) is str and bool(pattern.fullmatch(value))


def _one_of(words: Iterable[str]) -> Word:
    known = tuple(words)
    return Word(lambda value: type(value) is str and value in known, f"one of {', '.join(known)}")


_TEXT: Final = Word(_is(str), "a string")
_SWITCH: Final = Word(_is(bool), "true or false")
_TEXTS: Final = Word(
    lambda value: type(value) is list and all(type(each) is str for each in value),
    "an array of strings",
)
_LIST: Final = Word(_is(list), "an array")
_OBJECT: Final = Word(_is(dict), "an object")
_LETTERS: Final = "a letter, and then letters, digits, - and _ (ASCII)"
_A_NAME: Final = Word(_matches(_NAME), _LETTERS)
_A_URN: Final = Word(_matches(_URN), "a URN, such as urn:example:params:scim:schemas:Device")

ATTRIBUTE: Final[Mapping[str, Word]] = {
    "name": _A_NAME,
    "type": _one_of(each.value for each in AttributeType),
    "multiValued": _SWITCH,
    "description": _TEXT,
    "required": _SWITCH,
    "caseExact": _SWITCH,
    "mutability": _one_of(each.value for each in Mutability),
    "returned": _one_of(each.value for each in Returned),
    "uniqueness": _one_of(each.value for each in Uniqueness),
    "canonicalValues": _TEXTS,
    "referenceTypes": _TEXTS,
    "subAttributes": _LIST,
    # of SCIM 1.1
    "readOnly": _SWITCH,
    "multiValuedAttributeChildName": _TEXT,
    "schema": _TEXT,
}
SUB_ATTRIBUTE: Final[Mapping[str, Word]] = {
    **ATTRIBUTE,
    "name": Word(lambda value: value == "$ref" or _A_NAME.fits(value), f"{_LETTERS}, or $ref"),
}
SCHEMA: Final[Mapping[str, Word]] = {
    "schemas": _TEXTS,
    "id": _A_URN,
    "name": _TEXT,
    "description": _TEXT,
    "attributes": _LIST,
    "meta": _OBJECT,
}
ENTRY: Final[Mapping[str, Word]] = {**SCHEMA, "required": _SWITCH}
"""An entry of a file of custom schema: `required` is said of an extension."""
RESOURCE_TYPE: Final[Mapping[str, Word]] = {
    "schemas": _TEXTS,
    "id": _TEXT,
    "name": _A_NAME,
    "endpoint": Word(_matches(_ENDPOINT), "a slash and a name, such as /Devices"),
    "description": _TEXT,
    "schema": _A_URN,
    "schemaExtensions": _LIST,
    "meta": _OBJECT,
}
EXTENSION: Final[Mapping[str, Word]] = {"schema": _A_URN, "required": _SWITCH}


def checked(
    document: object, words: Mapping[str, Word], what: str, required: Sequence[str]
) -> Mapping[str, Any]:
    """Give a document whose members are all known and written as they must be.

    Raises: Unfit, with all that is wrong.
    """
    if not isinstance(document, dict):
        raise Unfit(f"{what} must be an object, not {show(document)}")
    named = f"{what} {show(document['name'])}" if "name" in document else what
    faults = [f"{named} needs {name}" for name in required if name not in document]
    for name, value in document.items():
        word = words.get(name)
        if word is None:
            faults.append(f"{named}: {show(name)} isn't known{_meant(name, words)}")
        elif not word.fits(value):
            faults.append(f"{named}: {name} must be {word.expected}, not {show(value)}")
    if faults:
        raise Unfit(*faults)
    return document


def _meant(name: str, words: Mapping[str, Word]) -> str:
    spelled = next((word for word in words if word.casefold() == name.casefold()), None)
    return "" if spelled is None else f"; it is spelled {spelled}"


def each(read: Callable[[Any], T], documents: Iterable[Any]) -> list[T]:
    """Read several documents.

    Raises: Unfit, with what is wrong in any of them.
    """
    found: list[T] = []
    faults: list[str] = []
    for document in documents:
        try:
            found.append(read(document))
        except Unfit as unfit:
            faults += unfit.faults
    if faults:
        raise Unfit(*faults)
    return found
