"""How are the lines of a .gz file handed over, which may still be written?

From the beginning of the file to its end, once: what an earlier reading handed over is decompressed
and left out. An archive that is cut short is read again when it has grown.
"""

import os

from agent.core.framing import LineFramer
from agent.errors import InputError
from agent.record import Position
from agent.sources.blocks import FileBlocks
from agent.sources.gzipped import GzipBlocks
from agent.sources.source import Feed
from agent.sources.tail.file import Outcome, TailedFile
from agent.sources.tail.lines import LineLimits


class Archive:
    """Hands the lines of one compressed file to its feed."""

    def __init__(self, file: TailedFile, feed: Feed, limits: LineLimits) -> None:
        self.skipped = 0
        self._file = file
        self._feed = feed
        self._limits = limits
        self._blocks: GzipBlocks | None = None
        self._framer = LineFramer(limits.line_bytes_max, limits.head_bytes)
        self._left_out = 0  # bytes still to be left out, for they were handed over before

    async def read(self) -> Outcome:
        """Take the next lines. Raises InputError where they cannot be decompressed."""
        file = self._file
        if os.fstat(file.descriptor).st_size < file.compressed or not self._is_same():
            return Outcome.CUT
        if self._blocks is None:
            self._begin()
        assert self._blocks
        try:
            block = await self._blocks.read(self._limits.block_bytes)
        except InputError:
            self.close()
            raise
        file.compressed = self._blocks.progress()[0]
        if not block:
            await self._end()
            return Outcome.END
        if self._left_out:
            left_out = min(len(block), self._left_out)
            self._left_out -= left_out
            block = block[left_out:]
        file.offset += len(block)
        for frame in self._framer.feed(block):
            self._feed.identity = str(file.likeness())
            await (
                self._feed.lines(frame) if isinstance(frame, bytes) else self._feed.oversize(frame)
            )
        return Outcome.MORE

    async def finish(self) -> None:
        """An archive has its last line when it has an end."""

    async def end(self) -> None:
        """Nothing more will come; what could be decompressed was taken."""
        await self._feed.end()

    def close(self) -> None:
        """Let go of the file; reading begins anew."""
        if self._blocks:
            self._blocks.close()
            self._blocks = None

    def _begin(self) -> None:
        file = self._file
        descriptor = os.dup(file.descriptor)
        os.lseek(descriptor, 0, os.SEEK_SET)
        self._blocks = GzipBlocks(FileBlocks(descriptor))
        self._framer = LineFramer(self._limits.line_bytes_max, self._limits.head_bytes)
        self._left_out = file.offset = self._feed.position.offset

    async def _end(self) -> None:
        """A last line without an end counts; were another member to follow, it would be a line."""
        for frame in self._framer.end():
            end = Position(self._feed.position.line + 1, self._file.offset)
            self._feed.identity = str(self._file.likeness())
            if isinstance(frame, bytes):
                await self._feed.lines(frame, end)
            else:
                await self._feed.oversize(frame, end)
        await self._feed.end()
        self.close()

    def _is_same(self) -> bool:
        return self._file.head.agrees(self._file.peek)
