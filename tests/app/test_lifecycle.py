"""An agent from its start to its end: what is delivered, and what brings it down."""

import asyncio
import gzip
import socket
from collections import Counter
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest

from agent.app.lifecycle import Agent
from agent.app.summary import Snapshot
from agent.emulator.server import Emulator
from agent.errors import ConfigError, InputError, StoreError
from agent.record import Position
from agent.store.database import open_for_writing
from agent.supervisor import EndedEarly
from app.running import SOON, MakeAgent, ended, only, orders, until, written


async def test_everything_is_delivered_and_the_agent_ends_by_itself(
    agent: MakeAgent, emulator: Emulator, tmp_path: Path
) -> None:
    first, second = orders(500, "a"), orders(300, "b")
    packed = tmp_path / "b.gz"
    packed.write_bytes(gzip.compress(b"\n".join(second)))
    done = await ended(asyncio.ensure_future(agent(written(tmp_path / "a", first), packed).run()))
    assert (done.read, done.accepted, done.held) == (800, 800, 0)
    assert not done.interrupted
    assert Counter(emulator.records()) == Counter(first + second)
    assert done.safe[str(tmp_path / "a")] == Position(501, (tmp_path / "a").stat().st_size)
    assert done.input_done == done.input_total
    assert done.last_receipt


async def test_no_input_is_an_end_as_good_as_any(agent: MakeAgent, tmp_path: Path) -> None:
    done = await ended(asyncio.ensure_future(agent(written(tmp_path / "a", [])).run()))
    assert (done.read, done.records_per_second) == (0, 0)


async def test_a_source_that_cannot_be_read_is_told_and_the_others_are_delivered(
    agent: MakeAgent, emulator: Emulator, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(b"\n".join(orders(50, "cut")) + b"\n")[:-8])
    good = written(tmp_path / "good", orders(50, "good"))
    done = await ended(asyncio.ensure_future(agent(cut, good).run()))
    assert done.accepted == 100
    assert [each.split(": ")[0] for each in done.unreadable] == [str(cut)]


async def test_at_any_moment_read_is_accepted_and_dead_lettered_and_held(
    agent: MakeAgent, emulator: Emulator, tmp_path: Path
) -> None:
    """Held is counted where records are kept, and compared with what the counts say."""
    emulator.set_faults(
        {
            "seed": 7,
            "rules": [
                {"when": {"probability": 0.2}, "status": 503},
                {"when": {"probability": 0.1}, "status": 400},
                {"when": {"probability": 0.1}, "drop_items": 0.3},
                {"when": {"matching": '":[0-9]*3,'}, "reject": {"status": 400, "message": "no 3"}},
            ],
        }
    )
    lines = orders(3000)
    lines[5::100] = [b"{"] * len(lines[5::100])
    paths = [written(tmp_path / "a", lines), written(tmp_path / "b", orders(2000, "b"))]
    seen: list[tuple[Snapshot, int]] = []

    async def look(agent: Agent) -> None:
        while True:
            parts = agent._parts
            assert parts
            seen.append((agent.snapshot(), int(parts.pipelines[""].meters.records_held.value())))
            await asyncio.sleep(0.001)  # a loop that never rests starves the store's thread

    making = agent(*paths, batch__max_bytes="2KB", buffer__max_bytes="40KB")
    done = await ended(asyncio.ensure_future(making.run(look)))
    assert done.held == 0
    assert done.dead_lettered == {"invalid_json": 30, "rejected": 500}
    assert len({snapshot.held for snapshot, _ in seen}) > 10
    for snapshot, metric in seen:
        assert snapshot.held == metric >= 0
    assert all(
        one.read <= other.read and one.accepted <= other.accepted
        for (one, _), (other, _) in pairwise(seen)
    )


async def test_a_store_that_cannot_be_opened_is_an_error_before_anything_is_read(
    agent: MakeAgent, emulator: Emulator, data_dir: Path, tmp_path: Path
) -> None:
    written(data_dir, [b"a file where a directory should be"])
    with pytest.raises(StoreError, match="--data-dir"):
        await agent(written(tmp_path / "a", orders(1))).run()
    assert list(emulator.records()) == []


async def test_an_admin_address_that_is_taken_is_an_error_before_anything_is_read(
    agent: MakeAgent, emulator: Emulator, data_dir: Path, tmp_path: Path
) -> None:
    path = written(tmp_path / "a", orders(1))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigError, match=r"admin\.listen"):
            await agent(path, admin__listen=listen).run()
    assert list(emulator.records()) == []
    assert (await agent(path).run()).accepted == 1  # nothing of the first was left open


async def test_a_view_that_fails_brings_the_agent_down_with_its_error(
    agent: MakeAgent, pipe
) -> None:
    async def failing(agent: Agent) -> None:
        raise InputError("no such screen")

    with pytest.raises(InputError, match="no such screen"):
        await asyncio.wait_for(agent(pipe.path).run(failing), SOON)


async def test_a_part_that_ends_before_its_time_brings_the_agent_down(
    agent: MakeAgent, pipe
) -> None:
    async def ending(agent: Agent) -> None:
        return

    with pytest.raises(EndedEarly, match="view ended by itself"):
        await asyncio.wait_for(agent(pipe.path).run(ending), SOON)


async def test_a_store_that_is_closed_by_failure_brings_the_agent_down(
    agent: MakeAgent, pipe
) -> None:
    failing = agent(pipe.path)
    running = asyncio.ensure_future(failing.run())
    await until(lambda: failing._parts is not None)
    assert failing._parts
    await failing._parts.store.close()
    pipe.write(b'{"a":1}\n')
    with pytest.raises(StoreError, match="closed"):
        await asyncio.wait_for(running, SOON)
    assert failing.snapshot().held == 1


async def test_a_snapshot_of_an_agent_that_never_ran_is_a_mistake(agent: MakeAgent, pipe) -> None:
    with pytest.raises(AssertionError, match="not been started"):
        agent(pipe.path).snapshot()


async def test_verdicts_are_made_durable_before_the_end_and_admin_answers_until_then(
    agent: MakeAgent, data_dir: Path, pipe
) -> None:
    """The store is locked by somebody else while the agent is stopped, and its grace is over."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    stopping = agent(pipe.path, admin__listen=listen, shutdown__grace="100ms")
    running = asyncio.ensure_future(stopping.run())
    await until(lambda: stopping._parts is not None)
    with closing(open_for_writing(data_dir)[0]) as other:
        other.execute("BEGIN IMMEDIATE")
        pipe.write(b'{"a":1}\n{"a":2}\n')
        await until(lambda: stopping._parts is not None and bool(only(stopping).settler.writing))
        stopping.stop()
        await asyncio.sleep(0.5)
        assert not running.done()
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{listen}/status") as answer,
        ):
            status = await answer.json()
        assert (status["stage"], status["held"]) == ("draining", 2)
        other.execute("ROLLBACK")
    done = await ended(running)
    assert (done.accepted, done.held) == (2, 0)
