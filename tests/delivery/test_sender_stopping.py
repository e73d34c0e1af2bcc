import asyncio
import time
from pathlib import Path

import pytest

from agent.core.destination import DOWN, THROTTLED
from delivery.rig import (
    SOON,
    Inlet,
    Reply,
    Request,
    Rule,
    fed,
    first,
    held_by,
    kept,
    lines,
    opened,
    orders,
    read,
    until,
)


async def stalled(request: Request) -> Reply:
    await asyncio.sleep(60)
    return Reply(500)


async def test_in_a_hurry_waits_are_cut_short_for_one_last_try(
    inlet: Inlet, data_dir: Path
) -> None:
    inlet.rule = lambda request: Reply(500)
    settings = {"delivery__retry__initial": "1h", "delivery__retry__max": "1h"}
    async with opened(inlet.url, data_dir, **settings) as parts:
        sender = asyncio.ensure_future(parts.senders.run())
        await fed(parts, lines(orders(3)))
        await parts.batcher.flush()
        await until(lambda: parts.meters.retries.total() == 1)  # it waits for its next attempt
        parts.spool.close()
        inlet.rule = inlet.accept
        parts.senders.hurry(time.monotonic() + 60)
        parts.spool.hurry()
        assert await held_by(parts, sender) == 0
    assert len(inlet.requests) == 2


async def test_in_a_hurry_an_inlet_that_stays_away_is_not_waited_for(
    inlet: Inlet, data_dir: Path
) -> None:
    inlet.rule = lambda request: Reply(500)
    settings = {
        "delivery__retry__initial": "1h",
        "delivery__retry__max": "1h",
        "batch__max_records": 1,
    }
    async with opened(inlet.url, data_dir, **settings) as parts:
        senders = [asyncio.ensure_future(parts.senders.run()) for _ in range(3)]
        await fed(parts, lines(orders(10)))
        parts.spool.close()
        await until(lambda: parts.destination.state == DOWN)
        asked = len(inlet.requests)
        parts.senders.hurry(time.monotonic() + 60)
        parts.spool.hurry()
        await asyncio.wait_for(asyncio.gather(*senders), SOON)
        assert parts.spool.statistics().batches == 10
        assert parts.spool.statistics().leased == 0
        assert len(inlet.requests) <= asked + 3


async def test_in_a_hurry_a_pause_that_was_asked_for_is_kept_where_there_is_time(
    inlet: Inlet, data_dir: Path
) -> None:
    inlet.rule = first(1, Reply(429, b"", {"Retry-After": "1"}), inlet.accept)
    async with opened(inlet.url, data_dir) as parts:
        sender = asyncio.ensure_future(parts.senders.run())
        await fed(parts, lines(orders(3)))
        await parts.batcher.flush()
        await until(lambda: parts.destination.state == THROTTLED)
        parts.spool.close()
        parts.senders.hurry(time.monotonic() + 5)
        parts.spool.hurry()
        assert await held_by(parts, sender) == 0
    assert inlet.requests[1].at - inlet.requests[0].at > 0.95


async def test_in_a_hurry_a_pause_longer_than_there_is_time_ends_it_at_once(
    inlet: Inlet, data_dir: Path
) -> None:
    inlet.rule = lambda request: Reply(429, b"", {"Retry-After": "60"})
    async with opened(inlet.url, data_dir) as parts:
        sender = asyncio.ensure_future(parts.senders.run())
        await fed(parts, lines(orders(3)))
        await parts.batcher.flush()
        await until(lambda: parts.destination.state == THROTTLED)
        parts.spool.close()
        begun = time.monotonic()
        parts.senders.hurry(begun + 5)
        parts.spool.hurry()
        assert await held_by(parts, sender) == 1
        assert time.monotonic() - begun < 2
    assert len(inlet.requests) == 1


async def test_in_a_hurry_a_request_that_fails_is_tried_at_once_by_those_who_are_left(
    inlet: Inlet, data_dir: Path
) -> None:
    async def rule(request: Request) -> Reply:
        await asyncio.sleep(0.1)
        return Reply(500) if len(inlet.requests) == 1 else inlet.accept(request)

    inlet.rule = rule
    settings = {"delivery__retry__initial": "1h", "delivery__retry__max": "1h"}
    async with opened(inlet.url, data_dir, **settings) as parts:
        senders = [asyncio.ensure_future(parts.senders.run()) for _ in range(2)]
        await fed(parts, lines(orders(3)))
        await parts.batcher.flush()
        await until(lambda: parts.senders.in_flight == 1)
        parts.spool.close()
        parts.senders.hurry(time.monotonic() + 60)
        parts.spool.hurry()
        await asyncio.wait_for(asyncio.gather(*senders), SOON)
        assert parts.spool.statistics().batches == 0
    assert len(inlet.requests) == 2


async def test_an_idle_sender_ends_when_nothing_more_can_come(inlet: Inlet, data_dir: Path) -> None:
    async with opened(inlet.url, data_dir) as parts:
        sender = asyncio.ensure_future(parts.senders.run())
        await asyncio.sleep(0.01)
        parts.spool.close()
        assert await held_by(parts, sender) == 0


async def test_a_sender_cancelled_in_a_request_releases_its_batch(
    inlet: Inlet, data_dir: Path
) -> None:
    inlet.rule = stalled
    async with opened(inlet.url, data_dir) as parts:
        sender = asyncio.ensure_future(parts.senders.run())
        await fed(parts, lines(orders(3)))
        await parts.batcher.flush()
        await until(lambda: parts.senders.in_flight == 1)
        held = parts.budget.held
        sender.cancel()
        assert await held_by(parts, sender) == 1
        assert (parts.senders.in_flight, parts.budget.held) == (0, held)


def troubled(inlet: Inlet) -> dict[str, Rule]:
    """Rules under which a sender waits for different things."""
    return {
        "accepted": inlet.accept,
        "failing": first(2, Reply(500), inlet.accept),
        "throttled": first(1, Reply(429), inlet.accept),
        "refused": first(1, Reply(400), inlet.accept),
        "silent on some": first(1, Reply(207, b'{"responses":[]}'), inlet.accept),
    }


@pytest.mark.parametrize("kind", ["accepted", "failing", "throttled", "refused", "silent on some"])
async def test_a_sender_may_be_cancelled_at_any_moment(
    inlet: Inlet, data_dir: Path, kind: str
) -> None:
    """Nothing is lost, nothing stays leased, no answer that came is forgotten."""
    async with opened(inlet.url, data_dir, inlet__compression="auto") as parts:
        for moment in range(30):
            source = f"cancelled at moment {moment}"
            before, settled_before = len(inlet.requests), parts.settler.totals.accepted
            inlet.rule = troubled(inlet)[kind]
            await fed(parts, lines(orders(3)), source)
            await parts.batcher.flush()
            sender = asyncio.ensure_future(parts.senders.run())
            for _ in range(min(moment, 14)):
                await asyncio.sleep(0)
            if moment > 14:  # one request took less than that: now among pauses and repeats
                await asyncio.sleep((moment - 14) / 1000)
            sender.cancel()
            await held_by(parts, sender)
            again = asyncio.ensure_future(parts.senders.run())
            await until(lambda: parts.settler.totals.accepted == settled_before + 3)  # noqa: B023
            again.cancel()
            await held_by(parts, again)
            assert parts.budget.held == 0, source
            assert len(inlet.requests) - before <= 8, source
        assert read(parts) == parts.settler.totals.accepted == 90
    assert len(kept(data_dir).spans) >= 30
