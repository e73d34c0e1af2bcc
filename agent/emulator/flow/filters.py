"""Which items does `property=name=="Streaming dataflow"` choose?

A path, an operator, and values: `auth.params.dataType==raw`, `sourceConnectionIds[]==a,b` (one of
them), `createdAt>=1617743929826`. Values may stand in double quotes; a comma within those is part
of the value. A list of names without an operator chooses not items, but what is shown of them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any

from agent.emulator.flow.problems import Problem

_SHAPE = re.compile(r"\s*(?P<path>[\w$@:.\[\]-]+?)\s*(?P<operator>[=!<>~]+)\s*(?P<values>.*)", re.S)
_NAMES = re.compile(r"\s*[\w$@:.-]+\s*(?:,\s*[\w$@:.-]+\s*)*")
_VALUE = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*))\s*(?:,|$)')
_ORDERS: dict[str, Callable[[float, float], bool]] = {">": gt, "<": lt, ">=": ge, "<=": le}
_NOT_IMPLEMENTED = ("~", "!=")


@dataclass(frozen=True, slots=True)
class Filter:
    """One expression; `values` are alternatives."""

    path: str
    operator: str
    values: tuple[str, ...]

    def chooses(self, item: Mapping[str, Any]) -> bool:
        """Whether an item is one of those."""
        found = values_at(item, self.path)
        if self.operator == "==":
            return any(_is_equal(value, wanted) for value in found for wanted in self.values)
        compare, bound = _ORDERS[self.operator], float(self.values[0])
        return any(
            compare(value, bound)
            for value in found
            if isinstance(value, int | float) and not isinstance(value, bool)
        )


@dataclass(frozen=True, slots=True)
class Projection:
    """What is to be shown of every item."""

    names: tuple[str, ...]


def parse(text: str, fields: frozenset[str]) -> Filter | Projection:
    """Read one expression over items with these fields. Raises Problem."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        if not _NAMES.fullmatch(text):
            raise Problem("1453-400", name=text)
        names = tuple(name.strip() for name in text.split(","))
        for name in names:
            _check_field(name, fields)
        return Projection(names)
    path, operator, values = shape["path"], shape["operator"], shape["values"]
    if operator in _NOT_IMPLEMENTED:
        raise Problem("1440-400", name=operator)
    if operator != "==" and operator not in _ORDERS:
        raise Problem("1450-400", name=operator)
    _check_field(path, fields)
    if not values.strip():
        raise Problem("1453-400", name=text)
    return _checked(Filter(path, operator, tuple(_values(values))))


def values_at(item: Any, path: str) -> Iterator[Any]:
    """Every value that lies at a path; `name[]` means each element of a list."""
    name, _, rest = path.partition(".")
    is_list = name.endswith("[]")
    if not isinstance(item, Mapping) or name.removesuffix("[]") not in item:
        return
    value = item[name.removesuffix("[]")]
    for each in value if is_list and isinstance(value, list) else [value]:
        if rest:
            yield from values_at(each, rest)
        else:
            yield each


def _checked(made: Filter) -> Filter:
    if made.operator == "==":
        return made
    if len(made.values) > 1:
        raise Problem("1443-400", name=made.operator)
    if made.path in ("id", "name", "state", "etag", "version"):
        raise Problem("1448-400", operator=made.operator, name=made.path)
    try:
        float(made.values[0])
    except ValueError:
        raise Problem("1452-400", value=made.values[0], name=made.path) from None
    return made


def _check_field(path: str, fields: frozenset[str]) -> None:
    name = path.partition(".")[0].removesuffix("[]")
    if name not in fields:
        raise Problem("1449-400", name=name)


def _values(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        found = _VALUE.match(text, at)
        if found is None:  # a quotation mark that is not closed belongs to the value
            yield text[at:].strip()
            return
        quoted, bare = found[1], found[2]
        yield bare.strip() if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        at = found.end()


def _is_equal(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted.lower() == str(value).lower()
    if isinstance(value, int | float):
        try:
            return float(wanted) == value
        except ValueError:
            return False
    if value is None:
        return wanted == "null"
    return bool(value == wanted)
