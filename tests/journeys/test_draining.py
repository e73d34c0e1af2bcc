"""SIGTERM in every situation: within the grace, and what is left over stays in the spool."""

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.accounts import accounted_for
from support.agent import Running, aep_agent, eventually
from support.emulator import RunningEmulator
from support.records import lines, orders
from support.spools import spooled

Start = Callable[..., Running]
GRACE = 2.0
RECORDS = orders(300)


@pytest.fixture
def config(tmp_path: Path, data_dir: Path) -> Callable[..., Path]:
    def write(url: str, flow_id: str, **settings: Any) -> Path:
        whole = {
            "data_dir": str(data_dir),
            "inlet": {"url": url, "flow_id": flow_id},
            "admin": {"listen": None},
            "log": {"format": "json"},
            "shutdown": {"grace": f"{GRACE}s"},
            **settings,
        }
        path = tmp_path / "agent.json"
        path.write_text(json.dumps(whole))
        return path

    return write


@contextmanager
def black_hole() -> Iterator[str]:
    """An address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/collection/c0ffee"


SITUATIONS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "half a batch": ([], {"batch": {"max_wait": "1h"}}),
    "a back-off of a minute": (
        [{"status": 500}],
        {"delivery": {"retry": {"initial": "60s", "max": "60s"}}},
    ),
    "an hour of Retry-After": ([{"status": 429, "retry_after": 3600}], {}),
    "refused credentials": ([{"status": 401}], {}),
    "an answer that never comes": ([{"hang": True}], {}),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_stopped_within_the_grace_nothing_is_lost(
    situation: str,
    inlet: Callable[..., RunningEmulator],
    config: Callable[..., Path],
    start: Start,
    data_dir: Path,
) -> None:
    faults, settings = SITUATIONS[situation]
    emulator = inlet(faults=faults)
    written = config(emulator.inlet_url, emulator.flow_id, **settings)
    agent = start("run", written)
    agent.write(lines(RECORDS))
    if faults:
        eventually(lambda: emulator.stats()["requests"] > 0)
    else:
        eventually(lambda: (data_dir / "store.db").exists())
        time.sleep(1.0)  # what was read into half a batch shows nowhere
    begun = time.monotonic()
    agent.signal(signal.SIGTERM)
    done = agent.finished()

    assert time.monotonic() - begun < GRACE + 3
    assert done.code == 0
    left = 0 if not faults else len(RECORDS)
    assert done.log[-1]["accepted"] == len(RECORDS) - left
    assert done.log[-1].get("held_on_disk", 0) == left == spooled(data_dir)
    emulator.set_faults()
    assert aep_agent("run", written).code == 0
    # a request that was cut off may have been accepted all the same
    accounted_for(
        {"stdin": RECORDS}, emulator, data_dir, answers_were_lost="never comes" in situation
    )


def test_a_black_hole_does_not_hold_it_up(
    config: Callable[..., Path], start: Start, data_dir: Path
) -> None:
    with black_hole() as url:
        agent = start("run", config(url, "flow"))
        agent.write(lines(RECORDS))
        eventually(lambda: spooled(data_dir) == len(RECORDS))
        begun = time.monotonic()
        agent.signal(signal.SIGTERM)
        done = agent.finished()
    assert time.monotonic() - begun < GRACE + 3
    assert (done.code, done.log[-1]["held_on_disk"]) == (0, len(RECORDS))


def test_a_second_signal_releases_at_once_and_what_it_releases_is_in_the_spool(
    config: Callable[..., Path], start: Start, data_dir: Path
) -> None:
    with black_hole() as url:
        agent = start("run", config(url, "flow", shutdown={"grace": "1h"}))
        agent.write(lines(RECORDS))
        eventually(lambda: spooled(data_dir) == len(RECORDS))
        agent.signal(signal.SIGTERM)
        time.sleep(0.3)
        assert agent.process.poll() is None
        begun = time.monotonic()
        agent.signal(signal.SIGTERM)
        done = agent.finished()
    assert time.monotonic() - begun < 2
    assert (done.code, spooled(data_dir)) == (0, len(RECORDS))


def test_a_full_spool_does_not_hold_it_up_and_what_was_read_goes_into_it(
    inlet: Callable[..., RunningEmulator],
    config: Callable[..., Path],
    start: Start,
    data_dir: Path,
) -> None:
    emulator = inlet(faults=[{"status": 503}])
    settings = {
        "inlet": {
            "url": emulator.inlet_url,
            "flow_id": emulator.flow_id,
            "compression": "none",
        },
        "batch": {"max_bytes": "2KB", "max_wait": "10ms"},
        "buffer": {"max_bytes": "20KB", "memory_bytes": "8KB"},
    }
    written = config("", "", **settings)
    agent = start("run", written)
    agent.write(lines(orders(700)))  # more than spool and memory take, less than the pipe does
    eventually(lambda: spooled(data_dir) > 150)
    time.sleep(0.3)
    agent.signal(signal.SIGTERM)
    agent.process.wait(GRACE + 10)
    last = agent.finished().log[-1]

    # of a pipe, half a line may be in the agent's hands; it becomes a dead letter
    held = last["read"] - last["dead_lettered"]
    assert last["dead_lettered"] <= 1
    assert last["held_on_disk"] == spooled(data_dir) == held < 700
    emulator.set_faults()
    aep_agent("run", written)
    assert sorted(emulator.records()) == sorted(orders(700)[:held])
