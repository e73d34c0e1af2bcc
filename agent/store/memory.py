"""Where do batches wait for a sender when they need not outlive this process?

The same interface as a spool on disk: append, lease, settle, release. Invariant: a batch is in line
or leased until it is settled, and never both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.record import Batch
from agent.store.queue import Queue


@dataclass(frozen=True, slots=True)
class SpoolStatistics:
    """A snapshot. `oldest_read_at` is wall clock; None where nothing is held.

    `limit` is in bytes; None where only the budget limits what is held.
    """

    batches: int
    records: int
    bytes: int
    leased: int
    oldest_read_at: float | None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What settling a batch does to the spool's rows: part of the entry with its verdicts."""

    removed: tuple[Batch, ...] = ()
    added: tuple[Batch, ...] = ()


class Spool(Protocol):
    """Where batches wait for a sender. `durable`: what it takes outlives the process."""

    durable: bool

    async def append(self, batch: Batch) -> None:
        """Put a new batch at the end of the line; may wait."""
        ...

    async def lease(self) -> Batch | None:
        """The next batch to send, waiting for it; None once closed and all is settled."""
        ...

    def settle(self, batch: Batch, remainder: Sequence[Batch] = (), wait: float = 0.0) -> Change:
        """Forget a leased batch; the parts of it that need more work take its place."""
        ...

    def release(self, batch: Batch, wait: float = 0.0, *, last: bool = False) -> None:
        """Give a leased batch back unsettled, to be leased again after *wait* seconds.

        It goes first then, or behind all that are ready where it is to be *last*.
        """
        ...

    def lift(self) -> None:
        """Let everything in: sources hand over what they hold before they stop."""
        ...

    def close(self) -> None:
        """No more batches will be appended."""
        ...

    def hurry(self) -> None:
        """Cut all waits short: the agent is stopping."""
        ...

    def write(self) -> None:
        """Have what it holds outlive the process as soon as possible, where it does so at all."""
        ...

    def statistics(self) -> SpoolStatistics:
        """What is held right now."""
        ...


class MemorySpool:
    """Batches in memory; how many is bounded by the budget that their bytes were taken from."""

    durable = False

    def __init__(self) -> None:
        self._held: dict[int, Batch] = {}  # by number: in line and leased
        self._queue = Queue()
        self._closed = False

    async def append(self, batch: Batch) -> None:
        """Put a new batch at the end of the line."""
        assert not self._closed, "nothing is appended after close"
        self._held[batch.number] = batch
        self._queue.join(batch)

    async def lease(self) -> Batch | None:
        """The next batch to send, waiting for it; None once closed and all is settled."""
        return await self._queue.next()

    def settle(self, batch: Batch, remainder: Sequence[Batch] = (), wait: float = 0.0) -> Change:
        """Forget a leased batch; the parts of it that need more work take its place."""
        del self._held[batch.number]
        for part in remainder:
            self._held[part.number] = part
        for part in reversed(remainder):
            self.release(part, wait)
        self._end_line()
        return Change()

    def lift(self) -> None:
        """There is no bound here but the budget's."""

    def release(self, batch: Batch, wait: float = 0.0, *, last: bool = False) -> None:
        """Give a leased batch back unsettled, to be leased again after *wait* seconds.

        It goes first then, or behind all that are ready where it is to be *last*.
        """
        if wait > 0:
            self._queue.delay(batch, wait)
        else:
            self._queue.join(batch, first=not last)

    def close(self) -> None:
        """No more batches will be appended."""
        self._closed = True
        self._end_line()

    def hurry(self) -> None:
        """Cut all waits short: the agent is stopping."""
        self._queue.hurry()

    def write(self) -> None:
        """Nothing here outlives the process."""

    def statistics(self) -> SpoolStatistics:
        """What is held right now."""
        held = self._held.values()
        return SpoolStatistics(
            batches=len(held),
            records=sum(batch.count for batch in held),
            bytes=sum(len(batch.body) for batch in held),
            leased=len(held) - len(self._queue),
            oldest_read_at=min((batch.read_at for batch in held), default=None),
        )

    def _end_line(self) -> None:
        if self._closed and not self._held:
            self._queue.end()
