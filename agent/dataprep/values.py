"""How do values of records become texts, numbers and truths, as Java and JEXL have it?

Values are those of JSON, and datetimes with a zone. What a function is given may be of any kind, so
each conversion says plainly what it cannot take, by an EvaluationError.
"""

import json
import math
from datetime import UTC, datetime
from typing import Any, TypeGuard

from agent.dataprep.evaluation import TEXT_MAX, Evaluation, bound
from agent.dataprep.faults import EvaluationError

_INTEGER_BITS = 4096  # more than any number in a record, and quickly computed
_INFINITE = "the result is no finite number"


def kind_of(value: Any) -> str:
    """What people call such a value."""
    if isinstance(value, bool):
        return "a boolean"
    if is_number(value):
        return "a number"
    names = {str: "a text", list: "an array", dict: "an object", datetime: "a date"}
    return names.get(type(value), "null")


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether the value is a number of JSON: a boolean is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def text_of(value: Any) -> str:
    """The value as Java writes it: `true`, `1.0`, an ISO date; JSON for objects and arrays."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return iso(value)
    if value is None or is_number(value):
        return json.dumps(value)
    _weigh(value, TEXT_MAX)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=iso)


def _weigh(value: Any, left: int) -> int:
    """What is left of so many characters; raises EvaluationError before too long a text is made."""
    left -= len(value) + 2 if isinstance(value, str | list | dict) else 5
    if left < 0:
        bound(TEXT_MAX + 1)
    for each in value if isinstance(value, list) else ():
        left = _weigh(each, left)
    for key, each in value.items() if isinstance(value, dict) else ():
        left = _weigh(each, left - len(key))
    return left


def text(value: Any, what: str = "a text") -> str:
    """The value as a text, for functions that need one. null is none: it raises EvaluationError."""
    if value is None:
        raise EvaluationError(f"{what} was expected, found null")
    return text_of(value)


def number_of(value: Any) -> int | float:
    """The value as a number; texts are read, booleans and dates are none."""
    if is_number(value):
        return value
    if isinstance(value, str):
        return parsed_number(value)
    raise EvaluationError(f"a number was expected, found {kind_of(value)}")


def parsed_number(written: str) -> int | float:
    """The number that a text is. Raises EvaluationError for anything else, infinity too."""
    stripped = written.strip()
    try:
        if len(stripped) <= 1000 and stripped.isascii() and "_" not in stripped:
            return checked(int(stripped) if stripped.lstrip("+-").isdigit() else float(stripped))
    except ValueError:
        pass
    raise EvaluationError(f"{shown(written)} is not a number")


def checked(number: int | float) -> int | float:
    """The number, if it is one that JSON can hold and Java would not choke on."""
    if isinstance(number, int):
        if number.bit_length() > _INTEGER_BITS:
            raise EvaluationError("the result has too many digits")
    elif not math.isfinite(number):
        raise EvaluationError(_INFINITE)
    return number


def integer_of(value: Any) -> int:
    """The value as an integer; fractions are cut off, as Java does."""
    return int(number_of(value))


def truth_of(value: Any) -> bool:
    """JEXL's idea of truth: null, zero, "" and "false" are not, everything else is."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value not in ("", "false")
    if is_number(value):
        return value != 0
    return value is not None


def equal(left: Any, right: Any) -> bool:
    """JEXL's ==: numbers by value, a text with anything else as text, true is not 1."""
    if left is None or right is None:
        return left is right
    if is_number(left) and is_number(right):
        return left == right
    if type(left) is type(right):
        return bool(left == right)
    if isinstance(left, str) or isinstance(right, str):
        if is_number(left) or is_number(right):
            return _equal_numbers(left, right)
        return text_of(left) == text_of(right)
    return False


def _equal_numbers(left: Any, right: Any) -> bool:
    try:
        return number_of(left) == number_of(right)
    except EvaluationError:
        return False


def compare(left: Any, right: Any) -> int:
    """Below, at or above 0, by natural ordering. Raises EvaluationError for what has no order."""
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    if isinstance(left, datetime) and isinstance(right, datetime):
        return (left > right) - (left < right)
    if isinstance(left, bool) and isinstance(right, bool):
        return left - right
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        raise EvaluationError(f"{kind_of(left)} and {kind_of(right)} cannot be compared")
    if is_number(left) or is_number(right):
        one, other = number_of(left), number_of(right)
        return (one > other) - (one < other)
    one_text, other_text = text(left), text(right)
    return (one_text > other_text) - (one_text < other_text)


def plain(value: Any, evaluation: Evaluation) -> Any:
    """The value as JSON can hold it: dates are written out, within objects and arrays too.

    What is large is paid for, since one thing may be in the value many times.
    """
    kind = value.__class__
    if kind is str:
        evaluation.spend(len(value))
    elif kind is datetime:
        return iso(value)
    elif kind is list:
        evaluation.spend(len(value))
        return [plain(each, evaluation) for each in value]
    elif kind is dict:
        evaluation.spend(4 * len(value))  # as much more as a member takes than an element
        return {key: plain(each, evaluation) for key, each in value.items()}
    return value


def iso(moment: datetime) -> str:
    """`2019-10-23T11:24:35Z`, `…35.120Z`, `…35+02:00`: milliseconds only where there are some."""
    millis = moment.microsecond // 1000
    written = moment.strftime("%m-%dT%H:%M:%S") + (f".{millis:03}" if millis else "")
    return f"{moment.year:04}-{written}{offset(moment)}"


def offset(moment: datetime) -> str:
    """`Z` or `+02:00`."""
    minutes = round((moment.utcoffset() or UTC.utcoffset(None)).total_seconds() / 60)
    if not minutes:
        return "Z"
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def shown(written: str) -> str:
    """A value in a message: enough to recognise it, never a whole record."""
    return repr(written if len(written) <= 40 else written[:40] + "…")
