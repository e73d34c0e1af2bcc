"""Where does a flow take its records in? Its inlet, found through Flow Service.

inletUrl stands on the base connection today, and stood on the source connection before; both are
looked at. [Flow Service API; platform facts 3.2]
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from agent.aep.flow import FlowService
from agent.errors import ConfigError, NotFound, PlatformAway

_NAMED = 5  # as many names are told of where none is alike


@dataclass(frozen=True, slots=True)
class Wanted:
    """A flow as a person means it: by its name, or by its id."""

    name: str | None = None
    id: str | None = None

    def __str__(self) -> str:
        return f"flow {self.id}" if self.id else f"flow named {self.name}"


@dataclass(frozen=True, slots=True)
class Inlet:
    """Where a flow takes its records in, and what it asks of them."""

    flow_id: str
    flow_name: str
    url: str
    form: str  # raw or xdm; empty where the platform does not say
    asks_for_token: bool
    changed_at: float  # seconds since 1970; 0 where the platform does not say


class FlowUnusable(ConfigError):
    """No records can be sent to what was written, for as long as nobody changes something."""


async def inlet_of(flow_service: FlowService, wanted: Wanted) -> Inlet:
    """The inlet of a flow.

    Raises FlowUnusable where there is no such flow, where there are several, and where it is
    disabled or has no inlet; PlatformError where the platform could not be asked.
    """
    flow = await flow_of(flow_service, wanted)
    id = flow.get("id", wanted.id)
    if not isinstance(id, str):
        raise PlatformAway(f"the {wanted} is shown without its id", service=flow_service.name)
    shown = f"flow {flow.get('name')} ({id})"
    if flow.get("state") == "disabled":
        raise FlowUnusable(
            f"{shown} is disabled: what it is sent is lost; enable it in the platform, or write"
            " another flow"
        )
    connections = await connections_of(flow_service, flow, shown)
    for connection in connections:
        if found := _inlet_in(connection):
            break
    else:
        spec = connections[0].get("connectionSpec")
        kind = f" (its connection spec is {spec.get('id')})" if isinstance(spec, Mapping) else ""
        raise FlowUnusable(
            f"{shown} has no inlet: its source is not the HTTP API{kind}; write a flow of an HTTP"
            " API source"
        )
    changed = max(_number(flow, "createdAt"), _number(flow, "updatedAt")) / 1000
    said = [parameters_of(connection) for connection in connections]
    return Inlet(
        flow_id=id,
        flow_name=str(flow.get("name", "")),
        url=found,
        form=next((str(each["dataType"]) for each in said if each.get("dataType")), ""),
        asks_for_token=any(is_true(each.get("authenticationRequired")) for each in said),
        changed_at=changed,
    )


async def flow_of(flow_service: FlowService, wanted: Wanted) -> dict[str, Any]:
    """The flow that is meant. Raises FlowUnusable: there is none, or there are several."""
    if wanted.id is not None:
        try:
            return await flow_service.get("flows", wanted.id)
        except NotFound as error:
            raise FlowUnusable(
                f"the platform has no flow {wanted.id} in this sandbox; check the id and"
                " platform.sandbox"
            ) from error
    found = await flow_service.find("flows", name=wanted.name)
    if not found:
        others = [str(each.get("name")) for each in await flow_service.find("flows")]
        raise FlowUnusable(
            f"the platform has no flow named {wanted.name} in this sandbox;"
            f" {_there_are(str(wanted.name), others)}"
        )
    if len(found) > 1:
        ids = ", ".join(str(each.get("id")) for each in found)
        raise FlowUnusable(
            f"the platform has {len(found)} flows named {wanted.name}; write inlet.flow_id with"
            f" one of {ids}"
        )
    return found[0]


def _there_are(name: str, others: list[str]) -> str:
    if near := get_close_matches(name, others, n=1):
        return f"did you mean {near[0]}?"
    if not others:
        return "it has none at all: check platform.sandbox"
    more = " …" if len(others) > _NAMED else ""
    return f"there are {', '.join(sorted(others)[:_NAMED])}{more}"


async def connections_of(
    flow_service: FlowService, flow: Mapping[str, Any], shown: str
) -> list[dict[str, Any]]:
    """The source connection of a flow, and the base connection that it is made on."""
    ids = flow.get("sourceConnectionIds")
    if not isinstance(ids, list) or not ids:
        raise FlowUnusable(f"{shown} has no source connection; write a flow of an HTTP API source")
    source = await flow_service.get("sourceConnections", str(ids[0]))
    base = source.get("baseConnectionId") or source.get("connectionId")
    inherited = source.get("inheritedAttributes")
    if not base and isinstance(inherited, Mapping):
        connection = inherited.get("baseConnection")
        base = connection.get("id") if isinstance(connection, Mapping) else None
    if not base:
        return [source]
    try:
        return [source, await flow_service.get("connections", str(base))]
    except NotFound:
        return [source]


def parameters_of(connection: Mapping[str, Any]) -> dict[str, Any]:
    """What a connection says of its inlet, in either place."""
    auth = connection.get("auth")
    places = connection.get("params"), auth.get("params") if isinstance(auth, Mapping) else None
    return {
        name: value for each in places if isinstance(each, Mapping) for name, value in each.items()
    }


def _inlet_in(connection: Mapping[str, Any]) -> str | None:
    url = parameters_of(connection).get("inletUrl")
    return url if isinstance(url, str) and url else None


def is_true(value: object) -> bool:
    """Whether a connection says yes, which it does as a truth value or as text."""
    return value is True or str(value).lower() == "true"


def _number(found: Mapping[str, Any], name: str) -> float:
    value = found.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
