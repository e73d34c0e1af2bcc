"""What makes a target connection? A dataset in the data lake, and how its records are written."""

from agent.emulator.flow.kinds import Body, Kind, part, spec_ref, text
from agent.emulator.flow.problems import Problem, provider
from agent.emulator.flow.source_connections import SourceConnections
from agent.emulator.flow.specs import DATA_LAKE, TARGETS
from agent.emulator.resources import Resource


class TargetConnections(Kind):
    """Target connections."""

    name = "targetConnections"
    own_fields = SourceConnections.own_fields

    def checked(self, body: Body, sandbox: str, old: Body | None) -> Body:
        spec = spec_ref(body, "connectionSpec", TARGETS)
        data, params = dict(part(body, "data")), dict(part(body, "params"))
        if not data:
            raise provider("data is missing: it says a schema, or the format parquet_xdm")
        if spec["id"] == DATA_LAKE:
            text(params, "dataSetId", "params.")
        return {**body, "connectionSpec": spec, "data": data, "params": params}

    def shown(self, resource: Resource, root: str) -> Body:
        return {
            "data": {"format": None, "schema": None, "properties": None} | resource.body["data"]
        }

    def check_removal(self, resource: Resource) -> None:
        for flow in self.platform.flows.all():
            if resource.id in flow.body["targetConnectionIds"]:
                raise Problem("1447-400", id=resource.id)
