"""Where do bytes from a source become records, or dead letters, each with its position?"""

import time
from dataclasses import dataclass

from agent.core.checkpoints import Checkpoints
from agent.core.chunks import read_chunk
from agent.core.framing import LineFramer, Oversize
from agent.delivery import dead_letters
from agent.delivery.batcher import Batcher
from agent.delivery.settling import Settler
from agent.record import Chunk, Position
from agent.store.budget import Budget
from agent.telemetry.meters import Meters

_PRESSURE_NOTICED = 0.001  # seconds of waiting that count as pressure


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """Bytes: the longest record that fits a request, and how much of a dead one is kept."""

    record_bytes_max: int
    dead_letter_bytes_max: int


class Intake:
    """The one door to the batcher."""

    def __init__(
        self,
        limits: IntakeLimits,
        batcher: Batcher,
        settler: Settler,
        budget: Budget,
        meters: Meters,
    ) -> None:
        self.limits = limits
        self.batcher = batcher
        self.settler = settler
        self.budget = budget
        self.meters = meters
        self.feeds: dict[str, Feed] = {}

    def feed(self, source: str) -> "Feed":
        """The door for one source, which reads forwards from its first byte."""
        assert source not in self.feeds, "two sources of one name would share positions"
        feed = self.feeds[source] = Feed(source, self)
        self.settler.follow(source, feed.checkpoints)
        return feed


class Feed:
    """Takes the bytes of one source, in order."""

    def __init__(self, source: str, intake: Intake) -> None:
        self.source = source
        self.position = Position(1, 0)
        self.checkpoints = Checkpoints(self.position)
        self._intake = intake
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

    async def _take(self, frame: bytes | Oversize) -> None:
        if isinstance(frame, Oversize):
            await self._oversize(frame)
        else:
            await self._lines(frame)

    async def _lines(self, data: bytes) -> None:
        await self._hold(len(data))
        intake = self._intake
        limits = intake.limits
        read_at = time.time()
        chunk = Chunk(self.source, self.position.line, self.position.offset, data, read_at)
        contents = read_chunk(chunk, limits.record_bytes_max)
        self._note(contents.end, contents.count, len(data))
        in_runs = sum(run.record_bytes + run.span.count * run.span.newline for run in contents.runs)
        refused = sum(len(line.line) for line in contents.refused)
        intake.budget.give(len(data) - in_runs - refused)  # blank lines, and ends of refused ones
        if contents.refused:
            letters = [
                dead_letters.of_refused(self.source, line, read_at, limits.dead_letter_bytes_max)
                for line in contents.refused
            ]
            intake.settler.refuse(letters, refused)
        for run in contents.runs:
            await intake.batcher.add(run)

    async def _oversize(self, line: Oversize) -> None:
        await self._hold(len(line.head))
        letter = dead_letters.of_oversize(
            self.source, self.position, line, time.time(), self._intake.limits.record_bytes_max
        )
        size = line.length + 1
        self._note(Position(self.position.line + 1, self.position.offset + size), 1, size)
        self._intake.settler.refuse([letter], len(line.head))

    async def _hold(self, size: int) -> None:
        begun = time.monotonic()
        await self._intake.budget.take(size)
        waited = time.monotonic() - begun
        if waited > _PRESSURE_NOTICED:
            self._intake.meters.source_pressure_seconds.add(waited, self.source)

    def _note(self, end: Position, count: int, size: int) -> None:
        self._intake.meters.records_read.add(count, self.source)
        self._intake.meters.bytes_read.add(size, self.source)
        self.checkpoints.read(end, count)
        self.position = end
