"""Does what waits in the spool outlive the process, in order, within its bounds?"""

import asyncio
import time
from dataclasses import replace

import pytest

from agent.record import Batch, Position, Row, Span
from agent.store.entry import Entry
from agent.store.memory import Change
from store.bench import LIMITS, Bench


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
