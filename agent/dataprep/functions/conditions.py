"""The logical functions, and those that choose among values."""

from typing import Any

from agent.dataprep.functions.table import Category
from agent.dataprep.values import compare, equal

LOGIC = Category("Logical")
AGGREGATES = Category("Aggregation")


@LOGIC.function('decode("pa", "ca", "California", "pa", "Pennsylvania", "N/A")', "Pennsylvania")
def decode(key: Any, *options: Any) -> Any:
    """Returns the value that follows the key among the options, or the last where it is alone."""
    for at in range(0, len(options) - 1, 2):
        if equal(key, options[at]):
            return options[at + 1]
    return options[-1] if len(options) % 2 else None


@LOGIC.function('iif("s".equalsIgnoreCase("S"), "True", "False")', "True")
def iif(expression: bool | None, true_value: Any, false_value: Any) -> Any:
    """Returns one value where the expression is true, and the other where it is not."""
    return true_value if expression else false_value


@AGGREGATES.function("min(3, 1, 4)", 1)
def min_(*options: Any) -> Any:
    """Returns the smallest of the values, by their natural ordering; null is none of them."""
    return _outermost(options, -1)


@AGGREGATES.function("max(3, 1, 4)", 4)
def max_(*options: Any) -> Any:
    """Returns the largest of the values, by their natural ordering; null is none of them."""
    return _outermost(options, 1)


def _outermost(options: tuple[Any, ...], sign: int) -> Any:
    values = options[0] if len(options) == 1 and isinstance(options[0], list) else options
    outermost = None
    for value in values:
        if value is not None and (outermost is None or compare(value, outermost) * sign > 0):
            outermost = value
    return outermost
