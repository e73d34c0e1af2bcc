"""What do the operators of the language do with two values, or with one?

As JEXL's strict arithmetic does: `+` with a text joins, integers divide to integers, null is no
operand.
"""

from collections.abc import Callable
from math import fmod
from typing import Any

from agent.dataprep.evaluation import bound
from agent.dataprep.faults import EvaluationError
from agent.dataprep.values import checked, compare, equal, kind_of, number_of, text_of

Binary = Callable[[Any, Any], Any]


def add(left: Any, right: Any) -> Any:
    """The sum of numbers; where one is a text, both as one text."""
    if isinstance(left, str) or isinstance(right, str):
        _present(left, right)
        one, other = text_of(left), text_of(right)
        bound(len(one) + len(other))
        return one + other
    return checked(_operand(left) + _operand(right))


def subtract(left: Any, right: Any) -> int | float:
    """The difference."""
    return checked(_operand(left) - _operand(right))


def multiply(left: Any, right: Any) -> int | float:
    """The product."""
    return checked(_operand(left) * _operand(right))


def divide(left: Any, right: Any) -> int | float:
    """The quotient; of two integers an integer, cut off towards zero as in Java."""
    one, other = _operand(left), _divisor(right)
    if isinstance(one, int) and isinstance(other, int):
        quotient = abs(one) // abs(other)
        return quotient if (one < 0) == (other < 0) else -quotient
    return checked(one / other)


def remainder(left: Any, right: Any) -> int | float:
    """What division leaves, with the sign of what was divided."""
    one, other = _operand(left), _divisor(right)
    if isinstance(one, int) and isinstance(other, int):
        rest = abs(one) % abs(other)
        return -rest if one < 0 else rest
    return fmod(one, other)


def negate(value: Any) -> int | float:
    """The number with the other sign."""
    return -_operand(value)


def complement(value: Any) -> int:
    """Every bit turned round."""
    return ~_bits(value)


def bits_and(left: Any, right: Any) -> int:
    """The bits that are in both."""
    return _bits(left) & _bits(right)


def bits_or(left: Any, right: Any) -> int:
    """The bits that are in either."""
    return _bits(left) | _bits(right)


def bits_xor(left: Any, right: Any) -> int:
    """The bits that are in one of them."""
    return _bits(left) ^ _bits(right)


def less(left: Any, right: Any) -> bool:
    """Whether it comes before; null never does, as in JEXL."""
    return _ordered(left, right) and compare(left, right) < 0


def greater(left: Any, right: Any) -> bool:
    """Whether it comes after."""
    return _ordered(left, right) and compare(left, right) > 0


def less_or_equal(left: Any, right: Any) -> bool:
    """Whether it comes before, or is the same."""
    return equal(left, right) or less(left, right)


def greater_or_equal(left: Any, right: Any) -> bool:
    """Whether it comes after, or is the same."""
    return equal(left, right) or greater(left, right)


def unequal(left: Any, right: Any) -> bool:
    """Whether the two differ."""
    return not equal(left, right)


# By the names of the grammar.
BINARY: dict[str, Binary] = {
    "EQUAL": equal,
    "UNEQUAL": unequal,
    "LESS": less,
    "LESS_OR_EQUAL": less_or_equal,
    "GREATER": greater,
    "GREATER_OR_EQUAL": greater_or_equal,
    "PLUS": add,
    "MINUS": subtract,
    "TIMES": multiply,
    "DIVIDED": divide,
    "REMAINDER": remainder,
    "bits_or": bits_or,
    "bits_xor": bits_xor,
    "bits_and": bits_and,
}


def _operand(value: Any) -> int | float:
    if value is None:
        raise EvaluationError("null is no operand: coalesce(field, 0) gives it a value")
    return number_of(value)


def _divisor(value: Any) -> int | float:
    number = _operand(value)
    if number == 0:
        raise EvaluationError("division by zero")
    return number


def _bits(value: Any) -> int:
    number = _operand(value)
    if isinstance(number, float) and not number.is_integer():
        raise EvaluationError(f"an integer was expected, found {kind_of(value)}")
    return int(number)


def _present(left: Any, right: Any) -> None:
    if left is None or right is None:
        raise EvaluationError('null is no operand: coalesce(field, "") gives it a value')


def _ordered(left: Any, right: Any) -> bool:
    return left is not None and right is not None
