"""What became of the records of one flow, and of several together?"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agent.app.pipeline import Pipeline


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What became of records, since the start: those read or recovered are accepted, dead letters,
    filtered, dropped or held."""

    read: int
    accepted: int
    dead_lettered: Mapping[str, int]  # by reason
    bytes_read: int
    state: str  # of the destination
    recovered: int = 0  # found in the spool at the start
    dropped: Mapping[str, int] = field(default_factory=dict)  # by reason
    filtered: Mapping[str, int] = field(default_factory=dict)  # by filter

    @property
    def dead_letters(self) -> int:
        """Dead letters of every reason."""
        return sum(self.dead_lettered.values())

    @property
    def held(self) -> int:
        """Records read that have no verdict yet."""
        left_out = sum(self.filtered.values()) + sum(self.dropped.values())
        return self.read + self.recovered - self.accepted - self.dead_letters - left_out

    def counts(self) -> dict[str, object]:
        """For scripts: every record, and what became of it."""
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
            "bytes_read": self.bytes_read,
        }


def tally(pipeline: Pipeline) -> Tally:
    """What became of the records of one flow."""
    meters, totals = pipeline.meters, pipeline.settler.totals
    return Tally(
        read=int(meters.records_read.total()),
        recovered=int(meters.records_recovered.total()),
        accepted=totals.accepted,
        dead_lettered=dict(totals.dead_lettered),
        dropped={labels[0]: int(count) for labels, count in meters.records_dropped.series()},
        filtered=dict(totals.filtered),
        bytes_read=int(meters.bytes_read.total()),
        state=pipeline.destination.state,
    )


def together(tallies: Iterable[Tally]) -> Tally:
    """The counts of all of them, in the state of the last."""
    each = [*tallies]
    return Tally(
        read=sum(one.read for one in each),
        recovered=sum(one.recovered for one in each),
        accepted=sum(one.accepted for one in each),
        dead_lettered=added(one.dead_lettered for one in each),
        dropped=added(one.dropped for one in each),
        filtered=added(one.filtered for one in each),
        bytes_read=sum(one.bytes_read for one in each),
        state=each[-1].state,
    )


def added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """All counts by their names."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)
