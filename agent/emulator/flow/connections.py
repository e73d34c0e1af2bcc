"""What makes a base connection, and the inlet of one?

A connection of the HTTP API has an inlet from the moment it is made: its id is kept with the
connection, its URL is said anew by every answer, since it begins with the address that the emulator
is asked at. Of other connectors' credentials the secret parts are never kept.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from agent.emulator.flow.kinds import Body, Kind, part, spec_ref, text
from agent.emulator.flow.problems import Problem, provider
from agent.emulator.flow.specs import CONNECTORS, HTTP_API, Connector
from agent.emulator.resources import Resource

DATA_TYPES = ("raw", "xdm")
_HIDDEN = "xxxx"  # what the platform, too, shows of a secret


class Connections(Kind):
    """Base connections."""

    name = "connections"
    own_fields = frozenset(("auth", "providerId"))
    states = ("enabled", "disabled", "initializing")

    def checked(self, body: Body, sandbox: str, old: Body | None) -> Body:
        connector = CONNECTORS[spec_ref(body, "connectionSpec", CONNECTORS)["id"]]
        auth = part(body, "auth")
        spec_name = auth.get("specName")
        spec = connector.auth_spec(str(spec_name))
        if spec is None:
            known = ", ".join(f"'{each.name}'" for each in connector.auth)
            raise Problem("1415-400", name=spec_name, id=connector.id, reason=f"; there is {known}")
        params = dict(part(auth, "params"))
        for name in spec.required:
            text(params, name, "auth.params.")
        for name in spec.secret:
            params[name] = _HIDDEN
        if connector.id == HTTP_API:
            params = inlet_params(params, name=body.get("name"), old=old and old["auth"]["params"])
        spec_version = spec_ref(body, "connectionSpec", CONNECTORS)
        return {
            **body,
            "auth": {"specName": spec.name, "params": params},
            "connectionSpec": spec_version,
        }

    def shown(self, resource: Resource, root: str) -> Body:
        auth = resource.body["auth"]
        return {"auth": {**auth, "params": with_url(auth["params"], root)}}

    def check_removal(self, resource: Resource) -> None:
        used = {
            source.id
            for source in self.platform.source_connections.all()
            if source.body.get("baseConnectionId") == resource.id
        }
        for flow in self.platform.flows.all():
            if used.intersection(flow.body["sourceConnectionIds"]):
                raise Problem("1418-400", id=resource.id)


def inlet_params(
    params: Mapping[str, Any], *, name: Any, old: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The parameters of an inlet, with its id: that of `old`, or a new one. Raises Problem."""
    if params.get("dataType") not in DATA_TYPES:
        raise provider(f"dataType is {params.get('dataType')!r}; it is raw or xdm")
    if params.get("authenticationRequired") not in (None, True, False, "true", "false"):
        raise provider("authenticationRequired is true or false")
    kept = {key: value for key, value in params.items() if key not in ("inletUrl", "inletId")}
    kept["name"] = str(kept.get("name") or name or "")
    kept["sourceId"] = str(kept.get("sourceId") or kept["name"])
    kept["inletId"] = (old or {}).get("inletId") or secrets.token_hex(32)
    return kept


def inlet_of(connection: Resource) -> dict[str, Any] | None:
    """The parameters of a connection's inlet; None where it has none."""
    params: dict[str, Any] = connection.body["auth"]["params"]
    return params if "inletId" in params else None


def with_url(params: Mapping[str, Any], root: str) -> dict[str, Any]:
    """The parameters with the URL of the inlet, where there is one."""
    if "inletId" not in params:
        return dict(params)
    return {**params, "inletUrl": f"{root}/collection/{params['inletId']}"}


def connector_of(connection: Resource) -> Connector:
    """The connector of a connection that was kept."""
    return CONNECTORS[connection.body["connectionSpec"]["id"]]
