import fcntl
import os
import signal
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.cli.exits import (
    CONFIGURATION,
    DONE,
    FAILED,
    INTERRUPTED,
    MEANINGS,
    SOME_DEAD_LETTERED,
    USAGE,
)
from support.agent import Running, aep_agent, send_arguments
from support.emulator import RunningEmulator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def emulator() -> Iterator[RunningEmulator]:
    with RunningEmulator() as running:
        yield running


def test_the_numbers_are_told_alike_by_help_readme_and_manual() -> None:
    told = aep_agent("--help").stdout.decode()
    readme = (ROOT / "README.md").read_text()
    for number, meaning in MEANINGS.items():
        assert f"  {number:<4}{meaning}\n" in told
        assert f"| {number} | {meaning} |\n" in readme


@pytest.mark.parametrize(
    ("records", "code"),
    [(b'{"order": 1}\n', DONE), (b'{"order": 1}\nno record\n', SOME_DEAD_LETTERED)],
)
def test_it_is_0_where_all_was_accepted_and_3_with_dead_letters(
    records: bytes, code: int, emulator: RunningEmulator, tmp_path: Path
) -> None:
    assert aep_agent(*send_arguments(emulator, tmp_path), "-", stdin=records).code == code


def test_it_is_1_where_a_file_cannot_be_read(emulator: RunningEmulator, tmp_path: Path) -> None:
    (tmp_path / "broken.gz").write_bytes(b"\x1f\x8b\x08 but no more")
    done = aep_agent(*send_arguments(emulator, tmp_path), tmp_path / "broken.gz")
    assert done.code == FAILED


def test_it_is_2_for_wrong_usage_and_78_for_a_wrong_configuration(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("inlet: {}\n")
    assert aep_agent("send", "--no-such-flag").code == USAGE
    assert aep_agent("check", tmp_path / "wrong.yaml").code == CONFIGURATION


def test_it_is_130_where_ctrl_c_comes_before_a_command_is_done(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text("inlet: {url: 'http://127.0.0.1:9/i', flow_id: f}\n")
    reading, writing = os.pipe()
    running = Running(["check", str(tmp_path / "agent.yaml"), "--try", "-"], stdin=reading)
    try:
        os.write(writing, b'{"order": ')
        _wait_until_it_reads(reading)
        running.signal(signal.SIGINT)
        assert running.finished().code == INTERRUPTED
    finally:
        running.close()
        os.close(reading)
        os.close(writing)


def _wait_until_it_reads(pipe: int) -> None:
    for _ in range(600):
        if fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)) == bytes(4):
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to read its input")
