"""Going on where an earlier run had got to, in whichever file that is by now."""

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from agent.record import Position
from agent.sources.resuming import identity_of
from agent.store.positions import SavedPosition
from sources.tail.following import Books, append, followed, numbered, text


async def test_f21_nothing_comes_twice_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    books = Books()
    for first in range(0, 100, 10):
        append(path, text(numbered(first, 10)))
        async with followed(books, path):
            await books.have(*numbered(0, first + 10))
    assert books.by_stream == {str(path): numbered(0, 100)}


async def test_f24_files_rotated_while_nobody_looked_are_all_read_in_order(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.log"
    lines = numbered(1, 400)
    books = Books()
    path.write_bytes(text(lines[:50]))
    async with followed(books, tmp_path / "app.log*"):
        await books.have(*lines[:50])
    append(path, text(lines[50:100]))
    for rotation in (1, 2, 3):
        for number in range(rotation - 1, 0, -1):
            (tmp_path / f"app.log.{number}").rename(tmp_path / f"app.log.{number + 1}")
        path.rename(tmp_path / "app.log.1")
        path.write_bytes(text(lines[rotation * 100 : rotation * 100 + 100]))
        os.utime(path, (rotation, rotation))
    os.utime(tmp_path / "app.log.3", (0, 0))
    async with followed(books, tmp_path / "app.log*"):
        await books.until(lambda: len(books.lines) == 400)
    in_order = [line for name in dict.fromkeys(books.order) for line in books.by_stream[name]]
    assert in_order == lines
    assert books.by_stream[str(path)] == lines[:100]


async def test_f24_a_file_renamed_to_what_no_pattern_means_is_found_beside_and_read_on(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.log"
    lines = numbered(1, 30)
    books = Books()
    path.write_bytes(text(lines[:10]))
    async with followed(books, path):
        await books.have(*lines[:10])
    append(path, text(lines[10:20]))
    path.rename(tmp_path / "saved.old")
    path.write_bytes(text(lines[20:]))
    async with followed(books, path):
        await books.have(*lines)
        await books.until(lambda: books.streams[1].is_left is not None)
    assert books.by_stream == {str(path): lines[:20], f"{path}#2": lines[20:]}


async def test_f12_a_file_that_shrank_below_the_place_reached_is_read_whole(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(text(numbered(1, 50)))
    books = Books()
    async with followed(books, path):
        await books.have(*numbered(1, 50))
    path.write_bytes(text(numbered(100, 3)))
    async with followed(books, path):
        await books.have(*numbered(1, 50), *numbered(100, 3))


async def test_where_reading_had_got_to_in_a_file_long_gone_is_forgotten(tmp_path: Path) -> None:
    books = Books()
    for name in ("gone", "idle", "lately"):
        (tmp_path / f"{name}.log").write_bytes(text(numbered(1, 2)))
    async with followed(books, tmp_path / "*.log"):
        await books.until(lambda: len(books.lines) == 6)
    for name, age in (("gone", 31), ("idle", 31), ("lately", 29)):
        stream = str(tmp_path / f"{name}.log")
        books.saved[stream] = replace(books.saved[stream], saved_at=time.time() - age * 86400)
    (tmp_path / "gone.log").unlink()
    (tmp_path / "lately.log").unlink()
    async with followed(books, tmp_path / "*.log"):
        await books.until(lambda: str(tmp_path / "gone.log") not in books.saved)
    assert sorted(books.saved) == [str(tmp_path / "idle.log"), str(tmp_path / "lately.log")]
    assert len(books.lines) == 6


async def test_files_of_equal_beginning_are_told_apart(tmp_path: Path) -> None:
    head = text(numbered(0, 30, pad=100))  # more than is looked at
    books = Books()
    for name in "abc":
        (tmp_path / f"{name}.log").write_bytes(head)
    async with followed(books, tmp_path / "*.log"):
        await books.until(lambda: len(books.lines) == 90)
    for number, name in enumerate("abc"):
        append(tmp_path / f"{name}.log", text(numbered(100 + number, 1)))
    (tmp_path / "b.log").rename(tmp_path / "d.log")
    async with followed(books, tmp_path / "*.log"):
        await books.until(lambda: len(books.lines) == 93)
        await asyncio.sleep(0.1)
    assert len(books.lines) == 93
    assert books.by_stream[str(tmp_path / "b.log")][-1] == numbered(101, 1)[0]


async def test_a_file_that_got_another_inode_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(text(numbered(1, 50)))
    books = Books()
    async with followed(books, path):
        await books.have(*numbered(1, 50))
    path.rename(tmp_path / "backup")
    path.write_bytes((tmp_path / "backup").read_bytes() + text(numbered(51, 5)))
    (tmp_path / "backup").unlink()
    async with followed(books, path):
        await books.have(*numbered(1, 55))


@pytest.mark.parametrize("has_end", [True, False])
async def test_positions_of_earlier_releases_are_understood(tmp_path: Path, has_end: bool) -> None:
    path = tmp_path / "app.log"
    content = text(numbered(1, 5))
    path.write_bytes(content if has_end else content[:-1])
    books = Books()
    books.names.add(str(path))
    books.saved[str(path)] = SavedPosition(Position(6, len(content)), identity_of(str(path)))
    async with followed(books, path):
        append(path, (b"" if has_end else b"\n") + text(numbered(6, 2)))
        await books.have(*numbered(6, 2))
    assert books.by_stream == {str(path): numbered(6, 2)}


@pytest.mark.parametrize(
    ("start", "expected"), [("beginning", numbered(1, 12)), ("end", numbered(10, 3))]
)
async def test_start_says_where_files_of_the_first_start_begin(
    tmp_path: Path, start: str, expected: list[bytes]
) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(text(numbered(1, 9)) + b'{"n":10,')
    books = Books()
    async with followed(books, tmp_path / "*.log", from_end=start == "end"):
        await books.until(lambda: str(path) in books.saved)
        append(path, b'"pad":""}\n')
        await books.until(lambda: numbered(10, 1)[0] in books.lines)
    append(path, text(numbered(11, 1)))
    (tmp_path / "later.log").write_bytes(text(numbered(12, 1)))
    async with followed(books, tmp_path / "*.log", from_end=start == "end"):
        await books.have(*expected)


async def test_a_first_start_that_found_nothing_was_the_first(tmp_path: Path) -> None:
    books = Books()
    async with followed(books, tmp_path / "*.log", from_end=True):
        await asyncio.sleep(0.1)
    (tmp_path / "app.log").write_bytes(text(numbered(1, 3)))
    async with followed(books, tmp_path / "*.log", from_end=True):
        await books.have(*numbered(1, 3))


async def test_old_files_are_left_out_until_they_are_written_to(tmp_path: Path) -> None:
    old, new = tmp_path / "old.log", tmp_path / "new.log"
    old.write_bytes(text(numbered(1, 3)))
    new.write_bytes(text(numbered(10, 3)))
    os.utime(old, (1_000_000, 1_000_000))
    books = Books()
    async with followed(books, tmp_path / "*.log", ignore_older=3600.0):
        await books.have(*numbered(10, 3))
        append(old, text(numbered(4, 1)))
        await books.have(*numbered(10, 3), *numbered(1, 4))
    os.utime(old, (1_000_000, 1_000_000))
    async with followed(books, tmp_path / "*.log", ignore_older=3600.0):
        await asyncio.sleep(0.1)
    assert len(books.lines) == 7


async def test_f17_what_holds_no_records_is_passed_for_good(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b"\n \n\n")
    books = Books()
    async with followed(books, path):
        await books.until(lambda: bool(books.streams) and books.streams[0].position.line == 4)
    assert books.saved[str(path)].position == Position(4, 4)
