"""What is an expression of the Data Prep language, and what does it give for a record?

`compile_expression` reads it once, `evaluate` runs it as often as there are records. Nothing is
ever handed to Python's own evaluation. Bounded are the length (4096 characters), the nesting, what
one evaluation reads and makes (`evaluation`), and the time of a match (`patterns`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agent.dataprep.compiling import compiled
from agent.dataprep.evaluation import Clock, Evaluation, Step
from agent.dataprep.faults import EvaluationError, ExpressionError
from agent.dataprep.functions import TABLE
from agent.dataprep.grammar import parse
from agent.dataprep.values import plain

if TYPE_CHECKING:
    from lark import Token, Tree

_KINDS = frozenset({"str", "int", "float", "bool", "datetime", "list", "dict"})
_KINDS_OF_NODES = {
    "text": "str",
    "number": "float",
    "true": "bool",
    "false": "bool",
    "array": "list",
    "object": "dict",
    "equality": "bool",
    "relation": "bool",
    "either": "bool",
    "both": "bool",
}


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was compiled."""

    text: str
    kind: (
        str  # of what it gives: str, int, float, bool, datetime, list, dict; "" where that depends
    )
    _step: Step

    def evaluate(self, record: Any, *, now: Clock) -> Any:
        """What the expression gives, as a value of JSON; *now* is asked where it asks for the time.

        Raises EvaluationError, and nothing else, where it gives nothing.
        """
        evaluation = Evaluation(record, now)
        try:
            return plain(self._step(evaluation), evaluation)
        except ExpressionError as error:  # of a path that came with the record
            raise EvaluationError(str(error)) from None
        except RecursionError:
            raise EvaluationError("the record is nested too deeply for the expression") from None
        except (ValueError, TypeError, ArithmeticError, LookupError) as error:
            # A function was given what it has no answer to: there, Java raises, too.
            raise EvaluationError(f"the expression fails: {error}") from None


@lru_cache(maxsize=1024)
def compile_expression(text: str) -> Expression:
    """The expression of a text. Raises ExpressionError for what is none, saying where and why."""
    tree = parse(text)
    step = compiled(tree)
    return Expression(text, _kind(tree), step)


def _kind(tree: "Tree[Token]") -> str:
    if tree.data == "call":
        function = TABLE.get(str(tree.children[0]))
        return function.returns if function and function.returns in _KINDS else ""
    return _KINDS_OF_NODES.get(tree.data, "")


def utc_now() -> datetime:
    """The clock for those who have no other."""
    return datetime.now(UTC)
