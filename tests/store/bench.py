"""A store and its spool, as the spool's tests use them."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from agent.record import Batch, Position, Receipt, Span, XactionIds
from agent.store.disk import Store, StoreLimits
from agent.store.entry import Entry
from agent.store.ledger import residue, totals
from agent.store.memory import Change
from agent.store.partition import Partition
from agent.store.spool import DiskSpool, SpoolLimits

LIMITS = SpoolLimits(max_bytes=10**9, ready_bytes=10**6, write_after=0.0)
STORE = StoreLimits(3e9, 10**9, 10**9, spool_max_bytes=10**9)


class Bench:
    """A store and its spool, opened again as often as a test likes."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.freed = 0
        self.dropped: list[tuple[str, int]] = []
        self.damaged: list[tuple[int, int]] = []
        self.lines = 0
        self.store: Store
        self.spool: DiskSpool

    def open(self, limits: SpoolLimits = LIMITS, key: str = "k") -> "Bench":
        self.store = Store.open(self.data_dir, limits=STORE, spool_for=[(key, f"inlet {key}")])
        self.partition = Partition(self.store, key=key)
        self.spool = DiskSpool(
            self.partition,
            limits,
            free=self.free,
            on_dropped=lambda *told: self.dropped.append(told),
            on_damaged=lambda *told: self.damaged.append(told),
        )
        return self

    def free(self, size: int) -> None:
        self.freed += size

    async def reopen(self, limits: SpoolLimits = LIMITS, key: str = "k") -> "Bench":
        await self.store.close()
        return self.open(limits, key)

    def batch(self, size: int = 100, count: int = 2) -> Batch:
        """A batch of the next lines of a file."""
        span = Span("a.log", self.lines + 1, self.lines * 10, count)
        if not self.lines:
            self.store.follow("a.log", Position(1, 0))
        self.lines += count
        self.store.read("a.log", Position(self.lines + 1, self.lines * 10), count)
        body = b"%d:" % self.lines + b"x" * size
        return Batch(body, False, count, len(body), (span,), 1.5, held_bytes=7)

    async def append(self, number: int, size: int = 100) -> list[Batch]:
        batches = [self.batch(size) for _ in range(number)]
        for batch in batches:
            await asyncio.wait_for(self.spool.append(batch), 10)
        return batches

    def accept(self, batch: Batch) -> "asyncio.Future[None]":
        """Settle a leased batch as the settler does."""
        passed = () if batch.stored else batch.spans
        change: Change = self.spool.settle(batch)
        ids = XactionIds("p:", (range(batch.count),))
        receipt = Receipt(1.0, None, None, ids, batch.spans, 1)
        return self.store.write(Entry((receipt,), removed=change.removed, passed=passed))

    async def written(self) -> None:
        self.spool.write()
        await self.store.write(Entry(dropped={"nothing": 0}))
        await asyncio.sleep(0)

    async def drain(self) -> list[bytes]:
        bodies = []
        self.spool.close()
        while batch := await asyncio.wait_for(self.spool.lease(), 10):
            bodies.append(batch.body)
            await self.accept(batch)
        return bodies

    def rows(self, query: str = "SELECT id, count FROM spool ORDER BY id") -> list[tuple]:
        with closing(sqlite3.connect(self.data_dir / "store.db")) as connection:
            return connection.execute(query).fetchall()

    def balanced(self) -> None:
        with closing(sqlite3.connect(self.data_dir / "store.db")) as connection:
            held = connection.execute("SELECT COALESCE(SUM(count), 0) FROM spool").fetchone()[0]
            assert residue(totals(connection), held) == 0
            kept = connection.execute("SELECT batches, records, bytes FROM spool_kept").fetchone()
            counted = "SELECT COUNT(*), COALESCE(SUM(count), 0), COALESCE(SUM(body_bytes), 0)"
            assert kept == connection.execute(f"{counted} FROM spool").fetchone()
