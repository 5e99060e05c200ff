"""What does a filter say?

RFC 7644 section 3.4.2.2.  A filter is a closed union: back ends compile it with `match` and end in
`assert_never`.

    FILTER    = attrExp / logExp / valuePath / *1"not" "(" FILTER ")"
    valuePath = attrPath "[" valFilter "]"           no valuePath inside
    attrExp   = (attrPath SP "pr") / (attrPath SP compareOp SP compValue)
    logExp    = FILTER SP ("and" / "or") SP FILTER   and binds tighter than or
    compValue = false / null / true / number / string
    PATH      = attrPath / valuePath [subAttr]       section 3.5.2

Taken beyond the grammar, because clients send it: a sub-attribute after a value filter in a
comparison (`emails[type eq "work"].value eq "x"`), and a comparison value without quotes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import Enum
from typing import Any, Final

from attrs import evolve, frozen

from scimgw.errors import InvalidFilter, InvalidPath, InvalidValue, ScimError, Sensitive
from scimgw.scim.path import Path, resolve, sub_attribute
from scimgw.scim.schema import TEXT, Attribute, AttributeType, ResourceType
from scimgw.scim.values import parse_simple, show

MAX_DEPTH: Final = 64
"""Parentheses and brackets within each other; more are refused rather than followed."""


class Operator(Enum):
    """Attribute operators of RFC 7644 table 3."""

    EQ = "eq"
    NE = "ne"
    CO = "co"
    SW = "sw"
    EW = "ew"
    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"
    PR = "pr"


SUBSTRING: Final = frozenset({Operator.CO, Operator.SW, Operator.EW})
ORDERING: Final = frozenset({Operator.GT, Operator.GE, Operator.LT, Operator.LE})


@frozen
class Compare:
    """An attribute compared with a value of its own type; of several values any may match.

    An attribute without a value is `ne` to every value.
    """

    path: Path
    operator: Operator
    value: str | bool | int | float

    def __str__(self) -> str:
        """Spell the filter."""
        return f"{self.path} {self.operator.value} {json.dumps(self.value, ensure_ascii=False)}"


@frozen
class Present:
    """An attribute that has a value."""

    path: Path

    def __str__(self) -> str:
        """Spell the filter."""
        return f"{self.path} pr"


@frozen
class ValuePath:
    """Some one value matches all of a filter, whose paths are sub-attributes."""

    path: Path
    filter: Filter

    def __str__(self) -> str:
        """Spell the filter."""
        return f"{self.path}[{self.filter}]"


@frozen
class And:
    """All terms match; at least two, none of them an And."""

    terms: tuple[Filter, ...]

    def __str__(self) -> str:
        """Spell the filter."""
        return " and ".join(
            f"({term})" if isinstance(term, Or) else str(term) for term in self.terms
        )


@frozen
class Or:
    """Some term matches; at least two, none of them an Or."""

    terms: tuple[Filter, ...]

    def __str__(self) -> str:
        """Spell the filter."""
        return " or ".join(map(str, self.terms))


@frozen
class Not:
    """The term doesn't match."""

    term: Filter

    def __str__(self) -> str:
        """Spell the filter."""
        return f"not ({self.term})"


Filter = Compare | Present | ValuePath | And | Or | Not


def conjunction(terms: list[Filter]) -> Filter:
    """Join filters with `and`, flat; there must be at least one."""
    flat: list[Filter] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, And) else (term,))
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def disjunction(terms: list[Filter]) -> Filter:
    """Join filters with `or`, flat; there must be at least one."""
    flat: list[Filter] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, Or) else (term,))
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def element_attribute(attribute: Attribute) -> Attribute:
    """Stand for the values of a simple attribute, called `value` inside a value filter."""
    return evolve(attribute, name="value", multi_valued=False)


def parse(text: str, type: ResourceType) -> Filter:
    """Read a filter over resources of a type.

    Raises: InvalidFilter; Sensitive if it asks for what is never returned.
    """
    return parse_by(text, lambda name: resolve(type, name))


def parse_by(text: str, resolve: Callable[[str], Path]) -> Filter:
    """Read a filter whose attribute paths are resolved by a function.

    Raises: InvalidFilter; Sensitive if it asks for what is never returned.
    """
    try:
        parser = _Parser(text)
        parsed = parser.expression(resolve)
        parser.end()
    except (InvalidFilter, InvalidPath, InvalidValue) as fault:
        raise InvalidFilter(f"filter: {fault.detail}") from None
    return parsed


def parse_path(text: str, type: ResourceType) -> Path:
    """Read the path of a PATCH operation: an attribute path, which may hold a value filter.

    Raises: InvalidPath, and UnknownAttribute if it is well formed.
    """
    try:
        parser = _Parser(text)
        path = parser.path(lambda name: resolve(type, name))
        parser.end()
    except InvalidPath:
        raise
    except ScimError as fault:
        raise InvalidPath(f"path: {fault.detail}") from None
    return path


_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([()\[\]])|([^\s()\[\]"]+)|$)', re.DOTALL)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII)
_OPERATORS = {operator.value: operator for operator in Operator}
_Resolve = Callable[[str], Path]


class _Parser:
    """Recursive descent over tokens; the depth is bounded, the rest is linear in the length."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._depth = 0
        self._next()

    def _next(self) -> None:
        found = _TOKEN.match(self._text, self._position)
        if found is None:
            raise InvalidFilter(f"a string is not closed at position {self._position}")
        self._start = self._position
        self._position = found.end()
        self._string, self._bracket, self._word = found.groups()
        self._glued = found.start(found.lastindex or 0) == self._start

    def _fail(self, expected: str) -> InvalidFilter:
        token = self._string or self._bracket or self._word
        found = show(token) if token else "the end"
        return InvalidFilter(f"expected {expected}, not {found}, at position {self._start}")

    def _keyword(self) -> str:
        return self._word.casefold() if self._word else ""

    def _expect(self, bracket: str) -> None:
        if self._bracket != bracket:
            raise self._fail(repr(bracket))
        self._next()

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise InvalidFilter(f"nested deeper than {MAX_DEPTH} levels")

    def end(self) -> None:
        if self._string or self._bracket or self._word:
            raise self._fail("'and', 'or' or the end")

    def expression(self, resolve: _Resolve, *, inside: bool = False) -> Filter:
        self._enter()
        terms = [self._conjunction(resolve, inside=inside)]
        while self._keyword() == "or":
            self._next()
            terms.append(self._conjunction(resolve, inside=inside))
        self._depth -= 1
        return disjunction(terms)

    def _conjunction(self, resolve: _Resolve, *, inside: bool) -> Filter:
        terms = [self._term(resolve, inside=inside)]
        while self._keyword() == "and":
            self._next()
            terms.append(self._term(resolve, inside=inside))
        return conjunction(terms)

    def _term(self, resolve: _Resolve, *, inside: bool) -> Filter:
        negated = self._keyword() == "not"
        if negated:
            self._next()
        if negated or self._bracket == "(":
            self._expect("(")
            term = self.expression(resolve, inside=inside)
            self._expect(")")
            return Not(term) if negated else term
        return self._attribute_expression(self.path(resolve, inside=inside))

    def path(self, resolve: _Resolve, *, inside: bool = False) -> Path:
        if not self._word:
            raise self._fail("an attribute")
        path = resolve(self._word)
        self._next()
        if self._bracket != "[" or inside:
            return path
        path = evolve(path, filter=self._value_filter(path))
        if self._glued and self._word and self._word.startswith("."):
            path = path.to(sub_attribute(path, self._word[1:]))
            self._next()
        return path

    def _value_filter(self, path: Path) -> Filter:
        attribute = path.attribute
        if path.sub is not None or not attribute.multi_valued:
            raise InvalidPath(f"{path} isn't multi-valued and takes no value filter")
        self._next()
        simple = None if attribute.is_complex else element_attribute(attribute)

        def inner(name: str) -> Path:
            if simple is not None and name.casefold() == "value":
                return Path(attribute=simple)
            return Path(attribute=sub_attribute(path, name))

        filter = self.expression(inner, inside=True)
        self._expect("]")
        return filter

    def _attribute_expression(self, path: Path) -> Filter:
        _check_shown(path)
        if path.leaf.computed:
            raise InvalidFilter(f"{path} is made for each answer and can't be searched for")
        operator = _OPERATORS.get(self._keyword())
        if operator is None:
            if path.filter is not None and path.sub is None:
                return ValuePath(path.root, path.filter)
            raise self._fail("an operator such as 'eq'")
        self._next()
        if path.filter is None:
            return self._comparison(path, operator)
        if path.sub is None:
            raise self._fail("a sub-attribute before the operator")
        comparison = self._comparison(Path(attribute=path.sub), operator)
        return ValuePath(path.root, conjunction([path.filter, comparison]))

    def _comparison(self, path: Path, operator: Operator) -> Filter:
        if operator is Operator.PR:
            return Present(path)
        if path.leaf.is_complex:
            if path.attribute.value is None:
                raise InvalidFilter(f"{path} is complex and has no value to compare")
            path = path.to(path.attribute.value)
            _check_shown(path)
        value = self._value(path, operator)
        self._next()
        if value is None:
            return Not(Present(path)) if operator is Operator.EQ else Present(path)
        return Compare(path, operator, value)

    def _value(self, path: Path, operator: Operator) -> Any:
        if self._keyword() == "null":
            if operator not in {Operator.EQ, Operator.NE}:
                raise InvalidFilter(f"null can't be compared with {operator.value!r}")
            return None
        _check_operator(path, operator)
        return parse_simple(path.leaf, self._literal(path.leaf.type), str(path))

    def _literal(self, type: AttributeType) -> Any:
        """Give the token as the type wants it: a bare word is a string among strings."""
        if self._string:
            try:
                text = json.loads(self._string)
            except ValueError:
                raise InvalidFilter(f"{show(self._string)} isn't a JSON string") from None
            return _number(text) if type in _NUMBERS else text
        if not self._word:
            raise self._fail("a value")
        return _number(self._word) if type in _NUMBERS else self._word


_NUMBERS = frozenset({AttributeType.INTEGER, AttributeType.DECIMAL})
_UNORDERED = frozenset({AttributeType.BOOLEAN, AttributeType.BINARY})


def _number(text: str) -> Any:
    if not _NUMBER.fullmatch(text) or len(text) > 40:  # noqa: PLR2004 - more digits than any number has
        return text
    return int(text) if text.lstrip("-").isdecimal() else float(text)


def _check_shown(path: Path) -> None:
    if path.hidden:
        raise Sensitive(f"{path} is never returned and can't be searched for")


def _check_operator(path: Path, operator: Operator) -> None:
    """Refuse what RFC 7644 table 3 leaves undefined."""
    type = path.leaf.type
    textual = operator in SUBSTRING and type not in TEXT
    if textual or (operator in ORDERING and type in _UNORDERED):
        raise InvalidFilter(
            f"{path} is of type {type.value} and can't be compared with {operator.value!r}"
        )
