"""Is a file still the one that was read before, so that reading may go on where it had got to?

A name alone does not tell: files are rotated, and numbers of inodes are used again. So the first
bytes count as well.
"""

import os
import stat
from contextlib import suppress

from agent.core.likeness import HEAD_BYTES, Likeness, likeness, stretch
from agent.record import Position


def identity_of(path: str) -> str | None:
    """What tells the file from others: device, inode, and a hash of its first bytes.

    None for what is no regular file, or cannot be read.
    """
    with suppress(OSError):
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            return None  # to open a FIFO and close it again would end whoever writes to it
        with open(path, "rb", buffering=0, opener=_without_waiting) as file:
            found = os.fstat(file.fileno())
            head = os.pread(file.fileno(), HEAD_BYTES, 0)
        return str(Likeness(found.st_dev, found.st_ino, stretch(head, len(head))))
    return None


def may_resume(
    path: str, identity: str | None, position: Position, *, by_line: bool = True
) -> bool:
    """Whether the file is the one of that identity, and *position* is after one of its lines.

    Unless it is read *by_line*: then a record may end anywhere.
    """
    before = likeness(identity)
    with suppress(OSError):
        if before is None or not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            return False
        with open(path, "rb", buffering=0, opener=_without_waiting) as file:
            found = os.fstat(file.fileno())
            is_same = (found.st_dev, found.st_ino) == (before.device, before.inode)
            descriptor = file.fileno()
            is_alike = before.agrees(lambda offset, size: os.pread(descriptor, size, offset))
        return is_same and is_alike and (not by_line or _ends_a_line(path, position.offset))
    return False


def is_gzip(descriptor: int, magic: bytes) -> bool:
    """Whether what is open begins as gzip does."""
    return os.pread(descriptor, len(magic), 0) == magic


def _ends_a_line(path: str, offset: int) -> bool:
    """Whether a line ends there. A last line without an end counts as one byte longer."""
    with suppress(OSError), open(path, "rb", buffering=0, opener=_without_waiting) as file:
        if offset == 0 or is_gzip(file.fileno(), b"\x1f\x8b"):
            return True
        size = os.fstat(file.fileno()).st_size
        return offset == size + 1 or os.pread(file.fileno(), 1, offset - 1) == b"\n"
    return False


def _without_waiting(path: str, flags: int) -> int:
    """Open even what may have become a FIFO, without waiting for somebody to write to it."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
