"""How is the store opened for one run, who resumes where, and which spool has which flow?"""

from collections.abc import Callable, Sequence
from hashlib import blake2b

from agent.config.flows import FlowSettings
from agent.config.model import Config
from agent.config.units import show_size
from agent.store.budget import Budget
from agent.store.disk import Callbacks, Store, StoreLimits
from agent.store.memory import MemorySpool, Spool
from agent.store.partition import Partition
from agent.store.spool import DiskSpool, SpoolLimits
from agent.telemetry.logs import get_logger
from agent.telemetry.meters import Meters

_READY_PART = 2  # half of the memory is for batches that wait, half for what is being read

log = get_logger("store")


def opened(config: Config, meters: Meters, is_full: Sequence[Callable[[bool], None]] = ()) -> Store:
    """The store of this run. Raises StoreError where it does not open.

    *is_full* are told, in a thread of the store, when it takes nothing and when it does again.
    """

    def troubled(words: str) -> None:
        log.error("the store takes nothing, waiting", reason=words)
        for tell in is_full:
            tell(True)

    def recovered() -> None:
        log.info("the store takes entries again")
        for tell in is_full:
            tell(False)

    def committed(seconds: float) -> None:
        meters.store_commits.add(1)
        meters.store_commit_seconds.observe(seconds)

    flows = config.each_flow().values()
    limits = StoreLimits(
        receipts_keep=config.receipts.keep,
        receipts_max_bytes=config.receipts.max_bytes,
        dead_letters_max_bytes=config.dead_letters.max_bytes,
        receipts_enabled=config.receipts.enabled,
        spool_max_bytes=sum(flow.buffer.disk_limit for flow in flows),
    )
    callbacks = Callbacks(troubled, recovered, committed)
    spool_for = [destination_of(flow) for flow in flows if flow.buffer.type == "disk"]
    store = Store.open(config.data_dir, limits=limits, callbacks=callbacks, spool_for=spool_for)
    for salvaged in store.salvaged:
        log.error("the store could not be read and was set aside", **salvaged.told())
    _tell_found(store)
    return store


def partition(store: Store, name: str, flow: FlowSettings) -> Partition:
    """What the flow of that name has of the store."""
    key, _ = destination_of(flow)
    return Partition(store, name, key if flow.buffer.type == "disk" else None)


def spool(
    flow: FlowSettings,
    part: Partition,
    budget: Budget,
    meters: Meters,
    before_writing: Callable[[], None],
) -> Spool:
    """Where the batches of a flow wait, in its part of the store if they are spooled.

    *before_writing* has written what is to become durable with them.
    """
    buffer = flow.buffer
    if buffer.type == "memory":
        return MemorySpool()
    if part.found.records:
        log.info("records wait in the spool, sending them first", records=part.found.records)
    meters.records_recovered.add(part.found.records)

    def dropped(reason: str, records: int) -> None:
        _dropped(meters, made.limits, reason, records)

    made = DiskSpool(
        part,
        spool_limits(flow),
        free=budget.give,
        on_dropped=dropped,
        on_damaged=_damaged,
        before_writing=before_writing,
    )
    return made


def spool_limits(flow: FlowSettings) -> SpoolLimits:
    """How much a spool holds, and how long."""
    buffer = flow.buffer
    return SpoolLimits(
        max_bytes=buffer.disk_limit,
        ready_bytes=buffer.memory_bytes // _READY_PART,
        write_after=buffer.write_after,
        when_full=buffer.when_full,
        longest_wait=flow.delivery.retry.max,
    )


def destination_of(flow: FlowSettings) -> tuple[str, str]:
    """A key that only the same inlet, flow and envelope have, and a name for people."""
    inlet = flow.inlet
    key = blake2b(inlet.destination.encode(), digest_size=16).hexdigest()
    return key, f"{inlet.url} flow {inlet.flow_id}" if inlet.flow_id else inlet.url


def _tell_found(store: Store) -> None:
    found = store.contents.spool
    if found is None:
        return
    for share in found.others:
        log.error(
            "records in the spool were read for another destination, and are kept for it",
            destination=share.name,
            records=share.records,
            next_step="start once with its configuration to send them, or see"
            " `aep-agent spool --help`",
        )
    for share in found.held:
        log.error(
            "batches in the spool are held back",
            reason=share.name,
            batches=share.batches,
            records=share.records,
            next_step="see `aep-agent spool inspect`",
        )


def _dropped(meters: Meters, limits: SpoolLimits, reason: str, records: int) -> None:
    meters.records_dropped.add(records, reason)
    log.error(
        "records are dropped, as buffer.when_full says",
        once_per="reason",
        reason=f"the buffer is full ({show_size(limits.max_bytes)})",
        policy=limits.when_full,
    )


def _damaged(number: int, records: int) -> None:
    log.error(
        "a batch in the spool is not what was written, holding it back",
        batch=number,
        records=records,
        next_step="see `aep-agent spool verify`",
    )
