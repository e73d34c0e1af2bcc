"""Does an object meet the condition of a `property` parameter, and in what order do objects go?

A condition is `path==value` (also `=`, `!=`, `<`, `<=`, `>`, `>=`, and `~` for a regular
expression), or a path alone for objects that have it. A value may stand in double quotes. Of a list
it is enough that one element meets the condition.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_WRITTEN = re.compile(
    r"(?P<path>[^=!<>~]+?)(?:(?P<sign>==|!=|<=|>=|=|<|>|~)(?P<value>.*))?", re.DOTALL
)
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """What a value must be: `sign` is one of the operators, or None where it must only be there."""

    path: str
    sign: str | None
    value: str

    def is_met_by(self, object_: Mapping[str, Any]) -> bool:
        """Whether the object is as the condition wants it."""
        found = value_at(object_, self.path)
        if self.sign is None:
            return found is not None
        if isinstance(found, list):
            met = any(self._is_met(each) for each in found)
            return met if self.sign != "!=" else all(self._is_met(each) for each in found)
        return self._is_met(found)

    def _is_met(self, found: Any) -> bool:
        if self.sign == "~":
            return found is not None and re.search(self.value, str(found)) is not None
        if self.sign in ("=", "==", "!="):
            return (_as_text(found) == self.value) is not (self.sign == "!=")
        compared = _COMPARED[str(self.sign)]
        if isinstance(found, int | float) and not isinstance(found, bool):
            wanted = _as_number(self.value)
            return wanted is not None and compared(found, wanted)
        return isinstance(found, str) and compared(found, self.value)


def condition(text: str) -> Condition:
    """What was written as a condition. Raises ValueError that says what can be written."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"property: found {text!r}; write name==value or name~regex")
    sign, value = match["sign"], (match["value"] or "").strip()
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    if sign == "~":
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"property: {value!r} is no regular expression ({error})") from None
    return Condition(match["path"].strip(), sign, value)


def value_at(object_: Any, path: str) -> Any:
    """What lies at a dotted path; None where nothing does. A key may hold dots itself."""
    place = object_
    for step in path.split("."):
        if not isinstance(place, Mapping):
            return None
        if path in place:
            return place[path]
        place = place.get(step)
    return place


def rank(found: Any) -> tuple[int, Any]:
    """By what to sort: what is missing, numbers, texts, so that any two can be compared."""
    if found is None:
        return (0, 0)
    return (1, found) if isinstance(found, int | float) else (2, str(found))


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _as_text(found: Any) -> str | None:
    if isinstance(found, bool):
        return str(found).lower()
    return None if found is None else str(found)
