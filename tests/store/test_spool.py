"""Does what waits in the spool outlive the process, in order, within its bounds?"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.record import Batch, Position, Receipt, Row, Span, XactionIds
from agent.store import spooling
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


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.store.close()
    bench.balanced()


async def test_what_was_not_settled_is_offered_again_as_it_was(bench: Bench) -> None:
    bench.open()
    (sent, *_) = await bench.append(3)
    await bench.written()
    leased = await bench.spool.lease()
    assert leased is sent
    leased.attempts, leased.first_at, leased.last_at = 2, 5.25, 6.5
    bench.spool.release(leased)
    await bench.written()
    assert bench.freed == 21
    await bench.reopen()
    again = await bench.spool.lease()
    assert again == replace(sent, row=Row.THERE, held_bytes=0, attempts=again.attempts)
    assert (await bench.spool.lease()).spans == (Span("a.log", 3, 20, 2),)


async def test_an_attempt_made_before_the_row_is_known_to_be_durable_is_kept(bench: Bench) -> None:
    bench.open()
    await bench.spool.append(bench.batch())
    leased = await bench.spool.lease()
    deadline = time.monotonic() + 10
    while not bench.rows() and time.monotonic() < deadline:
        time.sleep(0.01)  # noqa: ASYNC251  # the loop must not be told yet
    assert leased.row is Row.COMING
    leased.attempts, leased.first_at, leased.last_at = 3, 5.25, 6.5
    bench.spool.release(leased, 30.0)
    await bench.written()
    kept = bench.rows("SELECT attempts, first_ms, last_ms, not_before_ms > 0 FROM spool")
    assert kept == [(3, 5250, 6500, 1)]


async def test_what_is_leased_when_the_process_ends_is_offered_again(bench: Bench) -> None:
    bench.open()
    batches = await bench.append(4)
    await bench.spool.lease()
    await bench.spool.lease()
    await bench.written()
    await bench.reopen()
    assert await bench.drain() == [batch.body for batch in batches]
    assert bench.rows() == []


async def test_what_is_answered_for_in_time_is_never_written(bench: Bench) -> None:
    bench.open(replace(LIMITS, write_after=60.0))
    await bench.append(10)
    for _ in range(10):
        await bench.accept(await bench.spool.lease())
    assert bench.rows("SELECT seq FROM sqlite_sequence WHERE name = 'spool'") == []
    assert bench.store.safe == {"a.log": Position(21, 200)}
    assert bench.spool.statistics().batches == 0


async def test_what_comes_and_goes_within_one_commit_is_never_written(bench: Bench) -> None:
    bench.open()
    (batch,) = await bench.append(1)
    bench.spool.write()
    settled = bench.accept(await bench.spool.lease())
    await settled
    assert batch.row is Row.GONE
    assert bench.rows() == []


async def test_a_batch_nobody_answers_for_is_written_in_time(bench: Bench) -> None:
    bench.open(replace(LIMITS, write_after=0.05))
    (batch,) = await bench.append(1)
    assert await bench.spool.lease() is batch
    async with asyncio.timeout(10):
        while batch.row is not Row.THERE:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert bench.rows() == [(1, 2)]
    assert bench.store.safe == {"a.log": Position(3, 20)}


async def test_positions_move_with_the_batches_that_pass_them(bench: Bench) -> None:
    bench.open(replace(LIMITS, write_after=60.0))
    await bench.append(3)
    first, _ = await bench.spool.lease(), await bench.spool.lease()
    third = await bench.spool.lease()
    await bench.accept(third)
    assert bench.store.safe == {"a.log": Position(1, 0)}
    await bench.accept(first)
    assert bench.store.safe == {"a.log": Position(3, 20)}
    await bench.written()
    assert bench.store.safe == {"a.log": Position(7, 60)}
    (saved,) = bench.rows('SELECT line, "offset" FROM positions')
    assert saved == (7, 60)


@pytest.mark.parametrize("ready_bytes", [0, 1, 1500, 10**6])
async def test_memory_holds_what_there_is_room_for_and_disk_the_rest_in_order(
    bench: Bench, ready_bytes: int
) -> None:
    bench.open(replace(LIMITS, ready_bytes=ready_bytes))
    batches = await bench.append(40)
    await bench.written()
    assert len(bench.rows()) == 40
    in_memory = sum(len(batch.body) + 256 for batch in bench.spool._held.values())
    assert in_memory <= ready_bytes + 400
    more = await bench.append(5)
    assert sorted(await bench.drain()) == sorted(batch.body for batch in batches + more)
    assert (bench.rows(), bench.spool.statistics().batches) == ([], 0)


async def test_settled_batches_do_not_come_back_from_disk(bench: Bench) -> None:
    bench.open(replace(LIMITS, ready_bytes=1000))
    batches = await bench.append(30)
    bodies = []
    bench.spool.close()
    waiting = []
    while batch := await asyncio.wait_for(bench.spool.lease(), 10):
        bodies.append(batch.body)
        waiting.append(bench.accept(batch))  # not waited for: its row may still be there
    await asyncio.gather(*waiting)
    assert sorted(bodies) == sorted(batch.body for batch in batches)
    assert bench.rows() == []


async def test_parts_take_the_place_of_their_batch_in_the_same_commit(bench: Bench) -> None:
    bench.open()
    await bench.append(1)
    await bench.written()
    batch = await bench.spool.lease()
    halves = [
        Batch(b"half", False, 1, 4, (Span("a.log", line, 0, 1),), 1.5, held_bytes=5)
        for line in (1, 2)
    ]
    change = bench.spool.settle(batch, halves)
    assert change == Change((batch,), tuple(halves))
    await bench.partition.write(Entry(appended=change.added, removed=change.removed))
    assert bench.rows() == [(2, 1), (3, 1)]
    await bench.reopen()
    assert [(await bench.spool.lease()).spans for _ in range(2)] == [half.spans for half in halves]


async def test_a_batch_that_was_to_wait_waits_on_after_a_restart(bench: Bench) -> None:
    bench.open()
    await bench.append(1)
    await bench.written()
    bench.spool.release(await bench.spool.lease(), wait=30.0)
    await bench.reopen()
    leasing = asyncio.ensure_future(bench.spool.lease())
    done, _ = await asyncio.wait([leasing], timeout=0.2)
    assert not done
    bench.spool.hurry()
    assert (await asyncio.wait_for(leasing, 10)).body == b"2:" + b"x" * 100


async def test_a_clock_that_was_set_back_delays_no_batch_for_long(bench: Bench) -> None:
    bench.open()
    await bench.append(1)
    await bench.written()
    bench.spool.release(await bench.spool.lease(), wait=86_400.0)
    await bench.reopen(replace(LIMITS, longest_wait=0.05))
    assert (await asyncio.wait_for(bench.spool.lease(), 10)).attempts == 0


FULL = SpoolLimits(max_bytes=1800, ready_bytes=10**6, write_after=0.0)


async def test_a_full_spool_makes_who_appends_wait(bench: Bench) -> None:
    bench.open(FULL)
    await bench.append(5)
    appending = asyncio.ensure_future(bench.append(1))
    done, _ = await asyncio.wait([appending], timeout=0.1)
    assert not done
    await bench.accept(await bench.spool.lease())
    await asyncio.wait_for(appending, 10)
    waiting = asyncio.ensure_future(bench.append(1))
    await asyncio.sleep(0)
    bench.spool.lift()
    await asyncio.wait_for(waiting, 10)


@pytest.mark.parametrize("ready_bytes", [0, 10**6])
@pytest.mark.parametrize(
    ("policy", "left"), [("drop_newest", [0, 1, 2, 3, 4]), ("drop_oldest", [5, 6, 7, 8, 9])]
)
async def test_dropping_is_chosen_and_counted(
    bench: Bench, policy: str, left: list[int], ready_bytes: int
) -> None:
    bench.open(replace(FULL, when_full=policy, ready_bytes=ready_bytes))
    batches = []
    for _ in range(10):
        batches += await bench.append(1)
        await bench.written()
    assert sum(records for _, records in bench.dropped) == 10
    assert {reason for reason, _ in bench.dropped} == {"buffer_full"}
    assert await bench.drain() == [batches[index].body for index in left]
    assert bench.rows(
        "SELECT records FROM ledger WHERE entry = 'dropped' AND reason <> 'nothing'"
    ) == [(10,)]


async def test_what_is_in_a_senders_hands_is_not_dropped(bench: Bench) -> None:
    bench.open(replace(FULL, when_full="drop_oldest"))
    await bench.append(5)
    leased = [await bench.spool.lease() for _ in range(5)]
    appending = asyncio.ensure_future(bench.append(1))
    done, _ = await asyncio.wait([appending], timeout=0.1)
    assert not done
    await bench.accept(leased[3])
    await asyncio.wait_for(appending, 10)
    assert bench.dropped == []


@pytest.mark.parametrize(
    "damage",
    [
        "body = X'00' || substr(body, 2)",
        "ids_added = X'03'",
        "spans = replace(spans, 'a.log', 'b.log')",
        "body = 'text'",
    ],
)
async def test_a_row_that_is_not_what_was_written_is_held_back_and_kept(
    bench: Bench, damage: str
) -> None:
    bench.open()
    batches = await bench.append(3)
    await bench.written()
    await bench.store.close()
    with closing(sqlite3.connect(bench.data_dir / "store.db")) as connection, connection:
        connection.execute(f"UPDATE spool SET {damage} WHERE id = 2")
    bench.open()
    assert await bench.drain() == [batches[0].body, batches[2].body]
    assert bench.damaged == [(2, 2)]
    await bench.reopen()
    assert bench.rows("SELECT id, hold FROM spool") == [(2, "damaged")]
    held = bench.store.contents.spool.held
    assert [(share.name, share.batches, share.records) for share in held] == [("damaged", 1, 2)]
    assert bench.spool.statistics().batches == 0


async def test_batches_of_another_destination_are_told_of_and_left_alone(bench: Bench) -> None:
    bench.open()
    batches = await bench.append(3)
    await bench.written()
    await bench.reopen(key="other")
    (share,) = bench.store.contents.spool.others
    assert (share.name, share.batches, share.records) == ("inlet k", 3, 6)
    assert bench.spool.statistics().batches == 0
    assert await bench.drain() == []
    await bench.reopen()
    assert await bench.drain() == [batch.body for batch in batches]


async def test_an_entry_that_only_frees_is_written_while_the_disk_is_full(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.open()
    bench.store._writer._retry_every = 0.05
    await bench.append(20, size=60_000)
    await bench.written()

    def limit(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    bench.store._writer.submit(lambda connection: None)
    connection = bench.store._writer._connection
    await asyncio.sleep(0.1)
    limit(connection)
    waiting = [bench.batch(size=200_000) for _ in range(3)]
    for batch in waiting:
        await bench.spool.append(batch)
    bench.spool.write()
    async with asyncio.timeout(10):
        while not bench.store.statistics().trouble:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert {batch.row for batch in waiting} == {Row.COMING}
    async with asyncio.timeout(10):
        for _ in range(20):
            await bench.accept(await bench.spool.lease())
        while {batch.row for batch in waiting} != {Row.THERE}:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert bench.store.statistics().trouble is None
    assert [count for _, count in bench.rows()] == [2, 2, 2]


async def test_the_file_becomes_small_again_once_the_spool_is_drained(bench: Bench) -> None:
    bench.open()
    await bench.append(100, size=200_000)
    await bench.written()
    full = bench.store.statistics().bytes_on_disk
    await bench.drain()
    bench.store._writer._next_tidy = 0
    async with asyncio.timeout(20):
        while bench.rows("PRAGMA page_count")[0][0] * 32768 > full / 2:
            await bench.store.write(Entry(dropped={"nothing": 0}))
            bench.store._writer._next_tidy = 0
            await asyncio.sleep(0.02)


async def test_a_load_that_fails_is_heard_of(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.open()
    await bench.append(3)
    await bench.written()

    def fail(*_: object) -> None:
        raise sqlite3.DatabaseError("broken")

    await bench.store.close()
    monkeypatch.setattr("agent.store.loading.load", fail)
    bench.open()
    watching = asyncio.ensure_future(bench.store.watch())
    leasing = asyncio.ensure_future(bench.spool.lease())
    with pytest.raises(Exception, match="broken"):
        await asyncio.wait_for(watching, 10)
    leasing.cancel()
    monkeypatch.undo()


async def test_a_load_that_the_disk_refuses_is_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.open()
    await bench.append(3)
    await bench.written()

    def fail(*_: object) -> None:
        monkeypatch.undo()
        refused = sqlite3.OperationalError("database or disk is full")
        refused.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise refused

    await bench.store.close()
    monkeypatch.setattr("agent.store.loading.load", fail)
    bench.open()
    watching = asyncio.ensure_future(bench.store.watch())
    assert len(await bench.drain()) == 3
    assert not watching.done()
    watching.cancel()


async def test_closing_leaves_no_log_behind_although_rows_were_loaded(bench: Bench) -> None:
    bench.open()
    await bench.append(3)
    await bench.written()
    await bench.reopen()
    assert await bench.spool.lease()
    await bench.store.close()
    assert not (bench.data_dir / "store.db-wal").exists()


async def test_what_waits_is_counted_from_indexes_alone(bench: Bench) -> None:
    """However large the spool is, a start reads neither bodies nor the pages they are on."""
    bench.open()
    await bench.append(3)
    await bench.written()
    with closing(sqlite3.connect(bench.data_dir / "store.db")) as connection:
        for query in (spooling._OTHERS, spooling._HELD):
            values = (1,) * query.count("?")
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", values)]
            assert [step for step in plan if "spool" in step and "COVERING INDEX" in step], plan


@pytest.mark.parametrize("write_after", [0.0, 60.0])
async def test_a_spool_that_is_full_and_empty_in_turn_never_stands_still(
    bench: Bench, write_after: float
) -> None:
    bench.open(replace(LIMITS, max_bytes=900, write_after=write_after))  # room for two batches
    sent = 0
    for _ in range(700):
        await bench.append(2)
        late = asyncio.ensure_future(bench.spool.append(bench.batch()))
        for _ in range(3):
            bench.accept(await asyncio.wait_for(bench.spool.lease(), 10))
            sent += 1
        await asyncio.wait_for(late, 10)
    assert sent == 2100
    assert bench.spool.statistics().batches == 0
    await bench.written()
    assert bench.rows() == []
