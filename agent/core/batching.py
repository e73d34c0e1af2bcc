"""When a batch is full, and when it has waited long enough.

Invariant: a draft never exceeds the limits it was filled under; a record that cannot fit any
request by itself never enters one.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from itertools import accumulate

from agent.core.encoding import Envelope
from agent.record import Span

# A draft with less room than this part of the limit is closed rather than topped up from a run that
# does not fit: cutting runs costs more than the slightly smaller request.
_NEARLY_FULL = 0.35


@dataclass(frozen=True, slots=True)
class Run:
    """Records on consecutive lines of one source, with the line ends taken off."""

    span: Span
    records: list[bytes]
    record_bytes: int  # the sum of their lengths
    read_at: float

    def cut(self, count: int) -> tuple["Run", "Run"]:
        """The first *count* records, and the others."""
        first = self.records[:count]
        size = sum(map(len, first))
        span = self.span
        rest = replace(
            span,
            line=span.line + count,
            offset=span.offset + size + count * span.newline if span.newline else span.offset,
            count=span.count - count,
        )
        return (
            Run(replace(span, count=count), first, size, self.read_at),
            Run(rest, self.records[count:], self.record_bytes - size, self.read_at),
        )


@dataclass(slots=True)
class Draft:
    """A batch being filled."""

    read_at: float
    ripe_at: float
    records: list[bytes] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    record_bytes: int = 0
    is_awaited: bool = False  # somebody waits for it to be durable


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How large a batch may become (bytes uncompressed, envelope included) and how old (s)."""

    max_bytes: int
    max_records: int
    max_wait: float


class Batching:
    """Fills one draft after the other."""

    def __init__(self, limits: BatchLimits, envelope: Envelope) -> None:
        self.limits = limits
        self._envelope = envelope
        self._draft: Draft | None = None
        self._taken = 0  # the largest request that the inlet took
        self._refused: float = math.inf  # no more than that, as far as is known

    def add(self, run: Run, now: float) -> list[Draft]:
        """Take the run in; return the drafts that this filled, oldest first.

        Its list of records is a draft's from then on. Every record must be short enough to be sent
        alone.
        """
        full: list[Draft] = []
        rest: Run | None = run
        while rest is not None:
            if self._draft is None:
                self._draft = Draft(rest.read_at, now + self.limits.max_wait)
            draft = self._draft
            room = self._room(draft, rest)
            if room:
                taken, rest = (rest, None) if room >= len(rest.records) else rest.cut(room)
                if draft.records:
                    draft.records += taken.records
                else:
                    draft.records = taken.records
                draft.record_bytes += taken.record_bytes
                draft.spans.append(taken.span)
            if rest is not None or self._is_full(draft):
                full.append(draft)
                self._draft = None
        return full

    def limit(self, limits: BatchLimits, now: float) -> None:
        """Fill by other limits from now on, but never larger ones than the inlet takes."""
        most = int(min(limits.max_bytes, self._refused))
        self.limits = replace(limits, max_bytes=most)
        self.hasten(now + limits.max_wait, is_awaited=False)

    def took(self, size: int) -> None:
        """The inlet took a request of that size."""
        self._taken = max(self._taken, size)

    def refused(self, size: int) -> None:
        """The inlet found a request of that size too large: fill smaller ones from now on.

        Half of it, but not less than what it is known to take: one huge record in a small batch
        must not make all others small.
        """
        smaller = max(size // 2, min(self._taken, size - 1))
        self._refused = min(smaller, self._refused)
        self.limits = replace(self.limits, max_bytes=min(smaller, self.limits.max_bytes))

    def hasten(self, ripe_at: float, *, is_awaited: bool) -> None:
        """Have the draft, where there is one, wait no longer than until then."""
        if draft := self._draft:
            draft.ripe_at = min(draft.ripe_at, ripe_at)
            draft.is_awaited |= is_awaited

    def flush(self) -> Draft | None:
        """The draft as it is, if there is one; the next record begins another."""
        draft, self._draft = self._draft, None
        return draft

    @property
    def ripe_at(self) -> float | None:
        """When the draft will have waited long enough; None where there is none."""
        return self._draft.ripe_at if self._draft else None

    def _room(self, draft: Draft, run: Run) -> int:
        """How many of the run's records to take, at least one into an empty draft."""
        count = len(draft.records)
        by_count = max(0, self.limits.max_records - count)
        free = self.limits.max_bytes - self._envelope.request_overhead
        free -= draft.record_bytes + count * self._envelope.record_overhead
        if run.record_bytes + len(run.records) * self._envelope.record_overhead <= free:
            return by_count
        if free < self.limits.max_bytes * _NEARLY_FULL and count:
            return 0
        each = self._envelope.record_overhead
        sizes = list(accumulate(map(len, run.records[:by_count])))
        by_bytes = bisect_right(
            range(len(sizes)), free, key=lambda last: sizes[last] + (last + 1) * each
        )
        # a record between max_bytes and what a request may carry travels alone
        return by_bytes if by_bytes or count else 1

    def _is_full(self, draft: Draft) -> bool:
        count = len(draft.records)
        if count >= self.limits.max_records:
            return True
        return self._envelope.body_bytes(count, draft.record_bytes) >= self.limits.max_bytes
