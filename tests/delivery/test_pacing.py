import asyncio
import time
from pathlib import Path

from delivery.rig import Inlet, delivering, fed, lines, opened, orders, until


async def test_no_more_is_sent_in_a_second_than_was_bought(inlet: Inlet, data_dir: Path) -> None:
    settings = {
        "batch__max_records": 10,
        "delivery__max_in_flight": 4,
        "delivery__records_per_second": 50,
    }
    async with delivering(inlet.url, data_dir, **settings) as parts:
        await fed(parts, lines(orders(100)))
    start = inlet.requests[0].at
    sent = sorted((request.at - start, len(request.records)) for request in inlet.requests)
    for seconds, _ in sent:
        total = sum(records for at, records in sent if at <= seconds)
        assert total <= 50 * (seconds + 1) + 11
    assert 0.85 < sent[-1][0] < 5
    assert parts.meters.paced_seconds.total() > 0.5
    assert sorted(inlet.records) == sorted(orders(100))


async def test_in_a_hurry_nobody_waits_for_a_turn_that_comes_too_late(
    inlet: Inlet, data_dir: Path
) -> None:
    settings = {"batch__max_records": 1, "delivery__requests_per_second": 1}
    async with opened(inlet.url, data_dir, **settings) as parts:
        senders = [asyncio.ensure_future(parts.senders.run()) for _ in range(3)]
        await fed(parts, lines(orders(10)))
        await parts.batcher.flush()
        await until(lambda: parts.settler.totals.accepted == 1)
        parts.spool.close()
        begun = time.monotonic()
        parts.senders.hurry(begun + 0.2)
        await asyncio.wait(senders, timeout=5)
        assert time.monotonic() - begun < 2
        assert all(sender.done() for sender in senders)
        assert parts.spool.statistics().records == 9
    assert len(inlet.requests) == 1
