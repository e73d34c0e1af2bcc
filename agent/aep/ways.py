"""Which way do the records of a flow take: by which inlet and mapping, into which dataset?

What a flow, its connections and its dataset say of it, on one page. Nothing is changed. [Flow
Service API, Catalog API; platform facts 3.2, 4.2]
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.aep.discovery import Wanted, connections_of, flow_of, is_true, parameters_of
from agent.aep.platform import Platform
from agent.errors import ConfigError, NotFound

_VERSION = re.compile(r"version *= *([0-9]+)")
_ENABLED = "enabled:true"


@dataclass(frozen=True, slots=True)
class Way:
    """The way of a flow's records; what is not there is None."""

    flow_id: str
    flow_name: str
    form: str  # raw or xdm; empty where the platform does not say
    source_name: str
    inlet_id: str | None
    inlet_url: str | None
    asks_for_token: bool
    mapping: tuple[str, int] | None  # id and version of the mapping set
    dataset_id: str | None
    dataset_name: str
    feeds_profile: bool
    schema_id: str
    schema_version: int

    def __str__(self) -> str:
        return f"flow {self.flow_name} ({self.flow_id})"


async def way_of(platform: Platform, wanted: Wanted) -> Way:
    """The way of a flow's records.

    Raises FlowUnusable where there is no such flow or there are several, ConfigError where it leads
    to no schema, PlatformError where the platform could not be asked.
    """
    flow = await flow_of(platform.flow, wanted)
    flow_id = str(flow.get("id") or wanted.id or "")
    shown = f"flow {flow.get('name')} ({flow_id})"
    connections = await connections_of(platform.flow, flow, shown)
    said: dict[str, Any] = {}
    for connection in connections:
        said |= {name: value for name, value in parameters_of(connection).items() if value}
    target = await _target(platform, flow)
    dataset_id = _part(target, "params").get("dataSetId") or _part(target, "params").get(
        "datasetId"
    )
    dataset = await _dataset(platform, dataset_id)
    schema = _part(dataset, "schemaRef") or _part(_part(target, "data"), "schema")
    if not schema.get("id"):
        raise ConfigError(
            f"{shown}: neither its dataset nor its target connection names a schema; check both"
        )
    return Way(
        flow_id=flow_id,
        flow_name=str(flow.get("name", "")),
        form=str(said.get("dataType", "")),
        source_name=str(connections[0].get("name", "")),
        inlet_id=_text(said.get("inletId")),
        inlet_url=_text(said.get("inletUrl")),
        asks_for_token=is_true(said.get("authenticationRequired")),
        mapping=_mapping(flow),
        dataset_id=_text(dataset_id),
        dataset_name=str(dataset.get("name", "")),
        feeds_profile=_is_tagged(dataset),
        schema_id=str(schema["id"]),
        schema_version=_version(schema.get("contentType") or schema.get("version")),
    )


async def _target(platform: Platform, flow: Mapping[str, Any]) -> Mapping[str, Any]:
    ids = flow.get("targetConnectionIds")
    if not isinstance(ids, list) or not ids:
        return {}
    try:
        return await platform.flow.get("targetConnections", str(ids[0]))
    except NotFound:
        return {}


async def _dataset(platform: Platform, id: object) -> Mapping[str, Any]:
    if not id:
        return {}
    try:
        return await platform.catalog.dataset(str(id))
    except NotFound:
        return {}


def _mapping(flow: Mapping[str, Any]) -> tuple[str, int] | None:
    for transformation in flow.get("transformations") or ():
        params = _part(transformation, "params")
        if transformation.get("name") == "Mapping" and params.get("mappingId"):
            return str(params["mappingId"]), int(params.get("mappingVersion") or 0)
    return None


def _is_tagged(dataset: Mapping[str, Any]) -> bool:
    """Whether its records go to Profile: by the tag of today, or that of old tutorials."""
    tags = _part(dataset, "tags")
    return any(_ENABLED in (tags.get(name) or ()) for name in ("unifiedProfile", "profile"))


def _version(content_type: object) -> int:
    found = _VERSION.search(str(content_type or ""))
    return int(found[1]) if found else 1


def _part(body: object, name: str) -> Mapping[str, Any]:
    part = body.get(name) if isinstance(body, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _text(value: object) -> str | None:
    return str(value) if value else None
