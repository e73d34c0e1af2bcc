"""The functions of maps. A map is an object whose keys the schema does not name."""

from typing import Any

from agent.dataprep.evaluation import bound_elements
from agent.dataprep.faults import EvaluationError
from agent.dataprep.functions.arrays import pairs
from agent.dataprep.functions.table import Category
from agent.dataprep.values import kind_of, text_of

MAPS = Category("Hierarchies - Map")


@MAPS.function('map_get_values({"author": "A", "price": 17.99}, "author")', {"author": "A"})
def map_get_values(map_: dict[str, Any], key: Any) -> dict[str, Any]:
    """Returns the members of a map that have one of the keys: a key, or an array of them."""
    return {each: map_[each] for each in _keys(key) if each in map_}


@MAPS.function('map_has_keys({"author": "A", "price": 17.99}, ["title", "author"])', True)
def map_has_keys(map_: dict[str, Any], key: Any) -> bool:
    """Whether a map has the key, or one of an array of keys."""
    return any(each in map_ for each in _keys(key))


@MAPS.function('add_to_map({"a": 1}, {"a": 2, "b": 3})', {"a": 1, "b": 3})
def add_to_map(map_1: dict[str, Any], *maps: dict[str, Any] | None) -> dict[str, Any]:
    """Puts the members of several maps into one; of those with one key, the first stays."""
    bound_elements(len(map_1) + sum(len(each) for each in maps if each))
    merged = dict(map_1)
    for each in maps:
        merged = {**(each or {}), **merged}
    return merged


@MAPS.function('object_to_map("firstName", "John")', {"firstName": "John"})
def object_to_map(*input_: Any) -> dict[str, Any] | None:
    """Makes a map of keys and values in turn, of an object, or of an array of objects and the
    attribute that is their key."""
    if len(input_) == 1:
        return _object(input_[0])
    if len(input_) == 2 and isinstance(input_[0], list):
        return array_to_map(input_[0], text_of(input_[1]))
    return dict(pairs(input_))


@MAPS.function(
    'array_to_map([{"type": "home"}, {"type": "work"}], "type")',
    {"home": {"type": "home"}, "work": {"type": "work"}},
)
def array_to_map(array: list[Any], key: str) -> dict[str, Any]:
    """Makes a map of an array of objects: the value of one attribute of each is its key."""
    members: dict[str, Any] = {}
    for each in array:
        value = each.get(key) if isinstance(each, dict) else None
        if value is not None:
            members.setdefault(text_of(value), each)
    return members


@MAPS.function(
    'to_map("firstName", "John", "lastName", "Doe")', {"firstName": "John", "lastName": "Doe"}
)
def to_map(*input_: Any) -> dict[str, Any]:
    """Makes a map of keys and values in turn."""
    return dict(pairs(input_))


def _keys(key: Any) -> list[str]:
    return [text_of(each) for each in (key if isinstance(key, list) else [key])]


def _object(value: Any) -> dict[str, Any] | None:
    if isinstance(value, dict) or value is None:
        return None if value is None else dict(value)
    raise EvaluationError(f"an object was expected, found {kind_of(value)}")
