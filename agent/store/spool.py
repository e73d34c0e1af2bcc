"""Where do batches wait for a sender so that they outlive this process?

In memory first: a batch that is answered for within `write_after` is never written. The others
become rows of the store, and those that memory has no room for are only that until their turn
comes. Invariant: what is not settled is in line, leased, or only on disk; a row stays until its
batch is settled, so that a crash offers it again. [design: sentence 4]
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.record import Batch, Row
from agent.store.backlog import Arrival, Backlog
from agent.store.dropping import BLOCK, DROP_NEWEST, DROP_OLDEST, Dropping
from agent.store.entry import Entry
from agent.store.handover import Handover
from agent.store.memory import Change, SpoolStatistics
from agent.store.partition import Partition
from agent.store.queue import Queue
from agent.store.spooling import ROW_BYTES, Damaged, size_of


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """Bytes on disk, bytes ready in memory, seconds until a batch is written.

    Nobody waits longer than `longest_wait` (s) to be sent again: a row that says so was written
    while the clock was wrong.
    """

    max_bytes: int
    ready_bytes: int
    write_after: float
    when_full: str = BLOCK
    longest_wait: float = 60.0


class DiskSpool:
    """Batches in the store, and in memory as many as there is room for."""

    durable = True

    def __init__(
        self,
        store: Partition,
        limits: SpoolLimits,
        *,
        free: Callable[[int], None] = lambda size: None,
        on_dropped: Callable[[str, int], None] = lambda reason, records: None,
        on_damaged: Callable[[int, int], None] = lambda number, records: None,
        before_writing: Callable[[], None] = lambda: None,
    ) -> None:
        """*free* gets back what a batch held of the budget once it is durable.

        *on_dropped* is told reason and records, *on_damaged* number and records of a batch.
        *before_writing* is called before batches are written that nobody has answered for.
        """
        self._store = store
        self.limits = limits
        self._free = free
        self._on_damaged = on_damaged
        mine = store.found
        self._batches, self._records = mine.batches, mine.records
        self._bytes = mine.bytes + mine.batches * ROW_BYTES
        self._held: dict[int, Batch] = {}  # in memory: in line, leased, or being written
        self._leased: set[int] = set()
        self._queue = Queue()
        self._handover = Handover(store, limits.write_after, self._is_durable, before_writing)
        self._backlog = Backlog(store, self._arrived)
        self._dropping = Dropping(store, free, on_dropped)
        self._has_room = asyncio.Event()
        self._closed = self._lifted = False

    async def append(self, batch: Batch) -> None:
        """Put a new batch at the end of the line; where there is no room, wait or drop."""
        assert not self._closed, "nothing is appended after close"
        while not self._fits(batch):
            if self.limits.when_full == DROP_NEWEST:
                self._dropping.drop(batch)
                return
            if self.limits.when_full != DROP_OLDEST or not await self._drop_oldest():
                self._has_room.clear()
                await self._has_room.wait()
        self._take_in(batch)
        is_behind = self._backlog.is_there
        if not is_behind:
            self._queue.join(batch)
        self._handover.add(batch, at_once=is_behind or self._lifted)

    async def lease(self) -> Batch | None:
        """The next batch to send, waiting for it; None once closed and all is settled."""
        self._fetch()
        if batch := await self._queue.next():
            self._leased.add(batch.number)
        return batch

    def settle(self, batch: Batch, remainder: Sequence[Batch] = (), wait: float = 0.0) -> Change:
        """Forget a leased batch; the parts of it that need more work take its place.

        What is returned belongs in the entry that makes the verdicts on the others durable.
        """
        self._forget(batch)
        for part in remainder:
            part.row, part.held_bytes = Row.COMING, 0
            self._take_in(part)
        for part in reversed(remainder):
            self._put_back(part, wait)
        self._end_line()
        return Change((batch,) if batch.stored else (), tuple(remainder))

    def release(self, batch: Batch, wait: float = 0.0, *, last: bool = False) -> None:
        """Give a leased batch back unsettled: first after *wait* seconds, or *last* of all."""
        self._leased.discard(batch.number)
        self._put_back(batch, wait, last=last)
        if batch.stored:  # a row that is still coming may have been made before this attempt
            self._store.write(Entry(changed=(batch,)))

    def resize(self, limits: SpoolLimits) -> None:
        """Have other limits hold from now on."""
        self.limits = limits
        self._handover.after = limits.write_after
        self._has_room.set()  # whoever waits looks whether there is any by now

    def lift(self) -> None:
        """Let everything in: sources hand over what they hold before they stop."""
        self._lifted = True
        self._has_room.set()

    def close(self) -> None:
        """No more batches will be appended."""
        self._closed = True
        self._end_line()

    def hurry(self) -> None:
        """The agent is stopping: cut all waits short, and write what is not written."""
        self._queue.hurry()
        self.write()

    def write(self) -> None:
        """Hand everything to the store that it does not have yet."""
        self._handover.hurry()

    def statistics(self) -> SpoolStatistics:
        """What is held right now, in memory and on disk."""
        return SpoolStatistics(
            batches=self._batches,
            records=self._records,
            bytes=self._bytes,
            leased=len(self._leased),
            oldest_read_at=min((batch.read_at for batch in self._held.values()), default=None),
            limit=self.limits.max_bytes,
        )

    # --- what is in memory ---

    def _fits(self, batch: Batch) -> bool:
        if self._lifted or not self._batches:
            return True
        return self._bytes + size_of(batch) <= self.limits.max_bytes

    def _take_in(self, batch: Batch) -> None:
        batch.number = self._store.next_number()
        self._held[batch.number] = batch
        self._count(batch, 1)

    def _put_back(self, batch: Batch, wait: float, *, last: bool = False) -> None:
        batch.not_before = time.time() + wait if wait > 0 else 0.0
        if wait > 0:
            self._queue.delay(batch, wait)
        else:
            self._queue.join(batch, first=not last)

    def _forget(self, batch: Batch) -> None:
        del self._held[batch.number]
        self._leased.discard(batch.number)
        self._handover.forget(batch)
        if batch.stored:
            self._backlog.forget(batch)
        self._count(batch, -1)

    def _count(self, batch: Batch, sign: int) -> None:
        self._batches += sign
        self._records += sign * batch.count
        self._bytes += sign * size_of(batch)
        if sign < 0:
            self._has_room.set()

    def _end_line(self) -> None:
        if self._closed and not self._batches:
            self._queue.end()

    # --- from memory to disk and back ---

    def _is_durable(self, batch: Batch) -> None:
        """Give back what a batch held, and leave it to the disk where memory has no room for it."""
        if batch.number not in self._held:
            return
        self._free(batch.held_bytes)
        batch.held_bytes = 0
        if batch.number in self._leased or self._queue.is_delayed(batch):
            return
        is_ready = self._queue.is_ready(batch)
        is_full = self._queue.ready_bytes > self.limits.ready_bytes
        stays_out = is_full or (self._backlog.is_there and not is_ready)
        if stays_out and self._backlog.will_fetch(batch.number):
            if is_ready:
                self._queue.leave(batch)
            self._backlog.leave(batch.number)
            del self._held[batch.number]
        elif not is_ready:
            self._queue.join(batch)

    def _fetch(self) -> None:
        """Fetch the next rows where few batches are ready and there are more on disk."""
        room = self.limits.ready_bytes - self._queue.ready_bytes
        if room >= self.limits.ready_bytes // 2:
            self._backlog.fetch(room)

    def _arrived(self, arrival: Arrival) -> None:
        for each in arrival:
            if isinstance(each, Damaged):
                self._hold_back(each)
            elif each.number not in self._held:
                self._held[each.number] = each
                self._offer(each)
        self._has_room.set()  # for who waits to drop one of these
        self._fetch()
        self._end_line()

    def _offer(self, batch: Batch) -> None:
        wait = min(batch.not_before - time.time(), self.limits.longest_wait)
        if wait > 0 and not self._lifted:
            self._queue.delay(batch, wait)
        else:
            self._queue.join(batch)

    def _hold_back(self, damaged: Damaged) -> None:
        """Never send what is not what was written; its row stays, for whoever can read it."""
        self._batches -= 1
        self._records -= damaged.count
        self._bytes -= damaged.bytes + ROW_BYTES
        self._store.hold(damaged.number, "damaged")
        self._on_damaged(damaged.number, damaged.count)

    async def _drop_oldest(self) -> bool:
        """Drop the batch that has waited longest; False where each is in a sender's hands."""
        if not self._queue:
            self._fetch()
            await self._backlog.arrival()
        if (batch := self._queue.oldest()) is None:
            return False
        self._forget(batch)
        self._dropping.drop(batch)
        return True
