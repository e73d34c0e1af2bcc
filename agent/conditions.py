"""What does `order.total > 100` ask of a record? A small language over the fields of JSON objects.

It chooses dead letters on the command line, and records on their way where filters are configured:
the same words mean the same in both places.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

EXISTS, MISSING = "exists", "missing"
IN, MATCHES = "in", "matches"
_NAME = r'(?:[^\s\x00-\x1f."\\\[\]=!<>~]+|"[^"\\\x00-\x1f]+")'
_PATH = rf"{_NAME}(?:\.{_NAME}|\[\d{{1,9}}\])*"
_COMPARISON = re.compile(rf"\s*({_PATH})\s*(!=|>=|<=|=|>|<|~)\s*(\S.*?)\s*", re.DOTALL)
_IN_WORDS = re.compile(rf"\s*({_PATH})\s+({IN}|{MATCHES})\s+(\S.*?)\s*", re.DOTALL)
_PRESENCE = re.compile(rf"\s*({_PATH})\s+({EXISTS}|{MISSING})\s*")
_PATH_WITH_EACH = re.compile(rf"{_NAME}(?:\.{_NAME}|\[(?:\d{{1,9}}|\*)\])*")
_STEP = re.compile(rf"({_NAME})|\[(\d+|\*)\]")
EACH: Final = -1  # the step `[*]`

Steps = tuple[str | int, ...]
Scalar = str | int | float | bool | None
Json = Scalar | list["Json"] | dict[str, "Json"]


class _Absent:
    """The value of a field that is not there: null is one that is."""


ABSENT: Final = _Absent()
Value = Json | _Absent


@dataclass(frozen=True)
class Condition:
    """What one field must be: a path of names and indexes, an operator, what to compare with."""

    text: str  # as it was written
    path: Steps
    operator: str
    value: Scalar | tuple[Scalar, ...] = None

    def holds(self, found: Value) -> bool:
        """Whether it does for this value of the field. Only `!=` and `missing` hold without one."""
        return self._test(found, self.value)

    @cached_property
    def _test(self) -> Callable[[Value, object], bool]:
        if self.operator == MATCHES:
            search = re.compile(str(self.value)).search
            return lambda found, _: isinstance(found, str) and search(found) is not None
        return _TESTS[self.operator]


def condition(text: str) -> Condition:
    """Read `FIELD = VALUE` (or `!=`, `>`, `>=`, `<`, `<=`, `~` for contains), `FIELD in [VALUE,
    …]`, `FIELD matches REGEX`, `FIELD exists`, or `FIELD missing`.

    A field is a path, `order.items[0].sku`; names with other characters are put in double quotes. A
    value is JSON, or a bare word. Raises ValueError, saying what is possible, for anything else.
    """
    if match := _PRESENCE.fullmatch(text):
        return Condition(text, _steps(match[1]), match[2])
    if match := _IN_WORDS.fullmatch(text):
        path, word, value = match.groups()
        return Condition(text, _steps(path), word, _LISTS[word](value, text))
    match = _COMPARISON.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text!r} is no condition; write such as 'type = \"order\"', 'order.total > 100',"
            ' \'type in ["a", "b"]\', \'items[0].sku ~ "A-"\', \'url matches "^/api"\','
            " 'email exists' or 'email missing'"
        )
    path, operator, value = match.groups()
    return Condition(text, _steps(path), operator, _value(value, operator, text))


def path(text: str) -> Steps:
    """Read the path of a field, in which `[*]` is every element of an array (EACH).

    Raises ValueError, saying what is possible, for anything else.
    """
    if not _PATH_WITH_EACH.fullmatch(text.strip()):
        raise ValueError(
            f"{text!r} is no path; write such as person.email, items[0].sku, items[*].sku, or"
            ' "a.b".c for a name with a dot in it'
        )
    return _steps(text.strip())


def scalar(text: str) -> Scalar:
    """A value as people write it: JSON, or a bare word. Raises ValueError for half of any JSON."""
    return _value(text, "=", text)


def _steps(text: str) -> Steps:
    """The names and indexes of a path that is well-formed."""
    return tuple(
        name.strip('"') if name else EACH if index == "*" else int(index)
        for name, index in _STEP.findall(text)
    )


def _value(text: str, operator: str, whole: str) -> Scalar:
    try:
        value = json.loads(text, parse_constant=str)
    except ValueError:
        if text.startswith(('"', "{", "[")):
            raise ValueError(f"{whole!r}: {text} is not complete JSON") from None
        return text
    if isinstance(value, str):
        return value
    if operator == "~":
        return text
    if not _is_scalar(value):
        raise ValueError(f"{whole!r}: compare with a text, a number, true, false or null")
    if operator not in ("=", "!=") and (value is None or isinstance(value, bool)):
        raise ValueError(f"{whole!r}: only texts and numbers have an order")
    return value  # type: ignore[no-any-return]


def _values(text: str, whole: str) -> tuple[Scalar, ...]:
    try:
        values = json.loads(text, parse_constant=str)
    except ValueError:
        values = None
    if not isinstance(values, list) or not values or not all(map(_is_scalar, values)):
        raise ValueError(
            f'{whole!r}: after `in`, write a list such as ["a", "b"] of texts, numbers, true,'
            " false or null"
        )
    return tuple(values)


def _pattern(text: str, whole: str) -> str:
    pattern = _value(text, "~", whole)
    try:
        re.compile(str(pattern))
    except re.error as error:
        raise ValueError(f"{whole!r}: {pattern} is no regular expression: {error}") from None
    return str(pattern)


_LISTS: Mapping[str, Callable[[str, str], Scalar | tuple[Scalar, ...]]] = {
    IN: _values,
    MATCHES: _pattern,
}


def _is_scalar(value: object) -> bool:
    return not isinstance(value, dict | list) and value not in (math.inf, -math.inf)


def _kind(value: object) -> str:
    """Values of different kinds are neither equal nor in any order: true is not 1."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "container"


def _is_equal(found: Value, value: object) -> bool:
    return found == value and _kind(found) == _kind(value)


def _is_in(found: Value, value: object) -> bool:
    assert isinstance(value, tuple)
    return any(_is_equal(found, each) for each in value)


def _contains(found: Value, value: object) -> bool:
    if isinstance(found, _Absent) or found is None:
        return False
    if not isinstance(found, str):
        found = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return str(value) in found


def _ordered(holds: Callable[[int], bool]) -> Callable[[Value, object], bool]:
    """A comparison of text with text and number with number, by the sign of their difference."""

    def test(found: Value, value: object) -> bool:
        kind = _kind(found)
        if kind != _kind(value) or kind not in ("text", "number"):
            return False
        return holds((found > value) - (found < value))  # type: ignore[operator]

    return test


_TESTS: Mapping[str, Callable[[Value, object], bool]] = {
    "=": _is_equal,
    "!=": lambda found, value: not _is_equal(found, value),
    ">": _ordered(lambda sign: sign > 0),
    ">=": _ordered(lambda sign: sign >= 0),
    "<": _ordered(lambda sign: sign < 0),
    "<=": _ordered(lambda sign: sign <= 0),
    "~": _contains,
    IN: _is_in,
    EXISTS: lambda found, _: found is not ABSENT,
    MISSING: lambda found, _: found is ABSENT,
}
