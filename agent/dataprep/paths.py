"""Which places of a record does a path mean, and how is one written?

`a.b`, `a[0].b`, `a[*].b`; a dot within a name is written `\\.`, and a name may be wrapped, as in
`${First Name}`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from agent.dataprep.faults import ExpressionError


class Every(Enum):
    """The step to all elements of an array, written `[*]`."""

    ELEMENT = "[*]"


EVERY: Final = Every.ELEMENT
PathStep = str | int | Every
Read = Callable[[Any], Any]

STEPS_MAX = 64
INDEX_MAX = 999
_STEP = re.compile(
    r"(?P<dot>\.)?(?:\$\{(?P<wrapped>(?:[^}\\]|\\.)+)\}|(?P<name>(?:[^.\[\]\\]|\\.)+))"
    r"|\[(?P<index>\d{1,9}|\*)\]",
    re.DOTALL,
)


def steps_of(path: str) -> tuple[PathStep, ...]:
    """The steps of a path. Raises ExpressionError for what is none."""
    steps: list[PathStep] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None or (not match["index"] and bool(match["dot"]) == (at == 0)):
            raise ExpressionError(f"{path!r} is no path, as a.b, a[0].b and a[*].b are", at)
        if match["index"]:
            if not steps:
                raise ExpressionError(f"the path {path!r} begins with an index", 0)
            steps.append(EVERY if match["index"] == "*" else int(match["index"]))
        elif match["wrapped"] is not None:
            steps += names_of(match["wrapped"])
        else:
            steps.append(unescaped(match["name"]))
        at = match.end()
    if not steps or len(steps) > STEPS_MAX:
        raise ExpressionError(f"a path has one to {STEPS_MAX} steps, this one has {len(steps)}")
    return tuple(steps)


def names_of(wrapped: str) -> list[str]:
    """The names within `${ }`: dots part them, unless they are escaped. Raises ExpressionError."""
    names = re.findall(r"(?:[^.\\]|\\.)+", wrapped, re.DOTALL)
    if not names or len(names) > STEPS_MAX:
        raise ExpressionError(f"${{{wrapped}}} has no name, or more than {STEPS_MAX}")
    return [unescaped(name) for name in names]


def unescaped(name: str) -> str:
    """The name as the record has it."""
    return re.sub(r"\\(.)", r"\1", name, flags=re.DOTALL) if "\\" in name else name


def escaped(name: str) -> str:
    """The name as a path has it."""
    return re.sub(r"([.\[\]\\])", r"\\\1", name)


def written(steps: Sequence[PathStep]) -> str:
    """The path of the steps, as people write it."""
    path = ""
    for step in steps:
        if isinstance(step, str):
            path += ("." if path else "") + escaped(step)
        else:
            path += step.value if isinstance(step, Every) else f"[{step}]"
    return path


@dataclass(frozen=True, slots=True)
class SourcePath:
    """A path to read by."""

    steps: tuple[PathStep, ...]
    read: Read  # of a record: the value there, None where there is none; with [*] a list of values

    @classmethod
    def parse(cls, path: str) -> "SourcePath":
        """Raises ExpressionError for what is no path."""
        steps = steps_of(path)
        return cls(steps, reader(steps))

    @property
    def wildcards(self) -> int:
        """How many arrays it goes through: as deep are lists within lists in what it reads."""
        return self.steps.count(EVERY)


def is_there(value: Any, steps: Sequence[PathStep]) -> bool:
    """Whether a record has the place of the steps, be it null; behind `[*]` nobody can say."""
    for step in steps:
        if isinstance(step, str):
            there = isinstance(value, dict) and step in value
        elif isinstance(step, int):
            there = isinstance(value, list) and step < len(value)
        else:
            return isinstance(value, list)
        if not there:
            return False
        value = value[step]
    return True


def reader(steps: Sequence[PathStep]) -> Read:
    """What reads a record by the steps.

    Behind `[*]`, an element that lacks the rest gives None: what was read from one place of an
    array keeps its place.
    """
    if EVERY in steps:
        at = steps.index(EVERY)
        before, behind = _straight(steps[:at]), reader(steps[at + 1 :])
        return lambda value: _read_each(before(value), behind)
    return _straight(steps)


def _read_each(value: Any, behind: Read) -> Any:
    return [behind(each) for each in value] if isinstance(value, list) else None


def _straight(steps: Sequence[PathStep]) -> Read:
    if len(steps) == 1 and isinstance(steps[0], str):
        name = steps[0]
        return lambda value: value.get(name) if isinstance(value, dict) else None
    if all(isinstance(step, str) for step in steps):
        return lambda value: _member(value, steps)
    return lambda value: _place(value, steps)


def _member(value: Any, names: Sequence[PathStep]) -> Any:
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _place(value: Any, steps: Sequence[PathStep]) -> Any:
    for step in steps:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        elif isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
    return value
