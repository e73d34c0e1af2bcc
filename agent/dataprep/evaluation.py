"""What does an expression have while it is evaluated, and how much may it spend?

But for `each -> …`, an expression has no loops, so its length bounds the calls it makes; what each
of them reads and makes is bounded here. A call costs one unit, and one for every character and
every element that it is given or gives. So `concat(a, a, …)` of a long field ends before it has
eaten the memory, and a function that reads much and gives little ends, too.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from agent.dataprep.faults import EvaluationError

UNITS = 4 << 20
TEXT_MAX = 1_000_000  # characters of one text: no record may be larger than that anyway
ELEMENTS_MAX = 100_000  # of one array that a function makes

Clock = Callable[[], datetime]
Step = Callable[["Evaluation"], Any]


class Evaluation:
    """One record in the hands of one expression."""

    __slots__ = ("now", "record", "units")

    def __init__(self, record: Any, now: Clock) -> None:
        self.record = record
        self.now = now
        self.units = UNITS

    def spend(self, units: int) -> None:
        """Raise EvaluationError where the expression has done more than any sensible one does."""
        self.units -= units
        if self.units < 0:
            raise EvaluationError("the expression does too much work for one record")

    def beside(self, name: str, value: Any, step: Step) -> Any:
        """What a step gives where the record has one more field."""
        record = self.record
        fields = record if isinstance(record, dict) else {}
        self.spend(8 * (len(fields) + 1))
        self.record = {**fields, name: value}
        try:
            return step(self)
        finally:
            self.record = record


def joined(separator: str, texts: Sequence[str]) -> str:
    """The texts with the separator between them, if that is not too long a text."""
    bound(sum(map(len, texts)) + len(separator) * max(len(texts) - 1, 0))
    return separator.join(texts)


def bound(characters: int) -> None:
    """Raise EvaluationError for a text that would be too long, before it is made."""
    if characters > TEXT_MAX:
        raise EvaluationError(f"a text may have {TEXT_MAX} characters, this one would be longer")


def bound_elements(elements: int) -> None:
    """Raise EvaluationError for an array that would be too long, before it is made."""
    if elements > ELEMENTS_MAX:
        raise EvaluationError(
            f"an array may have {ELEMENTS_MAX} elements, this one would have more"
        )
