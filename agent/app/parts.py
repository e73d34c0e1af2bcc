"""Which parts make up an agent? Here they are made; nothing else makes its own collaborators."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from agent.aep.tokens import Tokens
from agent.app import credentials, pushing, storing, tails
from agent.app.doors import doors_of
from agent.app.receivers import receiver
from agent.app.replay import Replay
from agent.config.delivery import DeliverySettings, PoisonSettings
from agent.config.envelope import XdmEnvelope
from agent.config.identities import RecordIdSettings
from agent.config.inlet import InletSettings
from agent.config.model import Config
from agent.config.pushes import HttpSource
from agent.config.sockets import SocketSource
from agent.config.sources import StdinSource
from agent.core import encoding
from agent.core.batching import Batching, BatchLimits
from agent.core.breaker import Breaker
from agent.core.codecs import Codec
from agent.core.concurrency import Limit
from agent.core.destination import Destination, RetryPolicy
from agent.core.encoding import Envelope
from agent.core.identities import Identities
from agent.core.pacing import Pacing
from agent.delivery.batcher import Batcher
from agent.delivery.encoder import Encoder
from agent.delivery.inlet import Inlet, InletAddress, InletLimits, batch_url, single_url
from agent.delivery.intake import Intake, IntakeLimits
from agent.delivery.sender import Senders, Shared
from agent.delivery.settling import Settler
from agent.errors import ConfigError
from agent.sources.source import Doors, Source, stdin
from agent.store.budget import Budget
from agent.store.disk import Store
from agent.store.memory import Spool
from agent.store.outcomes import Outcomes
from agent.telemetry.meters import Meters

_BLOCK_OF_BATCH = 0.95


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that lives as long as one run."""

    meters: Meters
    store: Store
    budget: Budget
    spool: Spool
    settler: Settler
    batcher: Batcher
    intake: Intake
    tokens: Tokens
    inlet: Inlet
    destination: Destination
    senders: Senders
    lanes: list[list[Source]]  # read side by side; the sources within one after the other
    doors: list[Doors]  # what each lane puts what it reads into

    @property
    def sources(self) -> list[Source]:
        """The sources of all lanes."""
        return [source for lane in self.lanes for source in lane]


def build(config: Config, replay: Replay | None = None) -> Parts:
    """Make the parts. Raises ConfigError, or StoreError where the store does not open."""
    meters = Meters()
    outcomes = Outcomes()
    identities = _identities(config.record_id)
    envelope = envelope_of(config.inlet)
    if identities:
        identities = replay.identities(identities) if replay else identities
        envelope = replace(envelope, spliced=identities.added_bytes)
    record_bytes_max = config.inlet.max_request_bytes - envelope.body_bytes(1, 0)
    limits = IntakeLimits(record_bytes_max, config.dead_letters.max_record_bytes)
    lanes = replay.lanes if replay else _lanes(config, limits, outcomes, meters)
    tokens = credentials.tokens(config, meters)
    inlet = _inlet(config, tokens)
    codec = Codec(config.inlet.compression)
    encoder = Encoder(envelope, codec, identities)
    batching = Batching(_batch_limits(config), envelope)
    is_full: list[Callable[[bool], None]] = [outcomes.store_full]
    store = storing.opened(config, meters, is_full)
    store.on_durable = outcomes.durable
    tails.resume(config, lanes, store)
    budget = Budget(config.buffer.memory_limit)
    spool = storing.spool(config, store, budget, meters)
    journal = replay.journal(store) if replay else store
    settler = Settler(journal, spool, encoder, budget, meters, limits.dead_letter_bytes_max)
    batcher = Batcher(batching, encoder, spool, budget, meters)
    intake = Intake(limits, journal, batcher, settler, budget, meters)
    senders, limit = _senders(config, spool, inlet, settler, encoder, batcher, meters)
    tokens.on_change = senders.another_token
    is_full.append(senders.store_full)
    parts = Parts(
        meters,
        store,
        budget,
        spool,
        settler,
        batcher,
        intake,
        tokens,
        inlet,
        senders.destination,
        senders,
        lanes,
        [intake] if replay else [doors_of(settings, intake) for settings in config.sources],
    )
    _connect_gauges(parts, codec, limit)
    return parts


def _senders(
    config: Config,
    spool: Spool,
    inlet: Inlet,
    settler: Settler,
    encoder: Encoder,
    batcher: Batcher,
    meters: Meters,
) -> tuple[Senders, Limit]:
    delivery = config.delivery
    policy = RetryPolicy(delivery.retry.initial, delivery.retry.max)
    limit = _limit(delivery)
    shared = Shared(
        spool,
        inlet,
        settler,
        encoder,
        batcher,
        Destination(policy, warm_at=_warm_at(config.inlet.ready_at)),
        _pacing(delivery),
        limit,
        _breaker(delivery.poison),
        policy,
        meters,
    )
    return Senders(shared), limit


def _balance_of(store: Store, entry: str) -> float:
    return store.balance.of(entry)


def _lanes(
    config: Config, limits: IntakeLimits, outcomes: Outcomes, meters: Meters
) -> list[list[Source]]:
    # a block and the rest of a line before it should fit one batch, its separators included
    block_bytes = int(config.batch.max_bytes * _BLOCK_OF_BATCH)
    followed = tails.Tails(limits, block_bytes, meters)
    lanes: list[list[Source]] = []
    for source in config.sources:
        if isinstance(source, StdinSource):
            lanes.append([stdin(source.name, block_bytes)])
        elif isinstance(source, SocketSource):
            lanes.append([receiver(source, limits, block_bytes, meters)])
        elif isinstance(source, HttpSource):
            lanes.append([pushing.source(source, config.inlet, outcomes, meters)])
        else:
            lanes.append(followed.lane(source))
    names = Counter(source.name for lane in lanes for source in lane)
    for name, count in names.items():
        if count > 1:
            raise ConfigError(f"sources: {name} is read by two sources; read it once")
    return lanes


def _inlet(config: Config, tokens: Tokens) -> Inlet:
    settings = config.inlet
    url = batch_url(settings.url) if settings.mode == "batch" else single_url(settings.url)
    address = InletAddress(url, _headers(settings), credentials.route(settings))
    limits = InletLimits(
        connect=settings.timeouts.connect,
        answer=settings.timeouts.answer,
        total=settings.timeouts.total,
        connection_age=settings.max_connection_age,
        max_in_flight=config.delivery.max_in_flight,
        answer_bytes=settings.max_answer_bytes,
    )
    return Inlet(address, limits, tokens)


def _headers(settings: InletSettings) -> dict[str, str]:
    headers = dict(settings.headers)
    if settings.flow_id:
        headers["x-adobe-flow-id"] = settings.flow_id
    if settings.sandbox:
        headers["x-sandbox-name"] = settings.sandbox
    if settings.credentials and settings.credentials.org_id:
        headers["x-gw-ims-org-id"] = settings.credentials.org_id
    return headers


def envelope_of(settings: InletSettings) -> Envelope:
    """What stands round the records of a request."""
    envelope = encoding.raw()
    if isinstance(settings.envelope, XdmEnvelope):
        envelope = encoding.xdm(
            schema_id=settings.envelope.schema_id,
            content_type=settings.envelope.schema_content_type,
            dataset_id=settings.envelope.dataset_id,
            flow_id=settings.flow_id,
            ims_org_id=settings.envelope.ims_org_id,
            source_name=settings.envelope.source_name,
        )
    return encoding.single(envelope) if settings.mode == "single" else envelope


def _identities(settings: RecordIdSettings) -> Identities | None:
    return None if settings.add == "none" else Identities(settings.add, settings.field)


def _batch_limits(config: Config) -> BatchLimits:
    if config.inlet.mode == "single":
        return BatchLimits(config.inlet.max_request_bytes, 1, 0.0)
    return BatchLimits(config.batch.max_bytes, config.batch.max_records, config.batch.max_wait)


def _limit(delivery: DeliverySettings) -> Limit:
    return Limit(delivery.max_in_flight, adaptive=delivery.concurrency == "adaptive")


def _pacing(delivery: DeliverySettings) -> Pacing:
    return Pacing(
        records_per_second=delivery.records_per_second,
        requests_per_second=delivery.requests_per_second,
        bytes_per_second=delivery.bytes_per_second,
    )


def _breaker(poison: PoisonSettings) -> Breaker:
    return Breaker(poison.share, poison.least, poison.window)


def _warm_at(ready_at: datetime | None) -> float | None:
    """When a new flow takes records, of the monotonic clock; None where it does already."""
    wait = ready_at.timestamp() - time.time() if ready_at else 0.0
    return time.monotonic() + wait if wait > 0 else None


def _connect_gauges(parts: Parts, codec: Codec, limit: Limit) -> None:
    meters = parts.meters
    meters.buffer_bytes.read_from(lambda: parts.budget.held)
    meters.buffer_limit_bytes.read_from(lambda: parts.budget.limit)
    meters.buffer_batches.read_from(lambda: parts.spool.statistics().batches)
    meters.requests_in_flight.read_from(lambda: parts.senders.in_flight)
    meters.requests_limit.read_from(lambda: limit.allowed)
    meters.compression_enabled.read_from(lambda: codec.gzip)
    meters.ledger_residue.read_from(lambda: parts.store.balance.residue)
    meters.ledger_records.read_from(lambda: parts.store.balance.held, "held")
    for entry in ("read", "accepted", "dead_lettered", "filtered", "dropped"):
        meters.ledger_records.read_from(partial(_balance_of, parts.store, entry), entry)
