"""Which records go on, and how are they changed, where the configuration asks for it?

What is chosen keeps its bytes and its place. What is changed stands nowhere byte for byte any more,
and its spans say so, also for records in which there was nothing to change: whether a place is
known must not depend on what was read together.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import accumulate, groupby
from typing import Protocol, cast

from agent.conditions import ABSENT, Condition, Steps
from agent.core.batching import Run
from agent.core.changes import CannotChangeError, Change
from agent.core.chunks import Contents, Refused, too_large
from agent.core.fields import Reader
from agent.core.validation import FILTER_FAILED, Fault
from agent.record import INEXACT, Position, Span

NON_JSON = "non_json"
_NO_RECORD = frozenset({"invalid_json", "invalid_utf8", "not_an_object"})
_HASHES = 1 << 64


class Choice(Protocol):
    """Chooses among records."""

    def keeps(self, records: Sequence[bytes]) -> list[bool]:
        """Of each record, whether it goes on."""
        ...


class Conditional:
    """Keeps, or drops, the records for which all of some conditions hold."""

    def __init__(self, conditions: Sequence[Condition], *, keep: bool) -> None:
        self._conditions = tuple(conditions)
        self._keep = keep
        self._values = Reader([condition.path for condition in conditions]).values

    def keeps(self, records: Sequence[bytes]) -> list[bool]:
        keep, conditions, values = self._keep, self._conditions, self._values
        if len(conditions) == 1:
            holds = conditions[0].holds
            return [holds(values(record)[0]) is keep for record in records]
        return [
            all(
                condition.holds(value)
                for condition, value in zip(conditions, values(record), strict=True)
            )
            is keep
            for record in records
        ]


class Sample:
    """Keeps a share of the records: always the same ones, whoever reads them, and however often.

    *by* is a field: all records with the same value of it go one way, and those without it go on.
    Without it, the bytes of a record decide.
    """

    def __init__(self, share: float, by: Steps | None = None) -> None:
        self._limit = round(share * _HASHES)
        self._reader = Reader([by]) if by else None

    def keeps(self, records: Sequence[bytes]) -> list[bool]:
        reader = self._reader
        if reader is None:
            return [self._is_in(record) for record in records]
        values = (reader.values(record)[0] for record in records)
        return [value is ABSENT or self._is_in(repr(value).encode()) for value in values]

    def _is_in(self, text: bytes) -> bool:
        return int.from_bytes(sha256(text).digest()[:8], "big") < self._limit


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter: its name in the books, and a choice or changes."""

    name: str
    choice: Choice | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Records that go no further: how many each filter left out, and where they stand.

    Of some no place is known: they were left out before they had one.
    """

    spans: tuple[Span, ...]
    counts: Counter[str]


class Filters:
    """All filters of one source, in order."""

    def __init__(
        self, filters: Sequence[Filter], record_bytes_max: int, *, drop_non_json: bool = False
    ) -> None:
        """*drop_non_json*: what is no record is left out, instead of becoming a dead letter."""
        self._filters = tuple(filters)
        self._record_bytes_max = record_bytes_max
        self._drop_non_json = drop_non_json
        self._changes = any(each.changes for each in filters)

    def apply(self, source: str, contents: Contents) -> tuple[Contents, LeftOut]:
        """What goes on of a chunk, what is refused, and what neither goes on nor is refused."""
        runs: list[Run] = []
        spans: list[Span] = []
        counts: Counter[str] = Counter()
        refused = contents.refused
        if left_out := self.leaves_out(source, *refused):
            spans += left_out.spans
            counts.update(left_out.counts)
            refused = [line for line in refused if line.fault.reason not in _NO_RECORD]
        for run in contents.runs:
            records, fates = self._filtered(run.records)
            counts.update(fate for fate in fates if isinstance(fate, str))
            for span, fate, first in _grouped(run, fates):
                if isinstance(fate, str):
                    spans.append(span)
                elif fate is None:
                    runs.append(self._run(run, span, records[first : first + span.count]))
                else:
                    place = Position(span.line, span.offset)
                    refused = [*refused, Refused(records[first], place, fate)]
        return Contents(runs, refused, contents.end), LeftOut(tuple(spans), +counts)

    def leaves_out(self, source: str, *refused: Refused) -> LeftOut | None:
        """What is no record, where that is left out."""
        left_out = [line for line in refused if line.fault.reason in _NO_RECORD]
        if not self._drop_non_json or not left_out:
            return None
        spans = (Span(source, line.position.line, line.position.offset, 1) for line in left_out)
        return LeftOut(tuple(spans), Counter({NON_JSON: len(left_out)}))

    def _filtered(self, whole: list[bytes]) -> tuple[list[bytes], list[str | Fault | None]]:
        """The records, changed, and of each: who left it out, why it is refused, or None."""
        records, fates = whole, cast("list[str | Fault | None]", [None] * len(whole))
        going: Sequence[int] = range(len(whole))
        for each in self._filters:
            if each.choice:
                keeps = each.choice.keeps([records[index] for index in going])
                for index, keep in zip(going, keeps, strict=True):
                    fates[index] = None if keep else each.name
            else:
                records = records.copy() if records is whole else records
                for index in going:
                    records[index], fates[index] = self._changed(each, records[index])
            going = [index for index in going if fates[index] is None]
        return records, fates

    def _changed(self, filter_: Filter, record: bytes) -> tuple[bytes, Fault | None]:
        try:
            for change in filter_.changes:
                record = change(record)
        except CannotChangeError as error:
            return record, Fault(FILTER_FAILED, f"filter {filter_.name}: {error}")
        if len(record) > self._record_bytes_max:
            return record, too_large(len(record), self._record_bytes_max)
        return record, None

    def _run(self, run: Run, span: Span, records: list[bytes]) -> Run:
        if self._changes:
            span = replace(span, newline=INEXACT)
        elif span.count == run.span.count:
            return run
        return Run(span, records, sum(map(len, records)), run.read_at)


def _grouped(
    run: Run, fates: Sequence[str | Fault | None]
) -> Iterator[tuple[Span, str | Fault | None, int]]:
    """The spans of records by their fate, and the index of the first; refused ones stand alone."""
    if not any(fates):
        yield run.span, None, 0
        return
    newline, offsets = run.span.newline, [run.span.offset] * len(fates)
    if newline:
        sizes = (len(record) + newline for record in run.records)
        offsets = list(accumulate(sizes, initial=run.span.offset))
    for fate, group in groupby(range(len(fates)), key=fates.__getitem__):
        indexes = list(group)
        step = 1 if isinstance(fate, Fault) else len(indexes)
        for first in indexes[::step]:
            line = run.span.line + first
            yield replace(run.span, line=line, offset=offsets[first], count=step), fate, first
