import json
from pathlib import Path

import pytest

from support.agent import aep_agent


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "agent.yaml"
    path.write_text(
        "inlet:\n  url: http://127.0.0.1:9/i\n  flow_id: f\n  token: geheim\n"
        "buffer: {type: memory}\n"
    )
    return path


def test_a_page_says_what_is_in_effect_and_what_can_be_lost(file: Path) -> None:
    done = aep_agent("explain", file, "--set", "batch.max_wait=200ms")
    page = done.stdout.decode()
    assert done.code == 0
    assert f"{file}:2\n" in page
    assert [line.split() for line in page.splitlines() if line.startswith("batch.max_wait")] == [
        ["batch.max_wait", "200ms", "command", "line"]
    ]
    assert "geheim" not in page
    assert "kill -9" in page
    assert "lost:  what was read from stdin" in page


def test_defaults_can_be_left_out(file: Path) -> None:
    page = aep_agent("explain", file, "--no-defaults").stdout.decode().split("\n\n")[0]
    assert [line.split()[0] for line in page.splitlines()] == [
        "inlet.url",
        "inlet.flow_id",
        "inlet.token",
        "buffer.type",
    ]


def test_scripts_get_the_same_as_one_object(file: Path) -> None:
    told = json.loads(aep_agent("explain", file, "--json").stdout)
    checked = json.loads(aep_agent("check", file, "--json").stdout)
    assert {"key": "buffer.type", "value": "memory", "origin": f"{file}:5"} in told["settings"]
    assert told["faults"] == checked["faults"]
    assert told["warnings"] == checked["warnings"]


def test_a_wrong_configuration_is_told_as_check_tells_it(file: Path) -> None:
    file.write_text("inlet: {url: 7}\nbatch: {max_weight: 1}\n")
    explained, checked = aep_agent("explain", file), aep_agent("check", file)
    assert (explained.code, explained.stderr) == (78, checked.stderr)
