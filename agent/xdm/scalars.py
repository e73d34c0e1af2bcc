"""What must a string, a number or a truth value be, besides being one?"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from agent.errors import SchemaError
from agent.xdm.formats import FORMATS
from agent.xdm.shape import Shape

Test = Callable[[Any], tuple[str, str] | None]  # -> keyword and message, when the value is wrong

PYTHON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def tests_of(kind: str, shape: Shape) -> list[Test]:
    """The tests for values of a type, in the order in which the platform speaks of them."""
    made: list[Test] = []
    if kind == "string":
        made += [
            build(shape[word])
            for word, build in _TESTS_OF_STRINGS.items()
            if shape[word] is not None
        ]
        if shape["format"] in FORMATS:
            made.append(_format(*FORMATS[shape["format"]]))
    elif kind in {"integer", "number"}:
        made += [
            _compare(word, shape[word])
            for word in _COMPARISONS
            if type(shape[word]) in {int, float}
        ]
    if shape["enum"] is not None:
        made.append(_enum(shape["enum"]))
    return made


def _least(length: int) -> Test:
    return lambda value: (
        ("minLength", f"expected minLength: {length}, actual: {len(value)}")
        if len(value) < length
        else None
    )


def _most(length: int) -> Test:
    return lambda value: (
        ("maxLength", f"expected maxLength: {length}, actual: {len(value)}")
        if len(value) > length
        else None
    )


def _pattern(pattern: str) -> Test:
    try:
        search = re.compile(pattern, re.ASCII).search
    except (re.error, TypeError) as error:
        raise SchemaError(f"the pattern {pattern!r} is no regular expression: {error}") from error
    return lambda value: (
        None if search(value) else ("pattern", f"string [{value}] does not match pattern {pattern}")
    )


_TESTS_OF_STRINGS: Final[Mapping[str, Callable[[Any], Test]]] = {
    "minLength": _least,
    "maxLength": _most,
    "pattern": _pattern,
}


def _format(fits: Callable[[str], bool], message: str) -> Test:
    return lambda value: None if fits(value) else ("format", message.format(value))


def _enum(values: list[Any]) -> Test:
    return lambda value: None if value in values else ("enum", f"{value} is not a valid enum value")


_COMPARISONS: Final[Mapping[str, tuple[Callable[[Any, Any], bool], str]]] = {
    "minimum": (lambda value, bound: value >= bound, "greater or equal to"),
    "maximum": (lambda value, bound: value <= bound, "less or equal to"),
    "exclusiveMinimum": (lambda value, bound: value > bound, "greater than"),
    "exclusiveMaximum": (lambda value, bound: value < bound, "less than"),
}


def _compare(word: str, bound: float) -> Test:
    holds, wording = _COMPARISONS[word]
    return lambda value: (
        None if holds(value, bound) else (word, f"{value} is not {wording} {bound}")
    )
