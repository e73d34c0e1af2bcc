"""What became of everything that was read? One snapshot feeds progress, /status and the report."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.app.parts import Parts
from agent.record import Position, Receipt


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counts since the start: what was read or recovered is accepted, a dead letter, filtered,
    dropped or held."""

    read: int
    accepted: int
    dead_lettered: Mapping[str, int]  # by reason
    bytes_read: int
    input_done: int  # of the input as it lies there: compressed files count compressed
    input_total: int | None  # None where it is not known
    seconds: float
    cpu_seconds: float
    state: str
    safe: Mapping[str, Position]  # by source: where to resume
    unreadable: tuple[str, ...]  # sources that failed, and why
    interrupted: bool
    last_receipt: Receipt | None = None
    recovered: int = 0  # found in the spool at the start
    dropped: Mapping[str, int] = field(default_factory=dict)  # by reason
    filtered: Mapping[str, int] = field(default_factory=dict)  # by filter
    on_disk: int = 0  # of those held, records that outlive the process, as of the last commit

    @property
    def dead_letters(self) -> int:
        """Dead letters of every reason."""
        return sum(self.dead_lettered.values())

    @property
    def held(self) -> int:
        """Records read that have no verdict yet."""
        left_out = sum(self.filtered.values()) + sum(self.dropped.values())
        return self.read + self.recovered - self.accepted - self.dead_letters - left_out

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
            "read": self.read,
            "recovered": self.recovered,
            "accepted": self.accepted,
            "dead_lettered": self.dead_letters,
            "dead_lettered_by_reason": dict(self.dead_lettered),
            "dropped": sum(self.dropped.values()),
            "dropped_by_reason": dict(self.dropped),
            "filtered": sum(self.filtered.values()),
            "filtered_by_filter": dict(self.filtered),
            "held": self.held,
            "held_on_disk": self.held - self.in_memory,
            "bytes_read": self.bytes_read,
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
    progress = [source.progress() for source in parts.sources]
    totals = [each.total for each in progress]
    recovered = int(parts.meters.records_recovered.total())
    of_others = parts.store.contents.spooled - recovered
    return Snapshot(
        read=int(parts.meters.records_read.total()),
        recovered=recovered,
        accepted=parts.settler.totals.accepted,
        dead_lettered=dict(parts.settler.totals.dead_lettered),
        dropped={labels[0]: int(count) for labels, count in parts.meters.records_dropped.series()},
        filtered=dict(parts.settler.totals.filtered),
        bytes_read=int(parts.meters.bytes_read.total()),
        input_done=sum(each.read for each in progress),
        input_total=None if None in totals else sum(total or 0 for total in totals),
        seconds=clock.seconds(),
        cpu_seconds=clock.cpu_seconds(),
        state=parts.destination.state,
        safe=dict(parts.store.safe),
        unreadable=tuple(unreadable),
        interrupted=interrupted,
        on_disk=parts.store.balance.held - of_others if parts.spool.durable else 0,
        last_receipt=parts.settler.totals.last_receipt,
    )
