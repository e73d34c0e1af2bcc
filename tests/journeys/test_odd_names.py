"""Files may be called anything, and terminals may not know every letter."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from support.accounts import accounted_for
from support.agent import Finished, aep_agent
from support.emulator import RunningEmulator
from support.records import lines, orders

Send = Callable[..., Finished]


def test_a_name_that_is_not_text_is_read_and_told_with_escapes(
    send: Send, emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.json")).write_bytes(lines([*orders(3), b"nonsense"]))
    done = send(emulator, tmp_path / "*.json")

    assert done.code == 3, done.stderr
    assert [name.encode("utf-8", "surrogateescape") for name in done.summary["safe_positions"]] == [
        os.fsencode(tmp_path) + b"/caf\xe9.json"
    ]
    stored_as = f"{tmp_path}/caf\\udce9.json"
    accounted_for({stored_as: [*orders(3), b"nonsense"]}, emulator, data_dir)


@pytest.mark.parametrize("how", ["--json", "--set=log.format=console"])
def test_a_terminal_without_the_letters_of_a_name_costs_no_record(
    how: str,
    emulator: RunningEmulator,
    tmp_path: Path,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii:strict")
    file = tmp_path / "東京.json"
    file.write_bytes(lines(orders(3)) + b"\x1f\x8b")
    broken = tmp_path / "zürich.json.gz"
    broken.write_bytes(b"\x1f\x8b no gzip")
    target = ["--inlet-url", emulator.inlet_url, "--flow-id", emulator.flow_id]
    done = aep_agent("send", *target, how, "--data-dir", data_dir, file, broken)

    assert done.code == 1, done.stderr
    assert b"the gzip file is damaged" in done.stdout
    accounted_for({str(file): [*orders(3), b"\x1f\x8b"]}, emulator, data_dir)
