"""Told to stop at any moment, an agent finishes what it can and accounts for the rest."""

import asyncio
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from agent.app.lifecycle import Agent
from agent.emulator.server import Emulator
from agent.record import Position
from app.running import MakeAgent, ended, only, orders, read, until, written


async def test_an_agent_stopped_before_it_runs_reads_nothing(
    agent: MakeAgent, emulator: Emulator, tmp_path: Path
) -> None:
    stopped = agent(written(tmp_path / "a", orders(10)))
    stopped.stop()
    stopped.stop()
    done = await ended(asyncio.ensure_future(stopped.run()))
    assert (done.read, done.interrupted) == (0, True)
    assert list(emulator.records()) == []


async def test_an_agent_aborted_before_it_runs_reads_nothing(
    agent: MakeAgent, tmp_path: Path
) -> None:
    stopped = agent(written(tmp_path / "a", orders(10)))
    stopped.abort()
    stopped.abort()
    assert (await ended(asyncio.ensure_future(stopped.run()))).read == 0


async def test_an_idle_agent_stops_at_once(agent: MakeAgent, pipe) -> None:
    idle = agent(pipe.path)
    running = asyncio.ensure_future(idle.run())
    pipe.write(b'{"a":1}\n{"a":2}\n')
    await until(lambda: idle._parts is not None and idle.snapshot().accepted == 2)
    begun = time.monotonic()
    idle.stop()
    done = await ended(running)
    assert time.monotonic() - begun < 2
    assert (done.accepted, done.held, done.interrupted) == (2, 0, True)


async def test_a_quiet_drain_reads_on_until_the_input_falls_silent(agent: MakeAgent, pipe) -> None:
    sidecar = agent(pipe.path, shutdown__quiet="400ms", shutdown__grace="20s")
    running = asyncio.ensure_future(sidecar.run())
    pipe.write(b'{"a":1}\n')
    await until(lambda: read(sidecar) == 1)
    sidecar.stop()
    begun = time.monotonic()
    for number in range(2, 7):
        await asyncio.sleep(0.15)
        pipe.write(b'{"a":%d}\n' % number)
    done = await ended(running)
    assert 1.1 < time.monotonic() - begun < 5
    assert (done.read, done.accepted, done.held) == (6, 6, 0)


async def test_a_quiet_drain_ends_at_half_the_grace_at_an_abort_and_with_the_input(
    agent: MakeAgent, pipe, tmp_path: Path
) -> None:
    async def chatter() -> None:
        while True:
            pipe.write(b'{"a":1}\n')
            await asyncio.sleep(0.02)

    for grace, ending in (("1s", None), ("1h", "abort")):
        talkative = agent(pipe.path, shutdown__quiet="300ms", shutdown__grace=grace)
        running, talking = asyncio.ensure_future(talkative.run()), asyncio.ensure_future(chatter())
        await until(lambda talkative=talkative: read(talkative) > 1)
        talkative.stop()
        if ending:
            await asyncio.sleep(0.5)
            assert not running.done()
            talkative.abort()
        done = await ended(running)
        talking.cancel()
        assert done.read > 10
    ends = agent(written(tmp_path / "a", orders(20)), shutdown__quiet="30m", shutdown__grace="1h")
    running = asyncio.ensure_future(ends.run())
    await until(lambda: read(ends) > 0)
    ends.stop()
    assert (await ended(running)).accepted == 20


async def test_what_was_begun_when_it_is_stopped_is_finished_within_the_grace(
    agent: MakeAgent, emulator: Emulator, pipe
) -> None:
    emulator.set_faults([{"delay": 0.3}])
    busy = agent(pipe.path)
    running = asyncio.ensure_future(busy.run())
    pipe.write(b'{"a":1}\n{"a":2}\n')
    await until(lambda: read(busy) == 2)
    busy.stop()
    done = await ended(running)
    assert (done.accepted, done.held) == (2, 0)


async def test_what_is_not_answered_in_the_grace_is_held_and_said_to_be(
    agent: MakeAgent, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.set_faults([{"hang": True}])
    path = written(tmp_path / "a", orders(20))
    stuck = agent(path, shutdown__grace="300ms")
    running = asyncio.ensure_future(stuck.run())
    await until(lambda: read(stuck) == 20)
    begun = time.monotonic()
    stuck.stop()
    done = await ended(running)
    assert 0.25 < time.monotonic() - begun < 3
    assert (done.accepted, done.held) == (0, 20)
    assert done.safe == {str(path): Position(1, 0)}


async def test_abort_waits_for_no_answer(
    agent: MakeAgent, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.set_faults([{"hang": True}])
    stuck = agent(written(tmp_path / "a", orders(20)), shutdown__grace="1h")
    running = asyncio.ensure_future(stuck.run())
    await until(lambda: read(stuck) == 20)
    stuck.stop()
    await asyncio.sleep(0.05)
    assert not running.done()
    begun = time.monotonic()
    stuck.abort()
    done = await ended(running)
    assert time.monotonic() - begun < 2
    assert done.held == 20


async def test_the_first_signal_drains_and_the_second_releases(
    agent: MakeAgent, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.set_faults([{"hang": True}])
    stuck = agent(written(tmp_path / "a", orders(20)), shutdown__grace="1h")
    running = asyncio.ensure_future(stuck.run())
    await until(lambda: read(stuck) == 20)
    stuck.on_signal(signal.SIGTERM)
    await asyncio.sleep(0.05)
    assert not running.done()
    stuck.on_signal(signal.SIGINT)
    assert (await ended(running)).held == 20


async def test_an_agent_whose_budget_is_used_up_can_be_stopped(
    agent: MakeAgent, emulator: Emulator, pipe
) -> None:
    emulator.set_faults([{"hang": True}])
    settings = {
        "batch__max_bytes": "2KB",
        "buffer__max_bytes": "20KB",
        "inlet__compression": "none",
        "shutdown__grace": "200ms",
    }
    full = agent(pipe.path, **settings)
    running = asyncio.ensure_future(full.run())
    record = b'{"text":"' + b"x" * 90 + b'"}\n'
    pipe.write(record * 600)
    await until(lambda: full._parts is not None and only(full).budget.exhausted_since is not None)
    waiting = read(full)
    assert 50 < waiting < 400  # the rest is still in the pipe
    full.stop()
    done = await ended(running)
    assert waiting < done.held < 420  # the reader handed over what it held, and took no more
    assert done.accepted == 0


FULL = {  # room for one batch of nine of these records, and not for eight more
    "buffer__type": "disk",
    "buffer__max_bytes": "2KB",
    "batch__max_bytes": "1KB",
    "batch__max_records": 9,
    "inlet__compression": "none",
    "delivery__retry__initial": "10ms",
    "delivery__retry__max": "200ms",
}


SEVENTEEN = [b'{"a":%d,"text":"%s"}' % (number, b"x" * 80) for number in range(10, 27)]


def is_full(agent: Agent) -> bool:
    """Whether all is read, and a batch in the spool: the rest waits for room."""
    if agent._parts is None:
        return False
    return only(agent).spool.statistics().batches == 1 and read(agent) == 17


async def test_the_last_half_batch_that_waits_for_room_is_delivered_once_there_is_some(
    agent: MakeAgent, emulator: Emulator, pipe
) -> None:
    emulator.set_faults([{"status": 500}])
    full = agent(pipe.path, **FULL)
    running = asyncio.ensure_future(full.run())
    pipe.write(b"".join(record + b"\n" for record in SEVENTEEN))
    await until(lambda: is_full(full))
    await asyncio.sleep(0.2)  # the half batch is old enough by now
    pipe.close()
    await asyncio.sleep(0.2)
    assert not running.done()
    emulator.set_faults([])
    done = await ended(running)
    assert (done.accepted, done.held) == (17, 0)
    assert sorted(emulator.records()) == sorted(SEVENTEEN)


@pytest.mark.parametrize("max_wait", ["10ms", "1h"])
async def test_an_agent_whose_last_half_batch_waits_for_room_can_be_stopped(
    max_wait: str, agent: MakeAgent, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.set_faults([{"status": 500}])
    path = written(tmp_path / "a", SEVENTEEN)
    full = agent(path, shutdown__grace="1s", batch__max_wait=max_wait, **FULL)
    running = asyncio.ensure_future(full.run())
    await until(lambda: is_full(full))
    await asyncio.sleep(0.2)
    begun = time.monotonic()
    full.stop()
    done = await ended(running)
    assert time.monotonic() - begun < 5
    assert (done.held, done.in_memory) == (17, 0)


async def test_input_that_ends_while_the_inlet_is_away_can_be_stopped(
    agent: MakeAgent, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.set_faults([{"status": 500}])
    path = written(tmp_path / "a", orders(20))
    settings = {"delivery__retry__initial": "1h", "delivery__retry__max": "1h"}
    draining = agent(path, shutdown__grace="1h", **settings)
    running = asyncio.ensure_future(draining.run())
    await until(lambda: draining._parts is not None and only(draining).meters.retries.total() == 1)
    begun = time.monotonic()
    draining.stop()
    done = await ended(running)
    assert time.monotonic() - begun < 3
    assert (done.held, done.interrupted) == (20, True)


async def test_a_pause_the_inlet_asked_for_is_waited_for_within_the_grace(
    agent: MakeAgent, emulator: Emulator, pipe
) -> None:
    emulator.set_faults([{"when": {"requests": 1}, "status": 429, "retry_after": 1}])
    throttled = agent(pipe.path)
    running = asyncio.ensure_future(throttled.run())
    pipe.write(b'{"a":1}\n')
    await until(lambda: throttled._parts is not None and throttled.snapshot().state == "throttled")
    throttled.stop()
    done = await ended(running)
    assert (done.accepted, done.held) == (1, 0)


@pytest.mark.parametrize("moment", [0, 0.002, 0.01, 0.03, 0.06, 0.1])
async def test_stopped_at_any_moment_every_record_is_answered_for_or_after_the_safe_position(
    agent: MakeAgent, emulator: Emulator, tmp_path: Path, moment: float
) -> None:
    lines = orders(5000)
    path = written(tmp_path / "a", lines)
    settings = {"batch__max_bytes": "2KB", "buffer__max_bytes": "20KB", "shutdown__grace": "0s"}
    stopped = agent(path, **settings)
    running = asyncio.ensure_future(stopped.run())
    await asyncio.sleep(moment)
    stopped.stop()
    done = await ended(running)
    safe = done.safe.get(str(path), Position(1, 0)).line
    arrived = Counter(emulator.records())
    assert set(lines[: safe - 1]) <= set(arrived)
    assert max(arrived.values(), default=1) == 1
    assert done.dead_letters == 0
    assert len(arrived) >= done.accepted
