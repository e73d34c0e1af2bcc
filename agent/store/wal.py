"""What is in the write-ahead log beside a store, and does SQLite read all of it that was durable?

SQLite takes the first frame that is not as it was written for the end of the log, and is silent
about what follows. Each frame can be checked by itself, with the checksum in the one before it.
"""

from collections.abc import Sequence
from itertools import islice
from struct import unpack
from typing import NamedTuple, Protocol

from agent.store.schema import PAGE_SIZE

_HEADER, _FRAME_HEADER = 32, 24
_STEP = _FRAME_HEADER + PAGE_SIZE
_MAGIC = 0x377F0682  # one more where checksums are of big-endian words
_MASK = 0xFFFFFFFF
_INDEXED_FRAMES, _INDEXED_SALTS = slice(16, 20), slice(32, 40)  # sqlite.org/walformat.html


class Content(Protocol):
    """Bytes, perhaps still on disk."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> bytes: ...


class Frame(NamedTuple):
    """A page in the log."""

    page: int  # its number in the file
    pages_after: int  # in the whole file, where the frame ends a transaction; else 0
    start: int  # of the frame's header within the log

    @property
    def content(self) -> slice:
        """Where the page is within the log."""
        return slice(self.start + _FRAME_HEADER, self.start + _STEP)


def frames_of(log: Content) -> list[Frame]:
    """The frames of the log's present round, in order; of earlier rounds, some may follow."""
    whole = has_whole_header(log)
    salts = log[16:24] if whole else log[_HEADER + 8 : _HEADER + 16]
    found = []
    for start in range(_HEADER, len(log) - _STEP + 1, _STEP):
        page, pages_after, salts_of_frame = unpack(">II8s", log[start : start + 16])
        if page and salts_of_frame == salts:
            found.append(Frame(page, pages_after, start))
    return found


def committed(log: Content) -> list[Frame]:
    """The frames of all transactions that ended.

    A last transaction that is not as it was written counts as cut off by a crash. An earlier one
    was durable before the next began, so its frames are given even where a part was damaged.
    """
    frames = frames_of(log)
    if not has_whole_header(log) and not any(is_whole(log, frame) for frame in frames[1:]):
        return []  # it was never a log
    ends = [index for index, frame in enumerate(frames, 1) if frame.pages_after]
    if not ends:
        return []
    before_last = ends[-2] if len(ends) > 1 else 0
    if all(is_whole(log, frame) for frame in frames[before_last : ends[-1]]):
        return frames[: ends[-1]]
    return frames[:before_last]


def hides_commits(log: Content, frames: Sequence[Frame], index: bytes) -> bool:
    """Whether SQLite, by its *index* of the log, misses some *frames* that were durable.

    The index must have been read after the frames, for another process may be writing them; of an
    index that is of another round nothing can be told.
    """
    if not has_whole_header(log):
        return bool(frames) and any(log[:_HEADER])
    if index[_INDEXED_SALTS] != log[16:24]:
        return False
    (frames_read,) = unpack("=I", index[_INDEXED_FRAMES])
    unread = [frame for frame in frames if frame.start >= _HEADER + frames_read * _STEP]
    # A crash may leave the last transaction in pieces, but none comes after one in pieces.
    first_end = next((end for end, frame in enumerate(unread, 1) if frame.pages_after), None)
    return first_end is not None and any(is_whole(log, frame) for frame in unread[first_end:])


def is_whole(log: Content, frame: Frame) -> bool:
    """Whether the frame is as it was written, if the checksum before it is."""
    before = 24 if frame.start == _HEADER else frame.start - _STEP + 16
    sums: Sequence[int] = unpack(">II", log[before : before + 8])
    order = _order(log)
    header = log[frame.start : frame.start + _FRAME_HEADER]
    sums = _checksum(header[:8], sums, order)
    sums = _checksum(log[frame.content], sums, order)
    return tuple(sums) == unpack(">II", header[16:])


def has_whole_header(log: Content) -> bool:
    """Whether the log begins as SQLite wants it to."""
    if len(log) < _HEADER or unpack(">I", log[:4])[0] & ~1 != _MAGIC:
        return False
    return tuple(_checksum(log[:24], (0, 0), _order(log))) == unpack(">II", log[24:_HEADER])


def _order(log: Content) -> str:
    return ">" if log[:4][3] & 1 else "<"


def _checksum(content: bytes, sums: Sequence[int], order: str) -> Sequence[int]:
    words = unpack(f"{order}{len(content) // 4}I", content)
    first, second = sums
    pairs = zip(islice(words, 0, None, 2), islice(words, 1, None, 2), strict=True)
    for one, other in pairs:
        first = (first + one + second) & _MASK
        second = (second + other + first) & _MASK
    return first, second
