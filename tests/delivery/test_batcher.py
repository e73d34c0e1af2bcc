import asyncio
import time
from pathlib import Path

from agent.core.batching import Run
from agent.record import Batch, Span
from agent.supervisor import Supervisor
from delivery.rig import SOON, Parts, lines, opened, orders, until

NOWHERE = "http://127.0.0.1:9/collection/x"


def run_of(records: list[bytes], line: int = 1, offset: int = 0) -> Run:
    return Run(Span("a", line, offset, len(records)), records, sum(map(len, records)), time.time())


async def add(parts: Parts, run: Run) -> None:
    """As the intake does: the bytes of the lines are taken first."""
    await parts.budget.take(len(lines(run.records)))
    await parts.batcher.add(run)


async def leased(parts: Parts) -> Batch:
    async with asyncio.timeout(SOON):
        batch = await parts.spool.lease()
    assert batch
    return batch


async def test_a_full_batch_is_put_in_the_spool_at_once(data_dir: Path) -> None:
    async with opened(NOWHERE, data_dir, batch__max_records=3, batch__max_wait="1h") as parts:
        await add(parts, run_of(orders(7)))
        assert [(await leased(parts)).count for _ in range(2)] == [3, 3]
        assert parts.spool.statistics().batches == 2
        await parts.batcher.flush()
        assert (await leased(parts)).count == 1


async def test_a_draft_that_waited_long_enough_is_put_in_the_spool(data_dir: Path) -> None:
    async with opened(NOWHERE, data_dir, batch__max_wait="60ms") as parts, Supervisor() as tasks:
        tasks.start_endless("batcher", parts.batcher.run())
        for _ in range(2):  # it goes on after the first
            begun = time.monotonic()
            await add(parts, run_of(orders(1)))
            await asyncio.sleep(0.03)
            await add(parts, run_of(orders(1)))  # does not make the first one wait any longer
            batch = await leased(parts)
            assert batch.count == 2
            assert 0.06 <= time.monotonic() - begun < 0.09 + SOON


async def test_a_draft_that_filled_up_does_not_ripen_the_one_after_it(data_dir: Path) -> None:
    settings = {"batch__max_wait": "100ms", "batch__max_records": 2}
    async with opened(NOWHERE, data_dir, **settings) as parts, Supervisor() as tasks:
        tasks.start_endless("batcher", parts.batcher.run())
        await add(parts, run_of(orders(1)))
        await asyncio.sleep(0.06)
        begun = time.monotonic()
        await add(parts, run_of(orders(2)))
        assert (await leased(parts)).count == 2
        assert (await leased(parts)).count == 1
        assert time.monotonic() - begun >= 0.1


async def test_flushing_nothing_makes_no_batch(data_dir: Path) -> None:
    async with opened(NOWHERE, data_dir) as parts:
        await parts.batcher.flush()
        assert parts.spool.statistics().batches == 0


async def test_the_budget_holds_lines_until_they_are_a_body_and_then_the_body(
    data_dir: Path,
) -> None:
    settings = {"inlet__compression": "gzip", "batch__max_records": 100}
    async with opened(NOWHERE, data_dir, **settings) as parts:
        records = orders(250, size=100)
        await add(parts, run_of(records))
        first, second = await leased(parts), await leased(parts)
        in_the_draft = len(lines(records[200:]))
        assert parts.budget.held == first.held_bytes + second.held_bytes + in_the_draft
        await parts.batcher.flush()
        third = await leased(parts)
        assert parts.budget.held == sum(each.held_bytes for each in (first, second, third))


async def test_line_ends_of_two_bytes_are_given_back_as_well(data_dir: Path) -> None:
    async with opened(NOWHERE, data_dir) as parts:
        await parts.intake.feed("a").put(lines(orders(10), b"\r\n"))
        await parts.batcher.flush()
        assert parts.budget.held == (await leased(parts)).held_bytes


async def test_no_batch_exceeds_a_limit_that_shrank(data_dir: Path) -> None:
    async with opened(NOWHERE, data_dir, batch__max_bytes="100KB") as parts:
        parts.batcher.refused(4000)
        parts.batcher.refused(90_000)  # never up again
        await add(parts, run_of(orders(300)))
        await parts.batcher.flush()
        batches = [await leased(parts) for _ in range(parts.spool.statistics().batches)]
        assert sum(batch.count for batch in batches) == 300
        assert max(batch.plain_bytes for batch in batches) <= 2000


async def test_what_is_waited_for_leaves_soon_though_a_draft_was_asleep(tmp_path: Path) -> None:
    settings = {"batch__max_wait": "1h", "buffer__type": "disk", "buffer__write_after": "1m"}
    async with opened(NOWHERE, tmp_path, **settings) as parts:
        written: list[int] = []
        parts.store.on_durable = lambda entry: written.append(len(entry.appended))
        async with Supervisor() as tasks:
            tasks.start_endless("batcher", parts.batcher.run())
            feed = parts.intake.feed("web")
            await feed.lines(b"{}\n")
            await asyncio.sleep(0.05)
            assert parts.spool.statistics().batches == 0
            feed.hasten(0.01, is_awaited=False)
            await until(lambda: parts.spool.statistics().batches == 1)
            await feed.lines(b"{}\n")
            feed.hasten(0.01, is_awaited=True)
            await until(lambda: sum(written) == 2)
