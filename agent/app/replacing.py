"""How do sources take the places of others while everything else goes on?

Those that come are made, and claim what they need, before anything is stopped: where one listens
where another did, it takes over the very sockets, and who connects meanwhile waits a moment. Those
that go hand over what they have read; from there the others go on, whether that is safe yet or not.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from agent.app import tails
from agent.app.parts import Parts, require_read_once
from agent.app.pipeline import Lane, Pipeline, lane
from agent.app.tasks import FlowTasks
from agent.config.sources import Source as SourceSettings
from agent.sources.source import Source
from agent.store.source_ids import storable
from agent.telemetry.logs import get_logger

_LONG = 10.0  # seconds to hand over what was read

log = get_logger("reload")


@dataclass(frozen=True, slots=True)
class Coming:
    """Sources that are made, of a flow that may not be there yet."""

    flow: str
    settings: SourceSettings  # as they are written
    sources: list[Source]


class Replacement:
    """Some sources of some flows go, and others come."""

    def __init__(self, parts: Parts, going: Sequence[tuple[Pipeline, Lane]]) -> None:
        self._parts = parts
        self._going = going
        self._coming: list[Coming] = []
        self._claimed: list[Source] = []
        self._followers: list[Source] = []

    def add(self, coming: Coming) -> None:
        """Have these come, too."""
        self._coming.append(coming)

    async def claim(self) -> None:
        """Have those that come claim what they need. Raises ConfigError; then, `give_up`."""
        going = [source for _, each in self._going for source in each.sources]
        coming = [source for each in self._coming for source in each.sources]
        staying = [each for each in self._parts.sources if each not in going]
        require_read_once([*staying, *coming])
        for source in coming:
            self._claimed.append(source)
            if former := next((each for each in going if source.follow(each)), None):
                going.remove(former)  # nobody else's
                self._followers.append(source)
            await source.claim()

    async def give_up(self) -> None:
        """Give back what those have claimed that have not come."""
        claimed, self._claimed = self._claimed, []
        for source in claimed:
            await source.let_go()

    async def carry_out(self, running: Mapping[str, FlowTasks]) -> None:
        """Let some go and others come; where this is cancelled, `give_up` those that have not."""
        for source in self._followers:
            source.succeed()
        gone = [source for _, each in self._going for source in each.sources]
        for source in gone:
            source.stop()
        await self._hand_over()
        left: set[str] = set()
        for flow, each in self._going:
            flow.lanes.remove(each)
            for source in each.sources:
                left.update(map(storable, flow.intake.leave(source.name)))
                flow.meters.source_gone(source.name)
        try:
            await self._begin(running, left)
        finally:
            await _let_go(gone, patiently=not self._claimed)

    async def _hand_over(self) -> None:
        """Wait until those that go have handed over what they have read."""
        late = {each.reading for _, each in self._going if each.reading}
        if late:
            _, late = await asyncio.wait(late, timeout=_LONG)
        if late:
            log.warning(
                "sources that are to go have read what there is no room for, waiting",
                sources=len(late),
                next_step="see why nothing is sent; other sources go on meanwhile, the next reload"
                " waits, and a restart does not",
            )
            await asyncio.wait(late)

    async def _begin(self, running: Mapping[str, FlowTasks], left: Collection[str]) -> None:
        pipelines, store = self._parts.pipelines, self._parts.store
        lanes = [
            (each.flow, lane(each.settings, each.sources, pipelines[each.flow].intake))
            for each in self._coming
        ]
        if lanes:
            reached = await store.reached()
            busy = {storable(name) for flow in self._parts.each for name in flow.intake.feeds}
            free = {name: position for name, position in reached.items() if name not in busy}
            tails.resume((each for _, each in lanes), store, free, left)
        for flow, each in lanes:
            pipelines[flow].lanes.append(each)
            running[flow].read(each)
        self._claimed.clear()


async def _let_go(gone: Sequence[Source], *, patiently: bool) -> None:
    """Have all of them give back what they claimed, also where this is cancelled."""
    left = [*gone]
    try:
        while left:
            await left.pop(0).let_go(patiently=patiently)
    finally:
        for source in left:
            await source.let_go()
