"""What happens when the configuration is read again? All of it is checked, then applied.

One reload after the other: what is asked for meanwhile is done afterwards, once. A flow that was
removed goes on without sources until it holds nothing.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Literal

from agent.app import parts as assembly
from agent.app import storing
from agent.app.descriptors import shared_out
from agent.app.parts import Parts
from agent.app.pipeline import Ends, saying
from agent.app.replacing import Coming, Replacement
from agent.app.tasks import FlowTasks
from agent.app.tuning import Tuning, tuning
from agent.config.changes import Changes, changes
from agent.config.flows import FlowSettings
from agent.config.model import Config
from agent.errors import ConfigError
from agent.supervisor import Supervisor
from agent.telemetry import logs
from agent.telemetry.logs import get_logger
from agent.telemetry.meters import Meters

_LOOKED_UP = ("url", "flow", "flow_id", "ready_at")  # what is known of an inlet by its flow
_LOOK = 0.2  # seconds between two looks at whether a flow that was removed has ended

log = get_logger("reload")

Outcome = Literal["applied", "unchanged", "refused"]


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a reload."""

    at: float  # wall clock
    outcome: Outcome
    at_once: Sequence[str] = ()  # what took effect
    later: Sequence[str] = ()  # keys that wait for the next start
    problems: Sequence[str] = ()

    def as_json(self) -> dict[str, object]:
        """For /status."""
        return {
            "outcome": self.outcome,
            "at": round(self.at, 3),
            "applied": [*self.at_once],
            "at_the_next_start": [*self.later],
            "problems": [*self.problems],
        }


@dataclass(slots=True)
class Running:
    """What an agent runs with: as it is written, and with each inlet that was looked up."""

    parts: Parts
    tasks: Supervisor
    flows: dict[str, FlowTasks]
    written: Config
    config: Config
    unreadable: list[str]
    leaving: set[str] = field(default_factory=set)  # flows that were removed, and hold something

    def settings(self) -> Mapping[str, FlowSettings]:
        """Those of all flows that there are."""
        return self.config.each_flow()

    def forget(self, name: str) -> None:
        """A flow that was removed is no more."""
        self.leaving.discard(name)
        for which in ("written", "config"):
            before: Config = getattr(self, which)
            flows = {other: flow for other, flow in before.flows.items() if other != name}
            setattr(self, which, before.model_copy(update={"flows": flows}))

    def go_on_with(self, written: Config, config: Config, removed: Collection[str]) -> None:
        """Run with other configurations, and with the flows that are *removed* for a while."""
        self.leaving = (self.leaving | {*removed}) - written.flows.keys()
        left = {name: self.written.flows[name] for name in self.leaving}
        self.written = written.model_copy(update={"flows": {**written.flows, **left}})
        left = {name: self.config.flows[name] for name in self.leaving}
        self.config = config.model_copy(update={"flows": {**config.flows, **left}})


class Reloading:
    """Reads the configuration again whenever that is asked for."""

    def __init__(
        self,
        running: Running,
        reread: Callable[[], Config],
        begun: Callable[[], None],
        ended: Callable[[Report], None],
    ) -> None:
        """*reread* raises ConfigError; *begun* and *ended* hear of each reload."""
        self._running = running
        self._reread = reread
        self._begun, self._ended = begun, ended
        self._asked = asyncio.Event()
        self.busy: asyncio.Future[None] | None = None  # done when no reload is to come
        self._task = running.tasks.start_endless("reloading", self._run())

    def ask(self) -> None:
        """Have it read again: soon, or when what goes on now is done."""
        self._asked.set()
        if self.busy is None:
            self.busy = asyncio.get_running_loop().create_future()

    async def end(self) -> None:
        """Reload no more; what goes on now is broken off, and no source is lost by that."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        running = self._running
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK if running.leaving else None):
                    await self._asked.wait()
            if self._asked.is_set():
                self._asked.clear()
                await self._reload()
                if self.busy and not self._asked.is_set():
                    self.busy.set_result(None)
                    self.busy = None
            for name in [*running.leaving]:
                await _end_if_empty(running, name)

    async def _reload(self) -> None:
        log.info("reading the configuration again")
        self._begun()
        running = self._running
        try:
            after = await asyncio.to_thread(self._reread)
            found = changes(running.written, after, running.leaving)
            await _Reload(running, found).carry_out()
        except ConfigError as error:
            problems = str(error).splitlines()
            for problem in problems:
                log.error("the configuration is wrong, going on with the old one", reason=problem)
            self._report(Report(time.time(), "refused", problems=problems))
            return
        for warning in after.warnings:
            log.warning(warning)
        for key in found.later:
            log.warning("takes effect at the next start", key=key)
        outcome: Outcome = "applied" if found.at_once else "unchanged"
        log.info("the configuration was read again", outcome=outcome, applied=[*found.at_once])
        self._report(Report(time.time(), outcome, found.at_once, found.later))

    def _report(self, report: Report) -> None:
        meters = next(iter(self._running.parts.each)).meters
        meters.reloads.add(1, report.outcome)
        meters.reload_successful.set(int(report.outcome != "refused"))
        self._ended(report)


class _Reload:
    """The way from one configuration to the next one."""

    def __init__(self, running: Running, found: Changes) -> None:
        self._running = running
        self._found = found
        self._config = _located(found, running.config)
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


def _located(found: Changes, running: Config) -> Config:
    """The configuration with the inlets that were looked up at the start. Raises ConfigError."""
    known = running.each_flow()
    flows: dict[str, FlowSettings] = {}
    for name, flow in found.config.each_flow().items():
        if name in known:
            place = {key: getattr(known[name].inlet, key) for key in _LOOKED_UP}
            inlet = flow.inlet.model_copy(update=place)
            flows[name] = flow.model_copy(update={"inlet": inlet})
            continue
        if flow.inlet.is_looked_up:
            raise ConfigError(
                f"flows.{name}.inlet: is looked up when the agent starts; write url and flow_id,"
                " or restart the agent"
            )
        flows[name] = flow
    if found.config.flows:
        return found.config.model_copy(update={"flows": flows})
    return found.config.model_copy(update={"inlet": flows[""].inlet})


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


async def _end_if_empty(running: Running, name: str) -> None:
    """End a flow that was removed, where all it held has been answered for."""
    flow = running.parts.pipelines[name]
    flow.settler.flush()
    if not flow.is_empty:
        return
    tasks = running.flows.pop(name)
    running.forget(name)
    assembly.remove(running.parts, flow)
    try:
        await tasks.end()
    finally:
        await flow.inlet.close()
    with flow.saying():
        log.info("a flow that was removed holds nothing any more, and has ended")
