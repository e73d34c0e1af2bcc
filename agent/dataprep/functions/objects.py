"""The functions of objects."""

from typing import Any

from agent.dataprep.evaluation import Evaluation, bound_elements
from agent.dataprep.faults import EvaluationError
from agent.dataprep.functions.arrays import pairs
from agent.dataprep.functions.table import Category
from agent.dataprep.paths import SourcePath
from agent.dataprep.values import kind_of

OBJECTS = Category("Hierarchies - Objects")


@OBJECTS.function("size_of([1, 2, 3, 4])", 4)
def size_of(input_: Any) -> int:
    """Returns how many elements, members or characters the input has."""
    if input_ is None:
        return 0
    if not isinstance(input_, str | list | dict):
        raise EvaluationError(f"{kind_of(input_)} has no size")
    return len(input_)


@OBJECTS.function("is_empty([1, null, 2, 3])", False)
def is_empty(input_: Any) -> bool:
    """Whether there is nothing in the input, or no input."""
    return input_ is None or (isinstance(input_, str | list | dict) and not input_)


_SKUS = [{"sku": "id1", "price": 22.5}, {"sku": "id2", "price": 14.35}]


# The documents spell it both ways.
@OBJECTS.function(
    r"""arrays_to_objects('sku', explode("id1|id2", '\|'), 'price', [22.5, 14.35])""",
    _SKUS,
    name="arrays_to_objects",
)
@OBJECTS.function(
    r"""arrays_to_object('sku', explode("id1|id2", '\|'), 'price', [22.5, 14.35])""", _SKUS
)
def arrays_to_object(*input_: Any) -> list[dict[str, Any]]:
    """Makes a list of objects of keys and arrays: each array has one attribute of all objects."""
    columns = [(key, values if values is not None else []) for key, values in pairs(input_)]
    for key, values in columns:
        if not isinstance(values, list):
            raise EvaluationError(f"{key} is to be followed by an array, not {kind_of(values)}")
    rows = max((len(values) for _, values in columns), default=0)
    bound_elements(rows * len(columns))
    return [
        {key: values[row] if row < len(values) else None for key, values in columns}
        for row in range(rows)
    ]


@OBJECTS.function(
    'to_object("firstName", "John", "lastName", "Doe")', {"firstName": "John", "lastName": "Doe"}
)
def to_object(*input_: Any) -> dict[str, Any]:
    """Makes an object of keys and values in turn."""
    return dict(pairs(input_))


@OBJECTS.function(
    'str_to_object("firstName=John,lastName=Doe,phone=123 456 7890", "=", ",")',
    {"firstName": "John", "lastName": "Doe", "phone": "123 456 7890"},
)
def str_to_object(
    string: str, value_delimiter: str | None = ":", field_delimiter: str | None = ","
) -> dict[str, str]:
    """Makes an object of a string of keys and values; both are trimmed."""
    return dict(_members(string, value_delimiter or ":", field_delimiter or ","))


@OBJECTS.function('is_set("evars.evar.field1")', False, name="is_set")
@OBJECTS.function('contains_key("evars.evar.field1")', False)
def contains_key(evaluation: Evaluation, input_: str) -> bool:
    """Whether the source has something at a path."""
    path = SourcePath.parse(input_)
    found = path.read(evaluation.record)
    return _anything(found) if path.wildcards else found is not None


@OBJECTS.function("nullify()", None)
def nullify() -> None:
    """Returns null, for attributes that are not to be copied with their object."""


@OBJECTS.function('get_keys({"book1": "Pride and Prejudice", "book2": "1984"})', ["book1", "book2"])
def get_keys(object_: dict[str, Any]) -> list[str]:
    """Returns all keys of an object."""
    return list(object_)


@OBJECTS.function(
    'get_values("firstName - John , lastName - Cena , phone - 555 420", "firstName", "-", ",")',
    "John",
)
def get_values(
    string: str, key: str, value_delimiter: str | None = ":", field_delimiter: str | None = ","
) -> str | None:
    """Returns the value of one key in a string of keys and values; it is trimmed."""
    return dict(_members(string, value_delimiter or ":", field_delimiter or ",")).get(key)


def _anything(found: Any) -> bool:
    """Whether anything was found behind a `[*]`."""
    return any(map(_anything, found)) if isinstance(found, list) else found is not None


def _members(string: str, value_delimiter: str, field_delimiter: str) -> list[tuple[str, str]]:
    bound_elements(string.count(field_delimiter))
    members = []
    for each in string.split(field_delimiter):
        key, delimiter, value = each.partition(value_delimiter)
        if delimiter:
            members.append((key.strip(), value.strip()))
    return members
