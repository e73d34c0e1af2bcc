"""Which rules does the platform have for a flow's records? Its mapping set and its schema."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent.aep.discovery import Wanted
from agent.aep.platform import Platform
from agent.aep.ways import Way, way_of
from agent.config.identities import RecordIdSettings
from agent.core import encoding
from agent.core.encoding import Envelope
from agent.core.identities import Identities
from agent.errors import ConfigError, NotFound
from agent.preflight.rules import EVENTS, PRIMARY, RAW, Rules, is_of_events, room


@dataclass(frozen=True, slots=True)
class Fetched:
    """The rules of a flow, its way, and what stands round each of its records."""

    rules: Rules
    way: Way
    envelope: Envelope


async def fetched(
    platform: Platform,
    wanted: Wanted,
    request_bytes_max: int,
    org_id: str,
    ids: RecordIdSettings | None = None,
) -> Fetched:
    """What decides about the records of a flow, to which the agent may add *ids*.

    Raises ConfigError, PlatformError.
    """
    way = await way_of(platform, wanted)
    envelope = _envelope(way, org_id)
    adds = ids is not None and ids.add != "none"
    spliced = Identities("content", ids.field).added_bytes if ids and adds else 0
    mapping = await _mapping(platform, way)
    schema = await schema_in_full(platform, way.schema_id, way.schema_version, str(way))
    rules = Rules(
        schema=schema,
        descriptors=await identities(platform, schema),
        mapping=mapping,
        is_raw=way.form != "xdm",
        feeds_profile=way.feeds_profile,
        ids_by=ids.add if ids and ids.add != "none" else None,
        id_field=ids.field if ids else "_id",
        record_bytes_max=room(replace(envelope, spliced=spliced), request_bytes_max),
    )
    return Fetched(rules, way, envelope)


async def schema_in_full(
    platform: Platform, ref: str, version: int = 1, of: str = ""
) -> dict[str, Any]:
    """A schema with everything in its place. Raises ConfigError where there is none."""
    try:
        schema = await platform.schemas.get("schemas", ref, full=True, version=version)
    except NotFound as error:
        named = f"{of}: its schema {ref}" if of else f"the schema {ref}"
        raise ConfigError(
            f"{named} is not in this sandbox; check platform.sandbox, and whether it was deleted"
        ) from error
    class_id = schema.get("meta:class")
    if class_id and not is_of_events(schema):
        # a class of one's own says by what it extends whether it is about events
        class_ = await _class_of(platform, str(class_id))
        if is_of_events(class_):
            schema["meta:extends"] = [*(schema.get("meta:extends") or ()), EVENTS]
    return schema


async def identities(platform: Platform, schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The descriptors that name a primary identity of a schema: by itself, or by its parts."""
    parts = {schema.get("$id"), schema.get("meta:altId"), schema.get("meta:class")}
    extended = schema.get("meta:extends")
    parts |= set(map(str, extended)) if isinstance(extended, list) else set()
    return [
        each
        for each in await platform.schemas.descriptors()
        if each.get("@type") == PRIMARY
        and each.get("xdm:isPrimary")
        and each.get("xdm:sourceSchema") in parts
    ]


def _envelope(way: Way, org_id: str) -> Envelope:
    """What stands round a record that is sent alone, as the agent would have it."""
    if way.form != "xdm":
        return RAW
    whole = encoding.xdm(
        schema_id=way.schema_id,
        content_type=f"application/vnd.adobe.xed-full+json;version={way.schema_version}",
        dataset_id=way.dataset_id or "",
        flow_id=way.flow_id,
        ims_org_id=org_id,
        source_name=way.source_name,
    )
    return encoding.single(whole)


async def _class_of(platform: Platform, class_id: str) -> Mapping[str, Any]:
    try:
        return await platform.schemas.get("classes", class_id)
    except NotFound:
        return {}


async def _mapping(platform: Platform, way: Way) -> dict[str, Any] | None:
    if way.mapping is None:
        return None
    id, version = way.mapping
    try:
        return await platform.dataprep.get(id, version)
    except NotFound as error:
        raise ConfigError(
            f"{way}: its mapping set {id} (version {version}) is not in this sandbox; check"
            " platform.sandbox, and give the flow another one"
        ) from error
