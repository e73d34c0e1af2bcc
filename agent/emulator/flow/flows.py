"""What makes a flow: from which source to which target, and through which mapping?"""

from collections.abc import Mapping
from typing import Any

from agent.emulator.flow import runs, schema_refs
from agent.emulator.flow.kinds import Body, Kind, spec_ref, text
from agent.emulator.flow.problems import Problem, provider
from agent.emulator.flow.source_connections import base_of
from agent.emulator.flow.specs import MAPPING, WITH_TRANSFORMATION, flow_specs
from agent.emulator.platform import Platform
from agent.emulator.resources import Resource, Resources


class Flows(Kind):
    """Flows."""

    name = "flows"
    own_fields = frozenset(
        ("flowSpec", "sourceConnectionIds", "targetConnectionIds", "transformations")
    ) | {"scheduleParams", "options", "providerId"}

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self._specs = {spec["id"]: spec for spec in flow_specs()}

    def checked(self, body: Body, sandbox: str, old: Body | None) -> Body:
        if old is None and "state" in body:
            raise Problem("1410-400")
        ref = spec_ref(body, "flowSpec", self._specs)
        spec = self._specs[ref["id"]]
        text(body, "name")
        sources, targets = self.platform.source_connections, self.platform.target_connections
        source = _only(body, "sourceConnectionIds", sources, "sourceConnections", sandbox)
        target = _only(body, "targetConnectionIds", targets, "targetConnections", sandbox)
        _require_spec(source, "sourceConnectionIds", spec["sourceConnectionSpecIds"])
        _require_spec(target, "targetConnectionIds", spec["targetConnectionSpecIds"])
        mapping = _mapping(body, required=spec["id"] == WITH_TRANSFORMATION)
        if mapping is not None:
            schema_refs.check(self.platform, mapping, target, sandbox)
        return {**body, "flowSpec": ref, "transformations": body.get("transformations") or []}

    def shown(self, resource: Resource, root: str) -> Body:
        body = resource.body
        last = body.get("lastOperation", {"operation": "create"})
        shown: Body = {
            "inheritedAttributes": {
                "sourceConnections": list(map(self._source, body["sourceConnectionIds"])),
                "targetConnections": list(map(self._target, body["targetConnectionIds"])),
            },
            "runs": f"/runs?property=flowId=={resource.id}",
            "lastOperation": {"started": resource.updated_ms, "updated": 0, **last},
        }
        if last_run := runs.last_of(self.platform, resource):
            shown["lastRunDetails"] = last_run
        return shown

    def check_removal(self, resource: Resource) -> None:
        """Nothing needs a flow."""

    def _source(self, id_: str) -> Body:
        source = self.platform.source_connections.get(id_)
        if source is None:
            return {"id": id_}
        spec = source.body["connectionSpec"]
        return {"id": id_, "connectionSpec": spec, "baseConnection": base_of(source)}

    def _target(self, id_: str) -> Body:
        target = self.platform.target_connections.get(id_)
        return {"id": id_} | ({"connectionSpec": target.body["connectionSpec"]} if target else {})


def _only(body: Body, name: str, known: Resources, kind: str, sandbox: str) -> Resource:
    ids = body.get(name)
    if not isinstance(ids, list) or len(ids) != 1:
        raise provider(f"{name} has exactly one id")
    found = known.get(str(ids[0]), sandbox=sandbox)
    if found is None:
        raise Problem("1439-400", type=kind, id=ids[0])
    return found


def _require_spec(connection: Resource, name: str, allowed: list[str]) -> None:
    spec_id = connection.body["connectionSpec"]["id"]
    if spec_id not in allowed:
        raise provider(f"{name}: the flow spec does not support the connection spec {spec_id}")


def _mapping(body: Body, *, required: bool) -> tuple[str, Any] | None:
    """The id and the version of the mapping set that the flow names."""
    given = body.get("transformations") or []
    if not isinstance(given, list) or not all(isinstance(each, Mapping) for each in given):
        raise provider("transformations is a list of objects")
    for transformation in given:
        if transformation.get("name") != MAPPING:
            raise provider(f"transformations: the only one there is has the name {MAPPING}")
        params = transformation.get("params")
        if not isinstance(params, Mapping) or not isinstance(params.get("mappingId"), str):
            raise provider("transformations: params.mappingId is missing, or no text")
        return params["mappingId"], params.get("mappingVersion", 0)
    if required:
        raise provider(f"transformations: a {MAPPING} with params.mappingId is required")
    return None
