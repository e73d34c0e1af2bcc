"""Which rows of the spool are in no memory, and when are they fetched?

Rows are sent in the order of their numbers. Up to one of them all are in memory, or were; beyond it
there may be some that are only on disk.
"""

import asyncio
from collections.abc import Callable, Sequence

from agent.record import Batch, Row
from agent.store.partition import Partition
from agent.store.spooling import Damaged

_MANY = 16  # their bodies are in memory, and in nobody's budget any more
_FETCH_AGAIN_AFTER = 1.0  # seconds

Arrival = Sequence[Batch | Damaged]


class Backlog:
    """What waits only on disk. For one event loop."""

    def __init__(self, store: Partition, arrived: Callable[[Arrival], None]) -> None:
        """*arrived* is told what was fetched, perhaps nothing, whenever something was to be."""
        self._store = store
        self._arrived = arrived
        self._fetched_up_to = 0  # rows up to here are in memory, or were
        self._farthest = store.newest if store.found.batches else 0  # that may be only on disk
        self._gone: dict[int, Batch] = {}  # no longer in memory, their rows perhaps still there
        self._fetching: asyncio.Future[list[Batch | Damaged]] | None = None

    @property
    def is_there(self) -> bool:
        """Whether there may be rows that wait only on disk."""
        return self._farthest > self._fetched_up_to

    def will_fetch(self, number: int) -> bool:
        """Whether a row, left to the disk, would be fetched in its turn."""
        return not self.is_there or number > self._fetched_up_to

    def leave(self, number: int) -> None:
        """Leave a row to the disk that is there and will be fetched."""
        if not self.is_there:
            self._fetched_up_to = number - 1
        self._farthest = max(self._farthest, number)

    def forget(self, batch: Batch) -> None:
        """A batch is done with; its row, which may still be found, is not to come back."""
        self._gone[batch.number] = batch
        if len(self._gone) > _MANY and not self._fetching:
            self._let_go()

    def fetch(self, room: int) -> None:
        """Fetch the next rows, about *room* bytes of them, if there are any."""
        if self._fetching or not self.is_there:
            return
        farthest = self._farthest
        self._fetching = self._store.load(self._fetched_up_to, room)
        self._fetching.add_done_callback(lambda future: self._done(future, farthest))

    async def arrival(self) -> None:
        """Wait until what is being fetched has come, if anything is."""
        if self._fetching:
            await asyncio.wait([self._fetching])

    def _done(self, fetched: "asyncio.Future[list[Batch | Damaged]]", farthest: int) -> None:
        self._fetching = None
        if fetched.cancelled():
            return
        if fetched.exception() is not None:  # the store's watcher hears of it if it is for good
            asyncio.get_running_loop().call_later(_FETCH_AGAIN_AFTER, self._arrived, ())
            return
        found = fetched.result()
        self._fetched_up_to = found[-1].number if found else max(farthest, self._fetched_up_to)
        arrived = [each for each in found if each.number not in self._gone]
        self._let_go()  # one fetch may follow the other
        self._arrived(arrived)

    def _let_go(self) -> None:
        """Forget for good those whose rows no fetch can find any more."""
        self._gone = {
            number: gone for number, gone in self._gone.items() if gone.row is not Row.GONE
        }
