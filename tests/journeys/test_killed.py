"""kill -9 and a start again: what was read is in the file, in the store, or answered for."""

import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support.accounts import accounted_for, kept_in
from support.agent import Finished, Running, aep_agent, eventually
from support.emulator import RunningEmulator
from support.records import lines, orders

Start = Callable[..., Running]
DOWN = [{"status": 503}]


def _query(data_dir: Path, query: str) -> list[tuple[Any, ...]]:
    if not (data_dir / "store.db").exists():
        return []
    with closing(sqlite3.connect(data_dir / "store.db")) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:  # not made yet
            return []


def _spooled(data_dir: Path) -> int:
    rows = _query(data_dir, "SELECT records FROM spool_kept")
    return int(rows[0][0]) if rows else 0


def _has_landed_more(emulator: RunningEmulator, before: int, agent: Running) -> bool:
    return len(emulator.records()) > before or agent.process.poll() is not None


def _run(config: Path) -> Finished:
    return aep_agent("run", config)


def test_what_was_read_from_a_pipe_survives_kill_9(
    inlet: Callable[..., RunningEmulator],
    configured: Callable[..., Path],
    start: Start,
    data_dir: Path,
) -> None:
    emulator = inlet(faults=DOWN)
    config = configured(emulator)
    agent = start("run", config)
    agent.write(lines(orders(2000)))
    eventually(lambda: _spooled(data_dir) == 2000)
    agent.signal(signal.SIGKILL)
    agent.process.wait(10)
    emulator.set_faults()
    done = _run(config)

    assert done.code == 0
    (found,) = done.logged("records wait in the spool")
    assert found["records"] == 2000
    assert (done.log[-1]["recovered"], done.log[-1]["accepted"]) == (2000, 2000)
    accounted_for({"stdin": orders(2000)}, emulator, data_dir)
    assert _spooled(data_dir) == 0
    ledger = dict(_query(data_dir, "SELECT entry, records FROM ledger WHERE reason = ''"))
    assert ledger == {"read": 2000, "accepted": 2000}


@pytest.mark.parametrize("times", [12])
def test_a_file_is_read_on_where_it_was_when_the_agent_was_killed(
    times: int,
    inlet: Callable[..., RunningEmulator],
    configured: Callable[..., Path],
    start: Start,
    data_dir: Path,
    tmp_path: Path,
) -> None:
    records = orders(30_000)
    records[7::1000] = [b"no record"] * 30
    path = tmp_path / "app.ndjson"
    path.write_bytes(lines(records))
    emulator = inlet(faults=[{"delay": 0.005}, {"when": {"probability": 0.2}, "status": 503}])
    config = configured(
        emulator,
        path,
        delivery={"max_in_flight": 4, "retry": {"max": "500ms"}},
        buffer={"type": "disk", "max_bytes": "60KB"},  # else all is read before the first kill
    )
    for _ in range(times):
        agent, before = start("run", config), len(emulator.records())
        eventually(partial(_has_landed_more, emulator, before, agent))
        agent.signal(signal.SIGKILL)
        agent.process.wait(10)
    emulator.set_faults()
    assert _run(config).code == 3

    kept = kept_in(data_dir)
    landed = emulator.records()
    good = [record for record in records if record != b"no record"]
    assert set(landed) == set(good)
    assert len(kept.dead_letters) == 30
    answered = {each.line for each in kept.receipts} | {
        each.position.line for each in kept.dead_letters
    }
    assert answered == set(range(1, len(records) + 1))
    in_flight = times * 5 * 20_000 // len(good[0])  # each request that a kill may cut off
    assert len(landed) - len(good) <= in_flight


def test_leftovers_of_a_stop_stay_in_the_spool_and_that_is_no_failure(
    inlet: Callable[..., RunningEmulator],
    configured: Callable[..., Path],
    start: Start,
    data_dir: Path,
) -> None:
    emulator = inlet(faults=DOWN)
    config = configured(emulator)
    agent = start("run", config)
    agent.write(lines(orders(500)))
    eventually(lambda: _spooled(data_dir) == 500)
    agent.signal(signal.SIGTERM)
    agent.process.wait(10)
    done = agent.finished()

    assert done.code == 0
    assert (done.log[-1]["held"], done.log[-1]["held_on_disk"]) == (0, 500)
    emulator.set_faults()
    assert _run(config).code == 0
    accounted_for({"stdin": orders(500)}, emulator, data_dir)


def test_a_file_that_was_read_to_its_end_is_not_read_again_and_what_is_added_is(
    emulator: RunningEmulator, configured: Callable[..., Path], data_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "app.ndjson"
    path.write_bytes(lines(orders(10)))
    config = configured(emulator, path)
    assert [_run(config).code for _ in range(2)] == [0, 0]
    assert len(emulator.records()) == 10
    with path.open("ab") as file:
        file.write(lines(orders(5, first=11)))
    assert _run(config).code == 0
    accounted_for({str(path): orders(15)}, emulator, data_dir)


def test_a_file_of_the_same_name_that_is_another_one_is_read_from_its_beginning(
    emulator: RunningEmulator, configured: Callable[..., Path], tmp_path: Path
) -> None:
    path = tmp_path / "app.ndjson"
    path.write_bytes(lines(orders(10)))
    config = configured(emulator, path)
    assert _run(config).code == 0
    path.unlink()
    path.write_bytes(lines(orders(10, first=100)))
    done = _run(config)

    assert done.code == 0
    assert done.logged("another one")
    assert len(emulator.records()) == 20


def test_a_changed_destination_does_not_get_what_was_read_for_another(
    inlet: Callable[..., RunningEmulator],
    configured: Callable[..., Path],
    start: Start,
    data_dir: Path,
) -> None:
    old, new = inlet(faults=DOWN), inlet()
    agent = start("run", configured(old))
    agent.write(lines(orders(100)))
    eventually(lambda: _spooled(data_dir) == 100)
    agent.signal(signal.SIGKILL)
    agent.process.wait(10)
    done = _run(configured(new))

    assert done.code == 0
    (told,) = done.logged("read for another destination")
    assert (told["records"], new.records()) == (100, [])
    old.set_faults()
    assert _run(configured(old)).code == 0
    assert sorted(old.records()) == sorted(orders(100))
