"""How much of a filter can the endpoint evaluate, and what is left to the gateway?

What is pushed may select too much, never too little; what is left over, the residual, is evaluated
again on what comes back.
"""

from __future__ import annotations

from typing import assert_never

from attrs import frozen

from scimgw.connector import Capabilities, Support
from scimgw.scim.filter import (
    And,
    Compare,
    Filter,
    Not,
    Operator,
    Or,
    Present,
    ValuePath,
    conjunction,
    disjunction,
)
from scimgw.scim.path import Path
from scimgw.scim.places import demanded_kind, place


@frozen
class Split:
    """What to ask the endpoint (None: everything), and what is left to check (None: nothing)."""

    pushed: Filter | None = None
    residual: Filter | None = None


def split(filter: Filter, capabilities: Capabilities) -> Split:
    """Push the largest part of a filter that the endpoint can evaluate."""
    terms = filter.terms if isinstance(filter, And) else (filter,)
    parts = [(term, *_push(term, capabilities)) for term in terms]
    pushed = [part for _, part, _ in parts if part is not None]
    residual = [term for term, _, support in parts if support is not Support.EXACT]
    return Split(
        conjunction(pushed) if pushed else None, conjunction(residual) if residual else None
    )


_Pushed = tuple[Filter | None, Support]
_NOTHING: _Pushed = (None, Support.NO)


def _push(filter: Filter, capabilities: Capabilities) -> _Pushed:
    match filter:
        case Compare(path, operator):
            return _leaf(filter, capabilities.filter(path, operator))
        case Present(path):
            return _leaf(filter, capabilities.filter(path, Operator.PR))
        case ValuePath():
            return _push_value_path(filter, capabilities)
        case And():
            part = split(filter, capabilities)
            return part.pushed, _weakest(part)
        case Or(terms):
            return _push_or(terms, capabilities)
        case Not(term):
            return _push_not(term, capabilities)
        case _:
            assert_never(filter)


def _weakest(part: Split) -> Support:
    if part.residual is None:
        return Support.EXACT
    return Support.NO if part.pushed is None else Support.SUPERSET


def _leaf(filter: Filter, support: Support) -> _Pushed:
    return _NOTHING if support is Support.NO else (filter, support)


def _push_not(term: Filter, capabilities: Capabilities) -> _Pushed:
    """Push a negation only if what is negated is exact: the negation of too much is too little."""
    pushed, support = _push(term, capabilities)
    if pushed is None or support is not Support.EXACT:
        return _NOTHING
    return Not(pushed), support


def _push_or(terms: tuple[Filter, ...], capabilities: Capabilities) -> _Pushed:
    """Push a disjunction only whole; a branch left out would lose what it selects."""
    pushed = []
    exact = True
    for term in terms:
        part, support = _push(term, capabilities)
        if part is None:
            return _NOTHING
        pushed.append(part)
        exact = exact and support is Support.EXACT
    return disjunction(pushed), Support.EXACT if exact else Support.SUPERSET


def _push_value_path(filter: ValuePath, capabilities: Capabilities) -> _Pushed:
    typed = _in_place(filter)
    if typed is not None:
        return _push(typed, capabilities)
    supports = {support for _, support in _inner(filter.path, filter.filter, capabilities)}
    if capabilities.value_paths and supports == {Support.EXACT}:
        return filter, Support.EXACT
    if capabilities.value_paths and Support.NO not in supports and not _negates(filter.filter):
        return filter, Support.SUPERSET
    # what some one value meets together, some value meets each by itself; a value that lacks the
    # sub-attribute meets `ne`, which the comparison on the whole resource can't see
    terms = filter.filter.terms if isinstance(filter.filter, And) else (filter.filter,)
    each = [
        outer
        for term in terms
        if isinstance(term, Present)
        or (isinstance(term, Compare) and term.operator is not Operator.NE)
        for outer, support in _inner(filter.path, term, capabilities)
        if support is not Support.NO
    ]
    return (conjunction(each), Support.SUPERSET) if each else _NOTHING


def _negates(filter: Filter) -> bool:
    """Whether a filter negates something."""
    return isinstance(filter, Not) or (
        isinstance(filter, And | Or) and any(map(_negates, filter.terms))
    )


def _inner(path: Path, filter: Filter, capabilities: Capabilities) -> list[tuple[Filter, Support]]:
    """Restate what a value filter compares on the whole resource, with how it is supported."""
    match filter:
        case Compare(inner, operator, value):
            outer = _outer(path, inner)
            return [(Compare(outer, operator, value), capabilities.filter(outer, operator))]
        case Present(inner):
            outer = _outer(path, inner)
            return [(Present(outer), capabilities.filter(outer, Operator.PR))]
        case And(terms) | Or(terms):
            return [pair for term in terms for pair in _inner(path, term, capabilities)]
        case Not(term):
            return _inner(path, term, capabilities)
        case ValuePath():
            raise AssertionError("the grammar has no value filter inside another")
        case _:
            assert_never(filter)


def _outer(path: Path, inner: Path) -> Path:
    return path.to(inner.attribute) if path.attribute.is_complex else path


def _in_place(filter: ValuePath) -> Filter | None:
    """Read `emails[type eq "work" and value co "x"]` as a comparison of what is in one place."""
    attribute = filter.path.attribute
    terms = filter.filter.terms if isinstance(filter.filter, And) else (filter.filter,)
    kinds = [demanded_kind(attribute, term) for term in terms]
    rest = [term for term, kind in zip(terms, kinds, strict=True) if kind is None]
    if len(terms) != 1 + len(rest):
        return None
    kind = next(kind for kind in kinds if kind is not None)
    match rest:
        case [Compare(inner, operator, value)]:
            path = place(filter.path, kind, inner.attribute)
            if path is None:
                return None
            compared = Compare(path, operator, value)
            if operator is Operator.NE:  # what lacks the part is `ne` too, if it is there at all
                return conjunction([_any_part(filter.path, kind), compared])
            return compared
        case [Present(inner)]:
            path = place(filter.path, kind, inner.attribute)
            return None if path is None else Present(path)
        case _:
            return None


def _any_part(path: Path, kind: str) -> Filter:
    """Ask whether there is a value of a type: it is there by any of its parts."""
    parts = [place(path, kind, sub) for sub in path.attribute.sub_attributes]
    return disjunction([Present(part) for part in parts if part is not None])
