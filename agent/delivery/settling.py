"""What happens once a verdict is known: receipts and dead letters are made durable, and only then
are the records let go of.

Invariant: a batch holds its bytes of the budget, its row in the spool and its source the position,
until the store has committed what became of it: all in one entry. [design: sentences 1 and 5]
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from agent.core.responses import Reading
from agent.delivery import dead_letters
from agent.delivery.encoder import Encoder
from agent.record import Batch, DeadLetter, Receipt, Span, select
from agent.store.budget import Budget
from agent.store.entry import Entry
from agent.store.memory import Change, Spool
from agent.telemetry.meters import Meters

if TYPE_CHECKING:
    from agent.core.filters import LeftOut

_GROWN_SHARE = 4  # a quarter of the budget may be rejected records before sending waits for them

_LAST = 20  # receipts and dead letters that are remembered to be shown

_GATHERED_SECONDS = 0.2  # what is left out in this time is settled together


class Journal(Protocol):
    """Where entries become durable, in order with what sources tell of their progress."""

    def write(self, entry: Entry) -> "asyncio.Future[None]":
        """Make all of it durable in one transaction; done when it is."""
        ...


@dataclass(slots=True)
class Totals:
    """What became of records so far, all of it durable. Dead letters are kept without records."""

    accepted: int = 0
    dead_lettered: Counter[str] = field(default_factory=Counter)  # by reason
    filtered: Counter[str] = field(default_factory=Counter)  # by filter
    last_receipts: deque[Receipt] = field(default_factory=lambda: deque(maxlen=_LAST))
    last_dead_letters: dict[str, deque[DeadLetter]] = field(default_factory=dict)  # by reason
    last_at: float = field(default_factory=time.monotonic)  # when anything was settled

    def remember(self, letter: DeadLetter) -> None:
        """Keep it among the last of its reason, without its record."""
        of_reason = self.last_dead_letters.setdefault(letter.reason, deque(maxlen=_LAST))
        of_reason.append(replace(letter, record=b""))


class Settler:
    """Carries verdicts into the store, then frees what their records held."""

    def __init__(
        self,
        journal: Journal,
        spool: Spool,
        encoder: Encoder,
        budget: Budget,
        meters: Meters,
        dead_letter_bytes_max: int,
    ) -> None:
        self.totals = Totals()
        self._journal = journal
        self._spool = spool
        self._encoder = encoder
        self._budget = budget
        self._meters = meters
        self._dead_letter_bytes_max = dead_letter_bytes_max
        self._grown = 0  # bytes of dead letters that are not durable
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._writing: set[asyncio.Future[None]] = set()
        self._left_out: list[tuple[LeftOut, str]] = []  # and the labels they are counted under
        self._left_out_soon: asyncio.TimerHandle | None = None

    def refuse(self, letters: Sequence[DeadLetter], held_bytes: int) -> None:
        """Settle lines that never became part of a batch."""
        passed = tuple(dead_letters.span_of(letter) for letter in letters)
        self._write(Entry(dead_letters=letters, passed=passed), held_bytes)

    def leave_out(self, left_out: "LeftOut", label: str) -> None:
        """Settle records that go no further, counted under *label*: soon, and many at once.

        Nobody waits for them, and a store with nothing else to write is spared many commits. But
        they are written before any batch is, for until then the lines beside theirs are not safe,
        and a crash would have those sent again.
        """
        if not left_out.counts:
            return
        if self._left_out_soon is None:
            loop = asyncio.get_running_loop()
            self._left_out_soon = loop.call_later(_GATHERED_SECONDS, self.flush)
        self._left_out.append((left_out, label))

    def flush(self) -> None:
        """Settle what was left out so far."""
        if self._left_out_soon:
            self._left_out_soon.cancel()
            self._left_out_soon = None
        left_out, self._left_out = self._left_out, []
        if not left_out:
            return
        passed = tuple(span for each, _ in left_out for span in each.spans)
        filtered = sum((each.counts for each, _ in left_out), Counter[str]())
        unplaced = filtered.total() - sum(span.count for span in passed)

        def durable() -> None:
            for each, label in left_out:
                for name, count in each.counts.items():
                    self._meters.records_filtered.add(count, label, name)

        entry = Entry(passed=passed, filtered=filtered, unplaced=unplaced)
        self._write(entry, 0, on_durable=durable)

    async def room(self) -> None:
        """Wait while rejected records that are not written yet fill their part of the budget.

        In its dead letter a record grows from its share of a compressed body to all of its bytes.
        """
        await self._has_room.wait()

    def settle(self, batch: Batch, reading: Reading, wait: float) -> Sequence[Batch]:
        """Settle what the answer gave a verdict on; the others are tried again after *wait* s.

        Returns the parts of the batch that are left.
        """
        self.flush()
        if len(reading.accepted) == batch.count:
            passed = self._passed(batch, batch.spans)
            removed = self._replace(batch, (), 0.0).removed
            receipt = _receipt(batch, reading, batch.spans)
            entry = Entry(receipts=(receipt,), removed=removed, passed=passed)
            self._write(entry, batch.held_bytes)
            return ()
        records = self._encoder.records(batch)
        parts = [self._encoder.part(batch, records, reading.again)] if reading.again else []
        accepted = select(batch.spans, records, reading.accepted)
        letters = tuple(
            dead_letters.of_rejections(
                batch, records, reading.rejected, self._dead_letter_bytes_max
            )
        )
        answered = (*accepted, *(dead_letters.span_of(letter) for letter in letters))
        passed = self._passed(batch, answered)
        change = self._replace(batch, parts, wait)
        grown = dead_letters.held_bytes(letters)
        self._budget.exchange(0, grown)
        entry = Entry(
            receipts=(_receipt(batch, reading, accepted),) if accepted else (),
            dead_letters=letters,
            appended=change.added,
            removed=change.removed,
            passed=passed,
        )
        self._write(entry, batch.held_bytes, grown)
        return parts

    def split(self, batch: Batch, apart: Sequence[int] = ()) -> Sequence[Batch]:
        """Put two parts in the place of a batch that was refused as a whole, and return them.

        The second one holds the records *apart*, some of them by index; without any, half of all.
        """
        self.flush()
        records = self._encoder.records(batch)
        second = set(apart or range(batch.count // 2, batch.count))
        first = [index for index in range(batch.count) if index not in second]
        parts = [self._encoder.part(batch, records, indexes) for indexes in (first, sorted(second))]
        passed = self._passed(batch, ())
        change = self._replace(batch, parts, 0.0)
        if self._spool.durable:
            entry = Entry(appended=change.added, removed=change.removed, passed=passed)
            self._write(entry, batch.held_bytes)
        else:
            self._budget.give(batch.held_bytes)
        return parts

    def _passed(self, batch: Batch, answered: Sequence[Span]) -> Sequence[Span]:
        """Which of a batch's lines need not be read again once what becomes of it is durable."""
        if batch.stored:
            return ()  # that is so already
        return batch.spans if self._spool.durable else answered

    @property
    def writing(self) -> set["asyncio.Future[None]"]:
        """What has been handed over and is not durable yet."""
        return set(self._writing)

    def _replace(self, batch: Batch, parts: Sequence[Batch], wait: float) -> Change:
        change = self._spool.settle(batch, parts, wait)
        for part in parts:
            self._budget.exchange(0, part.held_bytes)
        return change

    def _write(
        self,
        entry: Entry,
        held_bytes: int,
        grown: int = 0,
        on_durable: Callable[[], None] = lambda: None,
    ) -> None:
        """Write, then free *held_bytes*, and *grown* that dead letters hold beside their batch."""

        def done(written: "asyncio.Future[None]") -> None:
            self._writing.discard(written)
            if written.exception() is None:  # or the watcher of the store hears of it
                self._budget.give(held_bytes + grown)
                self._grow(-grown)
                self._durable(entry)
                on_durable()

        self._grow(grown)
        written = self._journal.write(entry)
        self._writing.add(written)
        written.add_done_callback(done)

    def _grow(self, more: int) -> None:
        self._grown += more
        if self._grown > self._budget.limit // _GROWN_SHARE:
            self._has_room.clear()
        else:
            self._has_room.set()

    def _durable(self, entry: Entry) -> None:
        self.totals.last_at = time.monotonic()
        for receipt in entry.receipts:
            self.totals.accepted += receipt.count
            self.totals.last_receipts.append(receipt)
            self._meters.records_accepted.add(receipt.count)
        self.totals.filtered.update(entry.filtered)
        for letter in entry.dead_letters:
            self.totals.dead_lettered[letter.reason] += 1
            self._meters.records_dead_lettered.add(1, letter.reason)
        for letter in entry.dead_letters[-_LAST:]:
            self.totals.remember(letter)


def _receipt(batch: Batch, reading: Reading, spans: Sequence[Span]) -> Receipt:
    return Receipt(
        accepted_at=time.time(),
        received_time_ms=reading.received_time_ms,
        batch_id=reading.batch_id,
        ids=reading.ids,
        spans=tuple(joined(spans)),
        attempts=batch.attempts,
    )


def joined(spans: Iterable[Span]) -> Iterator[Span]:
    """The same lines in as few spans as possible: a slow pipe is read a line at a time."""
    begun: Span | None = None
    count = 0
    for span in spans:
        goes_on = (
            begun is not None
            and span.line == begun.line + count
            and span.source == begun.source
            and span.newline == begun.newline
        )
        if begun and not goes_on:
            yield begun if begun.count == count else replace(begun, count=count)
        if not goes_on:
            begun, count = span, 0
        count += span.count
    if begun:
        yield begun if begun.count == count else replace(begun, count=count)
