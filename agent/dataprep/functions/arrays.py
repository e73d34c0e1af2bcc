"""The functions of arrays."""

from collections.abc import Callable
from typing import Any, cast

from agent.dataprep.evaluation import bound_elements, joined
from agent.dataprep.faults import EvaluationError
from agent.dataprep.functions.table import Category
from agent.dataprep.values import kind_of, text_of, truth_of

ARRAYS = Category("Hierarchies - Arrays")


@ARRAYS.function('coalesce(null, null, null, "first", null, "second")', "first")
def coalesce(*values: Any) -> Any:
    """Returns the first value that is not null."""
    return next((each for each in _elements(values) if each is not None), None)


@ARRAYS.function('first("1", "2", "3")', "1")
def first(*values: Any) -> Any:
    """Returns the first element of an array, or of all values."""
    elements = _elements(values)
    return elements[0] if elements else None


@ARRAYS.function('last("1", "2", "3")', "3")
def last(*values: Any) -> Any:
    """Returns the last element of an array, or of all values."""
    elements = _elements(values)
    return elements[-1] if elements else None


@ARRAYS.function("add_to_array(['a', 'b'], 'c', 'd')", ["a", "b", "c", "d"])
def add_to_array(array: list[Any], *values: Any) -> list[Any]:
    """Adds values to the end of an array."""
    return [*array, *values]


@ARRAYS.function("join_arrays(['a', 'b'], ['c'], ['d', 'e'])", ["a", "b", "c", "d", "e"])
def join_arrays(array: list[Any], *values: list[Any] | None) -> list[Any]:
    """Puts the elements of several arrays into one."""
    bound_elements(len(array) + sum(len(each) for each in values if each))
    return [element for each in (array, *values) if each for element in each]


@ARRAYS.function("to_array(false, 1, null, 2, 3)", [1, 2, 3])
def to_array(include_nulls: bool, *values: Any) -> list[Any]:
    """Makes an array of the values, with those that are null or without them."""
    return [each for each in values if include_nulls or each is not None]


@ARRAYS.function("upsert_array_append([123, 456])", [123, 456])
def upsert_array_append(array: Any) -> Any:
    """Appends the array to that of the profile, in updates; what is inserted is the array as it is.

    The array of a profile is not known here, so it is always an insert.
    """
    return array


@ARRAYS.function("upsert_array_replace([123, 456], 1)", [123, 456])
def upsert_array_replace(array: Any, index: int | None = None) -> Any:
    """Replaces the array of the profile, in updates; what is inserted is the array as it is."""
    return array


@ARRAYS.function("array_to_string(', ', [1, 2, 3])", "1, 2, 3")
def array_to_string(separator: str, array: list[Any]) -> str:
    """Joins the elements of an array with the separator between them."""
    return joined(separator, [text_of(each) for each in array if each is not None])


@ARRAYS.function("flattenArray([1, [2, [3]]])", [1, 2, 3], name="flattenArray")
def flatten_array(array: list[Any]) -> list[Any]:
    """Puts the elements of arrays within an array into the array itself."""
    flat: list[Any] = []
    for each in array:
        flat += flatten_array(each) if isinstance(each, list) else [each]
    return flat


@ARRAYS.function("filterArray([1, 2, 3], each -> each > 1)", [2, 3], name="filterArray")
def filter_array(array: list[Any], condition: Callable[[Any], Any]) -> list[Any]:
    """Returns the elements of an array for which a condition holds."""
    return [each for each in array if truth_of(_asked(condition)(each))]


@ARRAYS.function(
    "transformArray(['a', 'b'], each -> upper(each))", ["A", "B"], name="transformArray"
)
def transform_array(array: list[Any], expression: Callable[[Any], Any]) -> list[Any]:
    """Returns what an expression makes of each element of an array."""
    return [_asked(expression)(each) for each in array]


def _asked(condition: Any) -> Callable[[Any], Any]:
    if not callable(condition):
        raise EvaluationError("the second value is to be an expression of each: each -> …")
    return cast("Callable[[Any], Any]", condition)


def _elements(values: tuple[Any, ...]) -> list[Any] | tuple[Any, ...]:
    """Java makes no difference between one array and several values."""
    return values[0] if len(values) == 1 and isinstance(values[0], list) else values


def pairs(values: tuple[Any, ...]) -> list[tuple[str, Any]]:
    """Values that are a key and a value in turn, as pairs."""
    if len(values) % 2:
        raise EvaluationError("each key needs a value: the number of values is odd")
    keys = values[::2]
    for key in keys:
        if key is None or isinstance(key, list | dict):
            raise EvaluationError(f"a key cannot be {kind_of(key)}")
    return list(zip(map(text_of, keys), values[1::2], strict=True))
