"""What can only be checked by asking the platform, and what is allowed but probably not meant?"""

from agent.aep.platform import Platform
from agent.errors import ConfigError, NotFound, SchemaError
from agent.provision.components import components
from agent.provision.manifest.fitting import mapping_of, schema_of, unfit_mapping
from agent.provision.manifest.loading import Written
from agent.provision.manifest.source import HttpInlet
from agent.xdm import Library, Schema, compile_schema


async def doubts(written: Written, platform: Platform, tenant: str) -> list[str]:
    """What a person should look at before records come, a sentence each.

    Raises ConfigError, as loading does, where something that the manifest names is not there, or
    the mapping cannot fill the schema.
    """
    manifest = written.manifest
    told: list[str] = []
    if manifest.schema_.id:
        schema = await _existing(written, platform)
    else:
        schema = schema_of(manifest, await components(written, platform), tenant)
    if manifest.dataset.id:
        await _look_for_dataset(written, platform)
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


async def _existing(written: Written, platform: Platform) -> Schema | None:
    """The schema that the manifest names; None where it cannot be composed."""
    id = str(written.manifest.schema_.id)
    try:
        return compile_schema(await platform.schemas.get("schemas", id, full=True), Library())
    except NotFound:
        raise written.problem(("schema", "id"), _absent("schema", id)) from None
    except SchemaError:
        return None


async def _look_for_dataset(written: Written, platform: Platform) -> None:
    id = str(written.manifest.dataset.id)
    try:
        await platform.catalog.dataset(id)
    except NotFound:
        raise written.problem(("dataset", "id"), _absent("dataset", id)) from None


def _absent(noun: str, id: str) -> str:
    return (
        f"the platform has no {noun} {id}; write one that exists in this sandbox, or let one be"
        " made"
    )
