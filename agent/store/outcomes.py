"""What became of the lines that somebody waits for?

Whoever pushes records is answered once they are durable, or once the platform has said what becomes
of them. Both stand in the entries of the store: here each entry that is durable is compared with
the lines that are waited for. While nobody waits that costs nothing; else a step for each span.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from agent.record import DeadLetter, Receipt, Span
from agent.store.entry import Entry


class Awaited:
    """The lines of one request, numbered from 0; those that are not blank are records."""

    def __init__(self, *, for_verdicts: bool) -> None:
        """*for_verdicts*: it is over with the platform's verdicts, else once all is durable."""
        self.count = 0  # lines
        self.records = 0
        self.letters: dict[int, DeadLetter] = {}  # those known to be dead letters
        self.filtered: set[int] = set()  # those left out, as the configuration says
        self.dropped = 0  # given up because the buffer was full
        self.lines: list[range] = []  # of the source
        self._receipts: list[tuple[_Overlap, Receipt]] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_forgotten = False  # nobody waits, though more of it may be taken
        self._for_verdicts = for_verdicts
        self._is_whole = False
        self._unsafe = 0  # lines neither durable nor settled
        self._open = 0  # lines without a verdict

    @property
    def receipt(self) -> Receipt | None:
        """The first receipt for any of them, where there is one."""
        return self._receipts[0][1] if self._receipts else None

    @property
    def accepted(self) -> int:
        """How many the platform has accepted."""
        return sum(each.count for each, _ in self._receipts)

    def ids(self) -> dict[int, str]:
        """The xactionIds of those accepted."""
        ids: dict[int, str] = {}
        for each, receipt in self._receipts:
            ids.update(enumerate(receipt.ids.part(each.at, each.at + each.count), each.first))
        return ids

    @property
    def is_durable(self) -> bool:
        """Whether all of it outlives the process, or has been settled."""
        return self._is_whole and not self._unsafe

    @property
    def is_answered(self) -> bool:
        """Whether there is a verdict on each record."""
        return self._is_whole and not self._open

    def whole(self, records: int) -> None:
        """All of its lines have been taken, and so many of them are records."""
        self._is_whole = True
        self.records = records
        blank = self.count - records
        self._unsafe -= blank
        self._open -= blank
        self.look()

    def look(self) -> None:
        """End the wait if there is nothing left to wait for."""
        is_over = self.is_answered if self._for_verdicts else self.is_durable
        if is_over:
            self.end()

    def end(self) -> None:
        """Wait no longer, whatever has come of it."""
        if not self.over.done():
            self.over.set_result(None)

    def taken(self, lines: range) -> None:
        self.lines.append(lines)
        self.count += len(lines)
        self._unsafe += len(lines)
        self._open += len(lines)

    def passed(self, count: int) -> None:
        self._unsafe -= count

    def was_accepted(self, overlap: "_Overlap", receipt: Receipt) -> None:
        self._receipts.append((overlap, receipt))
        self._open -= overlap.count

    def died(self, index: int, letter: DeadLetter) -> None:
        self.letters[index] = letter
        self._open -= 1

    def gave_up(self, first: int, count: int, *, left_out: bool) -> None:
        if left_out:
            self.filtered.update(range(first, first + count))
        else:
            self.dropped += count
        self._open -= count


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Consecutive lines that one request became; the first is its record number `first`."""

    lines: range
    awaited: Awaited
    first: int


@dataclass(frozen=True, slots=True)
class _Overlap:
    """`count` records of some spans that somebody waits for: their places in both."""

    awaited: Awaited
    first: int  # of what is awaited
    at: int  # of all the spans
    count: int


class Outcomes:
    """Tells those who wait. For one event loop."""

    def __init__(self) -> None:
        self.store_is_full = False  # nothing becomes durable for now
        self._stretches: dict[str, list[_Stretch]] = {}  # by source, in the order of their lines

    def store_full(self, is_full: bool) -> None:
        """The store takes nothing, or does again."""
        self.store_is_full = is_full

    def expecting(self, source: str, awaited: Awaited) -> Callable[[range], None]:
        """What a feed is to call with the lines that *awaited* becomes, in order."""

        def taken(lines: range) -> None:
            if awaited.is_forgotten:
                return
            stretches = self._stretches.setdefault(source, [])
            stretches.append(_Stretch(lines, awaited, awaited.count))
            awaited.taken(lines)

        return taken

    def forget(self, source: str, awaited: Awaited) -> None:
        """Nobody waits for this any more."""
        awaited.is_forgotten = True
        for lines in awaited.lines:
            stretches = self._stretches[source]
            del stretches[_at(stretches, lines.start)]
            if not stretches:
                del self._stretches[source]

    def durable(self, entry: Entry) -> None:
        """An entry has become durable."""
        if not self._stretches:
            return
        touched: set[Awaited] = set()
        for letter in entry.dead_letters:
            line = Span(letter.source, letter.position.line, letter.position.offset, 1)
            for each in self._overlaps([line]):
                each.awaited.died(each.first, letter)
                touched.add(each.awaited)
        for receipt in entry.receipts:
            for each in self._overlaps(receipt.spans):
                each.awaited.was_accepted(each, receipt)
                touched.add(each.awaited)
        for each in self._overlaps(entry.passed):
            each.awaited.passed(each.count)
            touched.add(each.awaited)
        for each in self._overlaps(_given_up(entry)):
            each.awaited.gave_up(each.first, each.count, left_out=bool(entry.filtered))
            touched.add(each.awaited)
        for awaited in touched:
            awaited.look()

    def _overlaps(self, spans: Iterable[Span]) -> Iterator[_Overlap]:
        before = 0
        for span in spans:
            yield from self._overlaps_of(span, before)
            before += span.count

    def _overlaps_of(self, span: Span, before: int) -> Iterator[_Overlap]:
        stretches = self._stretches.get(span.source, ())
        after = span.line + span.count
        for at in range(max(_at(stretches, span.line), 0), len(stretches)):
            stretch = stretches[at]
            if stretch.lines.start >= after:
                return
            start = max(span.line, stretch.lines.start)
            count = min(after, stretch.lines.stop) - start
            if count > 0:
                first = stretch.first + start - stretch.lines.start
                yield _Overlap(stretch.awaited, first, before + start - span.line, count)


def _given_up(entry: Entry) -> Iterator[Span]:
    """The lines that go no further by an entry: filtered, or dropped because there was no room."""
    if entry.dropped or entry.filtered:
        yield from entry.passed
        for batch in entry.removed:
            yield from batch.spans


def _at(stretches: Sequence[_Stretch], line: int) -> int:
    """The place of the last stretch that begins at that line or before it; -1 where none does."""
    return bisect_right(stretches, line, key=lambda stretch: stretch.lines.start) - 1
