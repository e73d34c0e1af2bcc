"""How is the judge of a flow made out of the platform's objects?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.emulator.judges import Judge
from agent.emulator.routing import Route
from agent.emulator.schemas.registry import Registry
from agent.errors import SchemaError
from agent.xdm import Violation


@dataclass(frozen=True, slots=True)
class _Outcome:
    entity: Any
    violations: list[Violation]
    warnings: tuple[()] = ()
    mapped: Any = None


def compiler(registry: Registry) -> Callable[[Route], Judge]:
    """What makes the judge of a route. Where that is not possible, the judge fails every record."""

    def compiled(found: Route) -> Judge:
        schema_id = found.schema_id or ""
        try:
            schema = registry.schema(schema_id, found.sandbox)
        except SchemaError as error:
            return _nobody_passes(str(error))
        return Judge(
            lambda record: _Outcome(record, schema.violations(record), mapped=record),
            schema.is_event,
            schema.identity,
            _namespace(registry, schema_id, found.sandbox),
        )

    return compiled


def _namespace(registry: Registry, schema_id: str, sandbox: str) -> str:
    """The namespace of the primary identity that describes the schema."""
    for each in registry.descriptors(schema_id, sandbox):
        if each.get("xdm:isPrimary"):
            return str(each.get("xdm:namespace", ""))
    return ""


def _nobody_passes(reason: str) -> Judge:
    violation = Violation("#", "schema", reason, "#")
    return Judge(lambda record: _Outcome(record, [violation]), False, None, "")
