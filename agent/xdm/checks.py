"""How is a record held against a shape quickly?

A shape becomes a closure. It is called once for every value of every record, so it is told where it
is by a chain of keys, from which a pointer is only made for what is wrong.
"""

from collections.abc import Callable, Mapping
from typing import Any

from agent.xdm.scalars import PYTHON_TYPES, Test, tests_of
from agent.xdm.shape import Shape
from agent.xdm.violations import wrong_type

At = tuple[Any, Any] | None  # (the place around, key or index); None is the record itself
Check = Callable[[Any, At, "Findings"], None]


class Enough(Exception):
    """As many violations were found as were asked for."""


class Findings:
    """What was found wrong: place, keyword and message; raises Enough at the limit."""

    __slots__ = ("found", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.found: list[tuple[At, str, str]] = []

    def add(self, at: At, keyword: str, message: str) -> None:
        self.found.append((at, keyword, message))
        if len(self.found) >= self.limit:
            raise Enough


class Checks:
    """The closures of one schema; a shape met again is the closure met before."""

    def __init__(self) -> None:
        self._made: dict[Shape, Check] = {}

    def of(self, shape: Shape) -> Check:
        """The closure of a shape, with everything below it."""
        made = self._made.get(shape)
        if made is None:
            # A data type may contain itself: met while it is being made, it is looked up in use.
            self._made[shape] = _looked_up(self._made, shape)
            made = self._made[shape] = self._make(shape)
        return made

    def _make(self, shape: Shape) -> Check:
        if shape.choices:
            return _one_of([self.of(choice) for choice in shape.choices])
        match shape.type:
            case "object" | "map":
                return self._object(shape)
            case "array":
                return self._array(shape)
            case "any":
                return _anything
            case scalar:
                return _scalar(scalar, tests_of(scalar, shape))

    def _object(self, shape: Shape) -> Check:
        named = {name: self.of(inner) for name, inner in shape.properties.items()}
        others = None if shape.values is None else self.of(shape.values)
        required = shape.required
        known = named.keys()
        closed = shape.is_closed
        find = named.get

        def check(value: Any, at: At, findings: Findings) -> None:
            if type(value) is not dict:
                findings.add(at, "type", wrong_type("object", value))
                return
            for name in required:
                if name not in value:
                    findings.add(at, "required", f"required key [{name}] not found")
            if closed and not value.keys() <= known:
                for name in value:
                    if name not in named:
                        findings.add(
                            at, "additionalProperties", f"extraneous key [{name}] is not permitted"
                        )
            for name, inner in value.items():
                next_check = find(name, others)
                if next_check is not None:
                    next_check(inner, (at, name), findings)

        return check

    def _array(self, shape: Shape) -> Check:
        inside = _anything if shape.items is None else self.of(shape.items)
        least, most = shape["minItems"] or 0, shape["maxItems"]
        unique = bool(shape["uniqueItems"])

        def check(value: Any, at: At, findings: Findings) -> None:
            if type(value) is not list:
                findings.add(at, "type", wrong_type("array", value))
                return
            count = len(value)
            if count < least:
                findings.add(
                    at, "minItems", f"expected minimum item count: {least}, found: {count}"
                )
            if most is not None and count > most:
                findings.add(at, "maxItems", f"expected maximum item count: {most}, found: {count}")
            if unique and any(value.index(item) < index for index, item in enumerate(value)):
                findings.add(at, "uniqueItems", "array items are not unique")
            for index, item in enumerate(value):
                inside(item, (at, index), findings)

        return check


def _looked_up(made: Mapping[Shape, Check], shape: Shape) -> Check:
    def check(value: Any, at: At, findings: Findings) -> None:
        made[shape](value, at, findings)

    return check


def _anything(value: Any, at: At, findings: Findings) -> None:
    pass


def _one_of(checks: list[Check]) -> Check:
    def check(value: Any, at: At, findings: Findings) -> None:
        fitting = sum(_fits(alternative, value) for alternative in checks)
        if fitting != 1:
            findings.add(at, "oneOf", f"{fitting} subschemas matched instead of one")

    return check


def _fits(check: Check, value: Any) -> bool:
    try:
        check(value, None, Findings(limit=1))
    except Enough:
        return False
    return True


def _scalar(kind: str, tests: list[Test]) -> Check:
    fitting = PYTHON_TYPES[kind]
    only = fitting[0] if len(fitting) == 1 else None

    def check_type(value: Any, at: At, findings: Findings) -> None:
        if type(value) is not only and type(value) not in fitting:
            findings.add(at, "type", wrong_type(kind, value))

    def check(value: Any, at: At, findings: Findings) -> None:
        if type(value) is not only and type(value) not in fitting:
            findings.add(at, "type", wrong_type(kind, value))
            return
        for test in tests:
            wrong = test(value)
            if wrong is not None:
                findings.add(at, *wrong)

    return check if tests else check_type
