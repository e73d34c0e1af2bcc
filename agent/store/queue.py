"""Which batch is sent next, and which sender is next to get one?

Batches are ready, or delayed until they are; senders wait in a queue of their own. What is in a
sender's hands is in neither.
"""

import asyncio
from collections import OrderedDict, deque
from contextlib import suppress

from agent.record import Batch
from agent.store.spooling import size_of


class Queue:
    """Batches that wait for a sender, and senders that wait for a batch. For one event loop."""

    def __init__(self) -> None:
        self.ready_bytes = 0  # what the ready ones take as rows of the spool
        self._ready: OrderedDict[int, Batch] = OrderedDict()
        self._delayed: dict[int, tuple[Batch, asyncio.TimerHandle]] = {}
        self._turns: deque[asyncio.Future[None]] = deque()
        self._ended = False

    def __len__(self) -> int:
        """How many batches are ready or delayed."""
        return len(self._ready) + len(self._delayed)

    def is_ready(self, batch: Batch) -> bool:
        """Whether the next sender may get it."""
        return batch.number in self._ready

    def is_delayed(self, batch: Batch) -> bool:
        """Whether it has to wait before it is ready."""
        return batch.number in self._delayed

    def join(self, batch: Batch, *, first: bool = False) -> None:
        """Have a batch leased behind all that are ready, or *first*."""
        self._ready[batch.number] = batch
        self.ready_bytes += size_of(batch)
        if first:
            self._ready.move_to_end(batch.number, last=False)
        self._wake()

    def delay(self, batch: Batch, wait: float) -> None:
        """Have a batch leased in *wait* seconds, and first then."""
        timer = asyncio.get_running_loop().call_later(wait, self._ripen, batch)
        self._delayed[batch.number] = batch, timer

    def leave(self, batch: Batch) -> None:
        """Take out a batch that is ready."""
        del self._ready[batch.number]
        self.ready_bytes -= size_of(batch)

    def hurry(self) -> None:
        """Make everything ready that is delayed."""
        for batch, _ in list(self._delayed.values()):
            self._ripen(batch)

    def end(self) -> None:
        """No batch will ever join again: who waits for one is told so."""
        self._ended = True
        while self._turns:
            self._wake()

    async def next(self) -> Batch | None:
        """The next batch to send, waiting for it; None once the queue has ended."""
        while not self._ready:
            if self._ended:
                return None
            await self._turn()
        return self._first_ready()

    def oldest(self) -> Batch | None:
        """Take out the next batch, even one that is delayed; None where there is neither."""
        if self._ready:
            return self._first_ready()
        for number, (batch, timer) in self._delayed.items():
            timer.cancel()
            del self._delayed[number]
            return batch
        return None

    def _first_ready(self) -> Batch:
        batch = next(iter(self._ready.values()))
        self.leave(batch)
        return batch

    def _ripen(self, batch: Batch) -> None:
        _, timer = self._delayed.pop(batch.number)
        timer.cancel()
        self.join(batch, first=True)

    async def _turn(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._wake()  # hand the turn on
            else:
                # whoever woke others may have found the turn cancelled, and passed it over
                with suppress(ValueError):
                    self._turns.remove(turn)
            raise

    def _wake(self) -> None:
        while self._turns:
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(None)
                return
