"""Which inlets are there, and what does each of them ask for?

One is ready-made, as the options say. Every base connection of the HTTP API has made another one,
and so has a source connection of the old form, without a base. A flow belongs to the inlet of its
source.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent.emulator.options import EmulatorOptions
from agent.emulator.platform import Platform


@dataclass(frozen=True, slots=True)
class KnownInlet:
    """An inlet: the form of its records, whether it asks for a token, and the flows it knows."""

    id: str
    is_xdm: bool
    authenticated: bool
    flow_ids: frozenset[str]


class Inlets:
    """The inlets by their ids, looked up once for every request."""

    def __init__(self, options: EmulatorOptions, platform: Platform) -> None:
        self._ready_made = KnownInlet(
            options.inlet_id, options.xdm, options.authenticated, frozenset(options.flow_ids)
        )
        self._platform = platform
        self._seen: tuple[int, ...] = ()
        self._by_id: dict[str, KnownInlet] = {}

    def find(self, inlet_id: str) -> KnownInlet | None:
        """The inlet of that id; None where there is none."""
        return self._present().get(inlet_id)

    def all(self) -> list[KnownInlet]:
        """Every inlet, the ready-made one first."""
        return list(self._present().values())

    def _present(self) -> dict[str, KnownInlet]:
        platform = self._platform
        present = (
            platform.connections.changes,
            platform.source_connections.changes,
            platform.flows.changes,
        )
        if present != self._seen:
            self._by_id = {each.id: each for each in (self._ready_made, *_provisioned(platform))}
            self._seen = present
        return self._by_id


def _provisioned(platform: Platform) -> Iterator[KnownInlet]:
    flows: dict[str, set[str]] = {}
    makers: dict[str, dict[str, Any]] = {}
    for base in platform.connections.all():
        makers[base.id] = (base.body.get("auth") or {}).get("params") or {}
    for source in platform.source_connections.all():
        makers[source.id] = source.body.get("params") or {}
    for flow in platform.flows.all():
        for id_ in flow.body.get("sourceConnectionIds") or ():
            used = platform.source_connections.get(id_)
            if used is not None:
                is_own = "inletId" in makers[id_]
                maker_id = id_ if is_own else used.body["baseConnectionId"]
                flows.setdefault(maker_id, set()).add(flow.id)
    for maker_id, params in makers.items():
        if inlet_id := params.get("inletId"):
            yield KnownInlet(
                inlet_id,
                params.get("dataType") == "xdm",
                params.get("authenticationRequired") in (True, "true"),
                frozenset(flows.get(maker_id, ())),
            )
