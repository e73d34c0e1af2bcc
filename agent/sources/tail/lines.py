"""How are whole lines taken from a file that is still written to?

Block by block, always from where the last whole line ended: what is no line yet stays in the file
and is read again, so that an idle file holds no memory. Each block is read together with the bytes
before it, which tell at no cost whether the file is still the one that was read.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256

from agent.core.framing import Oversize
from agent.record import Position
from agent.sources.source import Feed
from agent.sources.tail.blocks import SharedBlocks
from agent.sources.tail.file import Outcome, TailedFile

_NUL = b"\0"


@dataclass(frozen=True, slots=True)
class LineLimits:
    """Bytes: what is read at once, the longest line that is kept, and how much of a longer one."""

    block_bytes: int
    line_bytes_max: int
    head_bytes: int


class _Swallowed:
    """A line too long to keep, while its end has not been seen."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.length = 0
        self.hash = sha256()

    def add(self, part: bytes) -> None:
        self.length += len(part)
        self.hash.update(part)


class Lines:
    """Hands the lines of one file to its feed."""

    def __init__(
        self, file: TailedFile, feed: Feed, limits: LineLimits, blocks: SharedBlocks
    ) -> None:
        self._file = file
        self._feed = feed
        self._limits = limits
        self._blocks = blocks
        self._swallowed: _Swallowed | None = None
        self._searched = 0  # bytes after the offset that are known to hold no line end
        self.skipped = 0  # NULs where lines should begin, since it was last asked

    async def read(self) -> Outcome:
        """Take the next lines; waits while there is no room for them. Raises OSError."""
        limits = self._limits
        is_long = self._searched >= limits.block_bytes
        outcome, lines = await self._next(
            limits.line_bytes_max + 1 if is_long else limits.block_bytes
        )
        if lines:
            await self._take(lines)
        return outcome

    async def finish(self) -> None:
        """Take a last line without an end, if it is a record: what follows could only spoil it."""
        line = b"" if self._swallowed else await self._last_line()
        if line and line[0] and self._feed.completes(line.rstrip(b"\r")):
            await self._take_without_end(line)

    async def end(self) -> None:
        """Nothing more will come: take a last line without an end, whatever it is."""
        if self._swallowed:
            await self._end_swallowed(has_end=False)
        elif line := await self._last_line():
            if bare := line.lstrip(_NUL):
                await self._take_without_end(bare, len(line) - len(bare))
            else:
                self._skip_nuls(len(line))
        await self._feed.end()

    def close(self) -> None:
        """Nothing is held open here."""

    async def _last_line(self) -> bytes:
        """What stands behind the last line end; nothing where that is no longer so."""
        file = self._file
        before = len(file.tail)
        size = before + self._limits.line_bytes_max + 1
        block = bytes(await self._blocks.read(file.descriptor, file.offset - before, size))
        is_same = block[:before] == file.tail and file.begins_as_read()
        return block[before:] if is_same and b"\n" not in block[before:] else b""

    async def _take_without_end(self, line: bytes, nuls: int = 0) -> None:
        """Its position counts one byte more than it has, for the end that may come."""
        file, feed = self._file, self._feed
        if nuls:
            self._skip_nuls(nuls)
        file.advance(file.offset + len(line), line)
        feed.identity = str(file.likeness())
        end = Position(feed.position.line + 1, file.offset + 1)
        had_early_line, file.has_early_line = file.has_early_line, True
        file.unfinished = self._searched = 0
        await feed.lines(line + b"\n", end if had_early_line else None)

    async def _next(self, size: int) -> tuple[Outcome, bytes]:
        """Read up to *size* bytes; what came of it, and the whole lines among them."""
        file = self._file
        before = len(file.tail)
        if not file.begins_as_read():
            return Outcome.CUT, b""
        block = await self._blocks.read(file.descriptor, file.offset - before, before + size)
        if block[:before] != file.tail:
            return Outcome.CUT, b""
        count = len(block) - before
        if not count:
            file.unfinished = self._swallowed.length if self._swallowed else 0
            self._searched = 0
            return Outcome.END, b""
        if block[before] == 0:
            return self._past_nuls(bytes(block[before:])), b""
        if self._swallowed:
            return await self._swallow(self._swallowed, bytes(block[before:])), b""
        cut = block.obj.rfind(b"\n", before, len(block)) + 1  # type: ignore[attr-defined]
        if cut:
            lines = bytes(block[before:cut])
            self._searched = 0
            file.unfinished = count - len(lines) if count < size else 0
            return (Outcome.MORE if count >= size else Outcome.END), lines
        self._searched = count
        if count < size:
            file.unfinished = count
            return Outcome.END, b""
        if count > self._limits.line_bytes_max:
            self._swallowed = _Swallowed(file.offset)
        return Outcome.MORE, b""

    async def _take(self, lines: bytes) -> None:
        if self._file.has_early_line and not (lines := await self._after_early_line(lines)):
            return
        if _NUL in lines:
            await self._take_around_nuls(lines)
        else:
            await self._take_lines(lines)

    async def _take_lines(self, lines: bytes) -> None:
        self._file.advance(self._file.offset + len(lines), lines)
        self._feed.identity = str(self._file.likeness())
        await self._feed.lines(lines)

    async def _after_early_line(self, lines: bytes) -> bytes:
        """What is left of *lines* once the end of a line that was taken without it is passed.

        Its position counts one byte more than it had. Where something else follows, that is a line
        of its own, and begins where it stands.
        """
        file, feed = self._file, self._feed
        file.has_early_line = False
        end = lines[: 2 if lines.startswith(b"\r\n") else 1]
        if end in (b"\n", b"\r\n"):
            file.advance(file.offset + len(end), end)
            if end == b"\r\n":
                feed.skip(file.position())
            return lines[len(end) :]
        first = lines[: lines.index(b"\n") + 1]
        file.advance(file.offset + len(first), first)
        feed.identity = str(file.likeness())
        await feed.lines(first, file.position(1))
        return lines[len(first) :]

    async def _take_around_nuls(self, lines: bytes) -> None:
        """Take lines of which some begin with NULs, as where a file was cut under its writer."""
        kept: list[bytes] = []
        for line in lines.split(b"\n")[:-1]:
            bare = line.lstrip(_NUL)
            if len(bare) < len(line):
                if kept:
                    await self._take_lines(b"".join(kept))
                    kept = []
                self._skip_nuls(len(line) - len(bare))
            kept.append(bare + b"\n")
        await self._take_lines(b"".join(kept))

    def _skip_nuls(self, count: int) -> None:
        self._file.advance(self._file.offset + count, _NUL * min(count, 64))
        self._feed.identity = str(self._file.likeness())
        self._feed.skip(self._file.position())
        self.skipped += count

    def _past_nuls(self, block: bytes) -> Outcome:
        """Move to the first byte that is none, where there is one: space may be there in advance,
        and be written to later."""
        file = self._file
        self._searched = file.unfinished = 0
        count = len(block) - len(block.lstrip(_NUL))
        if count < len(block):
            self._skip_nuls(count)
            return Outcome.MORE
        at = file.offset + count
        while True:
            with suppress(OSError):  # nothing but a hole, or a file system that knows of none
                at = max(at, os.lseek(file.descriptor, at, os.SEEK_DATA))
            block = file.peek(at, self._limits.block_bytes)
            if not block:
                return Outcome.END
            if bare := block.lstrip(_NUL):
                self._skip_nuls(at + len(block) - len(bare) - file.offset)
                return Outcome.MORE
            at += len(block)

    async def _swallow(self, swallowed: _Swallowed, block: bytes) -> Outcome:
        """Read on in a line that is too long to be kept."""
        cut = block.find(b"\n")
        part = block if cut < 0 else block[:cut]
        swallowed.add(part)
        self._file.advance(self._file.offset + len(part), part)
        if cut >= 0:
            self._file.advance(self._file.offset + 1, b"\n")
            await self._end_swallowed(has_end=True)
        return Outcome.MORE

    async def _end_swallowed(self, *, has_end: bool) -> None:
        swallowed, file = self._swallowed, self._file
        assert swallowed
        self._swallowed = None
        self._searched = file.unfinished = 0
        head = file.peek(swallowed.start, min(self._limits.head_bytes, swallowed.length))
        line = Oversize(head, swallowed.length, swallowed.hash.hexdigest())
        self._feed.identity = str(file.likeness())
        file.has_early_line = not has_end
        end = Position(self._feed.position.line + 1, file.offset + (not has_end))
        await self._feed.oversize(line, end)
