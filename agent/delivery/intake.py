"""Where do bytes from a source become records, or dead letters, each with its position?"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agent.core.chunks import Refused, read_chunk
from agent.core.framing import LineFramer, Oversize
from agent.core.pieces import may_be_many_lines, pieces
from agent.core.validation import Fault, are_records
from agent.delivery import dead_letters
from agent.delivery.batcher import Batcher
from agent.delivery.settling import Settler
from agent.delivery.tap import Tap
from agent.record import BEGINNING, Chunk, DeadLetter, Position
from agent.store.budget import Budget
from agent.telemetry.meters import Meters

if TYPE_CHECKING:
    from agent.core.filters import Filters

_PRESSURE_NOTICED = 0.001  # seconds of waiting that count as pressure


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """Bytes: the longest record that fits a request, and how much of a dead one is kept."""

    record_bytes_max: int
    dead_letter_bytes_max: int


class Progress(Protocol):
    """Who keeps how far sources were read, so that they can resume."""

    def follow(self, source: str, start: Position, identity: str | None) -> None:
        """A source is read from *start* on."""
        ...

    def read(self, source: str, end: Position, count: int, identity: str | None = None) -> None:
        """A source was read up to *end*, and *count* records came of it."""
        ...

    def leave(self, source: str, *, forget: bool) -> None:
        """A source is read no further; *forget*: its position is of no use to a later run."""
        ...


class Intake:
    """The one door to the batcher."""

    def __init__(
        self,
        limits: IntakeLimits,
        progress: Progress,
        batcher: Batcher,
        settler: Settler,
        budget: Budget,
        meters: Meters,
    ) -> None:
        self.limits = limits
        self.progress = progress
        self.batcher = batcher
        self.settler = settler
        self.budget = budget
        self.meters = meters
        self.tap = Tap()
        self.feeds: dict[str, Feed] = {}

    def feed(
        self,
        source: str,
        start: Position = BEGINNING,
        identity: str | None = None,
        label: str | None = None,
        filters: "Filters | None" = None,
    ) -> "Feed":
        """The door for one source, which reads forwards from *start*.

        *identity* tells its file from another one that may have its name later. It is counted
        under *label*, its own name by default: of those there are few, and of files many. *filters*
        choose and change what goes on of it.
        """
        assert source not in self.feeds, "two sources of one name would share positions"
        feed = self.feeds[source] = Feed(source, start, self, label or source, filters)
        self.progress.follow(source, start, identity)
        return feed

    def leave(self, label: str) -> list[str]:
        """Nothing more will come of what is counted under *label*: another may go on with it.

        Returns the names of the streams.
        """
        left = [name for name, feed in self.feeds.items() if feed.label == label]
        for name in left:
            self.feeds[name].leave()
        return left


class Feed:
    """Takes what one source reads, in order.

    Either as bytes (`put`, `end`), of which lines are made here, or as whole lines of the source's
    own making (`lines`, `refuse`, `oversize`, `skip`), which several tasks may do in turn.
    """

    def __init__(
        self, source: str, start: Position, intake: Intake, label: str, filters: "Filters | None"
    ) -> None:
        self.source = source
        self.position = start
        self.identity: str | None = None  # of what is taken next, where it changes as it is read
        self.label = label
        self._intake = intake
        self._filters = filters
        limits = intake.limits
        self._framer = LineFramer(limits.record_bytes_max, limits.dead_letter_bytes_max)

    async def put(self, block: bytes) -> None:
        """Take the next bytes; waits while there is no room for the lines they complete."""
        for frame in self._framer.feed(block):
            await self._take(frame)

    async def end(self) -> None:
        """The source has ended: a last line without a newline counts."""
        for frame in self._framer.end():
            await self._take(frame)

    async def lines(
        self,
        data: bytes,
        end: Position | None = None,
        on_taken: Callable[[range], None] | None = None,
    ) -> int:
        """Take whole lines, a newline behind each; waits while there is no room for them.

        Returns how many of them were not blank.

        *end* is where the source stands after them, where that does not follow from *data* because
        its lines were taken out of something else. *on_taken* is told which lines of the source
        they became, before anything can become of them: once, or several times where there are
        thousands of lines and no *end*.
        """
        if end is not None or not may_be_many_lines(data):
            return await self._lines(data, end, on_taken)
        count = 0
        for piece in pieces(data):
            count += await self._lines(piece, None, on_taken)
            await asyncio.sleep(0)
        return count

    async def refuse(
        self,
        line: bytes,
        fault: Fault,
        end: Position | None = None,
        on_taken: Callable[[range], None] | None = None,
    ) -> None:
        """Take something that is no record and make a dead letter of it.

        *end* is where the source stands after it, one line and its bytes further by default.
        """
        await self._hold(len(line))
        self.refuse_at_once(line, fault, end, on_taken, held=len(line))

    def refuse_at_once(
        self,
        line: bytes,
        fault: Fault,
        end: Position | None = None,
        on_taken: Callable[[range], None] | None = None,
        *,
        held: int = 0,
    ) -> None:
        """What `refuse` does, whether there is room or not: *held* bytes of it are there."""
        start, limits = self.position, self._intake.limits
        end = end or Position(start.line + 1, start.offset + len(line))
        refused = Refused(line, start, fault)
        letter = dead_letters.of_refused(
            self.source, refused, time.time(), limits.dead_letter_bytes_max
        )
        if on_taken:
            on_taken(range(start.line, end.line))
        self._note(end, 1, end.offset - start.offset)
        if self._filters and (left_out := self._filters.leaves_out(self.source, refused)):
            self._intake.settler.leave_out(left_out, self.label)
            self._refuse([], held)
        else:
            self._refuse([letter], held)

    async def oversize(self, line: Oversize, end: Position | None = None) -> None:
        """Take a line that was too long to be kept; *end* as in `refuse`, line end included."""
        await self._hold(len(line.head))
        start = self.position
        end = end or Position(start.line + 1, start.offset + line.length + 1)
        letter = dead_letters.of_oversize(
            self.source, start, line, time.time(), self._intake.limits.record_bytes_max
        )
        self._note(end, 1, end.offset - start.offset)
        self._refuse([letter], len(line.head))

    def hasten(self, within: float, *, is_awaited: bool) -> None:
        """Have what was taken leave *within* seconds; *is_awaited*: and be durable soon after."""
        self._intake.batcher.hasten(within, is_awaited=is_awaited)
        if self._filters:
            self._intake.settler.flush()

    def skip(self, end: Position) -> None:
        """Move on past what holds no records: *end* is where the source stands."""
        self._note(end, 0, end.offset - self.position.offset)

    def completes(self, line: bytes) -> bool:
        """Whether a line that has no end yet is a whole one: a record."""
        return are_records(line, [line])

    @property
    def unfinished_bytes(self) -> int:
        """Bytes held of what has no end yet."""
        return self._framer.unfinished_bytes

    def leave_out(self, name: str, count: int) -> None:
        """Count records that were left out before they had a place in what is handed over."""
        self._intake.meters.records_read.add(count, self.label)
        from agent.core.filters import LeftOut

        self._intake.settler.leave_out(LeftOut((), Counter({name: count})), self.label)

    def leave(self, *, forget: bool = False) -> None:
        """Nothing more will come. *forget*: nor does a later run need to know where it was."""
        del self._intake.feeds[self.source]
        self._intake.progress.leave(self.source, forget=forget)

    async def _take(self, frame: bytes | Oversize) -> None:
        if isinstance(frame, Oversize):
            await self.oversize(frame)
        else:
            await self.lines(frame)

    async def _lines(
        self, data: bytes, end: Position | None, on_taken: Callable[[range], None] | None
    ) -> int:
        await self._hold(len(data))
        intake = self._intake
        limits = intake.limits
        read_at = time.time()
        start = self.position
        chunk = Chunk(self.source, start.line, start.offset, data, read_at, end)
        contents = read_chunk(chunk, limits.record_bytes_max)
        if on_taken:
            on_taken(range(start.line, contents.end.line))
        count = contents.count
        self._note(contents.end, count, contents.end.offset - start.offset)
        if self._filters:
            contents, left_out = self._filters.apply(self.source, contents)
            intake.settler.leave_out(left_out, self.label)
        if intake.tap.watchers:
            intake.tap.show(self.source, self.label, contents.runs)
        in_runs = sum(run.record_bytes + run.span.count * run.span.newline for run in contents.runs)
        letters = [
            dead_letters.of_refused(self.source, line, read_at, limits.dead_letter_bytes_max)
            for line in contents.refused
        ]
        self._refuse(letters, len(data) - in_runs)
        for run in contents.runs:
            await intake.batcher.add(run)
        return count

    def _refuse(self, letters: list[DeadLetter], taken: int) -> None:
        """Settle lines that are no records; *taken* of the budget is what no record holds."""
        held = dead_letters.held_bytes(letters)
        self._intake.budget.exchange(taken, held)
        if letters:
            self._intake.settler.refuse(letters, held)

    async def _hold(self, size: int) -> None:
        begun = time.monotonic()
        await self._intake.budget.take(size)
        waited = time.monotonic() - begun
        if waited > _PRESSURE_NOTICED:
            self._intake.meters.source_pressure_seconds.add(waited, self.label)

    def _note(self, end: Position, count: int, size: int) -> None:
        self._intake.meters.records_read.add(count, self.label)
        self._intake.meters.bytes_read.add(size, self.label)
        self._intake.progress.read(self.source, end, count, self.identity)
        self.position = end
