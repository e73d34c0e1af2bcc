import os
import pty
import re
import select
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from agent.app.summary import Snapshot
from agent.cli.progress import Rate, line, settled_part
from support.agent import send_arguments
from support.emulator import RunningEmulator

BEGUN = Snapshot(
    read=0,
    accepted=0,
    dead_lettered={},
    bytes_read=0,
    input_done=0,
    input_total=1000,
    seconds=0.0,
    cpu_seconds=0.0,
    state="ready",
    safe={},
    unreadable=(),
    interrupted=False,
)


def at(seconds: float, accepted: int, **more: object) -> Snapshot:
    return replace(
        BEGUN, seconds=seconds, read=accepted, accepted=accepted, input_done=accepted, **more
    )


def rate_of(*looks: Snapshot) -> Rate:
    rate = Rate()
    for look in looks:
        rate.look(look)
    return rate


def test_the_rate_counts_verdicts_a_second() -> None:
    looks = (
        at(0, 0),
        at(1, 60, dead_lettered={"rejected": 30}),
        at(2, 100, dead_lettered={"x": 100}),
    )
    assert rate_of(*looks).records_per_second == 100


def test_who_pressed_ctrl_c_is_told_that_it_stops_and_not_when_all_would_be_sent() -> None:
    going, stopping = at(2, 200), at(2, 200, interrupted=True)
    rate = rate_of(at(0, 0), at(1, 100), going)
    assert line(going, rate).endswith(" · 8 s left")
    assert line(stopping, rate) == (
        "stopping, Ctrl-C again ends it at once · 200 accepted · 100 records/s"
    )


def test_nobody_knows_a_rate_after_one_look_or_none() -> None:
    assert rate_of().records_per_second == 0
    assert rate_of(at(3, 500)).records_per_second == 0
    assert rate_of(at(3, 500), at(3, 600)).records_per_second == 0
    assert rate_of(at(3, 500)).seconds_left(at(3, 500)) is None


@pytest.mark.parametrize("between", [0.1, 1.0, 5.0, 20.0])
def test_the_rate_is_that_of_the_last_seconds_however_often_one_looks(between: float) -> None:
    rate = Rate()
    accepted = 0.0
    for look in range(400):
        accepted += between * (1000 if look < 300 else 50)  # it was fast, and became slow
        rate.look(at(look * between, int(accepted), input_total=None))
    assert rate.records_per_second == pytest.approx(50, rel=0.05)


def test_what_is_left_takes_as_long_at_the_same_pace() -> None:
    rate = rate_of(at(0, 0), at(2, 200))
    assert rate.seconds_left(at(2, 200)) == pytest.approx(8)
    assert rate.seconds_left(at(10, 1000)) == pytest.approx(0)


def test_nobody_knows_when_a_pipe_ends() -> None:
    piped = replace(at(2, 200), input_total=None)
    assert settled_part(piped) is None
    assert rate_of(at(0, 0), piped).seconds_left(piped) is None


def test_what_is_read_without_an_answer_is_not_done() -> None:
    assert settled_part(replace(at(1, 250), read=500, input_done=500)) == 0.25
    assert settled_part(at(1, 0)) == 0
    assert settled_part(replace(at(1, 10), input_total=0)) == 1


def test_the_line_says_how_things_are() -> None:
    rate = rate_of(at(0, 0), at(1, 100))
    assert line(at(1, 100), rate) == "100 accepted · 100 records/s · 9 s left"


def test_the_line_names_only_what_there_is() -> None:
    now = replace(
        at(1, 1_234_567, dead_lettered={"rejected": 2000}),
        read=1_240_000,
        input_total=None,
        state="throttled",
    )
    assert line(now, rate_of(now)) == (
        "inlet throttled, waiting · 1,234,567 accepted · 2,000 dead-lettered"
        " · 3,433 on their way · 0 records/s"
    )


@pytest.mark.parametrize(
    ("pace", "words"), [(1, "16 min 39 s left"), (0.1, "2 h 46 min left"), (999, "1 s left")]
)
def test_long_waits_are_told_in_minutes_and_hours(pace: float, words: str) -> None:
    now = replace(at(0, 1), input_done=1)
    rate = Rate()
    rate.look(replace(now, seconds=0.0, accepted=0, read=1))
    rate.look(replace(now, seconds=1 / pace))
    assert line(now, rate).endswith(words)


def test_a_terminal_shows_a_line_that_moves_and_then_the_report(tmp_path: Path) -> None:
    source = tmp_path / "orders"
    source.write_bytes(b'{"a":1}\n' * 500)
    master, slave = pty.openpty()
    with RunningEmulator(faults=[{"delay": 0.5}]) as emulator:
        arguments = send_arguments(emulator, tmp_path / "data", source)
        arguments.remove("--json")
        with subprocess.Popen(
            [sys.executable, "-m", "agent", *arguments],
            stdout=subprocess.PIPE,
            stderr=slave,
            env={**os.environ, "COLUMNS": "120", "TERM": "xterm"},
        ) as process:
            os.close(slave)
            shown = _shown(master)
            assert process.stdout
            report = process.stdout.read().decode()
    os.close(master)
    assert process.returncode == 0, shown
    assert re.search(r"500 on their way · \d+ records/s", shown)
    assert "500 records read, 500 accepted, 0 dead-lettered" in report
    assert "\x1b" not in report


def _shown(terminal: int) -> str:
    """Everything a program writes to its terminal until it ends."""
    shown = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                shown += os.read(terminal, 65_536)
            except OSError:  # nobody has it open any more
                break
    return shown.decode()
