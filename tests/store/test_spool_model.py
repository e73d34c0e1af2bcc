"""Whatever is done in whatever order, and whenever it ends: does the spool hold what it should?"""

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import Coroutine
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.record import Batch, Position, Receipt, Span, XactionIds
from agent.store.disk import Store, StoreLimits
from agent.store.entry import Entry
from agent.store.ledger import residue, totals
from agent.store.partition import Partition
from agent.store.spool import DiskSpool, SpoolLimits

STORE = StoreLimits(3e9, 10**9, 10**9, spool_max_bytes=10**9)
SOURCE, WIDTH = "a.log", 10  # bytes of a line


def lines_of(batch: Batch) -> set[int]:
    return {line for span in batch.spans for line in range(span.line, span.line + span.count)}


def batch_of(first: int, count: int, size: int) -> Batch:
    body = b"%d+%d:" % (first, count) + b"x" * size
    span = Span(SOURCE, first, (first - 1) * WIDTH, count)
    return Batch(body, False, count, len(body), (span,), 1.5, held_bytes=7)


class Spooling(RuleBasedStateMachine):
    """A spool, and the sets of lines that ought to be in it."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.root = Path(tempfile.mkdtemp(prefix="spool-model-"))
        self.crashes = 0
        self.next_line = 1
        self.pending: set[int] = set()  # lines of batches that are not settled
        self.settled: set[int] = set()  # and that is durable
        self.leased: list[Batch] = []
        self.held = 0  # bytes of the budget

    @initialize(ready=st.sampled_from([0, 700, 10**6]), write_after=st.sampled_from([0.0, 3600.0]))
    def begin(self, ready: int, write_after: float) -> None:
        self.limits = SpoolLimits(10**9, ready, write_after, longest_wait=0.01)
        self.data_dir = self.root / "0"
        self.do(self.opened(Position(1, 0)))

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, 5))

    async def opened(self, start: Position) -> None:
        self.store = Store.open(self.data_dir, limits=STORE, spool_for=[("k", "inlet")])
        self.store._writer._spacing = 0.0
        self.partition = Partition(self.store, key="k")
        self.spool = DiskSpool(self.partition, self.limits, free=self.free)
        self.store.follow(SOURCE, start, "identity")

    def free(self, size: int) -> None:
        self.held -= size
        assert self.held >= 0, "bytes were given back twice"

    async def flushed(self) -> None:
        self.spool.write()
        await self.store.submit(lambda connection: None)
        await asyncio.sleep(0)

    @rule(counts=st.lists(st.integers(1, 4), min_size=1, max_size=4), size=st.integers(0, 400))
    def append(self, counts: list[int], size: int) -> None:
        async def appended() -> None:
            for count in counts:
                batch = batch_of(self.next_line, count, size)
                self.next_line += count
                end = Position(self.next_line, (self.next_line - 1) * WIDTH)
                self.store.read(SOURCE, end, count)
                self.held += batch.held_bytes
                self.pending |= lines_of(batch)
                await self.spool.append(batch)

        self.do(appended())

    @precondition(lambda self: len(self.pending) > sum(len(lines_of(b)) for b in self.leased))
    @rule()
    def lease(self) -> None:
        self.do(self.flushed())  # what waits only to be written becomes ready once it is
        batch = self.do(self.spool.lease())
        assert lines_of(batch) <= self.pending
        assert not any(lines_of(batch) & lines_of(other) for other in self.leased), "leased twice"
        assert batch.count == len(lines_of(batch))
        self.leased.append(batch)

    @precondition(lambda self: self.leased)
    @rule(durable=st.booleans())
    def accept(self, durable: bool) -> None:
        batch = self.leased.pop(0)

        async def accepted() -> None:
            passed = () if batch.stored else batch.spans
            held, change = batch.held_bytes, self.spool.settle(batch)
            receipt = Receipt(1.0, None, None, XactionIds("p:", (range(9),)), batch.spans, 1)
            written = self.partition.write(Entry((receipt,), removed=change.removed, passed=passed))
            written.add_done_callback(lambda _: self.free(held))
            if durable:
                await written

        self.do(accepted())
        self.pending -= lines_of(batch)
        self.settled |= lines_of(batch)

    @precondition(lambda self: any(batch.count > 1 for batch in self.leased))
    @rule(wait=st.sampled_from([0.0, 3600.0]))
    def split(self, wait: float) -> None:
        batch = next(batch for batch in self.leased if batch.count > 1)
        self.leased.remove(batch)
        first, half = min(lines_of(batch)), batch.count // 2
        parts = [batch_of(first, half, 9), batch_of(first + half, batch.count - half, 9)]
        if max(lines_of(batch)) - first + 1 != batch.count:
            self.spool.release(batch)
            return

        async def parted() -> None:
            passed = () if batch.stored else batch.spans
            held, change = batch.held_bytes, self.spool.settle(batch, parts, wait)
            entry = Entry(appended=change.added, removed=change.removed, passed=passed)
            self.partition.write(entry).add_done_callback(lambda _: self.free(held))
            self.spool.hurry() if wait else None

        self.do(parted())

    @precondition(lambda self: self.leased)
    @rule()
    def release(self) -> None:
        async def released() -> None:
            self.spool.release(self.leased.pop())

        self.do(released())

    @rule()
    def flush(self) -> None:
        self.do(self.flushed())

    @rule()
    def restart(self) -> None:
        async def ended() -> None:
            self.spool.write()
            await self.store.close()
            await asyncio.sleep(0)

        self.do(ended())
        self.after_the_end()

    @rule()
    def crash(self) -> None:
        """End at this very moment: what is in the file is what a kill would leave."""
        self.crashes += 1
        copy = self.root / str(self.crashes)

        def keep(connection: sqlite3.Connection) -> None:
            copy.mkdir()
            for name in ("store.db", "store.db-wal"):
                with suppress(FileNotFoundError):
                    shutil.copy(self.data_dir / name, copy / name)

        async def ended() -> None:
            await self.store.submit(keep)
            await self.store.close()
            await asyncio.sleep(0)

        self.do(ended())
        self.data_dir = copy
        self.after_the_end()

    def after_the_end(self) -> None:
        rows, receipts, line = self.stored()
        answered = self.settled & receipts
        known = rows | receipts
        missing = set(range(1, line)) - known
        assert not missing, f"the position is at {line}, and {missing} is nowhere"
        assert rows.isdisjoint(answered), "what is settled is offered again"
        first_unknown = next(each for each in range(1, self.next_line + 2) if each not in known)
        assert line == first_unknown, "the position moves in the transaction of its records"
        assert rows <= self.pending | self.settled
        self.settled, self.pending, self.leased, self.held = receipts, rows, [], 0
        self.next_line = max({line, *(each + 1 for each in known)})
        self.do(self.opened(Position(self.next_line, (self.next_line - 1) * WIDTH)))

    def stored(self) -> tuple[set[int], set[int], int]:
        """Lines in the spool, lines with receipts, and the line to read from."""
        import json

        with closing(sqlite3.connect(self.data_dir / "store.db")) as connection:
            rows = {
                line
                for (spans,) in connection.execute("SELECT spans FROM spool")
                for _, first, _, count, _ in json.loads(spans)
                for line in range(first, first + count)
            }
            receipts = {
                line
                for first, count in connection.execute("SELECT line, count FROM receipt_spans")
                for line in range(first, first + count)
            }
            held = connection.execute("SELECT COALESCE(SUM(count), 0) FROM spool").fetchone()[0]
            assert residue(totals(connection), held) == 0
            kept = connection.execute("SELECT records FROM spool_kept").fetchone()[0]
            assert kept == held
            position = connection.execute("SELECT line FROM positions").fetchone()
        return rows, receipts, position[0] if position else 1

    @invariant()
    def as_many_as_there_should_be(self) -> None:
        if hasattr(self, "spool"):
            assert self.spool.statistics().records == len(self.pending)

    def teardown(self) -> None:
        if hasattr(self, "spool"):
            self.do(self.drained())
            rows, receipts, _ = self.stored()
            assert (rows, self.held) == (set(), 0)
            assert self.settled | self.pending == receipts
        self.loop.close()
        shutil.rmtree(self.root)

    async def drained(self) -> None:
        for batch in self.leased:
            self.spool.release(batch)
        self.spool.close()
        self.spool.hurry()
        while batch := await self.spool.lease():
            passed = () if batch.stored else batch.spans
            held, change = batch.held_bytes, self.spool.settle(batch)
            receipt = Receipt(1.0, None, None, XactionIds("p:", (range(9),)), batch.spans, 1)
            await self.partition.write(Entry((receipt,), removed=change.removed, passed=passed))
            self.free(held)
        await self.store.close()
        await asyncio.sleep(0)


Spooling.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
test_the_spool_holds_what_its_model_holds = pytest.mark.timeout(110)(Spooling.TestCase)
