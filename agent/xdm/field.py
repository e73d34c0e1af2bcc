"""Which field does a path mean, and which fields does a schema have?"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.xdm.shape import Shape

_STEP: Final = re.compile(r"(?:^|(?<=.)\.)(?P<name>(?:\\.|[^.\[\]\\])+)|\[(?:\d+|\*)?\]")


@dataclass(frozen=True, slots=True)
class Field:
    """One place of a schema; `required` is within the object around it.

    `path` is dotted, with `[*]` for the items of an array and `*` for the keys of a map. `type` is
    string, integer, number, boolean, object, array, map or any; `enum` are the only values allowed,
    `suggested` the usual ones.
    """

    path: str
    type: str
    title: str | None = None
    description: str | None = None
    format: str | None = None
    enum: tuple[Any, ...] | None = None
    suggested: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    required: bool = False
    deprecated: bool = False


def steps_of(path: str) -> list[str | None] | None:
    """`["list", None, "a"]` for `list[0].a`, None being an index; None for what is no path."""
    steps: list[str | None] = []
    at = 0
    for found in _STEP.finditer(path):
        if found.start() != at:
            return None
        at = found.end()
        name = found["name"]
        steps.append(None if name is None else re.sub(r"\\(.)", r"\1", name))
    return steps if at == len(path) and steps else None


def field_at(shape: Shape, path: str) -> Field | None:
    """The field of a path, at any depth."""
    required = False
    place: Shape | None = shape
    for step in steps_of(path) or (None,):
        if place is None:
            return None
        if step is None:
            required, place = False, place.items if place.type == "array" else None
        else:
            required, place = step in place.required, place.properties.get(step, place.values)
    return None if place is None else described(place, path, required)


def all_fields(shape: Shape) -> Iterator[Field]:
    """Every field below a shape, an object before what is in it."""
    return _below(shape, "", {})


def _below(shape: Shape, path: str, entered: Mapping[int, int]) -> Iterator[Field]:
    within = shape.entered(entered)
    if within is None:
        return
    dot = path + "." if path else ""
    inner = [(f"{dot}{_written(name)}", name, place) for name, place in shape.properties.items()]
    if shape.type == "map" and shape.values is not None:
        inner.append((f"{dot}*", "*", shape.values))
    if shape.type == "array" and shape.items is not None:
        inner.append((f"{path}[*]", "*", shape.items))
    for where, name, place in inner:
        yield described(place, where, name in shape.required)
        yield from _below(place, where, within)


def _written(name: str) -> str:
    return re.sub(r"([.\[\\])", r"\\\1", name)


def described(shape: Shape, path: str, required: bool) -> Field:
    """What a shape says, as the field of a path."""
    enum, suggested = shape["enum"], shape["meta:enum"]
    return Field(
        path=path,
        type=shape.type,
        title=shape["title"],
        description=shape["description"],
        format=shape["format"],
        enum=None if enum is None else tuple(enum),
        suggested=tuple(suggested or ()),
        minimum=shape["minimum"],
        maximum=shape["maximum"],
        min_length=shape["minLength"],
        max_length=shape["maxLength"],
        pattern=shape["pattern"],
        required=required,
        deprecated=shape["meta:status"] == "deprecated",
    )
