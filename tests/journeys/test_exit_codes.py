"""The exit code and the last words tell a script, and a person, what to do next."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.agent import Finished, aep_agent
from support.emulator import RunningEmulator
from support.records import lines, orders

Send = Callable[..., Finished]


def test_all_accepted_is_0(send: Send, emulator: RunningEmulator) -> None:
    done = send(emulator, "-", stdin=lines(orders(3)))

    assert (done.code, done.stderr) == (0, b"")
    assert done.summary["accepted"] == 3


def test_a_dead_letter_is_3_and_the_report_says_where_to_look(
    emulator: RunningEmulator, data_dir: Path
) -> None:
    target = ["--inlet-url", emulator.inlet_url, "--flow-id", emulator.flow_id]
    done = aep_agent("send", *target, "--data-dir", data_dir, stdin=b'{"a":1}\nnonsense\n')

    assert done.code == 3
    assert b"2 records read, 1 accepted, 1 dead-lettered" in done.stdout
    assert b"1 invalid json" in done.stdout
    assert b"aep-agent dead-letters list" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "inlet.url"),
        (["--set", "batch.max_byts=1", "--inlet-url", "ftp://h"], "did you mean max_bytes"),
        (["--config", "no-such-file.yaml"], "no-such-file.yaml"),
    ],
)
def test_a_wrong_configuration_is_78_and_says_what_to_write(
    arguments: list[str], words: str, tmp_path: Path
) -> None:
    done = aep_agent("send", *arguments, "--data-dir", tmp_path, "-", stdin=b'{"a":1}\n')

    assert done.code == 78
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""


def test_a_missing_file_is_78_before_anything_is_sent(
    send: Send, emulator: RunningEmulator, tmp_path: Path
) -> None:
    (tmp_path / "there.ndjson").write_bytes(lines(orders(2)))
    done = send(emulator, tmp_path / "there.ndjson", tmp_path / "gone.ndjson", tmp_path / "*.gz")

    assert done.code == 78
    assert "gone.ndjson: No such file" in done.stderr.decode()
    assert "*.gz: no file matches this pattern" in done.stderr.decode()
    assert emulator.stats()["requests"] == 0


@pytest.mark.parametrize("arguments", [["sned"], ["send", "--no-such-flag"]])
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    done = aep_agent(*arguments)

    assert done.code == 2
    assert b"usage: aep-agent" in done.stderr


def test_a_store_that_cannot_be_made_is_1_and_says_what_to_do(
    send: Send, emulator: RunningEmulator, data_dir: Path
) -> None:
    data_dir.write_bytes(b"a file in the way")
    done = send(emulator, "-", stdin=lines(orders(1)))

    assert done.code == 1
    assert "--data-dir" in done.stderr.decode()
    assert emulator.stats()["requests"] == 0
