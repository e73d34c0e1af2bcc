from dataclasses import replace
from pathlib import Path

import pytest

from agent.app.summary import Snapshot
from agent.cli.report import report
from agent.record import Position

FINE = Snapshot(
    read=12_345,
    accepted=12_345,
    dead_lettered={},
    bytes_read=40_000_000,
    input_done=1,
    input_total=1,
    seconds=2.04,
    cpu_seconds=0.5,
    state="ready",
    safe={"stdin": Position(12_346, 40_000_000)},
    unreadable=(),
    interrupted=False,
)


def test_where_all_is_fine_two_lines_are_enough() -> None:
    assert report(FINE).splitlines() == [
        "12,345 records read, 12,345 accepted, 0 dead-lettered, 0 without an answer",
        "2.0 s, 6,051 records/s, 80 MB of input per CPU-second",
    ]


def test_dead_letters_come_with_their_reasons_and_where_to_look() -> None:
    done = replace(FINE, accepted=11_000, dead_lettered={"invalid_json": 345, "rejected": 1000})
    lines = report(done).splitlines()
    assert "1,345 dead-lettered" in lines[0]
    assert lines[1:3] == ["  1,000 rejected", "  345 invalid json"]
    assert lines[-1] == "why, record by record: aep-agent dead-letters list"


def test_what_is_held_comes_with_the_place_to_go_on_from(tmp_path: Path) -> None:
    path = tmp_path / "a file's name"
    path.write_bytes(b"{}\n")
    safe = {"stdin": Position(5, 80), str(path): Position(1201, 9000)}
    done = replace(FINE, accepted=12_000, safe=safe, interrupted=True)
    lines = report(done).splitlines()
    assert "345 without an answer" in lines[0]
    assert lines[-3] == "everything before these lines has its verdict:"
    assert lines[-2] == "  stdin: line 5"
    assert f"  {path}: line 1201" in lines[-1]
    assert "tail -n +1201 " in lines[-1]


def test_the_words_that_go_on_can_be_given_to_a_shell(tmp_path: Path) -> None:
    path = tmp_path / "it's here; rm -rf nothing"
    path.write_bytes(b"{}\n")
    done = replace(FINE, accepted=1, safe={str(path): Position(2, 3)})
    assert "rm -rf nothing'" in report(done)
    assert f"tail -n +2 {path}" not in report(done)


@pytest.mark.parametrize("accepted", [12_345, 12_000])
def test_sources_that_failed_are_named_whatever_else_there_is(accepted: int) -> None:
    done = replace(FINE, accepted=accepted, unreadable=("b.gz: cut short", "c: is gone"))
    lines = report(done).splitlines()
    assert "not read to the end: b.gz: cut short" in lines
    assert "not read to the end: c: is gone" in lines


def test_a_flow_that_takes_nothing_is_asked_about_but_broken_input_is_not_blamed_on_it() -> None:
    refused = report(replace(FINE, accepted=0, dead_lettered={"rejected": 10}, read=10))
    broken = report(replace(FINE, accepted=0, dead_lettered={"invalid_json": 10}, read=10))
    assert "nothing was accepted" in refused
    assert "nothing was accepted" not in broken


def test_a_name_of_a_file_plays_no_tricks_on_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[2J\nname"
    path.write_bytes(b"{}\n")
    safe = {str(path): Position(2, 3)}
    told = report(replace(FINE, accepted=1, safe=safe, unreadable=(f"{path}: gone",)))
    assert "\x1b" not in told
    assert f"  {tmp_path}/a\\x1b[2J\\nname: line 2" in told.splitlines()
