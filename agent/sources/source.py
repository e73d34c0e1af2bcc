"""What is a source? Something that reads bytes forwards and hands them to its feed."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from agent.core.framing import Oversize
from agent.core.validation import Fault
from agent.errors import InputError
from agent.record import BEGINNING, Position
from agent.sources.blocks import Blocks, open_blocks
from agent.sources.gzipped import MAGIC, GzipBlocks
from agent.sources.resuming import is_gzip, may_resume
from agent.store.positions import SavedPosition
from agent.store.source_ids import storable
from agent.telemetry.logs import get_logger

log = get_logger("source")


class Feed(Protocol):
    """Where a source puts what it read; what is awaited waits while there is no room.

    `put` and `end` take bytes as they come, the others what the source has framed itself. See
    `agent.delivery.intake.Feed`.
    """

    position: Position  # where the source stands
    identity: str | None  # tells what is read from others, where that changes as it is read

    async def put(self, block: bytes) -> None:
        """Take the next bytes."""
        ...

    async def end(self) -> None:
        """There will be no more."""
        ...

    async def lines(
        self,
        data: bytes,
        end: Position | None = None,
        on_taken: Callable[[range], None] | None = None,
    ) -> int:
        """Take whole lines, after which the source stands at *end*; how many were not blank."""
        ...

    async def refuse(
        self,
        line: bytes,
        fault: Fault,
        end: Position | None = None,
        on_taken: Callable[[range], None] | None = None,
    ) -> None:
        """Take what is no record: it becomes a dead letter."""
        ...

    async def oversize(self, line: Oversize, end: Position | None = None) -> None:
        """Take a line that was too long to be kept: it becomes a dead letter."""
        ...

    def hasten(self, within: float, *, is_awaited: bool) -> None:
        """Have what was taken sent *within* seconds, and durable soon where that *is_awaited*."""
        ...

    def skip(self, end: Position) -> None:
        """Move on past what holds no records."""
        ...

    def refuse_at_once(self, line: bytes, fault: Fault, end: Position | None = None) -> None:
        """What `refuse` does, whether there is room or not: for the last there is to say."""
        ...

    @property
    def unfinished_bytes(self) -> int:
        """Bytes held of what has no end yet."""
        ...

    def completes(self, line: bytes) -> bool:
        """Whether a line that has no end yet is a whole one: what comes behind it could only
        spoil it."""
        ...

    def leave_out(self, name: str, count: int) -> None:
        """Count records that nobody asked for, by the name of what leaves them out."""
        ...

    def leave(self, *, forget: bool = False) -> None:
        """Nothing more will come; *forget*: nor does a later run need to know where it was."""
        ...


class Doors(Protocol):
    """Gives a feed to each stream of bytes that has positions of its own."""

    def feed(
        self,
        source: str,
        start: Position = BEGINNING,
        identity: str | None = None,
        label: str | None = None,
    ) -> Feed:
        """The feed of a stream of that name, which is counted under *label*."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a source is: bytes read, and how many there are where that is known."""

    read: int
    total: int | None


class Source(Protocol):
    """One input. `run` returns at its end, or soon after `stop`, which may come at any time.

    Who has nothing to resume, or to claim beforehand, inherits that from here.
    """

    name: str

    def resume(self, saved: Mapping[str, SavedPosition]) -> None:
        """Go on where earlier runs had got to; *saved* are all positions, by name of stream."""
        return

    async def claim(self) -> None:
        """Take what it needs before anything is read. Raises ConfigError."""
        return

    async def run(self, doors: Doors) -> None:
        """Read until the end. Raises InputError where that is not possible."""
        ...

    async def let_go(self) -> None:
        """Give back what it claimed, whether it ran or not."""
        return

    def stop(self) -> None:
        """Take nothing more from the input."""
        ...

    def progress(self) -> Progress:
        """How far it is."""
        ...

    def details(self) -> Mapping[str, object]:
        """What else there is to say of it, for /status."""
        return {}


@dataclass(slots=True)
class StreamSource(Source):
    """A descriptor read to its end: standard input, a file, a pipe in the place of a file."""

    name: str
    open: Callable[[], int]  # gives the descriptor
    block_bytes: int
    may_be_gzip: bool = True
    size: int | None = None  # while it is not open
    path: str | None = None  # of what can be read again
    identity: str | None = None
    start: Position = BEGINNING
    by_line: bool = True  # or records end anywhere
    _blocks: Blocks | None = field(default=None, init=False)
    _stopped: bool = field(default=False, init=False)
    _ended: Progress | None = field(default=None, init=False)
    _is_forward: bool = field(default=False, init=False)

    def resume(self, saved: Mapping[str, SavedPosition]) -> None:
        """Begin where an earlier run had got to, if it is still the same file."""
        before = saved.get(storable(self.name))
        if self.path is None or before is None:
            return
        if may_resume(self.path, before.identity, before.position, by_line=self.by_line):
            self.start, self.identity = before.position, before.identity
            log.info("going on where reading had got to", source=self.name, line=self.start.line)
        else:
            log.warning(
                "the file is another one than was read before, reading it from the beginning",
                source=self.name,
            )

    async def run(self, doors: Doors) -> None:
        """Read and hand over until the end."""
        if self._stopped:
            return
        feed = doors.feed(self.name, self.start, self.identity)
        try:
            blocks = self._blocks = open_blocks(self._opened())
        except OSError as error:
            raise InputError(f"{self.name}: {error.strerror or error}") from error
        try:
            await self._read(blocks, feed)
        except OSError as error:
            await self._break_off(feed)
            raise InputError(f"{self.name}: cannot be read: {error.strerror or error}") from error
        except InputError as error:
            await feed.end()
            raise InputError(f"{self.name}: {error}") from error
        finally:
            self._ended = self.progress()
            self._blocks = None
            blocks.close()

    def stop(self) -> None:
        """Take nothing more."""
        self._stopped = True
        if self._blocks:
            self._blocks.stop()

    def progress(self) -> Progress:
        """How far it is, in bytes of the file as it lies there."""
        if self._blocks:
            return Progress(*self._blocks.progress())
        return self._ended or Progress(0, self.size)

    async def _read(self, blocks: Blocks, feed: Feed) -> None:
        block = await blocks.read(self.block_bytes)
        if self.may_be_gzip and block.startswith(MAGIC) and not self._is_forward:
            blocks = self._blocks = GzipBlocks(blocks, block)
            block = await self._after_start(blocks)
        while block:
            await feed.put(block)
            block = await blocks.read(self.block_bytes)
        if self._stopped:
            await self._break_off(feed)
        else:
            await feed.end()

    def _opened(self) -> int:
        """The descriptor, put forward to the start where bytes can be left out."""
        descriptor = self.open()
        if self.start.offset and not is_gzip(descriptor, MAGIC):
            os.lseek(descriptor, self.start.offset, os.SEEK_SET)
            self._is_forward = True
        return descriptor

    async def _after_start(self, blocks: Blocks) -> bytes:
        """The first block of what was not read before: decompressing begins at the beginning."""
        left_out = 0
        while block := await blocks.read(self.block_bytes):
            left_out += len(block)
            if left_out > self.start.offset:
                return block[len(block) - (left_out - self.start.offset) :]
        return b""

    async def _break_off(self, feed: Feed) -> None:
        """End before the end: half a line is handed over only where it cannot be read again."""
        if self._blocks and not self._blocks.is_again_readable:
            await feed.end()


def stdin(name: str, block_bytes: int) -> StreamSource:
    """Standard input: a pipe, a terminal, or a file redirected into it."""

    def descriptor() -> int:
        if sys.stdin is None:
            raise InputError(
                "standard input is closed: pipe records into it, or configure another source"
            )
        return os.dup(0)

    return StreamSource(name, descriptor, block_bytes, may_be_gzip=False)
