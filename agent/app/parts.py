"""Which parts make up an agent? Here they are made; nothing else makes its own collaborators."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from agent.app import storing, tails
from agent.app.descriptors import shared_out
from agent.app.pipeline import Ends, Pipeline, ends, pipeline, saying
from agent.app.receivers import receiver
from agent.app.tails import Tails
from agent.app.tally import Tally, tally, together
from agent.config.model import Config
from agent.config.pushes import HttpSource
from agent.config.sockets import SocketSource
from agent.config.sources import Source as SourceSettings
from agent.config.sources import StdinSource
from agent.delivery.intake import IntakeLimits
from agent.errors import ConfigError
from agent.sources.source import Source
from agent.sources.tail.streams import Streams
from agent.store.disk import Store
from agent.store.outcomes import Outcomes
from agent.telemetry.meters import Meters

if TYPE_CHECKING:
    from agent.app.replay import Replay

_BLOCK_OF_BATCH = 0.95


@dataclass(frozen=True, slots=True)
class Shared:
    """What the sources and the senders of all flows have in common."""

    outcomes: Outcomes  # of lines that somebody waits for
    nameless: Streams  # the files of sources without a name: none is read twice
    is_full: list[Callable[[bool], None]]  # who is told when the store takes nothing


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that lives as long as one run: one store, and a pipeline for each flow."""

    store: Store
    pipelines: dict[str, Pipeline]  # by the names of their flows
    meters: dict[str, Meters]  # by the same
    shared: Shared
    ended: list[Tally] = field(default_factory=list)  # of flows that were removed, all together

    @property
    def each(self) -> Iterable[Pipeline]:
        """The pipelines."""
        return [*self.pipelines.values()]

    @property
    def sources(self) -> list[Source]:
        """The sources of all flows."""
        return [source for each in self.each for source in each.sources]

    @property
    def reading(self) -> list[asyncio.Future[None]]:
        """The tasks that read, or have read, all lanes."""
        return [lane.reading for each in self.each for lane in each.lanes if lane.reading]

    @property
    def bytes_read(self) -> float:
        """By the sources of all flows, as far as they are counted."""
        return sum(each.meters.bytes_read.total() for each in self.each)

    async def let_go(self) -> None:
        """Have all sources give back what they claimed."""
        for source in reversed(self.sources):
            await source.let_go()

    async def close_inlets(self) -> None:
        """Close the connections of all flows."""
        for each in self.each:
            await each.inlet.close()


def build(config: Config, replay: "Replay | None" = None) -> Parts:
    """Make the parts. Raises ConfigError, or StoreError where the store does not open."""
    outcomes = Outcomes()
    shared = Shared(outcomes, Streams(), [outcomes.store_full])
    allowed = shared_out(config)
    found: list[Ends] = []
    for name in config.each_flow():
        with saying(name):
            meters = Meters(found[0].meters if found else None)
            found.append(ends_of(allowed, name, shared, meters, replay))
    require_read_once(source for each in found for lane in each.sources for source in lane)
    store = storing.opened(config, found[0].meters, shared.is_full)
    store.on_durable = outcomes.durable
    parts = Parts(store, {}, {}, shared)
    for each in found:
        settings = [] if replay else config.sources_of(each.name)
        made = add(parts, each, settings, replay)
        tails.resume(made.lanes, store, store.contents.saved)
    _connect_gauges(store, found[0].meters)
    return parts


def ends_of(
    config: Config, name: str, shared: Shared, meters: Meters, replay: "Replay | None" = None
) -> Ends:
    """Make both ends of the flow of that name. Raises ConfigError."""

    def sources(limits: IntakeLimits) -> list[list[Source]]:
        if replay:
            return replay.lanes
        make = making(config, name, limits, shared, meters)
        return [make(source) for source in config.sources_of(name)]

    kept = config.dead_letters.max_record_bytes
    return ends(name, config.each_flow()[name], sources, meters, kept, replay)


def add(
    parts: Parts, ends: Ends, sources: list[SourceSettings], replay: "Replay | None" = None
) -> Pipeline:
    """Put what lies between the ends of a flow, and have it in its place among the parts."""
    with saying(ends.name):
        made = parts.pipelines[ends.name] = pipeline(ends, sources, parts.store, replay)
    parts.meters[ends.name] = ends.meters
    parts.shared.is_full.append(made.senders.store_full)
    return made


def remove(parts: Parts, flow: Pipeline) -> None:
    """Take a flow out that has come to its end; what became of its records stays counted."""
    parts.ended[:] = [together([*parts.ended, tally(flow)])]
    parts.shared.is_full.remove(flow.senders.store_full)
    del parts.pipelines[flow.name], parts.meters[flow.name]


def making(
    config: Config, name: str, limits: IntakeLimits, shared: Shared, meters: Meters
) -> Callable[[SourceSettings], list[Source]]:
    """What makes the sources of a flow, those of one lane at a time. It raises ConfigError."""
    # a block and the rest of a line before it should fit one batch, its separators included
    flow = config.each_flow()[name]
    block_bytes = int(flow.batch.max_bytes * _BLOCK_OF_BATCH)
    followed = Tails(limits, block_bytes, meters, shared.nameless)

    def made(source: SourceSettings) -> list[Source]:
        if isinstance(source, StdinSource):
            from agent.sources.once import stdin

            return [stdin(source.name, block_bytes)]
        if isinstance(source, SocketSource):
            return [receiver(source, limits, block_bytes, meters)]
        if isinstance(source, HttpSource):
            from agent.app import pushing

            return [pushing.source(source, flow.inlet, shared.outcomes, meters)]
        return followed.lane(source)

    return made


def require_read_once(sources: Iterable[Source]) -> None:
    """Raise ConfigError where two sources are one."""
    for name, count in Counter(source.name for source in sources).items():
        if count > 1:
            raise ConfigError(f"sources: {name} is read by two sources; read it once")


def _connect_gauges(store: Store, meters: Meters) -> None:
    meters.ledger_residue.read_from(lambda: store.balance.residue)
    meters.ledger_records.read_from(lambda: store.balance.held, "held")
    for entry in ("read", "accepted", "dead_lettered", "filtered", "dropped"):
        meters.ledger_records.read_from(partial(_balance_of, store, entry), entry)


def _balance_of(store: Store, entry: str) -> float:
    return store.balance.of(entry)
