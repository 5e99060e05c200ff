"""What is a SCIM filter in LDAP?

RFC 4511 section 4.5.1.7, made of octets: whatever a value holds, it is a value.  A directory may
find too much, since it looks past blanks and forms of letters; it must not find too little.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, assert_never

from ldaptor.protocols import pureldap

from connectors.ldap.account import account_of
from scimgw.connector import Support
from scimgw.errors import InvalidValue
from scimgw.mapping import Mapping as Mapped
from scimgw.mapping import Slot
from scimgw.scim.filter import (
    ORDERING,
    SUBSTRING,
    And,
    Compare,
    Filter,
    Not,
    Operator,
    Or,
    Present,
    ValuePath,
)
from scimgw.scim.path import Path
from scimgw.scim.schema import TEXT, AttributeType
from scimgw.scim.values import EPOCH, instant

REFERENCES: Final = frozenset({"members", "groups", "manager"})
"""SCIM attributes whose values are ids in SCIM and DNs in a directory."""
_BLANKS: Final = re.compile(r"\s+")


def is_reference(slot: Slot) -> bool:
    """Whether an attribute of the directory holds DNs of users and groups."""
    return slot.path.attribute.name in REFERENCES


# --- what can be asked ---


def supports(mapping: Mapped, path: Path, operator: Operator, *, nobody: bool = False) -> Support:
    """Tell how well a directory compares a path itself.

    `nobody` is whether a reference may be to one who stands for none.
    """
    slots = mapping.compared(path)
    if not slots or not all(slot.search for slot in slots):
        return Support.NO
    if nobody and operator is Operator.PR and any(map(is_reference, slots)):
        return Support.SUPERSET
    return min((_support(slot, operator) for slot in slots), key=_ORDER.index)


_ORDER: Final = (Support.NO, Support.SUPERSET, Support.EXACT)


def _support(slot: Slot, operator: Operator) -> Support:
    type = slot.path.leaf.type
    if operator is Operator.PR:
        exact = type is not AttributeType.DATE_TIME and account_of(slot.name) is None
        return Support.EXACT if exact else Support.SUPERSET
    if account_of(slot.name) is not None:
        return Support.EXACT if operator is Operator.EQ else Support.NO
    if is_reference(slot):
        return Support.SUPERSET if operator is Operator.EQ else Support.NO
    if type is AttributeType.DATE_TIME:
        return Support.SUPERSET if operator in ORDERING else Support.NO
    textual = operator in SUBSTRING and type in TEXT - {AttributeType.BINARY}
    return Support.SUPERSET if textual or operator is Operator.EQ else Support.NO


# --- how it is asked ---


def equal(name: str, value: bytes) -> Any:
    """Compare with a value."""
    return pureldap.LDAPFilter_equalityMatch(
        attributeDesc=pureldap.LDAPAttributeDescription(name.encode()),
        assertionValue=pureldap.LDAPAssertionValue(value),
    )


def present(name: str) -> Any:
    """Ask whether there is any value."""
    return pureldap.LDAPFilter_present(name.encode())


def all_of(filters: Sequence[Any]) -> Any:
    """Join with and; there must be at least one."""
    return filters[0] if len(filters) == 1 else pureldap.LDAPFilter_and(list(filters))


def any_of(filters: Sequence[Any]) -> Any:
    """Join with or; none match nothing."""
    if not filters:
        return pureldap.LDAPFilter_not(present("objectClass"))
    return filters[0] if len(filters) == 1 else pureldap.LDAPFilter_or(list(filters))


def compiled(filter: Filter, mapping: Mapped, dns: Mapping[str, str]) -> Any:
    """Restate a filter of what is supported; `dns` are those of the ids that it refers to."""
    match filter:
        case Compare(path, operator, value):
            slots = mapping.compared(path)
            return any_of([_compared(slot, operator, value, dns) for slot in slots])
        case Present(path):
            return any_of([_present(slot) for slot in mapping.compared(path)])
        case And(terms):
            return all_of([compiled(term, mapping, dns) for term in terms])
        case Or(terms):
            return any_of([compiled(term, mapping, dns) for term in terms])
        case Not(term):
            return pureldap.LDAPFilter_not(compiled(term, mapping, dns))
        case ValuePath():
            raise AssertionError("value filters aren't supported, and so not asked for")
        case _:
            assert_never(filter)


def _present(slot: Slot) -> Any:
    return present(slot.name if account_of(slot.name) is None else "objectClass")


def _compared(slot: Slot, operator: Operator, value: Any, dns: Mapping[str, str]) -> Any:
    account = account_of(slot.name)
    if account is not None:
        return account.filter(bool(value))
    if is_reference(slot):
        dn = dns.get(str(value))
        return any_of([] if dn is None else [equal(slot.name, dn.encode())])
    if operator in ORDERING:
        return _ordered(slot, operator, value)
    if operator in SUBSTRING:
        return _substrings(slot, operator, value)
    try:
        return equal(slot.name, slot.write_one(value))
    except InvalidValue:  # what can't be written there isn't there
        return any_of([])


def _ordered(slot: Slot, operator: Operator, value: str) -> Any:
    """Compare moments by the whole second around them, which every directory keeps."""
    late = operator in {Operator.LT, Operator.LE}
    seconds, rest = divmod(instant(value), 10**6)
    moment = EPOCH + timedelta(seconds=seconds + (1 if late and rest else 0))
    kind = pureldap.LDAPFilter_lessOrEqual if late else pureldap.LDAPFilter_greaterOrEqual
    return kind(
        attributeDesc=pureldap.LDAPAttributeDescription(slot.name.encode()),
        assertionValue=pureldap.LDAPAssertionValue(slot.write_one(moment.isoformat())),
    )


def _substrings(slot: Slot, operator: Operator, value: str) -> Any:
    """Look for the words of a value in their order: directories make little of blanks."""
    words = _BLANKS.split(value)
    first, last = words[0], words[-1]
    initial = first if operator is Operator.SW else ""
    final = last if operator is Operator.EW else ""
    inner = words[bool(initial) : len(words) - bool(final)]
    parts = [
        *([pureldap.LDAPFilter_substrings_initial(initial.encode())] if initial else []),
        *(pureldap.LDAPFilter_substrings_any(word.encode()) for word in inner if word),
        *([pureldap.LDAPFilter_substrings_final(final.encode())] if final else []),
    ]
    if not parts:
        return present(slot.name)
    return pureldap.LDAPFilter_substrings(type=slot.name.encode(), substrings=parts)


def ids_in(filter: Filter) -> frozenset[str]:
    """Name the ids of users and groups that a filter refers to."""
    match filter:
        case Compare(path, _, str(id)) if path.attribute.name in REFERENCES:
            return frozenset({id})
        case And(terms) | Or(terms):
            return frozenset().union(*map(ids_in, terms))
        case Not(term):
            return ids_in(term)
        case _:
            return frozenset()
