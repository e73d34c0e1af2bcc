"""What can be wrong with a mapping, and what can go wrong while it is applied?"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.errors import AgentError


class ExpressionError(AgentError):
    """An expression that is none; the text says what is wrong and what to write.

    `position` is where, in characters from 0; None where it is the whole.
    """

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message if position is None else f"{message} (at character {position})")
        self.message = message
        self.position = position


class EvaluationError(AgentError):
    """An expression gave nothing for this record: its field stays null, and the record goes on."""


@dataclass(frozen=True, slots=True)
class MappingProblem:
    """What is wrong with one mapping of a set, by its index; with the set where that is None."""

    index: int | None
    message: str

    def __str__(self) -> str:
        return self.message if self.index is None else f"mappings[{self.index}]: {self.message}"


class MappingError(AgentError):
    """A mapping set that cannot be used, with every problem it has."""

    def __init__(self, problems: Sequence[MappingProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
