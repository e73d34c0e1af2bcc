"""Where does room come from to remove something while the disk is full?

Even a removal is first written to the log, and the log becomes room again only once all of it is
in the file. So the room for that is held by a file of its own, given up when there is no other.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path

FILE_NAME = "store.reserve"


class Reserve:
    """So many bytes of the disk, held until they are needed."""

    def __init__(self, data_dir: Path, size: int) -> None:
        self._path = data_dir / FILE_NAME
        self._size = size

    def take(self) -> bool:
        """Hold the room; False where there is not that much.

        Where files cannot be given room beforehand, nothing is held, and that is no fault.
        """
        if not self._size or self._is_held():
            return True
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size)
            finally:
                os.close(descriptor)
        except OSError as error:
            self.give_up()
            return error.errno not in (errno.ENOSPC, errno.EDQUOT)
        return True

    def give_up(self) -> None:
        """Let the room be used."""
        with suppress(OSError):
            self._path.unlink()

    def _is_held(self) -> bool:
        with suppress(OSError):
            return self._path.stat().st_size >= self._size
        return False
