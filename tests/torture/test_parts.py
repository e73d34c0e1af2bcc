"""The oracle's own parts: a script that repeats, lines that differ, positions that are compared."""

import json
import sqlite3
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from agent.record import Position
from torture import crashing
from torture.feeding import Upstream
from torture.minting import Kind, Mint
from torture.points import POINTS
from torture.script import round_of, rounds
from torture.streams import Pushed, Stream


def test_a_seed_decides_the_whole_script() -> None:
    assert [*islice(rounds(5), 8)] == [round_of(5, number) for number in range(1, 9)]
    assert round_of(5, 1) != round_of(6, 1)
    assert len({written.ill for written in islice(rounds(5), 8)}) == 4


def test_all_crash_points_are_met_with_in_a_long_script() -> None:
    lives = [life for written in islice(rounds(5), 20) for life in written.lives]
    assert {name for life in lives for name, _, _ in life.ending.points} == POINTS.keys()
    assert len(POINTS) >= 20


@pytest.mark.parametrize("name", list(POINTS))
def test_each_crash_point_is_where_the_product_has_it(name: str) -> None:
    target = POINTS[name].target
    if not target.startswith("sqlite:"):
        owner, attribute = crashing.found(target)
        assert callable(getattr(owner, attribute))


@pytest.mark.parametrize(("when", "dies_after"), [("before", 2), ("after", 3)])
def test_a_bomb_goes_off_around_its_call(
    when: str, dies_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die() -> None:
        raise SystemExit

    monkeypatch.setattr(crashing, "die", die)
    calls: list[int] = []
    function = crashing.wrapped(calls.append, crashing.Bomb(3, when))
    function(1)
    function(2)
    with pytest.raises(SystemExit):
        function(3)
    assert len(calls) == dies_after


def test_statements_are_refused_as_a_disk_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "connect", sqlite3.connect)  # put back at the end
    crashing.lay([], [("SELECT 1", 2, 1, sqlite3.SQLITE_IOERR)])
    connection = sqlite3.connect(":memory:")
    connection.execute("SELECT 1")
    with pytest.raises(sqlite3.OperationalError) as refused:
        connection.execute("SELECT 1")
    assert refused.value.sqlite_errorcode == sqlite3.SQLITE_IOERR
    assert connection.execute("SELECT 1").fetchone() == (1,)
    connection.close()


def test_the_clock_is_off_from_its_step_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", time.time)
    monkeypatch.setattr(time, "time_ns", time.time_ns)
    true = time.time()
    crashing.set_clock([(0.0, 3600.0), (1e9, -86400.0)])
    assert 3590 < time.time() - true < 3700
    assert 3590 < time.time_ns() / 1e9 - true < 3700


def test_lines_differ_and_are_what_they_are_said_to_be() -> None:
    mint = Mint(3, 1)
    lines = mint.lines(1500) + mint.lines(1500)
    assert len(set(lines)) == len(mint.minted) == 3000
    assert {len(line) > 5000 for line in lines} == {True, False}
    assert {mint.minted[line] for line in lines} == {*Kind}
    for line, kind in mint.minted.items():
        assert b"\n" not in line
        if kind is not Kind.BROKEN:
            assert isinstance(json.loads(line), dict)
    assert Mint(3, 1).lines(1500) == lines[:1500]


@pytest.fixture
def pipe() -> Stream:
    pipe = Stream("stdin")
    pipe.pending = [b"one", b"four", b"seven"]
    return pipe


def test_what_is_not_safe_is_written_again(pipe: Stream) -> None:
    assert [*pipe.note(3, Position(2, 4), stopped=False)] == []
    assert pipe.pending == [b"four", b"seven"]
    assert [*pipe.note(2, None, stopped=False)] == []
    assert pipe.pending == [b"four", b"seven"]
    assert (pipe.fed_again, pipe.offered[b"four"]) == (2, 2)


def test_a_line_that_a_stop_cut_in_two_is_written_again(pipe: Stream) -> None:
    assert [*pipe.note(3, Position(3, 7), stopped=True)] == []
    assert pipe.pending == [b"four", b"seven"]
    assert pipe.cut == {b"four"}


@pytest.mark.parametrize("place", [Position(2, 5), Position(3, 4), Position(4, 15)])
def test_a_position_where_no_line_begins_is_a_finding(pipe: Stream, place: Position) -> None:
    assert [*pipe.note(2, place, stopped=False)]


def test_the_lines_of_a_socket_are_numbered_over_all_lives() -> None:
    tcp = Stream("tcp", numbers_on=True)
    tcp.pending = [b"one", b"four", b"seven"]
    assert [*tcp.note(3, Position(2, 4), stopped=False)] == []
    tcp.number_on(Position(4, 15))  # it had been read to its end, and was safe for a third
    assert [*tcp.note(2, Position(5, 20), stopped=False)] == []
    tcp.number_on(Position(5, 20))
    assert (tcp.pending, tcp.last_line()) == ([b"seven"], 6)
    assert [*tcp.note(1, Position(5, 21), stopped=False)]


def test_what_was_answered_is_never_posted_again() -> None:
    pushed = Pushed("http")
    pushed.pending = [b"one", b"four", b"seven"]
    pushed.note_answered(3, 2)
    assert (pushed.pending, pushed.fed_again) == ([b"seven"], 0)


def test_positions_in_files_are_compared_with_the_files(tmp_path: Path) -> None:
    upstream = Upstream(Mint(1, 1), tmp_path / "input")
    life = replace(round_of(1, 1).lives[0], file_lines=3, file_kind="gzip")
    upstream.provide(life)
    path, content = next(iter(upstream._contents.items()))
    second = content.index(b"\n") + 1
    assert not [*upstream.check({path: (Position(2, second), 1)})]
    assert [*upstream.check({path: (Position(3, second), 1)})]
    assert [*upstream.check({path: (Position(2, second - 1), 1)})]
