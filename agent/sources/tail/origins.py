"""Of which stream is a file that was found just now?

It may be one that an earlier run read, the copy of one that was cut after it had been copied, or a
new one. Where that is in doubt it is a new one: to read twice is better than not at all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.core.likeness import HEAD_BYTES, TAIL_BYTES, Likeness
from agent.core.rotation import is_rotated_name
from agent.record import Position
from agent.sources.source import Feed
from agent.sources.tail.file import CLOSED, TailedFile
from agent.sources.tail.streams import Past


@dataclass(slots=True, eq=False)
class Abandoned:
    """A stream whose file was cut. What it had not read may be in a copy."""

    feed: Feed
    stream: str
    path: str
    likeness: Likeness
    offset: int
    size: int  # of the file when it was last looked at
    has_early_line: bool
    until: float  # a copy is waited for (monotonic clock) …
    until_look: int  # … and not before so many looks

    @classmethod
    def of(cls, file: TailedFile, until: float, until_look: int) -> "Abandoned":
        """What is left of a file's stream."""
        assert file.feed
        return cls(
            file.feed,
            file.stream,
            file.path,
            file.likeness(),
            file.feed.position.offset - file.has_early_line,
            file.size_when_cut(),
            file.has_early_line,
            until,
            until_look,
        )

    @property
    def unread(self) -> int:
        """Bytes that are lost where no copy is found, as far as is known."""
        return max(0, self.size - self.offset)

    def has_copy_in(self, file: TailedFile) -> bool:
        """Whether the file is a copy of what was cut."""
        return (
            not file.is_archive
            and file.size >= self.offset
            and is_rotated_name(file.path, self.path)
            and file.is_like(self.likeness)
        )


class Pasts:
    """The streams that earlier runs read, and whose file has not been found yet."""

    def __init__(self) -> None:
        self._by_stream: dict[str, Past] = {}
        self._by_key: dict[tuple[int, int], list[Past]] = {}

    def expect(self, pasts: Iterable[Past]) -> None:
        """Have the files of these recognised."""
        for past in pasts:
            self._by_stream[past.stream] = past
            self._by_key.setdefault(past.key, []).append(past)

    def __iter__(self) -> Iterator[Past]:
        return iter([*self._by_stream.values()])

    def __len__(self) -> int:
        return len(self._by_stream)

    def knows(self, key: tuple[int, int]) -> bool:
        """Whether a file of that device and inode was read."""
        return key in self._by_key

    def same(self, file: TailedFile) -> Past | None:
        """The stream of this very file, which it goes on with."""
        for past in reversed(self._by_key.get(file.key, [])):
            if past.stream in self._by_stream and _fits(past, file):
                return self._taken(past)
        return None

    def copied(self, file: TailedFile) -> Past | None:
        """The stream whose file was cut while nobody looked, after this copy was made of it.

        Or it is the same under another inode, as after a backup was put back.
        """
        for past in self:
            may_be = file.path == past.path or is_rotated_name(file.path, past.path)
            if may_be and past.likeness.head.size and _fits(past, file):
                return self._taken(past)
        return None

    def drop(self, past: Past) -> None:
        """Expect its file no more."""
        del self._by_stream[past.stream]

    def _taken(self, past: Past) -> Past:
        self.drop(past)
        return past


def suspects(file: TailedFile, others: Iterable[TailedFile]) -> Iterator[TailedFile]:
    """Of which of the other files this one may be a copy.

    That shows when they are cut, which whoever copied is about to do.
    """
    for other in others:
        if other.feed is None or other.is_archive or not other.offset:
            continue
        if is_rotated_name(file.path, other.path) and (
            is_about_to_be_cut(other) or _begin_alike(file, other)
        ):
            yield other


def is_about_to_be_cut(file: TailedFile) -> bool:
    """Whether it is no longer what was read, though that has not been noted yet."""
    if file.was_cut or file.descriptor == CLOSED:
        return file.was_cut
    is_same = file.peek(file.offset - len(file.tail), len(file.tail)) == file.tail
    return not is_same or not file.begins_as_read()


def _begin_alike(file: TailedFile, other: TailedFile) -> bool:
    if other.descriptor == CLOSED or not 0 < file.size <= max(other.size, other.offset):
        return False
    first = min(HEAD_BYTES, file.size)
    last = min(TAIL_BYTES, file.size)
    return file.peek(0, first) == other.peek(0, first) and file.peek(
        file.size - last, last
    ) == other.peek(file.size - last, last)


def _fits(past: Past, file: TailedFile) -> bool:
    if file.is_archive:
        return past.likeness.tail is None and file.is_like(past.likeness)
    if past.likeness.tail is None:  # kept by an earlier release, or of an archive
        return file.is_like(past.likeness) and _ends_a_line(past.position, file)
    return past.offset <= file.size and file.is_like(past.likeness)


def _ends_a_line(position: Position, file: TailedFile) -> bool:
    """Whether a line ends there. A last line without an end counts as one byte longer."""
    if position.offset in (0, file.size + 1):
        return True
    return file.peek(position.offset - 1, 1) == b"\n"
