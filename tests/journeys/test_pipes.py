"""The agent at the end of somebody's pipe: it reads to the end, sends everything, and is done."""

import fcntl
import json
import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.accounts import accounted_for
from support.agent import Finished, Running, aep_agent, eventually
from support.emulator import RunningEmulator
from support.records import lines, orders

Start = Callable[..., Running]


@pytest.fixture
def config(emulator: RunningEmulator, tmp_path: Path, data_dir: Path) -> Path:
    settings: dict[str, Any] = {
        "data_dir": str(data_dir),
        "inlet": {"url": emulator.inlet_url, "flow_id": emulator.flow_id},
        "batch": {"max_wait": "20ms"},
        "delivery": {"retry": {"initial": "50ms", "max": "500ms"}},
        "admin": {"listen": None},
        "log": {"format": "json"},
    }
    path = tmp_path / "agent.yaml"
    path.write_text(json.dumps(settings))
    return path


def piped(shipper: str, config: Path, redirected: str = "") -> Finished:
    """`shipper | aep-agent run`, with the agent's exit code."""
    command = shlex.join([sys.executable, "-m", "agent", "run", str(config)])
    script = f"{shipper} | {command} {redirected}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60, check=False)
    return Finished(done.returncode, done.stdout, done.stderr)


def test_the_end_of_the_shipper_is_the_end_of_the_agent_and_everything_is_sent(
    config: Path, emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    records = orders(20_000)
    (tmp_path / "records").write_bytes(lines(records)[:-1])
    shipper = f"(head -c 500000 {tmp_path}/records; sleep 0.3; tail -c +500001 {tmp_path}/records)"
    done = piped(shipper, config)

    assert done.code == 0, done.stderr
    assert done.log[-1]["event"] == "stopped"
    accounted_for({"stdin": records}, emulator, data_dir)


def test_a_shipper_that_dies_in_mid_record_leaves_a_dead_letter(
    config: Path, emulator: RunningEmulator, data_dir: Path
) -> None:
    done = piped("""(printf '{"n":1}\\n{"n":'; kill -9 $BASHPID)""", config)

    assert done.code == 3
    accounted_for({"stdin": [b'{"n":1}', b'{"n":']}, emulator, data_dir)


def test_a_pipe_that_is_non_blocking_is_read_and_left_as_it_was(
    config: Path, emulator: RunningEmulator, data_dir: Path, start: Start
) -> None:
    records = orders(30_000)
    reading, writing = os.pipe()
    for end in (reading, writing):
        os.set_blocking(end, False)
    agent = start("run", config, stdin=reading)
    content = memoryview(lines(records))
    try:
        while content:
            try:
                content = content[os.write(writing, content) :]
            except BlockingIOError:
                assert agent.process.poll() is None
    finally:
        os.close(writing)
    done = agent.finished()

    assert done.code == 0, done.stderr
    assert fcntl.fcntl(reading, fcntl.F_GETFL) & os.O_NONBLOCK
    os.close(reading)
    accounted_for({"stdin": records}, emulator, data_dir)


def test_somebody_types_records_and_control_d(
    config: Path, emulator: RunningEmulator, data_dir: Path, start: Start
) -> None:
    terminal, keyboard = pty.openpty()
    agent = start("run", config, stdin=keyboard)
    os.close(keyboard)
    os.write(terminal, b'{"typed":1}\n{"typed":2}\n\x04')
    done = agent.finished()
    os.close(terminal)

    assert done.code == 0, done.stderr
    accounted_for({"stdin": [b'{"typed":1}', b'{"typed":2}']}, emulator, data_dir)


def test_a_terminal_that_hangs_up_is_an_end_too(
    config: Path, emulator: RunningEmulator, data_dir: Path, start: Start
) -> None:
    terminal, keyboard = pty.openpty()
    agent = start("run", config, stdin=keyboard)
    os.close(keyboard)
    os.write(terminal, b'{"typed":1}\n')
    eventually(emulator.records)
    os.close(terminal)
    done = agent.finished()

    assert done.code == 0, done.stderr
    accounted_for({"stdin": [b'{"typed":1}']}, emulator, data_dir)


@pytest.mark.parametrize("redirected", ["</dev/null", "<<<''"])
def test_nothing_to_read_is_an_end_at_once(
    config: Path, redirected: str, emulator: RunningEmulator
) -> None:
    done = piped("true", config, redirected)

    assert done.code == 0
    assert done.log[-1]["read"] == 0
    assert emulator.stats()["requests"] == 0


def test_a_closed_standard_input_is_told_with_what_to_do(config: Path) -> None:
    done = piped("true", config, "<&-")

    assert done.code == 1
    [told] = done.logged("a source cannot be read")
    assert told["reason"].startswith("standard input is closed: pipe records into it, or")


def test_an_inlet_that_is_down_slows_the_shipper_and_the_end_waits_for_it(
    config: Path, emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    emulator.set_faults({"name": "down", "status": 503, "when": {"requests": 5}})
    records = orders(2000)
    (tmp_path / "records").write_bytes(lines(records))
    done = piped(f"cat {tmp_path}/records", config)

    assert done.code == 0, done.stderr
    accounted_for({"stdin": records}, emulator, data_dir)
    assert aep_agent("audit", "--data-dir", data_dir).code == 0
