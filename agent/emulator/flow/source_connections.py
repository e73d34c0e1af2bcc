"""What makes a source connection: of a base connection, or in the old form without one?

The old form names a `connectionId` that need not exist: it then has an inlet of its own, and the
parameters that belong to a base connection are its own, too. Either way the answer shows the inlet.
"""

from collections.abc import Mapping
from typing import Any

from agent.emulator.flow.connections import connector_of, inlet_of, inlet_params, with_url
from agent.emulator.flow.kinds import Body, Kind, part, spec_ref, text
from agent.emulator.flow.problems import Problem, provider
from agent.emulator.flow.specs import CONNECTORS, HTTP_API, Connector
from agent.emulator.resources import Resource


class SourceConnections(Kind):
    """Source connections."""

    name = "sourceConnections"
    own_fields = frozenset(("baseConnectionId", "data", "params", "providerId"))

    def checked(self, body: Body, sandbox: str, old: Body | None) -> Body:
        spec = spec_ref(body, "connectionSpec", CONNECTORS)
        connector = CONNECTORS[spec["id"]]
        text(body, "name")
        kept = {key: value for key, value in body.items() if key != "connectionId"}
        kept |= {"connectionSpec": spec, "data": dict(part(body, "data"))}
        base_id = body.get("baseConnectionId") or body.get("connectionId")
        if not isinstance(base_id, str):
            raise provider("baseConnectionId is missing, or no text")
        kept["baseConnectionId"] = base_id
        base = self.platform.connections.get(base_id, sandbox=sandbox)
        in_old_form = "connectionId" in body if old is None else has_own_inlet(old)
        if base is not None:
            kept["params"] = _checked_params(dict(part(body, "params")), connector, base)
        elif connector.id == HTTP_API and in_old_form:
            kept["params"] = _own_inlet(part(body, "params"), body["name"], old)
        else:
            raise Problem("1439-400", type="connections", id=base_id)
        return kept

    def shown(self, resource: Resource, root: str) -> Body:
        body = resource.body
        base = self.platform.connections.get(body["baseConnectionId"])
        params = body["params"]
        if base is not None and not has_own_inlet(body):
            params = {**params, **(inlet_of(base) or {})}
        data = {"format": None, "schema": None, "properties": None, **body["data"]}
        return {
            "data": data,
            "params": with_url(params, root),
            "inheritedAttributes": {"baseConnection": base_of(resource)},
        }

    def check_removal(self, resource: Resource) -> None:
        for flow in self.platform.flows.all():
            if resource.id in flow.body["sourceConnectionIds"]:
                raise Problem("1447-400", id=resource.id)


def base_of(source: Resource) -> Body:
    """What source connections and flows repeat of the base connection."""
    body = source.body
    return {"id": body["baseConnectionId"], "connectionSpec": body["connectionSpec"]}


def has_own_inlet(body: Mapping[str, Any]) -> bool:
    """Whether a source connection was made in the old form."""
    return "inletId" in body["params"]


def _checked_params(params: dict[str, Any], connector: Connector, base: Resource) -> dict[str, Any]:
    if connector_of(base).id != connector.id:
        raise provider(f"connectionSpec is not that of the base connection {base.id}")
    said = {**base.body["auth"]["params"], **params}  # Event Hubs and PubSub may say it there
    for name in connector.required:
        text(said, name, "params.")
    return {name: value for name, value in params.items() if name not in ("inletUrl", "inletId")}


def _own_inlet(params: Mapping[str, Any], name: str, old: Body | None) -> dict[str, Any]:
    return inlet_params({"dataType": "raw", **params}, name=name, old=old and old["params"])
