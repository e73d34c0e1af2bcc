"""What does one mapping of a set say: from where, to where, and how?

Two vocabularies: `sourceType`, `source`, `destination` of today, and `sourceAttribute`,
`destinationXdmPath` of the tutorial; what the platform stores has both. Of its stored types,
`text/x.schema-path` is an attribute and `text/x.aep-xl` an expression.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.dataprep.destinations import Steps, Write, arrays_of, writer
from agent.dataprep.evaluation import Clock
from agent.dataprep.expression import Expression, compile_expression
from agent.dataprep.faults import ExpressionError
from agent.dataprep.paths import EVERY, INDEX_MAX, SourcePath, is_there, steps_of

ATTRIBUTE = "ATTRIBUTE"
EXPRESSION = "EXPRESSION"
STATIC = "STATIC"
_TYPES = {
    ATTRIBUTE: ATTRIBUTE,
    EXPRESSION: EXPRESSION,
    STATIC: STATIC,
    "text/x.schema-path": ATTRIBUTE,
    "text/x.aep-xl": EXPRESSION,
}
_ABSENT = object()

Read = Callable[[Any, Clock], Any]


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """One mapping, ready to use."""

    index: int
    destination: str
    steps: Steps
    kind: str
    source: Any
    read: Read  # raises EvaluationError
    write: Write
    arrays: tuple[Steps, ...]  # that its destination goes through
    expression: Expression | None = None
    path: SourcePath | None = None  # of an attribute

    @property
    def wildcards(self) -> int:
        """How many arrays its source goes through, where that is an attribute."""
        return 0 if self.path is None else self.path.wildcards

    def is_there(self, record: Any) -> bool:
        """Whether the record has the attribute, be it null; what is made is always there."""
        return self.path is None or is_there(record, self.path.steps)


def field_mapping(index: int, body: Any, *, nulls: bool = False) -> FieldMapping:
    """The mapping of a JSON object. Raises ExpressionError, which says what is wrong with it."""
    if not isinstance(body, Mapping):
        raise ExpressionError("a mapping is an object with source and destination")
    destination = _text(body, "destination", "destinationXdmPath")
    steps = _destination(destination)
    named = body.get("sourceType") or ATTRIBUTE
    kind = _TYPES.get(named) if isinstance(named, str) else None
    if kind is None:
        raise ExpressionError(
            f"the sourceType {body['sourceType']!r} is none of ATTRIBUTE, EXPRESSION and STATIC"
        )
    arrays = tuple(arrays_of(steps))
    write = writer(steps, nulls=nulls)
    if kind == STATIC:
        constant = body.get("source", body.get("sourceAttribute", _ABSENT))
        if constant is _ABSENT or isinstance(constant, list | dict):
            raise ExpressionError("a STATIC mapping needs a source: the text or number itself")
        return FieldMapping(
            index, destination, steps, kind, constant, lambda *_: constant, write, arrays
        )
    source = _text(body, "source", "sourceAttribute")
    if kind == EXPRESSION:
        expression = compile_expression(source)
        return FieldMapping(
            index,
            destination,
            steps,
            kind,
            source,
            lambda record, now: expression.evaluate(record, now=now),
            write,
            arrays,
            expression,
        )
    path = SourcePath.parse(source)
    return FieldMapping(
        index,
        destination,
        steps,
        kind,
        source,
        _attribute(path, steps),
        write,
        arrays,
        path=path,
    )


def _text(body: Mapping[str, Any], name: str, legacy: str) -> str:
    text = body.get(name, body.get(legacy))
    if not isinstance(text, str) or not text.strip():
        raise ExpressionError(f"a mapping needs {name} (or {legacy}), a text")
    return text.strip()


def _destination(path: str) -> Steps:
    steps = steps_of(path)
    too_far = [step for step in steps if isinstance(step, int) and step > INDEX_MAX]
    if too_far:
        raise ExpressionError(f"the index {too_far[0]} of {path} is too large: {INDEX_MAX} at most")
    return steps


def _attribute(path: SourcePath, steps: Steps) -> Read:
    """Reads the attribute; where its source goes through more arrays than its destination, the
    innermost become one."""
    read = path.read
    surplus = path.wildcards - steps.count(EVERY)
    if surplus <= 0:
        return lambda record, _: read(record)
    if steps[-1] is EVERY:
        return lambda record, _: _flattened(read(record), steps.count(EVERY) - 1, surplus)
    return lambda record, _: _flattened(read(record), steps.count(EVERY), surplus - 1)


def _flattened(value: Any, outer: int, surplus: int) -> Any:
    if not isinstance(value, list):
        return value
    if outer:
        return [_flattened(each, outer - 1, surplus) for each in value]
    for _ in range(surplus):
        value = [inner for each in value if isinstance(each, list) for inner in each]
    return [each for each in value if each is not None]
