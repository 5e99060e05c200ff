"""Does a JSON value fit an attrs class, and if not, where?"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, Literal, TypeVar, get_args, get_origin

import attrs
import cattrs
from attrs import frozen
from cattrs.cols import homogenous_tuple_structure_factory, is_mapping, mapping_structure_factory
from cattrs.errors import (
    AttributeValidationNote,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn, override

from scimgw.config.checks import Never, Span, Texts, Unbuilt
from scimgw.connector import Invalid
from scimgw.networks import Network, parse_network
from scimgw.scim.values import show
from scimgw.secret import Secret

T = TypeVar("T")


@frozen
class Misfit:
    """What is wrong, at which JSON path."""

    path: str
    fault: str


class Misfits(Exception):
    """All that is wrong with a value."""

    def __init__(self, found: list[Misfit]) -> None:
        super().__init__(found)
        self.found = found


class _OutOfBounds(Invalid):
    """A key's value isn't allowed, as its validator says, which names the key itself."""


def structure(value: Any, kind: type[T], path: str) -> T:
    """Make an instance of an attrs class of a JSON value.

    Raises: Misfits.
    """
    try:
        return _CONVERTER.structure(value, kind)
    except Exception as error:
        # whatever a class of a third party may raise is a fault of the value
        raise Misfits(list(_misfits(error, path))) from error


def camel_case(name: str) -> str:
    """Spell the name of a field as the files do."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def unknown(key: str, known: Iterable[str]) -> str:
    """Say that a key isn't known, and which may be meant."""
    folded = {each.casefold(): each for each in known}
    close = get_close_matches(key.casefold(), folded, n=1, cutoff=0.8)
    return f"unknown key; is {folded[close[0]]} meant?" if close else "unknown key"


def is_off(value: Any) -> bool:
    """Whether a value means off: null, [], false, enabled: false, and what holds only such."""
    if isinstance(value, Mapping):
        return value.get("enabled") is False or all(map(is_off, value.values()))
    if isinstance(value, list):
        return all(map(is_off, value))
    return value is None or value is False


def _misfits(error: BaseException, path: str) -> Iterator[Misfit]:
    match error:
        case ClassValidationError() | IterableValidationError():
            noted, others = error.group_exceptions()
            for inner, note in noted:
                step = "" if isinstance(inner, _OutOfBounds) else _step(note)
                yield from _misfits(inner, path + step)
            for inner in others:
                yield from _misfits(inner, path)
        case ForbiddenExtraKeysError():
            yield from (
                Misfit(f"{path}.{key}", unknown(key, _keys(error.cl)))
                for key in sorted(error.extra_fields)
            )
        case KeyError():
            yield Misfit(path, "required")
        case Invalid():
            yield Misfit(f"{path}.{camel_case(error.name)}", str(error))
        case _:
            yield Misfit(path, str(error))


def _keys(kind: type[Any]) -> list[str]:
    return [camel_case(each.name) for each in attrs.fields(kind)]


def _step(note: AttributeValidationNote | IterableValidationNote) -> str:
    if isinstance(note, AttributeValidationNote):
        return f".{camel_case(note.name)}"
    return f"[{note.index}]" if isinstance(note.index, int) else f".{note.index}"


def _strict(kind: type[Any], name: str) -> Any:
    def check(value: Any, _: Any) -> Any:
        if isinstance(value, Secret):
            raise TypeError("only a secret can be encrypted")
        if type(value) is not kind:
            raise TypeError(f"must be {name}, not {_shown(value, whole=kind in _CONTAINERS)}")
        return value

    return check


def _shown(value: Any, *, whole: bool = False) -> str:
    """Show what is wrong; of what may hold a secret, as what stands for an object may, its kind."""
    if isinstance(value, _CONTAINERS) or (whole and type(value) in _KINDS):
        return _KINDS[type(value)]
    return show(value)


_CONTAINERS: Final = (dict, list)
_KINDS: Final[Mapping[type, str]] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
}


def _secret(value: Any, _: Any) -> Secret:
    if isinstance(value, Secret):  # which was encrypted
        return value
    if not isinstance(value, str) or not value:
        raise TypeError("must be a string that isn't empty")
    return Secret(value)


def _network(value: Any, _: Any) -> Network:
    return parse_network(_strict(str, "a string")(value, str))


def _unbuilt(value: Any, _: Any) -> Unbuilt:
    if not is_off(value):
        raise ValueError("isn't supported yet: leave it out, or set it to null")
    return Unbuilt.OFF


def _literal(value: Any, kind: Any) -> Any:
    allowed = get_args(kind)
    if value not in allowed:
        raise ValueError(f"must be {' or '.join(map(repr, allowed))}, not {_shown(value)}")
    return value


def _number(value: Any, _: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"must be a number, not {_shown(value)}")
    return float(value)


def _texts(value: Any, _: Any) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(each, str) and each for each in listed):
        raise TypeError(f"must be a string or a list of strings, not {_shown(value)}")
    return tuple(listed)


def _span(value: Any, _: Any) -> float:
    """Read seconds, or a number with its unit: "90s", "2h", "10 days"."""
    if not isinstance(value, str):
        return _number(value, _)
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?) ?([a-z]+)", value.casefold(), re.ASCII)
    seconds = None if found is None else _UNITS.get(found[2].rstrip("s") or "s")
    if found is None or seconds is None:
        raise ValueError(
            f'must be seconds, or text such as "90s", "2h", "10 days", not {_shown(value)}'
        )
    return float(found[1]) * seconds


_UNITS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("s", "sec", "second"), 1),
    **dict.fromkeys(("m", "min", "minute"), 60),
    **dict.fromkeys(("h", "hr", "hour"), 3600),
    **dict.fromkeys(("d", "day"), 24 * 3600),
    **dict.fromkeys(("w", "week"), 7 * 24 * 3600),
}


def _guarded(kind: type[Any], name: str, make: Any) -> Any:
    """Hand on only what is written as it must be."""
    check = _strict(kind, name)
    return lambda value, target: make(check(value, target), target)


def _object(kind: type[Any], converter: cattrs.Converter) -> Any:
    keys = {
        each.name: override(rename=camel_case(each.name), struct_hook=_in_bounds(each, converter))
        for each in attrs.fields(kind)
    }
    make = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True, **keys)  # type: ignore[arg-type]
    return _guarded(dict, "an object", make)


def _in_bounds(attribute: attrs.Attribute[Any], converter: cattrs.Converter) -> Any:
    """Hold a value against its bounds when it is read; the object itself would tell of one only."""
    validate = attribute.validator
    if validate is None or attribute.converter is not None:
        return None

    def check(value: Any, kind: Any) -> Any:
        made = converter.structure(value, kind)
        try:
            validate(None, attribute, made)
        except Invalid as fault:
            raise _OutOfBounds(fault.name, str(fault)) from fault
        except Exception:  # noqa: BLE001 - it may want the object, and is asked again by that
            return made
        return made

    return check


def _array(kind: Any, converter: cattrs.Converter) -> Any:
    return _guarded(list, "an array", homogenous_tuple_structure_factory(kind, converter))


def _mapping(kind: Any, converter: cattrs.Converter) -> Any:
    return _guarded(dict, "an object", mapping_structure_factory(kind, converter))


def _is_array(kind: Any) -> bool:
    """Whether a type is `tuple[X, ...]`."""
    origin: object = get_origin(kind)
    return origin is tuple and get_args(kind)[-1:] == (...,)


def _is_literal(kind: Any) -> bool:
    origin: object = get_origin(kind)
    return origin is Literal


def _made() -> cattrs.Converter:
    converter = cattrs.Converter()
    converter.register_structure_hook_factory(attrs.has, _object)
    converter.register_structure_hook_factory(_is_array, _array)
    converter.register_structure_hook_factory(is_mapping, _mapping)
    converter.register_structure_hook_func(_is_literal, _literal)
    converter.register_structure_hook(Secret, _secret)
    converter.register_structure_hook(Unbuilt, _unbuilt)
    converter.register_structure_hook(Never, lambda value, _: value)
    converter.register_structure_hook_func(lambda kind: kind == Network, _network)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(Texts, _texts)
    converter.register_structure_hook(Span, _span)
    for kind, name in ((str, "a string"), (int, "an integer"), (bool, "true or false")):
        converter.register_structure_hook(kind, _strict(kind, name))
    return converter


_CONVERTER: Final = _made()
