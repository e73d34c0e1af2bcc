"""Which parts take the records of one flow from its sources to its inlet? Here they are made.

Nothing of it is shared with another flow but the store, so that none waits for another.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING

from agent.aep.tokens import Tokens
from agent.app import credentials, inlets, storing
from agent.app.doors import doors_of
from agent.config.delivery import DeliverySettings, PoisonSettings
from agent.config.flows import FlowSettings
from agent.config.identities import RecordIdSettings
from agent.config.sources import Source as SourceSettings
from agent.core.batching import Batching, BatchLimits
from agent.core.breaker import Breaker
from agent.core.codecs import Codec
from agent.core.concurrency import Limit
from agent.core.destination import Destination, RetryPolicy
from agent.core.identities import Identities
from agent.core.pacing import Pacing
from agent.delivery.batcher import Batcher
from agent.delivery.encoder import Encoder
from agent.delivery.inlet import Inlet
from agent.delivery.intake import Intake, IntakeLimits
from agent.delivery.sender import Senders, Shared
from agent.delivery.settling import Settler
from agent.sources.source import Doors, Source
from agent.store.budget import Budget
from agent.store.disk import Store
from agent.store.memory import Spool
from agent.telemetry import logs
from agent.telemetry.meters import Meters

if TYPE_CHECKING:
    from agent.app.replay import Replay

Sources = list[list[Source]]  # read side by side; those within one after the other


@dataclass(slots=True)
class Lane:
    """Sources that are read one after the other."""

    settings: SourceSettings | None  # as they are written; None of a replay
    sources: list[Source]
    doors: Doors  # what they put what they read into
    reading: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True)
class Ends:
    """Both ends of a flow: made before the store, for what is wrong with them leaves none behind.

    Nothing is open yet.
    """

    name: str  # of the flow; empty where it has none
    settings: FlowSettings
    meters: Meters
    limits: IntakeLimits
    encoder: Encoder
    tokens: Tokens
    inlet: Inlet
    sources: Sources


@dataclass(slots=True)
class Pipeline:
    """Everything of one flow that lives as long as it does."""

    name: str
    meters: Meters
    budget: Budget
    spool: Spool
    settler: Settler
    batcher: Batcher
    intake: Intake
    tokens: Tokens
    inlet: Inlet
    destination: Destination
    senders: Senders
    lanes: list[Lane]

    @property
    def sources(self) -> list[Source]:
        """The sources of all lanes."""
        return [source for lane in self.lanes for source in lane.sources]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held, and all verdicts are durable."""
        is_writing = self.budget.held or self.settler.writing
        return not (is_writing or self.spool.statistics().batches)

    def saying(self) -> AbstractContextManager[None]:
        """What is said within, and by tasks started within, is said of this flow."""
        return saying(self.name)

    def oldest_held(self) -> float:
        """Seconds since the oldest record was read that is not answered for."""
        oldest = self.spool.statistics().oldest_read_at
        return max(0.0, time.time() - oldest) if oldest is not None else 0.0

    def lift(self) -> None:
        """Let everything in: sources hand over what they hold before they stop."""
        self.budget.lift()
        self.spool.lift()

    async def end(self) -> None:
        """Nothing more comes in: the last batch is as full as it gets."""
        await self.batcher.flush()
        self.settler.flush()
        self.spool.close()


def saying(flow: str) -> AbstractContextManager[None]:
    """What is said within is said of the flow of that name, where it has one."""
    return logs.saying(flow=flow) if flow else nullcontext()


def ends(
    name: str,
    settings: FlowSettings,
    sources: Callable[[IntakeLimits], Sources],
    meters: Meters,
    dead_letter_bytes_max: int,
    replay: "Replay | None" = None,
) -> Ends:
    """Make both ends of a flow; *sources* makes its sources. Raises ConfigError."""
    identities = _identities(settings.record_id)
    envelope = inlets.envelope_of(settings.inlet)
    if identities:
        identities = replay.identities(identities) if replay else identities
        envelope = replace(envelope, spliced=identities.added_bytes)
    record_bytes_max = settings.inlet.max_request_bytes - envelope.body_bytes(1, 0)
    limits = IntakeLimits(record_bytes_max, dead_letter_bytes_max)
    encoder = Encoder(envelope, Codec(settings.inlet.compression), identities)
    made = sources(limits)
    tokens = credentials.tokens(settings, meters)
    inlet = inlets.inlet(settings, tokens)
    return Ends(name, settings, meters, limits, encoder, tokens, inlet, made)


def pipeline(
    ends: Ends, sources: Sequence[SourceSettings], store: Store, replay: "Replay | None" = None
) -> Pipeline:
    """Make what lies between the ends of a flow, of whose *sources* the settings are these."""
    settings, encoder, meters = ends.settings, ends.encoder, ends.meters
    part = storing.partition(store, ends.name, settings)
    budget = Budget(settings.buffer.memory_limit)

    def write_left_out() -> None:
        settler.flush()  # made below, of the spool

    spool = storing.spool(settings, part, budget, meters, write_left_out)
    journal = replay.journal(store) if replay else part
    settler = Settler(journal, spool, encoder, budget, meters, ends.limits.dead_letter_bytes_max)
    batching = Batching(batch_limits(settings), encoder.envelope)
    batcher = Batcher(batching, encoder, spool, budget, meters)
    intake = Intake(ends.limits, journal, batcher, settler, budget, meters)
    policy = retry_policy(settings.delivery)
    shared = Shared(
        spool,
        ends.inlet,
        settler,
        encoder,
        batcher,
        Destination(policy, warm_at=_warm_at(settings.inlet.ready_at)),
        pacing(settings.delivery),
        limit(settings.delivery),
        breaker(settings.delivery.poison),
        policy,
        meters,
    )
    senders = Senders(shared)
    ends.tokens.on_change = senders.another_token
    made = Pipeline(
        ends.name,
        meters,
        budget,
        spool,
        settler,
        batcher,
        intake,
        ends.tokens,
        ends.inlet,
        senders.destination,
        senders,
        [
            lane(None if replay else each, beside, intake)
            for each, beside in zip_longest(sources, ends.sources)
        ],
    )
    _connect_gauges(made, encoder.codec)
    return made


def lane(settings: SourceSettings | None, sources: list[Source], intake: Intake) -> Lane:
    """Have sources of these settings, or those of a replay, feed an intake."""
    return Lane(settings, sources, doors_of(settings, intake) if settings else intake)


def _identities(settings: RecordIdSettings) -> Identities | None:
    return None if settings.add == "none" else Identities(settings.add, settings.field)


def batch_limits(flow: FlowSettings) -> BatchLimits:
    """When a batch is closed."""
    if flow.inlet.mode == "single":
        return BatchLimits(flow.inlet.max_request_bytes, 1, 0.0)
    return BatchLimits(flow.batch.max_bytes, flow.batch.max_records, flow.batch.max_wait)


def retry_policy(delivery: DeliverySettings) -> RetryPolicy:
    """How long is waited between attempts."""
    return RetryPolicy(delivery.retry.initial, delivery.retry.max)


def limit(delivery: DeliverySettings) -> Limit:
    """How many requests may be in flight."""
    return Limit(delivery.max_in_flight, adaptive=delivery.concurrency == "adaptive")


def pacing(delivery: DeliverySettings) -> Pacing:
    """The rates that are kept to."""
    return Pacing(
        records_per_second=delivery.records_per_second,
        requests_per_second=delivery.requests_per_second,
        bytes_per_second=delivery.bytes_per_second,
    )


def breaker(poison: PoisonSettings) -> Breaker:
    """When refusals are not believed."""
    return Breaker(poison.share, poison.least, poison.window)


def _warm_at(ready_at: datetime | None) -> float | None:
    """When a new flow takes records, of the monotonic clock; None where it does already."""
    wait = ready_at.timestamp() - time.time() if ready_at else 0.0
    return time.monotonic() + wait if wait > 0 else None


def _connect_gauges(made: Pipeline, codec: Codec) -> None:
    meters = made.meters
    meters.buffer_bytes.read_from(lambda: made.budget.held)
    meters.buffer_limit_bytes.read_from(lambda: made.budget.limit)
    meters.buffer_batches.read_from(lambda: made.spool.statistics().batches)
    meters.requests_in_flight.read_from(lambda: made.senders.in_flight)
    meters.oldest_held_seconds.read_from(made.oldest_held)
    meters.requests_limit.read_from(lambda: made.senders.allowed)
    meters.compression_enabled.read_from(lambda: codec.gzip)
