"""How does a file grow at its end while it is read anywhere?"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

_BLOCK = 1 << 20


class AppendFile:
    """A file written at its end only and read anywhere."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.end = os.fstat(descriptor).st_size

    @classmethod
    def named(cls, path: Path, *, lock: bool = False) -> Self:
        """The file of that name, made where there is none. Raises OSError, also where locked."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if lock:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                raise
        return cls(descriptor)

    @classmethod
    def unnamed(cls) -> Self:
        """A file that is gone once it is closed."""
        with tempfile.TemporaryFile() as file:
            return cls(os.dup(file.fileno()))

    def append(self, content: bytes) -> None:
        """Write all of it at the end. Raises OSError; what was half written is not part of it."""
        view = memoryview(content)
        at = self.end
        while view:
            written = os.pwrite(self._descriptor, view, at)
            view = view[written:]
            at += written
        self.end = at

    def read(self, offset: int, length: int) -> bytes:
        """What lies there; less where the file ends before."""
        return os.pread(self._descriptor, length, offset)

    def blocks(self, end: int, start: int = 0) -> Iterator[bytes]:
        """What lies between two places, piece by piece."""
        for offset in range(start, end, _BLOCK):
            yield self.read(offset, min(_BLOCK, end - offset))

    def lines(self, start: int = 0) -> Iterator[bytes]:
        """The whole lines from `start` to where the file ends now, without their newlines."""
        rest = b""
        for block in self.blocks(self.end, start):
            *lines, rest = (rest + block).split(b"\n")
            yield from lines

    def truncate(self, end: int) -> None:
        """Forget what lies behind that place."""
        os.ftruncate(self._descriptor, end)
        self.end = end

    def close(self) -> None:
        """Let go of the file, and of its lock."""
        os.close(self._descriptor)
