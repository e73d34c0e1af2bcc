"""How does an agent that runs come to go on with another configuration?

First all that is new is made, and claims what it needs: whatever is wrong shows then, and nothing
has changed. The rest cannot fail.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from agent.app import parts as assembly
from agent.app import storing
from agent.app.descriptors import shared_out
from agent.app.memory import fitted
from agent.app.parts import Parts
from agent.app.pipeline import Ends, saying
from agent.app.replacing import Coming, Replacement
from agent.app.running import Running
from agent.app.tasks import FlowTasks
from agent.app.tuning import Tuning, tuning
from agent.config.changes import Changes
from agent.config.flows import FlowSettings
from agent.config.model import Config
from agent.errors import ConfigError, PlatformError
from agent.telemetry import logs
from agent.telemetry.meters import Meters

_LOOKED_UP = ("url", "flow", "flow_id", "ready_at")  # what is known of an inlet by its flow
_PATIENCE = 30.0  # seconds for the platform to say where a flow that is added goes


class Changeover:
    """The way from one configuration to the next one."""

    def __init__(self, running: Running, found: Changes) -> None:
        self._running = running
        self._found = found
        self._config = _known(found.config, running.config)
        self._tunings: list[Tuning] = []
        self._ends: list[Ends] = []
        stopped = [(running.written.flow_of(source), source) for source in found.stopped]
        going = [
            (flow, lane)
            for flow in running.parts.each
            for lane in flow.lanes
            if (flow.name, lane.settings) in stopped
        ]
        self._replacement = Replacement(running.parts, going)

    async def carry_out(self) -> None:
        """Raises ConfigError before anything has changed."""
        self._config = fitted(await _located(self._config))
        try:
            self._make()
            await self._replacement.claim()
            await self._apply()
        finally:
            await self._replacement.give_up()

    def _make(self) -> None:
        """Make all that is new, which shows whether it can be had."""
        running, found = self._running, self._found
        allowed = shared_out(self._config)
        before, after = running.settings(), allowed.each_flow()
        _require_places(found, after, before, running.parts)
        sources = [
            (allowed.flow_of(written), written, made)
            for written, made in zip(self._config.sources, allowed.sources, strict=True)
            if written in found.started
        ]
        for name, flow in running.parts.pipelines.items():
            if name in after:
                self._tunings.append(tuning(flow, before[name], after[name]))
                limits, meters = flow.intake.limits, flow.meters
                make = assembly.making(allowed, name, limits, running.parts.shared, meters)
                for whose, written, made in sources:
                    if whose == name:
                        self._replacement.add(Coming(name, written, make(made)))
        for name in found.flows_added:
            meters = Meters(next(iter(running.parts.each)).meters)
            with saying(name):
                ends = assembly.ends_of(allowed, name, running.parts.shared, meters)
            written_here = [written for whose, written, _ in sources if whose == name]
            for written, lane in zip(written_here, ends.sources, strict=True):
                self._replacement.add(Coming(name, written, lane))
            self._ends.append(replace(ends, sources=[]))

    async def _apply(self) -> None:
        """Let it be so. From here on nothing can be wrong but the store."""
        running, found, config = self._running, self._found, self._config
        for ends in self._ends:
            if ends.settings.buffer.type == "disk":
                await running.parts.store.destination(*storing.destination_of(ends.settings))
        logs.configure(**dict(config.log))
        running.parts.store.limit_dead_letters(config.dead_letters.max_bytes)
        for each in self._tunings:
            each.apply()
            flow = running.flows[each.flow.name]
            flow.add_senders()
            if each.tokens:
                flow.renew_token()
        for ends in self._ends:
            made = assembly.add(running.parts, ends, [])
            running.flows[ends.name] = FlowTasks(made, running.tasks, running.unreadable)
            running.flows[ends.name].send()
        running.go_on_with(found.config, config, found.flows_removed)
        staying = running.parts.sources
        await self._replacement.carry_out(running.flows)
        for source in running.parts.sources:
            if source in staying:
                source.renew()


def _known(config: Config, running: Config) -> Config:
    """The configuration with the inlets that were looked up before."""
    known = running.each_flow()
    flows: dict[str, FlowSettings] = {}
    for name, flow in config.each_flow().items():
        flows[name] = flow
        if name in known:
            place = {key: getattr(known[name].inlet, key) for key in _LOOKED_UP}
            inlet = flow.inlet.replaced(**place)
            flows[name] = flow.replaced(inlet=inlet)
    if config.flows:
        return config.replaced(flows=flows)
    return config.replaced(inlet=flows[""].inlet)


async def _located(config: Config) -> Config:
    """The configuration with every inlet in it. Raises ConfigError where one is not found soon."""
    wanted = [name for name, flow in config.flows.items() if flow.inlet.is_looked_up]
    if not wanted:
        return config
    key = f"flows.{wanted[0]}.inlet"
    if config.platform is None:
        raise ConfigError(f"{key}: is looked up through the platform, from the next start on")
    from agent.app.discovery import Discovery

    try:
        async with asyncio.timeout(_PATIENCE):
            return await Discovery(config).located()
    except TimeoutError as error:
        raise ConfigError(
            f"{key}: the platform did not say within {_PATIENCE:g} seconds where that is; reload"
            " again later"
        ) from error
    except PlatformError as error:
        raise ConfigError(f"{key}: {error}") from error


def _require_places(
    found: Changes,
    after: Mapping[str, FlowSettings],
    before: Mapping[str, FlowSettings],
    parts: Parts,
) -> None:
    """Raise ConfigError where a flow that is added goes where another one still does."""
    there = {storing.destination_of(flow)[0]: name for name, flow in before.items()}
    for name in found.flows_added:
        if other := there.get(storing.destination_of(after[name])[0]):
            raise ConfigError(
                f"flows.{name}.inlet: goes where flow {other} goes, which holds records until they"
                " are answered for; keep that name, or restart the agent"
            )
        if after[name].buffer.type == "disk" and parts.store.contents.spool is None:
            raise ConfigError(
                f"flows.{name}.buffer.type: the agent began without a spool on disk; write memory,"
                " or restart the agent"
            )
