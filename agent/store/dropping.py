"""What becomes of batches that the buffer has no room for, where the user chose to drop them?"""

import asyncio
from collections.abc import Callable

from agent.record import Batch
from agent.store.entry import Entry
from agent.store.partition import Partition

BLOCK, DROP_NEWEST, DROP_OLDEST = "block", "drop_newest", "drop_oldest"
BUFFER_FULL = "buffer_full"  # the reason of what is dropped


class Dropping:
    """Drops whole batches, and has their records counted once that is durable."""

    def __init__(
        self, store: Partition, free: Callable[[int], None], on_dropped: Callable[[str, int], None]
    ) -> None:
        """*free* gets back what a batch held; *on_dropped* is told reason and records."""
        self._store = store
        self._free = free
        self._on_dropped = on_dropped

    def drop(self, batch: Batch) -> None:
        """Drop a batch that is in nobody's hands."""
        removed = (batch,) if batch.stored else ()
        passed = () if batch.stored else batch.spans
        entry = Entry(removed=removed, passed=passed, dropped={BUFFER_FULL: batch.count})
        held, batch.held_bytes = batch.held_bytes, 0
        dropped = self._store.write(entry)
        dropped.add_done_callback(lambda future: self._dropped(future, held, batch.count))

    def _dropped(self, dropped: "asyncio.Future[None]", held: int, records: int) -> None:
        if not dropped.cancelled() and dropped.exception() is None:
            self._free(held)
            self._on_dropped(BUFFER_FULL, records)
