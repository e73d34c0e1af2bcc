"""`run` with a configuration file: sources side by side, watched over HTTP, counted at the end."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.accounts import accounted_for
from support.agent import Running, eventually
from support.emulator import RunningEmulator
from support.records import lines, orders
from support.watching import admin_address, get

Start = Callable[..., Running]


@pytest.fixture
def config(emulator: RunningEmulator, tmp_path: Path, data_dir: Path) -> Path:
    settings: dict[str, Any] = {
        "data_dir": str(data_dir),
        "inlet": {"url": emulator.inlet_url, "flow_id": emulator.flow_id},
        "sources": [
            {"type": "stdin", "name": "pipe"},
            {
                "type": "file",
                "name": "logs",
                "follow": False,
                "paths": [str(tmp_path / "*.ndjson")],
            },
        ],
        "batch": {"max_wait": "20ms"},
        "admin": {"listen": "127.0.0.1:0"},
        "shutdown": {"grace": "5s"},
        "log": {"format": "json"},
    }
    path = tmp_path / "agent.yaml"
    path.write_text(json.dumps(settings))
    return path


def test_sources_side_by_side_are_counted_while_it_runs_and_when_it_ends(
    config: Path, start: Start, emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    first, second, piped = orders(700), orders(700, first=1000), orders(700, first=2000)
    (tmp_path / "a.ndjson").write_bytes(lines(first))
    (tmp_path / "b.ndjson").write_bytes(lines([*second, b"nonsense"]))
    agent = start("run", config)
    address = admin_address(agent)
    agent.write(lines(piped))
    eventually(lambda: json.loads(get(address, "/status")[1])["accepted"] == 2100)
    assert get(address, "/livez")[0] == get(address, "/readyz")[0] == 200
    metrics = get(address, "/metrics")[1].decode()
    assert "aep_agent_pipeline_accepted_records_total 2100" in metrics
    assert "xaction_ids_total 2100" in metrics
    done = agent.finished()

    assert done.code == 3
    last = done.log[-1]
    assert last["event"] == "stopped"
    assert (last["read"], last["accepted"], last["dead_lettered"], last["held"]) == (
        2101,
        2100,
        1,
        0,
    )
    sources = {
        "pipe": piped,
        f"logs:{tmp_path / 'a.ndjson'}": first,
        f"logs:{tmp_path / 'b.ndjson'}": [*second, b"nonsense"],
    }
    accounted_for(sources, emulator, data_dir)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_idle_ends_it_with_0_whatever_was_dead_lettered(
    number: signal.Signals, config: Path, start: Start, tmp_path: Path
) -> None:
    (tmp_path / "a.ndjson").write_bytes(b"nonsense\n")
    agent = start("run", config)
    address = admin_address(agent)
    eventually(lambda: json.loads(get(address, "/status")[1])["dead_lettered"] == 1)
    agent.signal(number)
    agent.process.wait(10)
    done = agent.finished()

    assert done.code == 0
    assert [line["event"] for line in done.log] == ["stopping", "stopped"]


def test_an_admin_address_that_is_taken_stops_it_before_anything_is_read(
    config: Path, start: Start, emulator: RunningEmulator, tmp_path: Path
) -> None:
    (tmp_path / "a.ndjson").write_bytes(lines(orders(10)))
    taken = f"127.0.0.1:{emulator.port}"
    done = start("run", config, "--set", f"admin.listen={taken}").finished()

    assert done.code == 78
    assert taken in done.stderr.decode()
    assert emulator.stats()["requests"] == 0
