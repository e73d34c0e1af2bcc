import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.app.summary import Snapshot
from agent.cli.pipeline import exit_code
from agent.cli.send import sources
from agent.record import Position
from support.agent import aep_agent, send_arguments
from support.emulator import RunningEmulator

RECORDS = b"".join(b'{"a":%d}\n' % n for n in range(20))


@pytest.fixture
def emulator() -> Iterator[RunningEmulator]:
    with RunningEmulator() as emulator:
        yield emulator


def arguments(emulator: RunningEmulator, data_dir: Path, *words: str) -> list[str]:
    chosen = send_arguments(emulator, data_dir, *words)
    chosen.remove("--json")
    return chosen


FILES = {"type": "file", "paths": ["a", "b"], "follow": False, "resume": False}


def test_standard_input_is_one_source_beside_one_of_files() -> None:
    assert sources(["-"]) == [{"type": "stdin"}]
    assert sources(["a", "b"]) == [FILES]
    assert sources(["a", "-", "b"]) == [{"type": "stdin"}, FILES]


def test_the_summary_in_json_is_one_line_with_every_count(
    emulator: RunningEmulator, tmp_path: Path
) -> None:
    done = aep_agent(*send_arguments(emulator, tmp_path, "-"), stdin=RECORDS + b"x\n")
    assert done.code == 3
    assert done.stdout.count(b"\n") == 1
    summary = json.loads(done.stdout)
    assert set(summary) == {
        "read",
        "accepted",
        "dead_lettered",
        "dead_lettered_by_reason",
        "recovered",
        "dropped",
        "dropped_by_reason",
        "filtered",
        "filtered_by_filter",
        "held",
        "held_on_disk",
        "bytes_read",
        "seconds",
        "cpu_seconds",
        "records_per_second",
        "megabytes_per_cpu_second",
        "destination",
        "safe_positions",
        "unreadable",
        "interrupted",
    }
    assert (summary["read"], summary["accepted"], summary["held"]) == (21, 20, 0)
    assert summary["dead_lettered_by_reason"] == {"invalid_json": 1}
    assert summary["bytes_read"] == len(RECORDS) + 2
    assert summary["safe_positions"]["stdin"] == {"line": 22, "offset": len(RECORDS) + 2}


def test_without_files_standard_input_is_sent(emulator: RunningEmulator, tmp_path: Path) -> None:
    done = aep_agent(*arguments(emulator, tmp_path), stdin=RECORDS)
    assert done.code == 0, done.stderr
    assert done.stdout.startswith(b"20 records read, 20 accepted, 0 dead-lettered")
    assert emulator.records() == RECORDS.splitlines()


def test_quiet_says_nothing_and_means_the_same(emulator: RunningEmulator, tmp_path: Path) -> None:
    done = aep_agent(*arguments(emulator, tmp_path, "-q"), stdin=RECORDS + b"x\n")
    assert (done.code, done.stdout) == (3, b"")


def test_a_setting_without_a_value_is_a_configuration_error(
    emulator: RunningEmulator, tmp_path: Path
) -> None:
    done = aep_agent(*arguments(emulator, tmp_path, "--set", "batch.max_wait"), stdin=RECORDS)
    assert done.code == 78
    assert b"write KEY=VALUE" in done.stderr
    assert emulator.records() == []


def test_the_environment_stands_in_for_flags(
    emulator: RunningEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AEP_INLET_URL", emulator.inlet_url)
    monkeypatch.setenv("AEP_FLOW_ID", emulator.flow_id)
    monkeypatch.setenv("AEP_AGENT_DATA_DIR", str(tmp_path / "data"))
    done = aep_agent("send", "-", stdin=RECORDS)
    assert done.code == 0, done.stderr
    assert (tmp_path / "data" / "store.db").exists()


ALL_ACCEPTED = Snapshot(
    read=10,
    accepted=10,
    dead_lettered={},
    bytes_read=1,
    input_done=1,
    input_total=1,
    seconds=1.0,
    cpu_seconds=1.0,
    state="ready",
    safe={"stdin": Position(11, 1)},
    unreadable=(),
    interrupted=False,
)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, 0),
        ({"interrupted": True}, 0),
        ({"accepted": 8, "dead_lettered": {"rejected": 2}}, 3),
        ({"accepted": 8}, 1),
        ({"accepted": 7, "dead_lettered": {"rejected": 2}}, 1),
        ({"unreadable": ("a: gone",)}, 1),
        ({"accepted": 8, "dead_lettered": {"rejected": 2}, "unreadable": ("a: gone",)}, 1),
    ],
)
def test_the_exit_code_tells_the_worst_that_happened(changed: dict, code: int) -> None:
    assert exit_code(replace(ALL_ACCEPTED, **changed)) == code


def test_the_next_step_finds_the_store_of_this_run(
    emulator: RunningEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir = tmp_path / "my data"
    told = aep_agent(*arguments(emulator, data_dir, "-"), stdin=b"x\n").stdout.decode()
    assert told.splitlines()[-1].endswith(f"aep-agent dead-letters list --data-dir '{data_dir}'")
    monkeypatch.setenv("AEP_AGENT_DATA_DIR", str(data_dir))
    told = aep_agent(*arguments(emulator, data_dir, "-"), stdin=b"x\n").stdout.decode()
    assert told.splitlines()[-1].endswith("aep-agent dead-letters list")
