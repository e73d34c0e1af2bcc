"""The demo begins anew where an earlier one was left, and nowhere else."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli import demo
from agent.errors import AgentError


@pytest.mark.parametrize("left", ["emulator.log", "orders.yaml", "orders.ndjson"])
def test_what_an_earlier_demo_left_makes_room(tmp_path: Path, left: str) -> None:
    (tmp_path / left).touch()
    (tmp_path / "platform").mkdir()

    assert list(demo._fresh(str(tmp_path)).iterdir()) == []


def test_what_is_somebody_elses_stays(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").touch()
    with pytest.raises(AgentError, match="holds something else; choose another --data-dir"):
        demo._fresh(str(tmp_path))

    assert (tmp_path / "letters.txt").exists()


def test_wherever_it_is_ended_the_emulator_ends_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "agent", "demo", "--data-dir", str(tmp_path / "demo")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stderr
        line = running.stderr.readline().decode()
        running.terminate()
        said, _ = running.communicate(timeout=30)  # which ends once nobody holds the pipe any more

    assert "The platform, emulated by a process of its own" in line
    assert running.returncode == 130
    assert said == b""
