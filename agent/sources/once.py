"""How is what ends read to its end: standard input, a file, a pipe in the place of a file?"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.errors import InputError
from agent.record import BEGINNING, Position
from agent.sources.blocks import Blocks, open_blocks
from agent.sources.gzipped import MAGIC, GzipBlocks
from agent.sources.resuming import is_gzip, may_resume
from agent.sources.source import Doors, Feed, Progress, Source
from agent.store.positions import SavedPosition
from agent.store.source_ids import storable
from agent.telemetry.logs import get_logger

log = get_logger("source")


@dataclass(slots=True)
class ReadOnce(Source):
    """A descriptor, from where it stands to its end, once."""

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


def stdin(name: str, block_bytes: int) -> ReadOnce:
    """Standard input: a pipe, a terminal, or a file redirected into it."""

    def descriptor() -> int:
        if sys.stdin is None:
            raise InputError(
                "standard input is closed: pipe records into it, or configure another source"
            )
        return os.dup(0)

    return ReadOnce(name, descriptor, block_bytes, may_be_gzip=False)
