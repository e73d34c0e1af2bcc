"""When is a batch handed to the store? Not before nobody has answered for it for a while."""

import asyncio
from collections.abc import Callable, Sequence

from agent.record import Batch, Row
from agent.store.entry import Entry
from agent.store.partition import Partition

_ENTRY_BYTES = 256 << 10  # of bodies that are written all or not at all, where one is not larger


class Handover:
    """Batches that the store does not have yet, in the order of their coming. For one loop."""

    def __init__(
        self,
        store: Partition,
        after: float,
        durable: Callable[[Batch], None],
        beforehand: Callable[[], None] = lambda: None,
    ) -> None:
        """A batch is handed over *after* seconds; *durable* is called once its row is there.

        *beforehand* has written what is to become durable with it.
        """
        self._store = store
        self.after = after
        self._durable = durable
        self._beforehand = beforehand
        self._fresh: dict[int, tuple[Batch, float]] = {}  # by number, with the loop's time
        self._timer: asyncio.TimerHandle | None = None

    def add(self, batch: Batch, *, at_once: bool = False) -> None:
        """Hand over a batch in time; or *at_once*, with all that came before it."""
        self._fresh[batch.number] = batch, asyncio.get_running_loop().time()
        if at_once or not self.after:
            self.hurry()
        else:
            self._set_timer()

    def forget(self, batch: Batch) -> None:
        """A batch is done with before anybody wrote it."""
        self._fresh.pop(batch.number, None)

    def hurry(self) -> None:
        """Hand over everything now."""
        self._hand_over([batch for batch, _ in self._fresh.values()])

    def _set_timer(self) -> None:
        if self._timer is None and self._fresh:
            _, came = next(iter(self._fresh.values()))
            self._timer = asyncio.get_running_loop().call_at(came + self.after, self._due)

    def _due(self) -> None:
        self._timer = None
        oldest = asyncio.get_running_loop().time() - self.after
        self._hand_over([batch for batch, came in self._fresh.values() if came <= oldest])
        self._set_timer()

    def _hand_over(self, batches: Sequence[Batch]) -> None:
        if not batches:
            return
        self._beforehand()
        entry: list[Batch] = []
        size = 0
        for batch in batches:
            del self._fresh[batch.number]
            batch.row = Row.COMING
            if entry and size + len(batch.body) > _ENTRY_BYTES:
                self._write(entry)
                entry, size = [], 0
            entry.append(batch)
            size += len(batch.body)
        self._write(entry)

    def _write(self, batches: Sequence[Batch]) -> None:
        passed = tuple(span for batch in batches for span in batch.spans)
        written = self._store.write(Entry(appended=batches, passed=passed))
        written.add_done_callback(lambda future: self._written(future, batches))

    def _written(self, written: "asyncio.Future[None]", batches: Sequence[Batch]) -> None:
        if written.cancelled() or written.exception() is not None:
            return  # the store's watcher hears of it
        for batch in batches:
            self._durable(batch)
