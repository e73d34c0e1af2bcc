"""What must a string, a number or a truth value be, besides being one?"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from agent.errors import SchemaError
from agent.xdm.formats import FORMATS
from agent.xdm.shape import Shape

Test = Callable[[Any], tuple[str, str] | None]  # -> keyword and message, when the value is wrong
Build = Callable[[Any], Test]

PYTHON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def tests_of(kind: str, shape: Shape) -> list[Test]:
    """The tests for values of a type, in the order in which the platform speaks of them."""
    words = _TESTS.get(kind, {})
    try:
        made = [build(shape[word]) for word, build in words.items() if shape[word] is not None]
    except re.error as error:
        pattern = shape["pattern"]
        raise SchemaError(
            f"the pattern {pattern!r} at {shape.where} is no regular expression: {error}"
        ) from error
    if kind == "string" and shape["format"] in FORMATS:
        made.append(_format(*FORMATS[shape["format"]]))
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
    search = re.compile(pattern, re.ASCII).search
    return lambda value: (
        None if search(value) else ("pattern", f"string [{value}] does not match pattern {pattern}")
    )


def _format(fits: Callable[[str], bool], message: str) -> Test:
    return lambda value: None if fits(value) else ("format", message.format(value))


def _enum(values: list[Any]) -> Test:
    return lambda value: None if value in values else ("enum", f"{value} is not a valid enum value")


def _compare(word: str, holds: Callable[[Any, Any], bool], wording: str) -> Build:
    def build(bound: float) -> Test:
        return lambda value: (
            None if holds(value, bound) else (word, f"{value} is not {wording} {bound}")
        )

    return build


_BOUNDS: Final[Mapping[str, Build]] = {
    "minimum": _compare("minimum", operator.ge, "greater or equal to"),
    "maximum": _compare("maximum", operator.le, "less or equal to"),
    "exclusiveMinimum": _compare("exclusiveMinimum", operator.gt, "greater than"),
    "exclusiveMaximum": _compare("exclusiveMaximum", operator.lt, "less than"),
}
_TESTS: Final[Mapping[str, Mapping[str, Build]]] = {
    "string": {"minLength": _least, "maxLength": _most, "pattern": _pattern},
    "integer": _BOUNDS,
    "number": _BOUNDS,
}
