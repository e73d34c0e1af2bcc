"""Which files are kept open, where there are more of them than may be open at once?

An open file can be read to its end whatever becomes of its name. So as many as possible stay open,
and those go first that were read to their end and have been silent longest.
"""

import os
from collections import OrderedDict
from itertools import islice

from agent.sources.tail.file import CLOSED, TailedFile

_LOOKED_AT = 32


class Keeper:
    """Opens files, and closes others for them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: OrderedDict[TailedFile, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def open(self, file: TailedFile) -> bool:
        """Have it open; False where its path leads to another file now. Raises OSError."""
        if file.descriptor != CLOSED:
            self._open.move_to_end(file)
            return True
        while len(self._open) >= self._most and (idle := self._least_useful()):
            self.close(idle)
        # without O_NONBLOCK, opening what became a FIFO would stop everything
        descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        found = os.fstat(descriptor)
        if (found.st_dev, found.st_ino) != file.key:
            os.close(descriptor)
            return False
        file.descriptor = descriptor
        self._open[file] = None
        return True

    def close(self, file: TailedFile) -> None:
        """Close it, if it is open."""
        if file.descriptor != CLOSED:
            if file.reader:
                file.reader.close()
            os.close(file.descriptor)
            file.descriptor = CLOSED
            del self._open[file]

    def close_all(self) -> None:
        """Close all of them."""
        for file in list(self._open):
            self.close(file)

    def _least_useful(self) -> TailedFile | None:
        oldest = [
            file
            for file in islice(self._open, _LOOKED_AT)
            if not file.is_being_read and file.orphaned_at is None
        ]
        idle = [file for file in oldest if file.caught_up and not file.is_queued]
        return next(iter([*idle, *oldest]), None)
