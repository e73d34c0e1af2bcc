"""What does an agent run with: which flows are there, and by which configuration?

A flow that was removed goes on without sources until it holds nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from agent.app import parts as assembly
from agent.app.parts import Parts
from agent.app.tasks import FlowTasks
from agent.config.flows import FlowSettings
from agent.config.model import Config
from agent.supervisor import Supervisor
from agent.telemetry.logs import get_logger

log = get_logger("reload")


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
            setattr(self, which, before.replaced(flows=flows))

    def go_on_with(self, written: Config, config: Config, removed: Collection[str]) -> None:
        """Run with other configurations, and with the flows that are *removed* for a while."""
        self.leaving = (self.leaving | {*removed}) - written.flows.keys()
        left = {name: self.written.flows[name] for name in self.leaving}
        self.written = written.replaced(flows={**written.flows, **left})
        left = {name: self.config.flows[name] for name in self.leaving}
        self.config = config.replaced(flows={**config.flows, **left})


async def end_if_empty(running: Running, name: str) -> None:
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
