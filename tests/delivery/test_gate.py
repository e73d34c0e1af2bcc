"""Who may send, and when: the limit, a flow that is new, a store that is full, a stop."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.core.destination import DISK_FULL, DRAINING, READY, STATES, THROTTLED, WARMING_UP
from delivery.rig import (
    SOON,
    Inlet,
    Parts,
    Reply,
    Request,
    delivering,
    fed,
    first,
    lines,
    opened,
    orders,
    until,
)


class Crowd:
    """A rule that accepts after a while, and notes how many requests there were at once."""

    def __init__(self, inlet: Inlet, seconds: float) -> None:
        self.inlet = inlet
        self.seconds = seconds
        self.now = 0
        self.most = 0
        self.at_once: list[int] = []  # at each arrival

    async def __call__(self, request: Request) -> Reply:
        self.now += 1
        self.most = max(self.most, self.now)
        self.at_once.append(self.now)
        await asyncio.sleep(self.seconds)
        self.now -= 1
        return self.inlet.accept(request)


def shown(parts: Parts) -> list[str]:
    """The states that the metric shows."""
    return [state for state in STATES if parts.meters.destination_state.value(state)]


@pytest.mark.parametrize(("concurrency", "at_first"), [("adaptive", 4), ("fixed", 20)])
async def test_an_adaptive_limit_grows_to_the_ceiling_and_a_fixed_one_is_there(
    inlet: Inlet, data_dir: Path, concurrency: str, at_first: int
) -> None:
    inlet.rule = crowd = Crowd(inlet, 0.05)
    settings = {
        "batch__max_records": 1,
        "delivery__max_in_flight": 20,
        "delivery__concurrency": concurrency,
    }
    async with delivering(inlet.url, data_dir, **settings) as parts:
        await fed(parts, lines(orders(200)))
        await until(lambda: len(inlet.requests) >= at_first)
        assert crowd.most == at_first
        await until(lambda: crowd.most == 20)
        assert parts.meters.requests_limit.value() == 20
    assert crowd.most == 20


async def test_after_a_pause_only_a_few_go_at_once(inlet: Inlet, data_dir: Path) -> None:
    crowd = Crowd(inlet, 0.05)
    inlet.rule = crowd
    settings = {"batch__max_records": 1, "delivery__max_in_flight": 20}
    async with delivering(inlet.url, data_dir, **settings) as parts:
        await fed(parts, lines(orders(150)))
        await until(lambda: crowd.most == 20)
        inlet.rule = first(1, Reply(429, b"", {"Retry-After": "0.2"}), crowd)
        await until(lambda: parts.destination.state == THROTTLED)
        await until(lambda: crowd.now == 0)
        crowd.at_once.clear()
        await fed(parts, lines(orders(150)), "more")
    assert crowd.at_once[0] == 1, "the probe"
    assert max(crowd.at_once[:5]) <= 4


async def test_a_batch_leased_before_the_limit_shrank_waits(inlet: Inlet, data_dir: Path) -> None:
    crowd = Crowd(inlet, 0.02)
    inlet.rule = crowd
    settings = {"batch__max_records": 1, "delivery__max_in_flight": 8}
    async with delivering(inlet.url, data_dir, **settings) as parts:
        limit = parts.senders._gate.limit
        await fed(parts, lines(orders(60)))
        await until(lambda: parts.settler.totals.accepted == 60)
        limit.pushed_back(time.monotonic(), time.monotonic())
        limit.pushed_back(time.monotonic(), time.monotonic())
        few = limit.allowed
        assert few <= 2
        crowd.most = 0
        for number in range(6):
            await fed(parts, lines(orders(1)), f"{number}")
        await until(lambda: parts.settler.totals.accepted == 66)
        assert crowd.most <= few + 1


async def test_senders_beyond_the_limit_end_with_the_others(inlet: Inlet, data_dir: Path) -> None:
    settings = {"delivery__max_in_flight": 50}
    async with delivering(inlet.url, data_dir, **settings) as parts:
        await fed(parts, lines(orders(10)))
        await until(lambda: parts.settler.totals.accepted == 10)


async def test_senders_beyond_the_limit_do_not_try_an_absent_inlet_one_after_the_other(
    inlet: Inlet, data_dir: Path
) -> None:
    inlet.rule = lambda request: Reply(500)
    settings = {"batch__max_records": 1, "delivery__retry__initial": "1h"}
    settings["delivery__retry__max"] = "1h"
    async with opened(inlet.url, data_dir, delivery__max_in_flight=50, **settings) as parts:
        senders = [asyncio.ensure_future(parts.senders.run()) for _ in range(50)]
        await fed(parts, lines(orders(100)))
        parts.spool.close()
        await until(lambda: not parts.destination.is_open)
        asked = len(inlet.requests)
        parts.senders.hurry(time.monotonic() + 60)
        parts.spool.hurry()
        await asyncio.wait_for(asyncio.gather(*senders), SOON)
        assert len(inlet.requests) <= asked + 4
        assert parts.spool.statistics().leased == 0
        assert parts.spool.statistics().batches == 100


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def test_a_new_flow_is_sent_nothing_until_it_is_ready(inlet: Inlet, data_dir: Path) -> None:
    begun = time.monotonic()
    async with delivering(inlet.url, data_dir, inlet__ready_at=in_seconds(0.5)) as parts:
        await fed(parts, lines(orders(5)))
        assert (parts.destination.state, shown(parts)) == (WARMING_UP, [WARMING_UP])
        await until(lambda: parts.settler.totals.accepted == 5)
    assert shown(parts) == [READY]
    assert inlet.requests[0].at - begun > 0.45


async def test_the_end_of_a_warm_up_shows_where_there_is_nothing_to_send(
    inlet: Inlet, data_dir: Path
) -> None:
    async with opened(inlet.url, data_dir, inlet__ready_at=in_seconds(0.2)) as parts:
        assert shown(parts) == [WARMING_UP]
        await until(lambda: parts.destination.state == READY)
        assert shown(parts) == [READY]


async def test_a_stop_during_a_warm_up_holds_everything(inlet: Inlet, data_dir: Path) -> None:
    async with opened(inlet.url, data_dir, inlet__ready_at=in_seconds(300)) as parts:
        senders = [asyncio.ensure_future(parts.senders.run()) for _ in range(8)]
        await fed(parts, lines(orders(5)))
        await parts.batcher.flush()
        parts.spool.close()
        parts.senders.hurry(time.monotonic() + 5)
        await asyncio.wait_for(asyncio.gather(*senders), 2)
        assert parts.spool.statistics().records == 5
        assert shown(parts) == [WARMING_UP, DRAINING]
    assert inlet.requests == []


async def test_a_full_store_shows_whichever_thread_tells_of_it(
    inlet: Inlet, data_dir: Path
) -> None:
    async with opened(inlet.url, data_dir) as parts:
        await asyncio.to_thread(parts.senders.store_full, True)
        await until(lambda: parts.destination.state == DISK_FULL)
        assert shown(parts) == [DISK_FULL]
        await asyncio.to_thread(parts.senders.store_full, False)
        await until(lambda: shown(parts) == [READY])
        senders = parts.senders
    await asyncio.to_thread(senders.store_full, True)


async def test_a_stop_shows_as_draining(inlet: Inlet, data_dir: Path) -> None:
    async with opened(inlet.url, data_dir) as parts:
        parts.senders.hurry(time.monotonic() + 1)
        assert (parts.destination.state, shown(parts)) == (DRAINING, [DRAINING])
