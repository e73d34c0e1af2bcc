"""Who fills batches, closes them when they are full or old, and puts them in the spool?"""

import asyncio
import math
import time
from contextlib import suppress

from agent.core.batching import Batching, BatchLimits, Draft, Run
from agent.delivery.encoder import Encoder
from agent.store.budget import Budget
from agent.store.memory import Spool
from agent.telemetry.meters import Meters


class Batcher:
    """Between the feeds and the spool. Bytes held by records become bytes held by a body here."""

    def __init__(
        self,
        batching: Batching,
        encoder: Encoder,
        spool: Spool,
        budget: Budget,
        meters: Meters,
    ) -> None:
        self._batching = batching
        self._encoder = encoder
        self._spool = spool
        self._budget = budget
        self._meters = meters
        self._looks_at = math.inf  # when `run` will look whether there is something to flush
        self._look_now = asyncio.Event()
        self._flushing = asyncio.Lock()  # who flushes last finds all that came before in the spool

    async def add(self, run: Run) -> None:
        """Take validated records in; waits while the spool cannot take what they complete."""
        for draft in self._batching.add(run, time.monotonic()):
            await self._put(draft)
        self._see_to_it()

    def hasten(self, within: float, *, is_awaited: bool) -> None:
        """Have what was added leave *within* so many seconds: somebody wants to know of it.

        *is_awaited*: and have it written as soon as it is in the spool, for that is waited for.
        """
        self._batching.hasten(time.monotonic() + within, is_awaited=is_awaited)
        self._see_to_it()
        if is_awaited:
            self._spool.write()

    async def flush(self) -> None:
        """Put the draft in the spool however small it is; waits for one that is on its way, too."""
        async with self._flushing:
            if draft := self._batching.flush():
                await self._put(draft)

    async def run(self) -> None:
        """Flush every draft that has waited long enough; never returns."""
        while True:
            self._looks_at = self._ripe_at()
            wait = self._looks_at - time.monotonic()
            if wait <= 0:
                await self.flush()
                continue
            self._look_now.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait if wait < math.inf else None):
                    await self._look_now.wait()

    def limit(self, limits: BatchLimits) -> None:
        """Fill batches by other limits from now on."""
        self._batching.limit(limits, time.monotonic())
        self._see_to_it()

    def took(self, size: int) -> None:
        """The inlet took a request of that size."""
        self._batching.took(size)

    def refused(self, size: int) -> None:
        """The inlet found a request of that size too large."""
        self._batching.refused(size)

    def _ripe_at(self) -> float:
        ripe_at = self._batching.ripe_at
        return math.inf if ripe_at is None else ripe_at

    def _see_to_it(self) -> None:
        """Have the draft flushed in time."""
        if self._ripe_at() < self._looks_at:
            self._looks_at = -math.inf  # it will look: no need to be told again
            self._look_now.set()

    async def _put(self, draft: Draft) -> None:
        batch = self._encoder.batch(draft)
        line_ends = sum(span.count * span.newline for span in draft.spans)
        self._budget.exchange(draft.record_bytes + line_ends, batch.held_bytes)
        meters = self._meters
        meters.batches_encoded.add(1)
        meters.batch_records.observe(batch.count)
        meters.batch_bytes.observe(batch.plain_bytes)
        meters.body_bytes.add(batch.plain_bytes, "plain")
        meters.body_bytes.add(len(batch.body), "wire")
        await self._spool.append(batch)
        if draft.is_awaited:
            self._spool.write()
