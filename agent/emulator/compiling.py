"""How is the judge of a flow made out of the platform's objects?"""

from collections.abc import Callable

from agent import dataprep
from agent.dataprep import MappingError, MappingSet, Outcome
from agent.emulator.judges import Judge
from agent.emulator.mapping_sets import in_version
from agent.emulator.platform import Platform
from agent.emulator.routing import Route
from agent.emulator.schemas.registry import Registry
from agent.errors import SchemaError
from agent.xdm import Violation


def compiler(platform: Platform, registry: Registry) -> Callable[[Route], Judge]:
    """What makes the judge of a route. Where that is not possible, the judge fails every record."""

    def compiled(found: Route) -> Judge:
        schema_id = found.schema_id or ""
        try:
            schema = registry.schema(schema_id, found.sandbox)
            mapping = _mapping(platform, found)
        except (SchemaError, MappingError) as error:
            return _nobody_passes(str(error))
        return Judge(
            dataprep.Judge(schema, mapping, profile=found.profile).judge,
            schema.is_event,
            schema.identity,
            _namespace(registry, schema_id, found.sandbox),
        )

    return compiled


def _mapping(platform: Platform, found: Route) -> MappingSet | None:
    """The mapping set of a flow in the version that the flow names. Raises MappingError."""
    if found.mapping_id is None:
        return None
    kept = platform.mapping_sets.get(found.mapping_id)
    return MappingSet.from_json({} if kept is None else in_version(kept, found.mapping_version))


def _namespace(registry: Registry, schema_id: str, sandbox: str) -> str:
    """The namespace of the primary identity that describes the schema."""
    for each in registry.descriptors(schema_id, sandbox):
        if each.get("xdm:isPrimary"):
            return str(each.get("xdm:namespace", ""))
    return ""


def _nobody_passes(reason: str) -> Judge:
    violation = Violation("#", "schema", reason, "#")
    return Judge(lambda record: Outcome(None, [violation], [], record), False, None, "")
