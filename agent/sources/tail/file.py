"""What is known of a file while it is followed?"""

import os
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from agent.core.likeness import HEAD_BYTES, NOTHING, TAIL_BYTES, Likeness, Stretch, stretch
from agent.record import Position
from agent.sources.source import Feed
from agent.sources.tail.walking import Seen

CLOSED = -1


class Outcome(Enum):
    """What came of reading a block."""

    MORE = "there may be more at once"
    END = "nothing more is there, or no whole line"
    CUT = "the file is not what it was: it was cut, or is another one"


class Reader(Protocol):
    """Hands what a file holds to its feed."""

    skipped: int

    async def read(self) -> Outcome:
        """Take the next lines. Raises OSError and InputError."""
        ...

    async def finish(self) -> None:
        """Take a last line without an end, if it is a record: what follows could only spoil it."""
        ...

    async def end(self) -> None:
        """Nothing more will come: take a last line without an end, whatever it is."""
        ...

    def close(self) -> None:
        """The file is being closed."""
        ...


@dataclass(slots=True, eq=False)
class TailedFile:
    """One file, by device and inode. It gets a feed when it is known which stream it is of."""

    path: str  # where it was last found
    device: int
    inode: int
    size: int
    mtime_ns: int
    descriptor: int = CLOSED
    feed: Feed | None = None
    reader: "Reader | None" = None
    stream: str = ""
    offset: int = 0  # of the next byte to read; decompressed in an archive
    head: Stretch = NOTHING
    tail: bytes = b""  # the bytes before the offset, as they were read
    is_archive: bool = False
    compressed: int = 0  # bytes of an archive that were read, as they lie there
    has_early_line: bool = False  # the last line was taken before its newline had come
    caught_up: bool = False  # nothing more was there when it was last read
    unfinished: int = 0  # bytes after the offset that are no whole line
    looked_at: int = -1  # the size at which the unfinished line was last found incomplete
    changed_at: float = 0.0  # monotonic clock
    orphaned_at: float | None = None  # since when no pattern leads to it
    is_queued: bool = False  # or being read
    is_being_read: bool = False
    is_wanted_again: bool = False  # it changed while it was read
    is_finishing: bool = False  # its last line is to be looked at, though it has no end
    is_ending: bool = False  # and to be taken whatever it is: nothing more will come
    has_ended: bool = False  # that was done
    was_cut: bool = False  # it has been seen to shrink …
    size_before_cut: int = 0  # … from so many bytes
    was_cut_before_offset: bool = False  # so that what was read of it is there no more
    size_before: int = 0  # when it was found to have changed last
    is_well: bool = True  # it can be read, as far as is known
    before: "TailedFile | None" = None  # the file to be read first, up to …
    before_size: int = 0
    after: "list[TailedFile]" = field(default_factory=list)

    @classmethod
    def found(cls, seen: Seen, now: float) -> "TailedFile":
        """A file that was not known before."""
        return cls(seen.path, seen.device, seen.inode, seen.size, seen.mtime_ns, changed_at=now)

    @property
    def key(self) -> tuple[int, int]:
        """What no other file has at the same time."""
        return self.device, self.inode

    @property
    def unread(self) -> int:
        """Bytes that were written and not read, as far as is known."""
        return max(0, self.size - (self.compressed if self.is_archive else self.offset))

    def note(self, size: int, mtime_ns: int, now: float) -> bool:
        """Note how it was found; whether it has changed."""
        if (size, mtime_ns) == (self.size, self.mtime_ns):
            return False
        if size < self.size:
            self.was_cut = True
            self.size_before_cut = max(self.size, self.size_before_cut)
            # *size* may be from before the last block was read: what is so now counts
            self.was_cut_before_offset |= self._ends_before_offset()
        self.size_before = self.size
        self.size, self.mtime_ns, self.changed_at = size, mtime_ns, now
        self.is_ending = self.has_ended = False
        return True

    def size_when_cut(self) -> int:
        """How large it was before it was cut, as far as is known."""
        if self.was_cut:
            return self.size_before_cut
        # nobody saw it shrink: what was seen last may be what it has grown to since
        is_smaller = os.fstat(self.descriptor).st_size < self.size
        seen = self.size if is_smaller else self.size_before
        return max(seen, self.offset + self.unfinished)

    def begin_anew(self) -> None:
        """It holds something else now, of which nothing was read."""
        self.feed = self.reader = None
        self.stream = ""
        self.offset = self.unfinished = self.compressed = 0
        self.size_before = self.size_before_cut = 0
        self.looked_at = -1
        self.head, self.tail = NOTHING, b""
        self.was_cut = self.was_cut_before_offset = False
        self.caught_up = self.has_early_line = self.is_archive = False
        self.is_finishing = self.is_ending = self.has_ended = False

    def is_read_to(self, size: int) -> bool:
        """Whether so much of it is read, or nothing more of it can be."""
        return self.caught_up or self.offset >= size or self.feed is None or not self.is_well

    def peek(self, offset: int, size: int) -> bytes:
        """What stands there."""
        return os.pread(self.descriptor, size, offset) if offset >= 0 else b""

    def remember_head(self, size: int) -> None:
        """What tells it from others are its first bytes, at most *size* of them."""
        data = self.peek(0, min(HEAD_BYTES, size))
        if self.head.agrees(lambda at, size: data[at : at + size]):  # or it was cut just now
            self.head = stretch(data, len(data))

    def begins_as_read(self) -> bool:
        """Whether what was read of it is there still, as far as its first bytes tell."""
        return not self.was_cut_before_offset and self.head.agrees(self.peek)

    def is_like(self, likeness: Likeness) -> bool:
        """Whether its bytes are those of that file."""
        return likeness.agrees(self.peek)

    def likeness(self) -> Likeness:
        """What tells it from others, as far as it was read."""
        if self.is_archive:
            return Likeness(self.device, self.inode, self.head)
        return Likeness(self.device, self.inode, self.head, stretch(self.tail, self.offset))

    def advance(self, offset: int, read: bytes | bytearray | memoryview) -> None:
        """It was read up to there; the last bytes of *read* stand before."""
        last = bytes(read[-TAIL_BYTES:])
        self.tail = last if len(last) == TAIL_BYTES else (self.tail + last)[-TAIL_BYTES:]
        if not self.offset and len(read) == offset:
            first = bytes(read[:HEAD_BYTES])
            self.head = stretch(first, len(first))
        elif self.head.size < HEAD_BYTES:
            self.remember_head(offset)
        self.offset = offset

    def _ends_before_offset(self) -> bool:
        is_legible = self.descriptor != CLOSED and not self.is_archive
        return is_legible and os.fstat(self.descriptor).st_size < self.offset

    def position(self, lines: int = 0) -> Position:
        """Where the feed stands once so many more lines are taken, and the file is read to here."""
        assert self.feed
        return Position(self.feed.position.line + lines, self.offset)
