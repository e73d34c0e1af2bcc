"""What does SIGHUP mean: read the configuration again, or that the terminal was closed?

Both come as the same signal. A process that was started from a terminal finds out by looking
whether that is still there: once it was closed, /dev/tty cannot be opened any more.
"""

import os


class Terminal:
    """The terminal that this process was started from, if any."""

    def __init__(self, path: str = "/dev/tty") -> None:
        self._path = path
        self._was_there = self._is_there()

    def was_closed(self) -> bool:
        """Whether it was there, and is gone."""
        return self._was_there and not self._is_there()

    def _is_there(self) -> bool:
        try:
            os.close(os.open(self._path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK))
        except OSError:
            return False
        return True
