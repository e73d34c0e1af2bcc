"""The functions that make one type of another."""

import json
import struct
from decimal import Decimal, InvalidOperation
from typing import Any

from agent.dataprep.evaluation import Evaluation
from agent.dataprep.faults import EvaluationError
from agent.dataprep.functions.table import Category
from agent.dataprep.values import checked, number_of, shown, text_of

TYPES = Category("Type conversion")
JSON = Category("JSON")


@TYPES.function('to_bigint("1000000.34")', 1000000.34)
def to_bigint(string: str) -> int | float:
    """Converts a string to a large number.

    It keeps the fraction, as the documents' sample does, whatever the name says.
    """
    try:
        number = Decimal(string.strip()) if len(string) <= 1000 else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or abs(number.adjusted()) > 1000:
        raise EvaluationError(f"{shown(string)} is not a number")
    return checked(int(number) if number == number.to_integral_value() else float(number))


@TYPES.function('to_decimal("20.5")', 20.5)
def to_decimal(string: Any) -> float | None:
    """Converts a string to a double."""
    return None if string is None else float(number_of(string))


@TYPES.function('to_float("12.5")', 12.5)
def to_float(string: Any) -> float | None:
    """Converts a string to a float: a number of about seven digits.

    The documents' sample, "12.3456" to 12.34566, is no float that Java knows: what it writes of
    that one is 12.3456, and so is what comes of it here.
    """
    if string is None:
        return None
    try:
        single: float = struct.unpack("<f", struct.pack("<f", number_of(string)))[0]
    except OverflowError:
        raise EvaluationError(f"{shown(text_of(string))} is too large for a float") from None
    # The shortest digits that mean this float, as Java writes it.
    return next(
        short
        for short in (float(f"{single:.{digits}g}") for digits in range(1, 10))
        if struct.pack("<f", short) == struct.pack("<f", single)
    )


@TYPES.function('to_integer("12")', 12)
def to_integer(string: Any) -> int | None:
    """Converts a string to an integer."""
    if string is None:
        return None
    number = number_of(string)
    if isinstance(string, str) and not isinstance(number, int):
        raise EvaluationError(f"{shown(string)} is not an integer")
    return int(number)


@JSON.function(
    'json_to_object("{\\"info\\": {\\"firstName\\": \\"John\\"}}")', {"info": {"firstName": "John"}}
)
def json_to_object(evaluation: Evaluation, string: Any) -> Any:
    """Reads JSON from a string.

    What is an object already stays one: the documents' sample has no quotes round its JSON.
    """
    if not isinstance(string, str):
        return string
    # Python's objects are larger than the text they come from.
    evaluation.spend(20 * len(string))
    try:
        return json.loads(string, parse_constant=_no_constant)
    except ValueError as error:
        raise EvaluationError(f"{shown(string)} is not JSON: {error}") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is none of its values")
