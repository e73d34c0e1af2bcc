"""What can only be checked by asking the platform, and what is allowed but probably not meant?"""

from agent.aep.platform import Platform
from agent.errors import ConfigError, NotFound, SchemaError
from agent.provision.manifest.fitting import mapping_of, schema_of, unfit_mapping
from agent.provision.manifest.loading import Written
from agent.provision.manifest.source import HttpInlet
from agent.xdm import Library, Schema, compile_schema


async def doubts(written: Written, platform: Platform, tenant: str) -> list[str]:
    """What a person should look at before records come, a sentence each.

    Raises ConfigError, as loading does, where the mapping cannot fill a schema that exists.
    """
    manifest = written.manifest
    told: list[str] = []
    schema = schema_of(manifest)
    if manifest.schema_.id:
        schema = await _existing(manifest.schema_.id, platform)
        if schema is not None and manifest.mapping:
            mapping_set = mapping_of(manifest, tenant)
            problems = [
                str(written.problem(place, text))
                for place, text in unfit_mapping(manifest, mapping_set, schema)
            ]
            if problems:
                raise ConfigError("\n".join(problems))
    if schema is None and manifest.mapping:
        told.append(
            "the schema refers to components that are not known here: whether the mapping fits it,"
            " only the platform can say"
        )
    if isinstance(manifest.source, HttpInlet) and not manifest.source.authenticated:
        told.append(
            "whoever knows the inlet's URL can send to it; `source.authenticated: true` asks for"
            " tokens"
        )
    return told


async def _existing(id: str, platform: Platform) -> Schema | None:
    try:
        return compile_schema(await platform.schemas.get("schemas", id, full=True), Library())
    except (NotFound, SchemaError):
        return None  # that it is not there is told with the plan
