"""How is a store read from while others write to it?"""

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from agent.record import Batch
from agent.store.database import FILE_NAME, open_for_reading
from agent.store.source_ids import source_names
from agent.store.spooling import Damaged, load
from agent.store.trouble import readable_errors


class Loader:
    """A second connection to the store in *data_dir*, used in a thread of its own."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._turn = threading.Lock()  # one load at a time
        self._connection: sqlite3.Connection | None = None
        self._is_open = True

    def load(
        self, destination_id: int, after: int, max_bytes: int
    ) -> "asyncio.Future[list[Batch | Damaged]]":
        """The next batches for a destination; see `spooling.load`. Nothing once it is closed."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(None, self._load, destination_id, after, max_bytes)

    def close(self) -> None:
        """Close the connection once nobody reads from it."""
        with self._turn:
            if self._connection:
                self._connection.close()
            self._connection, self._is_open = None, False

    def _load(self, destination_id: int, after: int, max_bytes: int) -> list[Batch | Damaged]:
        with self._turn:
            if not self._is_open:
                return []
            self._connection = self._connection or open_for_reading(self._data_dir)
            assert self._connection, "a store that is open has a file"
            with readable_errors(self._data_dir / FILE_NAME):
                return load(self._connection, destination_id, after, max_bytes)


def names_in(data_dir: Path) -> Sequence[str]:
    """The names of all streams that the store in *data_dir* ever knew. Raises StoreError."""
    connection = open_for_reading(data_dir)
    assert connection, "a store that is open has a file"
    with closing(connection), readable_errors(data_dir / FILE_NAME):
        return source_names(connection)
