"""Where do batches wait for a sender so that they outlive this process?

In memory first: a batch that is answered for within `write_after` is never written. The others
become rows of the store, and those that memory has no room for are only that until their turn
comes. Invariant: what is not settled is ready, delayed, leased, or only on disk; a row stays until
its batch is settled, so that a crash offers it again. [design: sentence 4]
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from agent.record import Batch, Row
from agent.store.disk import Store
from agent.store.entry import Entry
from agent.store.memory import Change, SpoolStatistics
from agent.store.spooling import ROW_BYTES, Damaged

BLOCK, DROP_NEWEST, DROP_OLDEST = "block", "drop_newest", "drop_oldest"
BUFFER_FULL = "buffer_full"  # the reason of what is dropped
_MANY = 256
_LOAD_AGAIN_AFTER = 1.0  # seconds


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
        store: Store,
        limits: SpoolLimits,
        *,
        free: Callable[[int], None] = lambda size: None,
        on_dropped: Callable[[str, int], None] = lambda reason, records: None,
        on_damaged: Callable[[int, int], None] = lambda number, records: None,
    ) -> None:
        """*free* gets back what a batch held of the budget once it is durable.

        *on_dropped* is told reason and records, *on_damaged* number and records of a batch.
        """
        found = store.contents.spool
        assert found, "the store was opened without a spool"
        self._store = store
        self._limits = limits
        self._free = free
        self._on_dropped = on_dropped
        self._on_damaged = on_damaged
        mine, self._newest = found.mine, found.newest
        self._batches, self._records = mine.batches, mine.records
        self._bytes = mine.bytes + mine.batches * ROW_BYTES
        self._held: dict[int, Batch] = {}  # in memory: ready, delayed, leased, or being written
        self._ready: OrderedDict[int, Batch] = OrderedDict()
        self._ready_bytes = 0
        self._leased: set[int] = set()
        self._gone: dict[int, Batch] = {}  # no longer in memory, their rows perhaps still there
        self._delayed: dict[int, asyncio.TimerHandle] = {}
        self._fresh: dict[int, float] = {}  # not handed to the store: loop time of their coming
        self._writing: asyncio.TimerHandle | None = None
        self._loaded_up_to = 0  # rows up to here are in memory, or were
        self._farthest = self._newest if mine.batches else 0  # row that may be only on disk
        self._loading: asyncio.Future[list[Batch | Damaged]] | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()  # for a batch
        self._has_room = asyncio.Event()
        self._closed = self._lifted = False

    async def append(self, batch: Batch) -> None:
        """Put a new batch at the end of the line; where there is no room, wait or drop."""
        assert not self._closed, "nothing is appended after close"
        while not self._fits(batch):
            if self._limits.when_full == DROP_NEWEST:
                self._drop(batch)
                return
            if self._limits.when_full != DROP_OLDEST or not await self._drop_oldest():
                self._has_room.clear()
                await self._has_room.wait()
        self._take_in(batch)
        self._fresh[batch.number] = asyncio.get_running_loop().time()
        if not self._is_behind:
            self._make_ready(batch)
        self._write_later()

    async def lease(self) -> Batch | None:
        """The next batch to send, waiting for it; None once closed and all is settled."""
        self._load()
        while not self._ready:
            if self._closed and not self._batches:
                return None
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._wake()  # hand the turn on
                else:
                    with suppress(ValueError):
                        self._waiting.remove(turn)
                raise
        batch = self._next_ready()
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
            self._leased.add(part.number)
        for part in reversed(remainder):
            self.release(part, wait)
        self._wake_at_the_end()
        return Change((batch,) if batch.stored else (), tuple(remainder))

    def release(self, batch: Batch, wait: float = 0.0, *, last: bool = False) -> None:
        """Give a leased batch back unsettled, to be leased again after *wait* seconds.

        It goes first then, or behind all that are ready where it is to be *last*.
        """
        self._leased.discard(batch.number)
        batch.not_before = time.time() + wait if wait > 0 else 0.0
        if batch.row is Row.THERE:
            self._store.write(Entry(changed=(batch,)))
        if wait > 0:
            self._delay(batch, wait)
        else:
            self._make_ready(batch, first=not last)

    def lift(self) -> None:
        """Let everything in: sources hand over what they hold before they stop."""
        self._lifted = True
        self._has_room.set()

    def close(self) -> None:
        """No more batches will be appended."""
        self._closed = True
        self._wake_at_the_end()

    def hurry(self) -> None:
        """The agent is stopping: cut all waits short, and write what is not written."""
        for number in list(self._delayed):
            self._ripen(self._held[number])
        self.write()

    def write(self) -> None:
        """Hand everything to the store that it does not have yet."""
        self._hand_over(list(self._fresh))

    def statistics(self) -> SpoolStatistics:
        """What is held right now, in memory and on disk."""
        return SpoolStatistics(
            batches=self._batches,
            records=self._records,
            bytes=self._bytes,
            leased=len(self._leased),
            oldest_read_at=min((batch.read_at for batch in self._held.values()), default=None),
        )

    # --- what is in memory ---

    @property
    def _is_behind(self) -> bool:
        """Whether there are rows that wait only on disk."""
        return self._farthest > self._loaded_up_to

    def _fits(self, batch: Batch) -> bool:
        if self._lifted or not self._batches:
            return True
        return self._bytes + _size(batch) <= self._limits.max_bytes

    def _take_in(self, batch: Batch) -> None:
        self._newest += 1
        batch.number = self._newest
        self._held[batch.number] = batch
        self._count(batch, 1)

    def _forget(self, batch: Batch) -> None:
        del self._held[batch.number]
        self._leased.discard(batch.number)
        self._fresh.pop(batch.number, None)
        self._count(batch, -1)
        if batch.stored:
            self._gone[batch.number] = batch
            if len(self._gone) > _MANY and not self._loading:
                self._gone = {
                    number: gone for number, gone in self._gone.items() if gone.row is not Row.GONE
                }

    def _count(self, batch: Batch, sign: int) -> None:
        self._batches += sign
        self._records += sign * batch.count
        self._bytes += sign * _size(batch)
        if sign < 0:
            self._has_room.set()

    def _make_ready(self, batch: Batch, *, first: bool = False) -> None:
        self._ready[batch.number] = batch
        self._ready_bytes += _size(batch)
        if first:
            self._ready.move_to_end(batch.number, last=False)
        self._wake()

    def _next_ready(self) -> Batch:
        _, batch = self._ready.popitem(last=False)
        self._ready_bytes -= _size(batch)
        return batch

    def _delay(self, batch: Batch, wait: float) -> None:
        loop = asyncio.get_running_loop()
        self._delayed[batch.number] = loop.call_later(wait, self._ripen, batch)

    def _ripen(self, batch: Batch) -> None:
        self._delayed.pop(batch.number).cancel()
        self._make_ready(batch, first=True)

    def _wake(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _wake_at_the_end(self) -> None:
        while self._closed and not self._batches and self._waiting:
            self._wake()

    # --- from memory to disk ---

    def _write_later(self) -> None:
        """See to it that what nobody answers for is written in time."""
        if self._is_behind or self._lifted or not self._limits.write_after:
            self.write()
        elif self._writing is None and self._fresh:
            loop = asyncio.get_running_loop()
            due = next(iter(self._fresh.values())) + self._limits.write_after
            self._writing = loop.call_at(due, self._write_due)

    def _write_due(self) -> None:
        self._writing = None
        oldest = asyncio.get_running_loop().time() - self._limits.write_after
        self._hand_over([number for number, came in self._fresh.items() if came <= oldest])
        self._write_later()

    def _hand_over(self, numbers: Sequence[int]) -> None:
        if not numbers:
            return
        batches = tuple(self._held[number] for number in numbers)
        for batch in batches:
            del self._fresh[batch.number]
            batch.row = Row.COMING
        passed = tuple(span for batch in batches for span in batch.spans)
        written = self._store.write(Entry(appended=batches, passed=passed))
        written.add_done_callback(lambda future: self._written(future, batches))

    def _written(self, written: "asyncio.Future[None]", batches: Sequence[Batch]) -> None:
        if written.cancelled() or written.exception() is not None:
            return  # the store's watcher hears of it
        for batch in batches:
            if batch.number in self._held:
                self._free(batch.held_bytes)
                batch.held_bytes = 0
                self._put_off(batch)

    def _put_off(self, batch: Batch) -> None:
        """Leave a batch that is on disk to the disk where memory has no room for it."""
        number = batch.number
        if number in self._leased or number in self._delayed:
            return
        is_ready = number in self._ready
        comes_later = not self._is_behind or number > self._loaded_up_to
        is_full = self._ready_bytes > self._limits.ready_bytes
        if comes_later and (is_full if is_ready else self._is_behind or is_full):
            if is_ready:
                del self._ready[number]
                self._ready_bytes -= _size(batch)
            if not self._is_behind:
                self._loaded_up_to = number - 1
            self._farthest = max(self._farthest, number)
            del self._held[number]
        elif not is_ready:
            self._make_ready(batch)

    # --- from disk to memory ---

    def _load(self) -> None:
        """Fetch the next rows where few batches are ready and there are more on disk."""
        room = self._limits.ready_bytes - self._ready_bytes
        if self._loading or not self._is_behind or room < self._limits.ready_bytes // 2:
            return
        self._loading = self._store.load(self._loaded_up_to, room)
        farthest = self._farthest
        self._loading.add_done_callback(lambda future: self._loaded(future, farthest))

    def _loaded(self, loaded: "asyncio.Future[list[Batch | Damaged]]", farthest: int) -> None:
        self._loading = None
        if loaded.cancelled():
            return
        if loaded.exception() is not None:  # the store's watcher hears of it if it is for good
            asyncio.get_running_loop().call_later(_LOAD_AGAIN_AFTER, self._load)
            return
        found = loaded.result()
        self._loaded_up_to = found[-1].number if found else max(farthest, self._loaded_up_to)
        for each in found:
            if isinstance(each, Damaged):
                self._hold_back(each)
            elif each.number not in self._held and each.number not in self._gone:
                self._held[each.number] = each
                self._offer(each)
        self._has_room.set()  # for who waits to drop one of these
        self._load()
        self._wake_at_the_end()

    def _offer(self, batch: Batch) -> None:
        wait = min(batch.not_before - time.time(), self._limits.longest_wait)
        if wait > 0 and not self._lifted:
            self._delay(batch, wait)
        else:
            self._make_ready(batch)

    def _hold_back(self, damaged: Damaged) -> None:
        """Never send what is not what was written; its row stays, for whoever can read it."""
        self._batches -= 1
        self._records -= damaged.count
        self._bytes -= damaged.bytes + ROW_BYTES
        self._store.hold(damaged.number, "damaged")
        self._on_damaged(damaged.number, damaged.count)

    # --- what is given up because the user chose so ---

    def _drop(self, batch: Batch) -> None:
        """Drop a batch that is in nobody's hands, and count its records."""
        removed = (batch,) if batch.stored else ()
        passed = () if batch.stored else batch.spans
        entry = Entry(removed=removed, passed=passed, dropped={BUFFER_FULL: batch.count})
        held, batch.held_bytes = batch.held_bytes, 0
        dropped = self._store.write(entry)

        def done(written: "asyncio.Future[None]") -> None:
            if not written.cancelled() and written.exception() is None:
                self._free(held)
                self._on_dropped(BUFFER_FULL, batch.count)

        dropped.add_done_callback(done)

    async def _drop_oldest(self) -> bool:
        """Drop the batch that has waited longest; False where each is in a sender's hands."""
        if not self._ready and not self._delayed:
            self._load()
            if self._loading:
                await asyncio.wait([self._loading])
        if self._ready:
            batch = self._next_ready()
        elif self._delayed:
            number, timer = next(iter(self._delayed.items()))
            timer.cancel()
            del self._delayed[number]
            batch = self._held[number]
        else:
            return False
        self._forget(batch)
        self._drop(batch)
        return True


def _size(batch: Batch) -> int:
    return len(batch.body) + ROW_BYTES
