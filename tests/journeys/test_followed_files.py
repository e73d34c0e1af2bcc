"""Files that are followed by the agent as its users run it."""

import json
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.accounts import kept_in
from support.agent import Running
from support.emulator import RunningEmulator

Start = Callable[..., Running]


@pytest.fixture
def config(emulator: RunningEmulator, tmp_path: Path, data_dir: Path) -> Path:
    settings = {
        "data_dir": str(data_dir),
        "inlet": {"url": emulator.inlet_url, "flow_id": emulator.flow_id},
        "sources": [{"type": "file", "paths": [str(tmp_path / "logs" / "*.log*")], "let_go": "1s"}],
        "batch": {"max_wait": "20ms"},
        "admin": {"listen": None},
        "log": {"format": "json"},
    }
    (tmp_path / "logs").mkdir()
    path = tmp_path / "agent.yaml"
    path.write_text(json.dumps(settings))
    return path


def _numbered(first: int, count: int) -> list[bytes]:
    return [b'{"n":%d}' % number for number in range(first, first + count)]


def _append(path: Path, records: list[bytes]) -> None:
    with path.open("ab") as file:
        file.write(b"".join(record + b"\n" for record in records))


def _wait_for(emulator: RunningEmulator, count: int) -> list[bytes]:
    deadline = time.monotonic() + 30
    while len(records := emulator.records()) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    return records


def test_records_of_a_rotated_file_have_receipts_by_the_stream_of_each_file(
    config: Path, start: Start, emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    path = tmp_path / "logs" / "app.log"
    _append(path, _numbered(1, 100))
    agent = start("run", str(config))
    assert len(_wait_for(emulator, 100)) == 100
    path.rename(path.with_name("app.log.1"))
    _append(path, [*_numbered(101, 99), b"no record"])
    _wait_for(emulator, 199)
    agent.signal(signal.SIGTERM)
    assert agent.finished().code == 0

    assert sorted(emulator.records()) == sorted(_numbered(1, 199))
    kept = kept_in(data_dir)
    (letter,) = kept.dead_letters
    assert (letter.source, letter.position.line) == (f"{path}#2", 100)
    assert {(each.source, each.line) for each in kept.receipts} == {
        *((str(path), line) for line in range(1, 101)),
        *((f"{path}#2", line) for line in range(1, 100)),
    }


def test_f13_f21_an_agent_that_is_killed_and_started_again_reads_on_in_files_rotated_meanwhile(
    config: Path, start: Start, emulator: RunningEmulator, tmp_path: Path
) -> None:
    path = tmp_path / "logs" / "app.log"
    _append(path, _numbered(1, 100))
    agent = start("run", str(config))
    _wait_for(emulator, 100)
    time.sleep(0.5)  # the answers are on disk
    agent.signal(signal.SIGKILL)
    agent.finished()
    _append(path, _numbered(101, 50))
    path.rename(path.with_name("app.log.1"))
    _append(path, _numbered(151, 50))
    agent = start("run", str(config))
    _wait_for(emulator, 200)
    agent.signal(signal.SIGTERM)
    assert agent.finished().code == 0
    assert sorted(emulator.records()) == sorted(_numbered(1, 200))


def test_f19_three_thousand_files_are_followed_with_few_descriptors(
    config: Path, start: Start, emulator: RunningEmulator, tmp_path: Path
) -> None:
    for number in range(3000):
        (tmp_path / "logs" / f"f{number:04}.log").write_bytes(b'{"n":%d}\n' % number)
    agent = start("run", str(config), limits={resource.RLIMIT_NOFILE: 256})
    assert len(_wait_for(emulator, 3000)) == 3000
    for number in range(0, 3000, 100):
        _append(tmp_path / "logs" / f"f{number:04}.log", _numbered(5000 + number, 1))
    _wait_for(emulator, 3030)
    agent.signal(signal.SIGTERM)
    done = agent.finished()
    assert done.code == 0
    assert done.logged("a file is not read") == []
    assert len(set(emulator.records())) == len(emulator.records()) == 3030
