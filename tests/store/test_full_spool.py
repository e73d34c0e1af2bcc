"""What becomes of a spool that is full, damaged, or on a disk that takes nothing?"""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from agent.record import Row
from agent.store import spooling
from agent.store.entry import Entry
from agent.store.spool import SpoolLimits
from store.bench import LIMITS, Bench

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
