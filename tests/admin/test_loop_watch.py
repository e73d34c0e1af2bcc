import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from agent.admin.loop_watch import LoopWatch
from agent.telemetry.meters import Meters


@pytest.fixture
def meters() -> Meters:
    return Meters()


@pytest.fixture
async def watch(meters: Meters) -> AsyncIterator[LoopWatch]:
    watch = LoopWatch(meters, interval=0.02)
    running = asyncio.create_task(watch.run())
    yield watch
    running.cancel()


async def test_a_loop_that_was_blocked_is_seen_to_be_late(meters: Meters, watch: LoopWatch) -> None:
    await asyncio.sleep(0.03)
    time.sleep(0.3)  # noqa: ASYNC251 - blocking the loop is the point
    await asyncio.sleep(0.01)
    assert 0.2 < watch.lag < 5
    assert meters.loop_lag_seconds.value() == watch.lag


async def test_the_worst_is_remembered_when_the_loop_has_recovered(
    meters: Meters, watch: LoopWatch
) -> None:
    await asyncio.sleep(0.03)
    time.sleep(0.5)  # noqa: ASYNC251 - blocking the loop is the point
    await asyncio.sleep(0.1)
    assert watch.lag < 0.3
    assert meters.loop_lag_seconds.value() > 0.4


async def test_the_worst_is_forgotten_after_a_while(meters: Meters, watch: LoopWatch) -> None:
    await asyncio.sleep(0.03)
    time.sleep(1)  # noqa: ASYNC251 - blocking the loop is the point
    await asyncio.sleep(0.03)
    assert meters.loop_lag_seconds.value() > 0.9
    for _ in range(500):
        await asyncio.sleep(0.02)
        if meters.loop_lag_seconds.value() < 0.9:
            return
    pytest.fail("a delay of ten seconds ago is still remembered")


async def test_before_it_runs_nothing_is_late(meters: Meters) -> None:
    assert LoopWatch(meters).lag == meters.loop_lag_seconds.value() == 0
