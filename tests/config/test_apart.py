"""A configuration is read in a process of its own: with the same result, and leaving nothing."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.config import load
from agent.config.apart import ReadApart, load_apart
from agent.errors import ConfigError, ConfigUnread

INLET = """\
inlet:
  url: http://127.0.0.1:9/collection/c0
  flow_id: f
  token: ${THE_TOKEN}
"""
NOTHING: Mapping[str, object] = {}


def written(folder: Path, text: str = INLET) -> Path:
    path = folder / "agent.yaml"
    path.write_text(text)
    return path


def no_other_process() -> bool:
    """Whether this one has no children, not even dead ones."""
    try:
        return os.waitpid(-1, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return True


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_TOKEN", "a-secret")


def test_what_is_read_apart_is_what_is_read_here(tmp_path: Path) -> None:
    path = written(tmp_path, INLET + "sources: [{type: udp, listen: 0.0.0.0:0}]\n")
    chosen = {"batch.max_wait": "3s", "inlet.flow_id": None}

    read = load_apart(path, overrides=chosen)

    assert read == load(path, overrides=chosen)
    assert read.warnings == load(path, overrides=chosen).warnings
    assert read.batch.max_wait == 3.0


def test_every_problem_is_told_as_if_it_were_read_here(tmp_path: Path) -> None:
    path = written(tmp_path, INLET + "batch: {max_wait: soon}\nbuffer: {typo: 1}\n")
    chosen = {"data_dir": "\udcff"}
    with pytest.raises(ConfigError) as here:
        load(path, overrides=chosen)
    with pytest.raises(ConfigError) as apart:
        load_apart(path, overrides=chosen)
    assert str(apart.value) == str(here.value)
    assert "batch.max_wait" in str(here.value)


@pytest.mark.parametrize("executable", ["/nonexistent/python", "/bin/false", ""])
def test_where_no_process_can_be_had_it_is_read_here(
    executable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    assert load_apart(written(tmp_path), overrides=NOTHING).inlet is not None
    assert no_other_process()


def test_a_reader_that_is_killed_is_told_and_is_no_fault_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = tmp_path / "killed"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(killed))
    with pytest.raises(ConfigUnread, match="for want of memory; allow the agent more"):
        load_apart(written(tmp_path), overrides=NOTHING)


def test_what_lies_in_the_working_directory_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path)
    for module in ("json", "yaml", "agent"):
        (tmp_path / f"{module}.py").write_text("open('imported', 'w').close()\nraise SystemExit\n")
    monkeypatch.chdir(tmp_path)

    assert load_apart(path, overrides=NOTHING).inlet is not None
    assert not (tmp_path / "imported").exists()


def test_a_descriptor_that_the_agent_was_started_with_can_be_named_in_the_configuration(
    tmp_path: Path,
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of-a-descriptor")
    descriptor = os.open(secret, os.O_RDONLY)
    try:
        kept = INLET.replace("token: ${THE_TOKEN}", f"token_file: /dev/fd/{descriptor}")
        with pytest.raises(ConfigError, match="token_file"):
            load_apart(written(tmp_path, kept), overrides=NOTHING)
        os.set_inheritable(descriptor, True)
        assert load_apart(written(tmp_path, kept), overrides=NOTHING).inlet is not None
    finally:
        os.close(descriptor)


def test_reading_leaves_neither_a_process_nor_a_descriptor(tmp_path: Path) -> None:
    path = written(tmp_path)
    before = len([*Path("/proc/self/fd").iterdir()])
    for _ in range(3):
        ReadApart(path, NOTHING).config()
    assert len([*Path("/proc/self/fd").iterdir()]) == before
    assert no_other_process()
