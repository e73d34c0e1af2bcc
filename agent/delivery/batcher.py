"""Who fills batches, closes them when they are full or old, and puts them in the spool?"""

import asyncio
import time

from agent.core.batching import Batching, Draft, Run
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
        self._begun = asyncio.Event()  # a draft exists

    async def add(self, run: Run) -> None:
        """Take validated records in; waits while the spool cannot take what they complete."""
        for draft in self._batching.add(run, time.monotonic()):
            await self._put(draft)
        if self._batching.ripe_at is not None:
            self._begun.set()

    async def flush(self) -> None:
        """Put the draft in the spool however small it is."""
        if draft := self._batching.flush():
            await self._put(draft)

    async def run(self) -> None:
        """Flush every draft that has waited long enough; never returns."""
        while True:
            await self._begun.wait()
            ripe_at = self._batching.ripe_at
            if ripe_at is None:
                self._begun.clear()
            elif (wait := ripe_at - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            else:
                await self.flush()

    def took(self, size: int) -> None:
        """The inlet took a request of that size."""
        self._batching.took(size)

    def refused(self, size: int) -> None:
        """The inlet found a request of that size too large."""
        self._batching.refused(size)

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
