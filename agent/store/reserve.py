"""Where does room come from to remove something while the disk is full?

Even a removal is first written to the log. So a little room is held by a file of its own, which is
given up when there is no other.
"""

import os
from contextlib import suppress
from pathlib import Path

FILE_NAME = "store.reserve"


class Reserve:
    """So many bytes of the disk, held until they are needed."""

    def __init__(self, data_dir: Path, size: int) -> None:
        self._path = data_dir / FILE_NAME
        self._size = size

    def take(self) -> None:
        """Hold the room, where there is any; without it nothing else changes."""
        if not self._size or self._is_held():
            return
        with suppress(OSError):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size)
            except OSError:
                self.give_up()
            finally:
                os.close(descriptor)

    def give_up(self) -> None:
        """Let the room be used."""
        with suppress(OSError):
            self._path.unlink()

    def _is_held(self) -> bool:
        with suppress(OSError):
            return self._path.stat().st_size >= self._size
        return False
