"""How is a function called: are there enough values, and are they what it asks for?

A value is converted to the type that its parameter has. Where null comes for a parameter that does
not ask for it, the function gives null, as the platform's do.
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from agent.dataprep.dates import moment_of
from agent.dataprep.evaluation import Evaluation, Step
from agent.dataprep.faults import EvaluationError, ExpressionError
from agent.dataprep.functions import TABLE
from agent.dataprep.functions.objects import is_empty, size_of
from agent.dataprep.functions.table import Function, Parameter
from agent.dataprep.values import integer_of, kind_of, number_of, text_of, truth_of

if TYPE_CHECKING:
    from lark import Token

Convert = Callable[[Any], Any]

_BUILT_IN = {"empty": is_empty, "size": size_of}  # JEXL's own, in no table of the platform


def caller(name: "Token", arguments: list[Step]) -> Step:
    """What calls the function. Raises ExpressionError where it cannot be called so, or is none."""
    function = TABLE.get(name)
    at = name.start_pos
    if function is None:
        if name in _BUILT_IN and len(arguments) == 1:
            operate, operand = _BUILT_IN[name], arguments[0]
            return lambda evaluation: operate(operand(evaluation))
        raise ExpressionError(_unknown(str(name)), at)
    least, most = function.least, function.most
    if len(arguments) < least or (most is not None and len(arguments) > most):
        raise ExpressionError(f"{function.syntax} is not called with {len(arguments)} values", at)
    return _call(function, [_converted(each) for each in _fitting(function, arguments)], arguments)


def _call(function: Function, converts: list[Convert], arguments: list[Step]) -> Step:
    call, evaluated = function.call, function.evaluated
    pairs = list(zip(arguments, converts, strict=True))

    def evaluate(evaluation: Evaluation) -> Any:
        units = 1
        values = [evaluation] if evaluated else []
        for argument, convert in pairs:
            value = convert(argument(evaluation))
            if value is _NOTHING:
                return None
            if value.__class__ in _SIZED:
                units += len(value)
            values.append(value)
        evaluation.spend(units)
        result = call(*values)
        if result.__class__ in _SIZED:
            evaluation.spend(len(result))
        return result

    return evaluate


_NOTHING = object()
_SIZED = frozenset({str, list, dict})


def _fitting(function: Function, arguments: list[Step]) -> list[Parameter]:
    """The parameter of each value; the last one may stand for many."""
    parameters = function.parameters
    return [parameters[min(at, len(parameters) - 1)] for at in range(len(arguments))]


def _converted(parameter: Parameter) -> Convert:
    convert = _CONVERSIONS.get(parameter.data_type, _as_it_is)
    if parameter.nullable:
        return lambda value: None if value is None else convert(value)
    return lambda value: _NOTHING if value is None else convert(value)


def _as_it_is(value: Any) -> Any:
    return value


def _text(value: Any) -> Any:
    return value if value.__class__ is str else text_of(value)


def _list(value: Any) -> list[Any]:
    """One value alone is an array of it."""
    return value if isinstance(value, list) else [value]


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise EvaluationError(f"an object was expected, found {kind_of(value)}")


_CONVERSIONS: Mapping[str, Convert] = {
    "java.lang.String": _text,
    "java.lang.Integer": integer_of,
    "java.lang.Double": number_of,
    "java.lang.Boolean": truth_of,
    "java.time.ZonedDateTime": moment_of,
    "java.util.List": _list,
    "java.util.Map": _object,
}


def _unknown(name: str) -> str:
    close = get_close_matches(name, TABLE, n=1)
    return f"there is no function {name}" + (f"; is {close[0]} meant?" if close else "")
