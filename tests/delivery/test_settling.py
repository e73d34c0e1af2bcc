import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core import encoding
from agent.core.batching import Draft
from agent.core.codecs import Codec
from agent.core.responses import Reading, Rejection
from agent.core.statuses import Advice
from agent.delivery.encoder import Encoder
from agent.delivery.settling import Settler, joined
from agent.errors import StoreError
from agent.record import Batch, Position, Span, XactionIds
from agent.store.budget import Budget
from agent.store.entry import Entry
from agent.store.memory import MemorySpool
from agent.telemetry.meters import Meters
from delivery.rig import SOON, Inlet, Reply, delivering, fed, kept, lines, opened, orders, settled

NOWHERE = "http://127.0.0.1:9/collection/x"


class SlowLedger:
    """Makes nothing durable before it is told to."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.futures: list[asyncio.Future[None]] = []

    def write(self, entry: Entry) -> asyncio.Future[None]:
        self.entries.append(entry)
        self.futures.append(asyncio.get_running_loop().create_future())
        return self.futures[-1]


class Bench:
    """One batch of eight records, leased, from two sources, and what settles it."""

    def __init__(self, limit: int = 1_000_000) -> None:
        self.ledger, self.spool, self.budget = SlowLedger(), MemorySpool(), Budget(limit)
        self.encoder = Encoder(encoding.raw(), Codec("gzip"))
        self.settler = Settler(
            self.ledger, self.spool, self.encoder, self.budget, Meters(), dead_letter_bytes_max=1000
        )
        self.records = [b'{"n":%d}' % n for n in range(8)]

    async def batch(self) -> Batch:
        spans = [Span("a", 1, 0, 4), Span("b", 1, 0, 4)]
        batch = self.encoder.batch(Draft(1.0, 2.0, [*self.records], spans, 56))
        self.budget.exchange(0, batch.held_bytes)
        await self.spool.append(batch)
        assert await self.spool.lease() is batch
        return batch


@pytest.fixture
async def bench() -> Bench:
    return Bench()


def reading(accepted: Sequence[int], rejected: Sequence[int], again: Sequence[int]) -> Reading:
    return Reading(
        Advice.SETTLE,
        accepted,
        [Rejection(index, 400, f"no {index}") for index in rejected],
        again,
        XactionIds(listed=tuple(f"id{index}" for index in accepted)),
    )


async def test_a_batch_holds_its_bytes_and_its_positions_until_its_receipt_is_durable(
    bench: Bench,
) -> None:
    batch = await bench.batch()
    bench.settler.settle(batch, reading(range(8), [], []), 0.0)
    assert bench.spool.statistics().batches == 0  # nobody will send it again
    assert bench.budget.held == batch.held_bytes
    assert bench.settler.totals.accepted == 0
    assert bench.settler.writing == {bench.ledger.futures[0]}
    bench.ledger.futures[0].set_result(None)
    await asyncio.sleep(0)
    assert bench.budget.held == 0
    assert bench.settler.totals.accepted == 8
    assert bench.ledger.entries[0].passed == batch.spans
    assert bench.settler.writing == set()


async def test_receipts_and_dead_letters_of_one_answer_are_written_together(bench: Bench) -> None:
    batch = await bench.batch()
    bench.settler.settle(batch, reading([0, 1, 5], [2, 6], [3, 4, 7]), 0.0)
    (entry,) = bench.ledger.entries
    receipts, letters = entry.receipts, entry.dead_letters
    assert [list(receipt.spans) for receipt in receipts] == [
        [Span("a", 1, 0, 2), Span("b", 2, 8, 1)]
    ]
    assert list(receipts[0].ids) == ["id0", "id1", "id5"]
    assert [(each.source, each.position, each.record, each.message) for each in letters] == [
        ("a", Position(3, 16), b'{"n":2}', "no 2"),
        ("b", Position(3, 16), b'{"n":6}', "no 6"),
    ]
    again = await bench.spool.lease()
    assert again
    assert bench.encoder.records(again) == [b'{"n":3}', b'{"n":4}', b'{"n":7}']
    assert bench.budget.held >= batch.held_bytes + again.held_bytes
    bench.ledger.futures[0].set_result(None)
    await asyncio.sleep(0)
    assert bench.budget.held == again.held_bytes
    assert list(entry.passed) == [
        Span("a", 1, 0, 2),
        Span("b", 2, 8, 1),
        Span("a", 3, 16, 1),
        Span("b", 3, 16, 1),
    ]
    bench.settler.settle(again, reading([0, 1, 2], [], []), 0.0)
    bench.ledger.futures[1].set_result(None)
    await asyncio.sleep(0)
    assert bench.budget.held == 0


@given(st.lists(st.sampled_from("ard"), min_size=8, max_size=8))
def test_any_mix_of_verdicts_settles_each_record_once(verdicts: list[str]) -> None:
    async def play() -> None:
        bench = Bench()
        batch: Batch | None = await bench.batch()
        fates = dict(zip(bench.records, verdicts, strict=True))
        while batch:
            of = {
                fate: [
                    n for n, each in enumerate(bench.encoder.records(batch)) if fates[each] == fate
                ]
                for fate in "ard"
            }
            bench.settler.settle(batch, reading(of["a"], of["r"], of["d"]), 0.0)
            for future in bench.ledger.futures:
                if not future.done():
                    future.set_result(None)
            await asyncio.sleep(0)
            fates |= {each: "a" for each, fate in fates.items() if fate == "d"}
            batch = await bench.spool.lease() if bench.spool.statistics().batches else None
        assert bench.budget.held == 0
        assert bench.settler.totals.accepted == sum(fate != "r" for fate in verdicts)
        assert sum(bench.settler.totals.dead_lettered.values()) == verdicts.count("r")
        passed = [
            (span.source, line)
            for entry in bench.ledger.entries
            for span in entry.passed
            for line in range(span.line, span.line + span.count)
        ]
        assert sorted(passed) == [(source, line) for source in "ab" for line in range(1, 5)]

    asyncio.run(play())


async def test_a_split_batch_is_two_halves_that_hold_only_their_own_bytes(bench: Bench) -> None:
    batch = await bench.batch()
    batch.attempts = 4
    bench.settler.split(batch)
    halves = [await bench.spool.lease(), await bench.spool.lease()]
    assert [bench.encoder.records(half) for half in halves if half] == [
        bench.records[:4],
        bench.records[4:],
    ]
    assert bench.budget.held == sum(half.held_bytes for half in halves if half)
    assert [half.attempts for half in halves if half] == [4, 4]
    assert bench.ledger.entries == []


async def test_nothing_is_let_go_that_the_store_did_not_take(bench: Bench) -> None:
    batch = await bench.batch()
    bench.settler.settle(batch, reading(range(8), [], []), 0.0)
    bench.settler.refuse([], 0)
    for future in bench.ledger.futures:
        future.set_exception(StoreError("broken"))
    await asyncio.sleep(0)
    assert bench.budget.held == batch.held_bytes
    assert bench.settler.totals.accepted == 0


async def test_a_store_that_was_closed_under_a_pipeline_brings_it_down(
    inlet: Inlet, data_dir: Path
) -> None:
    async def deliver() -> None:
        async with delivering(inlet.url, data_dir) as parts:
            await parts.store.close()
            await fed(parts, lines(orders(10)))
            await asyncio.sleep(SOON)

    with pytest.raises(StoreError, match="closed"):
        await deliver()
    assert kept(data_dir).receipts == []


async def test_rejected_records_hold_what_they_cost_until_they_are_written() -> None:
    bench = Bench()
    batch = await bench.batch()
    bench.settler.settle(batch, reading([], range(8), []), 0.0)
    assert bench.budget.held > batch.held_bytes + 8 * 300
    bench.ledger.futures[0].set_result(None)
    await asyncio.sleep(0)
    assert bench.budget.held == 0


async def test_sending_waits_while_rejected_records_cannot_be_written() -> None:
    bench = Bench(limit=4000)
    await asyncio.wait_for(bench.settler.room(), SOON)
    bench.settler.settle(await bench.batch(), reading([], range(8), []), 0.0)
    waiting = asyncio.ensure_future(bench.settler.room())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    bench.ledger.futures[0].set_result(None)
    await asyncio.wait_for(waiting, SOON)


async def test_refused_lines_do_not_keep_good_records_from_being_sent() -> None:
    bench = Bench(limit=4000)
    bench.budget.exchange(0, 1_000_000)
    bench.settler.refuse([], 1_000_000)
    await asyncio.wait_for(bench.settler.room(), SOON)


async def test_dead_letters_wait_for_room_and_everything_else_goes_on(
    inlet: Inlet, data_dir: Path
) -> None:
    """Once the dead letters reach their limit, a rejected record is held, never forgotten."""
    bad = b'{"bad":"' + b"x" * 600_000 + b'"}'
    settings = {"dead_letters__max_bytes": "1MiB", "batch__max_records": 1}
    inlet.rule = lambda request: inlet.verdicts(request, {bad: (400, "bad")})
    async with opened(inlet.url, data_dir, **settings) as parts:
        sending = asyncio.ensure_future(parts.senders.run())
        feed = parts.intake.feed("a")
        await feed.put(lines([bad, bad, bad, *orders(20)]))
        async with asyncio.timeout(SOON):
            while parts.settler.totals.accepted < 20:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert parts.settler.totals.dead_lettered["rejected"] == 2
        assert parts.budget.held > 600_000
        assert parts.store.unsettled() == 1
        parts.spool.close()
        await asyncio.wait_for(sending, SOON)
    assert len(kept(data_dir).letters) in (2, 3)


async def test_a_source_read_a_line_at_a_time_leaves_one_row_a_batch(
    inlet: Inlet, data_dir: Path
) -> None:
    async with delivering(inlet.url, data_dir, batch__max_wait="1h") as parts:
        await fed(parts, lines(orders(100)), block=len(b'{"order":0,"text":"e"}\n'))
    assert kept(data_dir).spans == [("app.log", 1, 0, 100, 1)]


def test_spans_are_joined_where_lines_meet_and_nowhere_else() -> None:
    meeting = [Span("a", 1, 0, 2), Span("a", 3, 10, 1), Span("a", 4, 15, 3)]
    assert list(joined(meeting)) == [Span("a", 1, 0, 6)]
    apart = [
        Span("a", 1, 0, 2),
        Span("a", 4, 15, 1),
        Span("b", 5, 20, 1),
        Span("b", 6, 25, 1, newline=2),
        Span("a", 7, 0, 1),
    ]
    assert list(joined(apart)) == apart
    assert list(joined([])) == []


async def test_an_answer_without_any_id_is_no_receipt(inlet: Inlet, data_dir: Path) -> None:
    answers = iter([Reply(200, b"OK"), Reply(207, b'{"responses":[{},{},{}]}')])
    inlet.rule = lambda request: next(answers, None) or inlet.accept(request)
    async with delivering(inlet.url, data_dir) as parts:
        await fed(parts, lines(orders(3)))
    assert len(inlet.requests) == 3
    (receipt,) = kept(data_dir).receipts
    assert receipt["attempts"] == 3
    await settled(parts)
