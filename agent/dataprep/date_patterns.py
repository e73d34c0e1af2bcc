"""What does a pattern of Java's DateTimeFormatter make of a date, and of a text?

Letters in a row are one field (`date_fields`), signs between them stand for themselves, text stands
in single quotes, and `[ ]` encloses what may be missing. As in Java, a day that its month lacks
becomes the last one it has.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from agent.dataprep.date_fields import Field, Part, field
from agent.dataprep.faults import EvaluationError
from agent.dataprep.values import shown
from agent.dataprep.zones import zone

_PATTERN_MAX = 256  # characters, also of the texts that are read
_TOKEN = re.compile(
    r"(?P<field>(?P<letter>[A-Za-z])(?P=letter)*+)|'(?P<quoted>(?:[^']|'')*+)'|(?P<sign>[^A-Za-z'])",
    re.DOTALL,
)
_COUNT_MAX = 19

Write = Callable[[datetime], str]


class Format:
    """One pattern, ready to read and to write."""

    def __init__(self, pattern: str) -> None:
        """Raises EvaluationError for what is no pattern."""
        self._pattern = pattern
        self._fields: list[Field] = []
        self._writes: list[Write] = []
        self._form = re.compile("".join(self._forms(pattern)), re.ASCII)

    def write(self, moment: datetime) -> str:
        """The date in this form."""
        return "".join(write(moment) for write in self._writes)

    def read(self, text: str) -> datetime:
        """The date that a text of this form means; UTC where it names no zone.

        Raises EvaluationError where the text is not of this form.
        """
        match = self._form.fullmatch(text) if len(text) <= _PATTERN_MAX else None
        if match is None:
            raise EvaluationError(f"{shown(text)} is not a date of the form {self._pattern}")
        parts = {
            each.part: each.read(found)
            for each, found in zip(self._fields, match.groups(), strict=True)
            if found is not None
        }
        try:
            return _moment(parts)
        except (ValueError, OverflowError):
            raise EvaluationError(f"there is no date {shown(text)}") from None

    def _forms(self, pattern: str) -> Iterator[str]:
        at = depth = 0
        while at < len(pattern):
            token = _TOKEN.match(pattern, at)
            if token is None:
                raise self._wrong("a quote is not closed")
            at = token.end()
            if token["field"]:
                yield self._field(token["letter"], len(token["field"]))
            elif token["sign"] == "[":
                depth += 1
                yield "(?:"
            elif token["sign"] == "]":
                depth -= 1
                yield ")?"
            else:
                quoted = token["quoted"]
                literal = token["sign"] if quoted is None else quoted.replace("''", "'") or "'"
                self._writes.append(lambda moment, literal=literal: literal)  # type: ignore[misc]
                yield re.escape(literal)
            if depth < 0:
                raise self._wrong("a ] closes nothing")
        if depth:
            raise self._wrong("a [ is not closed")

    def _field(self, letter: str, count: int) -> str:
        made = field(letter, count)
        if made is None or count > _COUNT_MAX:
            raise self._wrong(f"{letter * min(count, _COUNT_MAX)} has no meaning")
        self._fields.append(made)
        self._writes.append(made.write)
        return f"({made.form})"

    def _wrong(self, why: str) -> EvaluationError:
        return EvaluationError(f"{shown(self._pattern)} is no date pattern: {why}")


@lru_cache(maxsize=256)
def form(pattern: str) -> Format:
    """The pattern, ready to use. Raises EvaluationError for what is no pattern."""
    if len(pattern) > _PATTERN_MAX:
        raise EvaluationError(f"a date pattern may have {_PATTERN_MAX} characters")
    return Format(pattern)


def _moment(parts: dict[str, Part]) -> datetime:
    numbers = {name: part for name, part in parts.items() if isinstance(part, int)}
    day = _day(numbers)
    hour = _hour(numbers)
    return datetime(
        day.year,
        day.month,
        day.day,
        hour,
        numbers.get("minute", 0),
        numbers.get("second", 0),
        numbers.get("microsecond", 0),
        zone(str(parts["zone"])) if "zone" in parts else UTC,
    )


def _day(numbers: dict[str, int]) -> date:
    if "week_year" in numbers and "week" in numbers:
        return date.fromisocalendar(
            numbers["week_year"], numbers["week"], numbers.get("weekday", 1)
        )
    if "year" not in numbers:
        raise EvaluationError("a date needs a year: its pattern has none")
    year = numbers["year"]
    if "day_of_year" in numbers:
        day = date(year, 1, 1) + timedelta(days=numbers["day_of_year"] - 1)
        if day.year != year:
            raise ValueError("the year has fewer days")
        return day
    month = numbers.get("month", numbers.get("quarter", 1) * 3 - 2)
    day_of_month = numbers.get("day", 1)
    if day_of_month <= 31 and 1 <= month <= 12:
        day_of_month = min(day_of_month, monthrange(year, month)[1])
    return date(year, month, day_of_month)


def _hour(numbers: dict[str, int]) -> int:
    if "hour" in numbers:
        return numbers["hour"]
    if "hour_to_24" in numbers:
        return _within(numbers["hour_to_24"], 1, 24) % 24
    half = 12 * numbers.get("half", 0)
    if "hour_to_12" in numbers:
        return _within(numbers["hour_to_12"], 1, 12) % 12 + half
    return _within(numbers.get("hour_to_11", 0), 0, 11) + half


def _within(number: int, least: int, most: int) -> int:
    if not least <= number <= most:
        raise ValueError(f"{number} is not within {least} and {most}")
    return number
