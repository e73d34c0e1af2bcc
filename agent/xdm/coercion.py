"""What does the platform make of a mapped value whose type is not the field's?

Numbers become strings, `yes` becomes true, dates are read in the forms of `dates`. What does not
fit stays as it is, for validation to refuse. As with checks, a shape becomes a closure; it returns
the very value it was given unless something changed, and never changes what it was given.
"""

import re
from collections.abc import Callable, Mapping
from math import inf
from typing import Any, Final

from agent.xdm import dates
from agent.xdm.formats import is_date, is_date_time
from agent.xdm.shape import Shape

Coerce = Callable[[Any], Any]

_BOOLEANS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("y", "yes", "Y", "YES", "on", "ON", "true", "TRUE"), True),
    **dict.fromkeys(("n", "no", "N", "NO", "off", "OFF", "false", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[+-]?\d{1,19}", re.ASCII).fullmatch
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII).fullmatch
_LONGEST: Final = 2**63


class Coercions:
    """The closures of one schema; None where every value stays."""

    def __init__(self) -> None:
        self._made: dict[Shape, Coerce] = {}

    def of(self, shape: Shape) -> Coerce:
        made = self._made.get(shape)
        if made is None:
            self._made[shape] = _looked_up(self._made, shape)
            made = self._made[shape] = self._make(shape)
        return made

    def _make(self, shape: Shape) -> Coerce:
        match shape.type:
            case "object" | "map":
                return self._object(shape)
            case "array" if shape.items is not None:
                return _each(self.of(shape.items))
            case "string":
                return _STRINGS.get(shape["format"], _string)
            case kind:
                return _SCALARS.get(kind, _same)

    def _object(self, shape: Shape) -> Coerce:
        named = {name: self.of(inner) for name, inner in shape.properties.items()}
        others = _same if shape.values is None else self.of(shape.values)
        find = named.get

        def coerce(value: Any) -> Any:
            if type(value) is not dict:
                return value
            made = None
            for name, inner in value.items():
                fitting = find(name, others)(inner)
                if fitting is not inner:
                    if made is None:
                        made = dict(value)
                    made[name] = fitting
            return value if made is None else made

        return coerce


def _looked_up(made: Mapping[Shape, Coerce], shape: Shape) -> Coerce:
    def coerce(value: Any) -> Any:
        return made[shape](value)

    return coerce


def _same(value: Any) -> Any:
    return value


def _each(inside: Coerce) -> Coerce:
    def coerce(value: Any) -> Any:
        if type(value) is not list:
            return value
        made = [inside(item) for item in value]
        return made if any(new is not old for new, old in zip(made, value, strict=True)) else value

    return coerce


def _string(value: Any) -> Any:
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    return str(value) if type(value) is int or type(value) is float else value


def _date_time(value: Any) -> Any:
    if type(value) is not str or is_date_time(value):
        return value
    at = dates.moment(value)
    return value if at is None else dates.written(at)


def _date(value: Any) -> Any:
    if type(value) is not str or is_date(value):
        return value
    if is_date_time(value):
        return value[:10]
    at = dates.moment(value)
    return value if at is None else at.date().isoformat()


def _boolean(value: Any) -> Any:
    return _BOOLEANS.get(value, value) if type(value) is str else value


def _integer(value: Any) -> Any:
    if (type(value) is float and value.is_integer()) or (type(value) is str and _INTEGER(value)):
        whole = int(value)
    else:
        return value
    return whole if -_LONGEST <= whole < _LONGEST else value


def _number(value: Any) -> Any:
    if type(value) is not str:
        return value
    if _INTEGER(value):
        return int(value)
    number = float(value) if _NUMBER(value) else inf
    return value if number in (inf, -inf) else number


_SCALARS: Final[Mapping[str, Coerce]] = {
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
}
_STRINGS: Final[Mapping[str | None, Coerce]] = {"date": _date, "date-time": _date_time}
