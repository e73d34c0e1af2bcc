"""How does a value come to its destination in the new record, and who makes what is above it?

Objects and arrays on the way are made as needed. A list goes through `[*]` element by element;
`[2]` makes an array at least three long. Holes that stay, and elements that got nothing, are taken
out at the end, unless nulls are allowed: no array of XDM has any.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from agent.dataprep.evaluation import bound_elements
from agent.dataprep.faults import EvaluationError
from agent.dataprep.paths import EVERY, PathStep, written
from agent.dataprep.values import kind_of

Write = Callable[[dict[str, Any], Any], None]
Steps = tuple[PathStep, ...]


def writer(steps: Steps, *, nulls: bool) -> Write:
    """What puts a value to its destination; elements that are null only where *nulls* are allowed.

    It raises EvaluationError where something else is in the way. The steps begin with a name.
    """
    if all(isinstance(step, str) for step in steps):
        *above, last = steps
        return lambda entity, value: _put_by_name(entity, above, last, value)
    return lambda entity, value: _put(entity, steps, 0, value, nulls)


def remove(entity: Any, steps: Sequence[PathStep]) -> None:
    """Takes out what stands at a destination, if anything does; elements leave a hole."""
    step, *rest = steps
    if step is EVERY:
        places: Iterable[Any] = range(len(entity)) if isinstance(entity, list) else ()
    else:
        places = (step,)
    for place in places:
        if isinstance(place, str):
            there = isinstance(entity, dict) and place in entity
        else:
            there = isinstance(entity, list) and place < len(entity)
        if not there:
            continue
        if rest:
            remove(entity[place], rest)
        elif isinstance(place, str):
            del entity[place]
        else:
            entity[place] = None


def compact(entity: Any, steps: Sequence[PathStep]) -> None:
    """Takes holes and elements that got nothing out of the array at the steps."""
    if not steps:
        if isinstance(entity, list):
            entity[:] = [each for each in entity if each is not None and each != {}]
        return
    step, *rest = steps
    if step is EVERY:
        for each in entity if isinstance(entity, list) else ():
            compact(each, rest)
    elif isinstance(step, str):
        if isinstance(entity, dict) and step in entity:
            compact(entity[step], rest)
    elif isinstance(entity, list) and isinstance(step, int) and step < len(entity):
        compact(entity[step], rest)


def arrays_of(steps: Steps) -> list[Steps]:
    """The arrays that a destination goes through, the innermost first."""
    return [steps[:at] for at in range(len(steps) - 1, 0, -1) if not isinstance(steps[at], str)]


def _put_by_name(
    place: dict[Any, Any], above: Sequence[PathStep], last: PathStep, value: Any
) -> None:
    for name in above:
        inner = place.get(name)
        if inner is None:
            inner = place[name] = {}
        elif inner.__class__ is not dict:
            raise EvaluationError(f"{written((name,))} is {kind_of(inner)} already")
        place = inner
    place[last] = value


def _put(place: Any, steps: Steps, at: int, value: Any, nulls: bool) -> None:
    """Puts the value below a place that has the kind which the step asks for."""
    step = steps[at]
    if isinstance(step, str):
        _set(place, step, steps, at, value, nulls)
    elif isinstance(step, int):
        _lengthen(place, step + 1)
        _set(place, step, steps, at, value, nulls)
    else:
        values = value if isinstance(value, list) else [] if value is None else [value]
        bound_elements(len(values))
        _lengthen(place, len(values))
        for index, each in enumerate(values):
            _set(place, index, steps, at, each, nulls)


def _set(place: Any, key: str | int, steps: Steps, at: int, value: Any, nulls: bool) -> None:
    if at + 1 == len(steps):
        if value is not None or nulls:
            place[key] = value
        return
    kind: type = dict if isinstance(steps[at + 1], str) else list
    inner = place.get(key) if isinstance(key, str) else place[key]
    if inner is None:
        inner = place[key] = kind()
    elif inner.__class__ is not kind:
        raise EvaluationError(f"{written(steps[: at + 1])} is {kind_of(inner)} already")
    if value is not None or nulls:
        _put(inner, steps, at + 1, value, nulls)


def _lengthen(array: list[Any], length: int) -> None:
    array.extend([None] * (length - len(array)))
