"""Which rules do files give: a manifest yet to be applied, or a schema and a mapping set?"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.aep.platform import Platform
from agent.errors import ConfigError, SchemaError
from agent.preflight.fetching import identities, schema_in_full
from agent.preflight.rules import EVENTS, PRIMARY, RAW, XDM, Rules, room
from agent.provision.components import components
from agent.provision.manifest.fitting import mapping_body, schema_of
from agent.provision.manifest.loading import Written
from agent.provision.manifest.words import TENANT, with_tenant
from agent.xdm import Library, Schema, compile_schema, load_directory


async def of_manifest(written: Written, request_bytes_max: int) -> Rules:
    """The rules as they will be once the manifest was applied.

    Only where it refers to a schema or to components that are not known here, the platform is asked
    for them. Raises ConfigError, PlatformError.
    """
    manifest = written.manifest
    settings = manifest.schema_
    is_raw = manifest.source.data_type == "raw"
    composed = None if settings.id else schema_of(manifest)
    tenant = TENANT.removeprefix("_")
    descriptors = [_descriptor(each.path, tenant) for each in settings.identities if each.primary]
    if composed is not None and (is_raw or not settings.fields):
        schema = _whole(composed)
    else:
        # what is there already, and what is called by the tenant's name, only the platform knows
        async with Platform.of(manifest.platform) as platform:
            tenant = await platform.schemas.tenant()
            if settings.id:
                schema = await schema_in_full(platform, settings.id)
                descriptors = await identities(platform, schema)
            else:
                schema = await _composed(written, platform, tenant)
                descriptors = [
                    _descriptor(each.path, tenant) for each in settings.identities if each.primary
                ]
    return Rules(
        schema=schema,
        descriptors=descriptors,
        mapping=mapping_body(manifest, tenant) if manifest.mapping else None,
        is_raw=is_raw,
        feeds_profile=manifest.dataset.profile,
        record_bytes_max=room(RAW if is_raw else XDM, request_bytes_max),
    )


def of_files(
    schema: Path, mapping: Path | None, components: Path | None, request_bytes_max: int
) -> Rules:
    """The rules of a schema and a mapping set that lie in JSON files.

    The schema may be whole, as `xed-full` has it, or refer to components: Adobe's usual ones, and
    those in the directory *components*. Raises ConfigError.
    """
    body = _json(schema)
    descriptors = [each for each in body.get("meta:descriptors") or () if isinstance(each, Mapping)]
    try:
        library = Library.standard()
        if components is not None:
            load_directory(library, components)
        composed = compile_schema(body, library)
    except SchemaError as error:
        raise ConfigError(f"{schema}: {error}") from error
    whole = _whole(composed)
    if extended := body.get("meta:extends"):
        whole["meta:extends"] = extended
    return Rules(
        schema=whole,
        descriptors=descriptors,
        mapping=None if mapping is None else _json(mapping),
        is_raw=mapping is not None,
        record_bytes_max=room(RAW if mapping else XDM, request_bytes_max),
    )


async def _composed(written: Written, platform: Platform, tenant: str) -> dict[str, Any]:
    """The schema that a manifest would make, with the platform's help."""
    library = await components(written, platform)
    composed = schema_of(written.manifest, library, tenant)
    if composed is None:
        raise ConfigError(
            f"{written.path}: schema: it refers to components that the platform answers only in"
            " part; name them by their $id"
        )
    return _whole(composed)


def _whole(composed: Schema) -> dict[str, Any]:
    """A schema in one piece, which says whether it is about events."""
    return {**composed.full(), **({"meta:extends": [EVENTS]} if composed.is_event else {})}


def _descriptor(path: str, tenant: str) -> dict[str, Any]:
    """What will name this field the primary identity."""
    pointer = "/" + with_tenant(path, tenant).replace("[*]", "/*").replace(".", "/")
    return {"@type": PRIMARY, "xdm:isPrimary": True, "xdm:sourceProperty": pointer}


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: a JSON object should be there")
    return found
