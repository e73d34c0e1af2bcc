"""Can what a mapping gives stand at its destination? What the schema alone tells."""

from typing import Any

from agent.dataprep.mappings import ATTRIBUTE, STATIC, FieldMapping
from agent.dataprep.paths import EVERY
from agent.xdm.schema import Schema

_MANY = {"list": ("array",), "dict": ("object", "map")}
_CONTAINERS = frozenset({"array", "object", "map"})
_NAMES = {"list": "an array", "dict": "an object"}


def problem_of(mapping: FieldMapping, schema: Schema) -> str | None:
    """What keeps the mapping from ever filling its field, in words; None where nothing does."""
    field = schema.field(mapping.destination)
    if field is None:
        return f"{schema.title or 'the schema'} has no field {mapping.destination}"
    if field.type == "any":
        return None
    if mapping.kind == STATIC:
        return _wrong_constant(mapping, schema)
    if mapping.kind == ATTRIBUTE:
        arrays = mapping.wildcards - mapping.steps.count(EVERY)
        if arrays > 0 and mapping.steps[-1] is not EVERY and field.type != "array":
            return f"{mapping.source} gives an array, {mapping.destination} is {_a(field.type)}"
        return None
    kind = mapping.expression.kind if mapping.expression else ""
    if EVERY in mapping.steps or not kind:
        return None
    fits = field.type in _MANY[kind] if kind in _MANY else field.type not in _CONTAINERS
    if fits:
        return None
    return (
        f"the expression gives {_NAMES.get(kind, 'a single value')}, "
        f"{mapping.destination} is {_a(field.type)}"
    )


def _wrong_constant(mapping: FieldMapping, schema: Schema) -> str | None:
    entity: dict[str, Any] = {}
    mapping.write(entity, mapping.source)
    wrong = [
        violation
        for violation in schema.violations(schema.coerce(entity), limit=100)
        if violation.keyword != "required"
    ]
    return f"{mapping.source!r} at {mapping.destination}: {wrong[0].message}" if wrong else None


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeio' else 'a'} {kind}"
