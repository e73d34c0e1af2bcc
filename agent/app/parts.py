"""Which parts make up an agent? Here they are made; nothing else makes its own collaborators."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from agent.app import pushing, storing
from agent.app.descriptors import shared_out
from agent.app.pipeline import Ends, Pipeline, ends, pipeline, saying
from agent.app.receivers import receiver
from agent.app.replay import Replay
from agent.app.tails import Tails
from agent.config.model import Config
from agent.config.pushes import HttpSource
from agent.config.sockets import SocketSource
from agent.config.sources import StdinSource
from agent.delivery.intake import IntakeLimits
from agent.errors import ConfigError
from agent.sources.once import stdin
from agent.sources.source import Source
from agent.sources.tail.streams import Streams
from agent.store.disk import Store
from agent.store.outcomes import Outcomes
from agent.telemetry.meters import Meters

_BLOCK_OF_BATCH = 0.95


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that lives as long as one run: one store, and a pipeline for each flow."""

    store: Store
    pipelines: Mapping[str, Pipeline]  # by the names of their flows

    @property
    def each(self) -> Iterable[Pipeline]:
        """The pipelines."""
        return self.pipelines.values()

    @property
    def meters(self) -> Mapping[str, Meters]:
        """The meters of each flow, by its name."""
        return {name: each.meters for name, each in self.pipelines.items()}

    @property
    def sources(self) -> list[Source]:
        """The sources of all flows."""
        return [source for each in self.each for source in each.sources]


@dataclass(frozen=True, slots=True)
class Common:
    """What the sources of all flows have in common."""

    outcomes: Outcomes  # of lines that somebody waits for
    nameless: Streams  # the files of sources without a name: none is read twice


def build(config: Config, replay: Replay | None = None) -> Parts:
    """Make the parts. Raises ConfigError, or StoreError where the store does not open."""
    config = shared_out(config)
    common = Common(Outcomes(), Streams())
    found: list[Ends] = []
    for name in config.each_flow():
        with saying(name):
            beside = found[0].meters if found else None
            found.append(_ends(config, name, common, Meters(beside), replay))
    _no_source_is_read_twice(found)
    is_full: list[Callable[[bool], None]] = [common.outcomes.store_full]
    store = storing.opened(config, found[0].meters, is_full)
    store.on_durable = common.outcomes.durable
    pipelines: dict[str, Pipeline] = {}
    for each in found:
        with saying(each.name):
            made = pipeline(each, config.sources_of(each.name), store, replay)
        pipelines[each.name] = made
        is_full.append(made.senders.store_full)
    _connect_gauges(store, found[0].meters)
    return Parts(store, pipelines)


def _ends(config: Config, name: str, common: Common, meters: Meters, replay: Replay | None) -> Ends:
    def lanes(limits: IntakeLimits) -> list[list[Source]]:
        return replay.lanes if replay else _lanes(config, name, limits, common, meters)

    kept = config.dead_letters.max_record_bytes
    return ends(name, config.each_flow()[name], lanes, meters, kept, replay)


def _lanes(
    config: Config, name: str, limits: IntakeLimits, common: Common, meters: Meters
) -> list[list[Source]]:
    # a block and the rest of a line before it should fit one batch, its separators included
    flow = config.each_flow()[name]
    block_bytes = int(flow.batch.max_bytes * _BLOCK_OF_BATCH)
    followed = Tails(limits, block_bytes, meters, common.nameless)
    lanes: list[list[Source]] = []
    for source in config.sources_of(name):
        if isinstance(source, StdinSource):
            lanes.append([stdin(source.name, block_bytes)])
        elif isinstance(source, SocketSource):
            lanes.append([receiver(source, limits, block_bytes, meters)])
        elif isinstance(source, HttpSource):
            lanes.append([pushing.source(source, flow.inlet, common.outcomes, meters)])
        else:
            lanes.append(followed.lane(source))
    return lanes


def _no_source_is_read_twice(found: Iterable[Ends]) -> None:
    names = Counter(source.name for each in found for lane in each.lanes for source in lane)
    for name, count in names.items():
        if count > 1:
            raise ConfigError(f"sources: {name} is read by two sources; read it once")


def _connect_gauges(store: Store, meters: Meters) -> None:
    meters.ledger_residue.read_from(lambda: store.balance.residue)
    meters.ledger_records.read_from(lambda: store.balance.held, "held")
    for entry in ("read", "accepted", "dead_lettered", "filtered", "dropped"):
        meters.ledger_records.read_from(partial(_balance_of, store, entry), entry)


def _balance_of(store: Store, entry: str) -> float:
    return store.balance.of(entry)
