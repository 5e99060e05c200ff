"""What is the right answer, worked out plainly?

The semantics of filters, sorting and PATCH once more, written for reading and sharing no code with
what the gateway runs: tests hold the two against each other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from scimgw.scim.filter import And, Compare, Filter, Not, Operator, Or, Present, ValuePath
from scimgw.scim.path import Path
from scimgw.scim.schema import Attribute, AttributeType, ResourceType

JSON = dict[str, Any]


class Refused(Exception):
    """A request that must be refused, with this scimType."""


def _comparable(attribute: Attribute, value: Any) -> Any:
    if attribute.type is AttributeType.DATE_TIME:
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if isinstance(value, str) and not attribute.case_exact:
        return without_case(value)
    return value


def without_case(text: str) -> str:
    """Lower the case of each letter by itself, in the usual width and the composed form."""
    letters = map(_in_usual_width, unicodedata.normalize("NFC", text))
    lower = "".join(each.lower() if len(each.lower()) == 1 else each for each in letters)
    return unicodedata.normalize("NFC", lower)


def _in_usual_width(letter: str) -> str:
    kind, _, code = unicodedata.decomposition(letter).partition(" ")
    return chr(int(code, 16)) if kind in {"<wide>", "<narrow>"} else letter


def _values(path: Path, data: Mapping[str, Any]) -> list[Any]:
    inside = data.get(path.container, {}) if path.container else data
    value = inside.get(path.attribute.name)
    found = [] if value is None else value if path.attribute.multi_valued else [value]
    if path.sub is None:
        return list(found)
    return [element[path.sub.name] for element in found if path.sub.name in element]


def matches(filter: Filter, data: Mapping[str, Any]) -> bool:
    """Tell whether a resource is selected (RFC 7644 section 3.4.2.2)."""
    if isinstance(filter, And):
        return all(matches(term, data) for term in filter.terms)
    if isinstance(filter, Or):
        return any(matches(term, data) for term in filter.terms)
    if isinstance(filter, Not):
        return not matches(filter.term, data)
    values = _values(filter.path, data)
    if isinstance(filter, ValuePath):
        return any(matches(filter.filter, element) for element in values)
    if isinstance(filter, Present):
        return bool(values)
    return _compares(filter, values)


def _compares(filter: Compare, values: list[Any]) -> bool:
    if not values:
        return filter.operator is Operator.NE
    wanted = _comparable(filter.path.leaf, filter.value)
    held = [_comparable(filter.path.leaf, value) for value in values]
    return any(_compare(filter.operator, each, wanted) for each in held)


def _compare(operator: Operator, held: Any, wanted: Any) -> bool:
    if operator is Operator.CO:
        return wanted in held
    if operator is Operator.SW:
        return bool(held[: len(wanted)] == wanted)
    if operator is Operator.EW:
        return bool(held[len(held) - len(wanted) :] == wanted and len(held) >= len(wanted))
    equal, less = held == wanted, operator not in {Operator.EQ, Operator.NE} and held < wanted
    outcomes: dict[Operator, bool] = {
        Operator.EQ: equal,
        Operator.NE: not equal,
        Operator.GT: not (equal or less),
        Operator.GE: not less,
        Operator.LT: less,
        Operator.LE: less or equal,
    }
    return outcomes[operator]


def ordered(resources: Sequence[JSON], path: Path, *, descending: bool) -> list[JSON]:
    """Sort: those without a value last, descending first; the primary of several values counts."""
    having: list[tuple[Any, JSON]] = []
    lacking: list[tuple[Any, JSON]] = []
    for resource in resources:
        value = _sorted_by(path, resource)
        (lacking if value is None else having).append((value, resource))
    in_order = sorted(having, key=lambda pair: pair[0], reverse=descending)
    return [resource for _, resource in (lacking + in_order if descending else in_order + lacking)]


def _sorted_by(path: Path, data: JSON) -> Any:
    inside = data.get(path.container, {}) if path.container else data
    value = inside.get(path.attribute.name)
    if path.attribute.multi_valued and value:
        if path.sub is not None:
            value = [element for element in value if path.sub.name in element]
            value = [e for e in value if e.get("primary")] + value
        value = value[0] if value else None
    if value is not None and path.sub is not None:
        value = value.get(path.sub.name)
    return None if value is None else _comparable(path.leaf, value)


_PATH = re.compile(
    r"(?P<urn>urn:.+:)?(?P<name>\w+)(\[(?P<key>\$?\w+) eq (?P<value>.+)\])?(\.(?P<sub>\$?\w+))?"
)


def patched(type: ResourceType, data: JSON, operations: Sequence[JSON]) -> JSON:
    """Carry out operations as `strategies.operations` gives them (RFC 7644 section 3.5.2).

    What is replaced in a place that an attribute has for a type needn't have been there.

    Raises: Refused.
    """
    result: JSON = _copied(data)
    for operation in operations:
        replaced = operation["op"] == "replace" and _is_place(type, operation["path"])
        _patch(type, result, {**operation, "op": "add"} if replaced else operation)
    for attribute in type.attributes:
        required = [sub.name for sub in attribute.sub_attributes if sub.required]
        if any(name not in each for name in required for each in result.get(attribute.name, ())):
            raise Refused("invalidValue")
    return result


def _is_place(type: ResourceType, path: str) -> bool:
    found = _PATH.fullmatch(path)
    attribute = type.find(found["name"]) if found and found["sub"] else None
    if found is None or attribute is None or not attribute.one_per_type or found["key"] != "type":
        return False
    kind = attribute.find("type")
    canonical = kind is not None and found["value"].strip('"') in kind.canonical_values
    return canonical and found["sub"] != "type"


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def _patch(type: ResourceType, data: JSON, operation: JSON) -> None:
    found = _PATH.fullmatch(operation["path"])
    assert found is not None
    urn = found["urn"][:-1] if found["urn"] else None
    extension = type.extension(urn) if urn else None
    attribute = extension.find(found["name"]) if extension else type.find(found["name"])
    assert attribute is not None
    inside = data.setdefault(extension.id, {}) if extension else data
    value = inside.pop(attribute.name, None)
    after: Any
    if attribute.multi_valued:
        after = _many(attribute, value or [], operation, found)
    elif attribute.is_complex:
        after = _complex(attribute, value or {}, operation, found["sub"])
    else:
        after = operation.get("value")
    if after not in (None, [], {}):
        inside[attribute.name] = after
    if extension and not inside:
        del data[extension.id]


def _complex(attribute: Attribute, held: JSON, operation: JSON, sub: str | None) -> JSON:
    if operation["op"] == "remove":
        after = {name: value for name, value in held.items() if sub and name != sub}
        changed = {sub} if sub else set()
    else:
        given = {sub: operation["value"]} if sub else operation["value"]
        after, changed = {**held, **given}, set(given)
    if "value" in changed and attribute.find("$ref") is not None:
        dependent = {each.name for each in attribute.sub_attributes if each.read_only} | {"$ref"}
        after = {
            name: value for name, value in after.items() if name in changed or name not in dependent
        }
    return after


def _same(attribute: Attribute, one: Any, other: Any) -> bool:
    """Whether two values are the same one (RFC 7643 section 2.4)."""
    if attribute.one_per_type:
        return bool(one.get("type", "").lower() == other.get("type", "").lower())
    if not isinstance(one, dict):
        return bool(_comparable(attribute, one) == _comparable(attribute, other))
    value = attribute.find("value")
    if value is None or "value" not in one or "value" not in other:
        return bool(one == other)
    same = _comparable(value, one["value"]) == _comparable(value, other["value"])
    if attribute.name == "members":
        return bool(same)
    return bool(same and _kind(one) == _kind(other))


def _kind(element: Mapping[str, Any]) -> str:
    return without_case(element.get("type", ""))


def _many(
    attribute: Attribute, held: list[Any], operation: JSON, found: re.Match[str]
) -> list[Any]:
    op, given, sub = operation["op"], operation.get("value"), found["sub"]
    if found["key"] is None and sub is None:
        return _all_values(attribute, held, op, given)
    key = attribute.find(found["key"]) if found["key"] else None
    wanted = found["value"].strip('"') if found["value"] else None
    after: list[Any] = []
    touched: list[Any] = []
    for element in held:
        value = element.get(found["key"]) if key else None
        if key and (
            value is None or _comparable(key, value) != _comparable(key, _unquoted(wanted))
        ):
            after.append(element)
            continue
        if op == "remove":
            changed = (
                {name: each for name, each in element.items() if name != sub}
                if sub not in (None, "value")
                else {}
            )
        else:
            changed = {**element, sub: given}
        touched.append(changed)
        if changed:
            after.append(changed)
    if not touched and op != "remove":
        if op == "replace":
            raise Refused("noTarget")
        new = {found["key"]: _unquoted(wanted), sub: given}
        if key and _comparable(key, new[found["key"]]) != _comparable(key, _unquoted(wanted)):
            raise Refused("noTarget")
        touched.append(new)
        after.append(new)
    return _settled(attribute, after, touched)


def _unquoted(text: str | None) -> str:
    return (text or "").replace('\\"', '"').replace("\\\\", "\\")


def _all_values(attribute: Attribute, held: list[Any], op: str, given: Any) -> list[Any]:
    if op == "remove":
        return [
            each
            for each in held
            if given and not any(_same(attribute, each, gone) for gone in given)
        ]
    if op == "replace":
        return _settled(attribute, list(given), list(given))
    after = list(held)
    touched = []
    for new in given:
        place = next(
            (place for place, each in enumerate(after) if _same(attribute, each, new)), None
        )
        if place is None:
            after.append(new)
            touched.append(new)
        elif isinstance(new, dict) and attribute.name != "members":
            after[place] = {**after[place], **new}
            touched.append(after[place])
    return _settled(attribute, after, touched)


def _in_places(attribute: Attribute, elements: list[Any]) -> list[Any]:
    kind = attribute.find("type")
    kinds = [each.get("type") for each in elements]
    if kind is None or len(set(kinds)) < len(kinds) or not set(kinds) <= {*kind.canonical_values}:
        raise Refused("invalidValue")
    return [each for each in elements if set(each) != {"type"}]


def _settled(attribute: Attribute, after: list[Any], touched: list[Any]) -> list[Any]:
    """Leave one primary value, and one of each that are the same."""
    if attribute.one_per_type:
        return _in_places(attribute, after)
    if any(isinstance(each, dict) and each.get("primary") for each in touched):
        after = [
            {**each, "primary": False}
            if each.get("primary") and not any(each is new for new in touched)
            else each
            for each in after
        ]
    single: list[Any] = []
    for each in after:
        place = next(
            (place for place, one in enumerate(single) if _same(attribute, one, each)), None
        )
        if place is None:
            single.append(each)
        elif isinstance(each, dict) and attribute.name != "members":
            single[place] = {**single[place], **each}
    if sum(1 for each in single if isinstance(each, dict) and each.get("primary")) > 1:
        raise Refused("invalidValue")
    return single


def in_no_order(value: Any) -> Any:
    """Make comparable what holds values whose order means nothing (RFC 7643 section 2.4)."""
    if isinstance(value, dict):
        return {name: in_no_order(value[name]) for name in sorted(value)}
    return sorted(repr(in_no_order(each)) for each in value) if isinstance(value, list) else value
