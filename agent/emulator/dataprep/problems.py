"""What is wrong with a mapping set, by itself and held against its schema?"""

from collections.abc import Mapping
from typing import Any

from agent.dataprep import MappingError, MappingSet
from agent.emulator.dataprep import mapping_sets
from agent.emulator.dataprep.errors import bad
from agent.emulator.schemas.registry import Registry
from agent.errors import SchemaError
from agent.xdm import Schema


def problems(asked: Mapping[str, Any], schema: Schema | None) -> list[str]:
    """What keeps a mapping set from being used, each with the place of its mapping."""
    try:
        mapping = MappingSet.from_json(asked)
    except MappingError as error:
        return [str(each) for each in error.problems]
    return [] if schema is None else mapping.problems(schema)


def schema_of(asked: Mapping[str, Any], registry: Registry, sandbox: str) -> Schema | None:
    """The schema that a mapping set names, composed; None where it names none. Raises Refused."""
    ref = mapping_sets.schema_of(asked)
    if ref is None:
        return None
    try:
        return registry.schema(ref, sandbox)
    except SchemaError as error:
        raise bad(f"the schema {ref} cannot be used: {error}") from None
