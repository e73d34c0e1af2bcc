"""What of an object or array is copied, when it is mapped as a whole?

The attributes that the schema has at the destination, under their own names ("object copy"): others
stay behind. Copies share nothing with the record, so that mappings below them may change them.
"""

from collections.abc import Callable
from typing import Any

from agent.dataprep.paths import escaped
from agent.xdm.schema import Schema

Copy = Callable[[Any], Any]

_MISSES_MAX = 1000  # names that the schema lacks; records may have any number of them


def whole(value: Any) -> Any:
    """A copy with everything that is in it."""
    kind = value.__class__
    if kind is dict:
        return {key: whole(member) for key, member in value.items()}
    if kind is list:
        return [whole(element) for element in value]
    return value


def each(copy: Copy, depth: int) -> Copy:
    """What copies the elements of lists within lists, so many deep, as `[*]` reads them."""
    if not depth:
        return copy
    inner = each(copy, depth - 1)
    return lambda value: list(map(inner, value)) if isinstance(value, list) else copy(value)


class Fitting:
    """Copies what fits one place of a schema; places below it are looked up once."""

    def __init__(self, schema: Schema, path: str) -> None:
        self._schema = schema
        self._path = path
        field = schema.field(path)
        self._kind = None if field is None else field.type
        self._inner: dict[str, Fitting] = {}
        self._misses: set[str] = set()

    def __call__(self, value: Any) -> Any:
        """The copy; of what has another kind than the place, all: validation will say so."""
        kind = value.__class__
        if kind is dict and self._kind in ("object", "map"):
            return self._members(value)
        if kind is list and self._kind == "array":
            fit = self._element()
            return [fit(element) for element in value]
        return whole(value)

    def _members(self, value: dict[str, Any]) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for name, member in value.items():
            fit = self._inner.get(name) or self._looked_up(name)
            if fit is not None:
                members[name] = fit(member)
        return members

    def _element(self) -> "Fitting":
        if "[*]" not in self._inner:
            self._inner["[*]"] = Fitting(self._schema, f"{self._path}[*]")
        return self._inner["[*]"]

    def _looked_up(self, name: str) -> "Fitting | None":
        if name in self._misses or not name:
            return None
        path = f"{self._path}.{escaped(name)}"
        if self._schema.field(path) is None:
            if len(self._misses) < _MISSES_MAX:
                self._misses.add(name)
            return None
        fit = self._inner[name] = Fitting(self._schema, path)
        return fit
