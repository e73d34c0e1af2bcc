"""What became of everything that was read? One snapshot feeds progress, /status and the report."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.app.parts import Parts
from agent.app.tally import Tally, tally, together
from agent.core.destination import STATES
from agent.record import Position, Receipt


@dataclass(frozen=True, kw_only=True)
class Snapshot(Tally):
    """How a run stands: all flows together, and each of them where they have names."""

    input_done: int  # of the input as it lies there: compressed files count compressed
    input_total: int | None  # None where it is not known
    seconds: float
    cpu_seconds: float
    safe: Mapping[str, Position]  # by source: where to resume
    unreadable: tuple[str, ...]  # sources that failed, and why
    interrupted: bool
    on_disk: int = 0  # of those held, records that outlive the process, as of the last commit
    last_receipt: Receipt | None = None
    flows: Mapping[str, Tally] = field(default_factory=dict)

    @property
    def in_memory(self) -> int:
        """Of those held, records that end with the process: their source may have them still."""
        return max(0, self.held - self.on_disk)

    @property
    def records_per_second(self) -> float:
        """Of those settled, over the whole run."""
        return (self.accepted + self.dead_letters) / self.seconds if self.seconds else 0.0

    @property
    def megabytes_per_cpu_second(self) -> float:
        """Input read per CPU-second of this run, the start of the interpreter not counted."""
        return self.bytes_read / 1e6 / self.cpu_seconds if self.cpu_seconds else 0.0

    def as_json(self) -> dict[str, object]:
        """For scripts: --json, /status."""
        return {
            **self.counts(),
            "held_on_disk": self.held - self.in_memory,
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "records_per_second": round(self.records_per_second, 1),
            "megabytes_per_cpu_second": round(self.megabytes_per_cpu_second, 1),
            "destination": self.state,
            "safe_positions": {
                source: {"line": position.line, "offset": position.offset}
                for source, position in self.safe.items()
            },
            "unreadable": list(self.unreadable),
            "interrupted": self.interrupted,
            **({"flows": self.flows_as_json()} if self.flows else {}),
        }

    def flows_as_json(self) -> dict[str, dict[str, object]]:
        """The counts of each flow, and the state of its destination."""
        return {
            name: {**each.counts(), "destination": each.state} for name, each in self.flows.items()
        }


@dataclass(slots=True)
class Clock:
    """When this run began."""

    started: float = field(default_factory=time.monotonic)
    started_cpu: float = field(default_factory=time.process_time)

    def seconds(self) -> float:
        """Since then."""
        return time.monotonic() - self.started

    def cpu_seconds(self) -> float:
        """CPU of this process since then, all threads: without imports, as a daemon would count."""
        return time.process_time() - self.started_cpu


def snapshot(parts: Parts, clock: Clock, unreadable: list[str], *, interrupted: bool) -> Snapshot:
    """Look at everything once."""
    flows = {name: tally(pipeline) for name, pipeline in parts.pipelines.items()}
    whole = together([*parts.ended, *flows.values()])
    progress = [source.progress() for source in parts.sources]
    totals = [one.total for one in progress]
    receipts = [one for each in parts.each for one in each.settler.totals.last_receipts]
    of_others = parts.store.contents.spooled - whole.recovered
    is_durable = any(pipeline.spool.durable for pipeline in parts.each)
    return Snapshot(
        read=whole.read,
        recovered=whole.recovered,
        accepted=whole.accepted,
        dead_lettered=whole.dead_lettered,
        dropped=whole.dropped,
        filtered=whole.filtered,
        bytes_read=whole.bytes_read,
        input_done=sum(one.read for one in progress),
        input_total=None if None in totals else sum(total or 0 for total in totals),
        seconds=clock.seconds(),
        cpu_seconds=clock.cpu_seconds(),
        state=min((one.state for one in flows.values()), key=STATES.index),
        safe=dict(parts.store.safe),
        unreadable=tuple(unreadable),
        interrupted=interrupted,
        on_disk=parts.store.balance.held - of_others if is_durable else 0,
        last_receipt=max(receipts, key=lambda one: one.accepted_at, default=None),
        flows=flows if all(flows) else {},
    )
