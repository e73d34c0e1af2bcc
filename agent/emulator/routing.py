"""Where do the records of a flow go: through which mapping and schema into which dataset?

A route is put together anew from the platform's objects each time it is asked for, so that it is
never older than they are. What is missing on the way is left out: a flow whose target was deleted
has a route that ends nowhere.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.emulator.platform import Platform
from agent.emulator.resources import Resource

_VERSION = re.compile(r"version *= *([0-9]+)")
_NO_PARTS: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Route:
    """The way of a provisioned flow's records; None where something on it is not there."""

    flow_id: str
    name: str
    sandbox: str
    inlet_id: str
    is_xdm: bool  # the inlet takes XDM messages; False: raw records
    enabled: bool
    changed_ms: int  # when the flow was made or changed last
    source: str  # the source connection's name
    dataset_id: str | None
    dataset: str  # its name
    schema_id: str | None
    schema_version: int
    mapping_id: str | None
    mapping_version: int
    profile: bool  # the dataset is enabled for Profile
    upsert: bool  # and takes upserts


def route(platform: Platform, flow_id: str) -> Route | None:
    """The route of a flow; None where there is no such flow, or it has no inlet of ours."""
    flow = platform.flows.get(flow_id)
    if flow is None:
        return None
    source = _first(platform.source_connections, flow.body.get("sourceConnectionIds"))
    if source is None:
        return None
    base = platform.connections.get(str(source.body.get("baseConnectionId")))
    params = _part(source.body, "params")
    if base is not None:
        params = _part(_part(base.body, "auth"), "params")
    if "inletId" not in params:
        return None
    target = _first(platform.target_connections, flow.body.get("targetConnectionIds"))
    target_body = target.body if target is not None else _NO_PARTS
    dataset_id = _part(target_body, "params").get("dataSetId")
    dataset = platform.datasets.get(str(dataset_id))
    dataset_body = dataset.body if dataset is not None else _NO_PARTS
    schema_ref = _part(dataset_body, "schemaRef") or _part(_part(target_body, "data"), "schema")
    mapping_id, mapping_version = _mapping(flow)
    return Route(
        flow_id=flow_id,
        name=str(flow.body.get("name", "")),
        sandbox=flow.sandbox,
        inlet_id=str(params["inletId"]),
        is_xdm=params.get("dataType") == "xdm",
        enabled=flow.body.get("state", "enabled") == "enabled",
        changed_ms=flow.updated_ms,
        source=str(source.body.get("name", "")),
        dataset_id=None if dataset_id is None else str(dataset_id),
        dataset=str(dataset_body.get("name", "")),
        schema_id=schema_ref.get("id"),
        schema_version=_version(schema_ref.get("contentType") or schema_ref.get("version")),
        mapping_id=mapping_id,
        mapping_version=mapping_version,
        profile=_is_tagged(dataset_body, "enabled:true"),
        upsert=_is_tagged(dataset_body, "isUpsert:true"),
    )


def _first(collection: Any, ids: Any) -> Resource | None:
    if not isinstance(ids, list) or not ids:
        return None
    found: Resource | None = collection.get(str(ids[0]))
    return found


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = body.get(name)
    return part if isinstance(part, Mapping) else _NO_PARTS


def _mapping(flow: Resource) -> tuple[str | None, int]:
    transformations = flow.body.get("transformations") or []
    for transformation in transformations:
        params = _part(transformation, "params")
        if transformation.get("name") == "Mapping" and "mappingId" in params:
            return str(params["mappingId"]), int(params.get("mappingVersion") or 0)
    return None, 0


def _version(content_type: Any) -> int:
    found = _VERSION.search(str(content_type or ""))
    return int(found[1]) if found else 1


def _is_tagged(dataset: Mapping[str, Any], wanted: str) -> bool:
    """Whether the tag of Profile says so. Old tutorials write `profile`, which does nothing."""
    return wanted in (_part(dataset, "tags").get("unifiedProfile") or [])
