"""Files that are cut to nothing and written on, after they were copied or not."""

import asyncio
import os
from pathlib import Path

import pytest

from agent.sources.tail import hints
from sources.tail.following import Books, append, followed, numbered, text


def cut(path: Path, size: int = 0) -> None:
    os.truncate(path, size)


async def test_f11_a_file_that_was_cut_is_read_on(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    books = Books()
    async with followed(books, path):
        for round_ in range(4):
            lines = numbered(round_ * 10, 10 - round_)
            append(path, text(lines))
            await books.until(lambda lines=lines: lines[-1] in books.lines)
            cut(path)
        await books.until(lambda: books.meters.files_truncated.value("files") == 4)
    assert len(books.lines) == 10 + 9 + 8 + 7
    assert books.lost() == 0


async def test_f03_f04_a_file_that_was_cut_and_grew_beyond_the_place_reached_is_noticed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.log"
    lines = numbered(1, 10)
    path.write_bytes(text(lines))
    books = Books()
    async with followed(books, path, poll=0.3):
        await books.have(*lines)
        with path.open("wb") as file:  # at once, so that nobody sees it shrink
            file.write(text(numbered(100, 400)))
        await books.have(*lines, *numbered(100, 400))


@pytest.mark.parametrize("count", [0, 3, 10, 400])
async def test_f03_a_file_cut_while_nobody_looked_is_read_from_its_beginning(
    tmp_path: Path, count: int
) -> None:
    path = tmp_path / "app.log"
    lines = numbered(1, 10)
    path.write_bytes(text(lines))
    books = Books()
    async with followed(books, path):
        await books.have(*lines)
    path.write_bytes(text(numbered(100, count)))
    async with followed(books, path):
        await asyncio.sleep(0.1)
        append(path, b'{"n":"last"}\n')
        await books.have(*lines, *numbered(100, count), b'{"n":"last"}')


async def test_f07_a_cut_is_remembered_and_nothing_comes_twice_after_a_restart(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.log"
    books = Books()
    path.write_bytes(text(numbered(1, 50)))
    async with followed(books, path):
        await books.have(*numbered(1, 50))
        cut(path)
        append(path, text(numbered(100, 5)))
        await books.have(*numbered(1, 50), *numbered(100, 5))
        await asyncio.sleep(0.5)  # the old stream is given up
    async with followed(books, path):
        append(path, text(numbered(200, 5)))
        await books.have(*numbered(1, 50), *numbered(100, 5), *numbered(200, 5))


async def test_what_was_not_read_of_a_file_that_was_cut_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    lines = numbered(1, 400, pad=10)
    path.write_bytes(text(lines[:10]))
    books = Books()
    async with followed(books, path):
        await books.have(*lines[:10])
        books.room.clear()
        append(path, text(lines[10:]))
        await books.until(lambda: books.meters.file_lag_bytes.value("files") > 5000)
        cut(path)
        append(path, b'{"n":"after"}\n')
        books.room.set()
        await books.until(lambda: b'{"n":"after"}' in books.lines and books.lost() > 0)
    read = len(text([line for line in books.lines if line != b'{"n":"after"}']))
    assert books.lost("truncated") == len(text(lines)) - read


async def test_f05_f27_a_copy_made_before_the_cut_is_read_on_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    path, copy = tmp_path / "app.log", tmp_path / "app.log.1"
    lines = numbered(1, 30)
    path.write_bytes(text(lines[:10]))
    books = Books()
    async with followed(books, tmp_path / "app.log*"):
        await books.have(*lines[:10])
        books.room.clear()
        append(path, text(lines[10:20]))
        copy.write_bytes(path.read_bytes())
        cut(path)
        append(path, text(lines[20:]))
        books.room.set()
        await books.have(*lines)
    assert books.by_stream == {str(path): lines[:20], f"{path}#2": lines[20:]}
    assert books.lost() == 0


async def test_f05_copying_and_cutting_again_and_again_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    lines = numbered(1, 400)
    books = Books()
    async with followed(books, tmp_path / "app.log*"):
        for at in range(0, 400, 40):
            for number in range(at // 40, 0, -1):
                (tmp_path / f"app.log.{number}").rename(tmp_path / f"app.log.{number + 1}")
            append(path, text(lines[at : at + 40]))
            (tmp_path / "app.log.1").write_bytes(path.read_bytes())
            cut(path)
            await asyncio.sleep(0.07)
        await books.have(*lines)


async def test_a_copy_takes_its_time_and_so_does_the_cut_after_it(tmp_path: Path) -> None:
    path, copy = tmp_path / "app.log", tmp_path / "app.log.1"
    lines = numbered(1, 200)
    path.write_bytes(text(lines))
    books = Books()
    async with followed(books, tmp_path / "app.log*"):
        await books.have(*lines)
        data = path.read_bytes()
        for at in range(0, len(data), 500):
            append(copy, data[at : at + 500])
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.1)
        cut(path)
        append(path, b'{"n":"after"}\n')
        await books.have(*lines, b'{"n":"after"}')
        await asyncio.sleep(0.5)
    assert len(books.lines) == 201
    assert books.lost() == 0


async def test_a_copy_that_was_finished_since_the_last_look_is_read_on_and_not_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "_MOST_WATCHES", 0)  # as where the kernel tells nothing
    path, copy = tmp_path / "app.log", tmp_path / "app.log.1"
    lines = numbered(1, 60, pad=100)
    path.write_bytes(text(lines[:20]))
    books = Books()
    async with followed(books, tmp_path / "app.log*", poll=0.5) as tail:
        await books.have(*lines[:20])
        books.room.clear()
        append(path, text(lines[20:40]))
        await books.until(lambda: tail.progress().read > len(text(lines[:20])))
        copy.write_bytes(text(lines[:15]))
        await books.until(lambda: tail.details()["files"] == 2)
        append(copy, text(lines[15:40]))
        cut(path)
        append(path, text(lines[40:]))
        books.room.set()
        await books.have(*lines)
    assert books.lost() == 0


async def test_a_copy_of_what_was_cut_while_nobody_looked_is_read_on(tmp_path: Path) -> None:
    path, copy = tmp_path / "app.log", tmp_path / "app.log.1"
    lines = numbered(1, 30)
    path.write_bytes(text(lines[:10]))
    books = Books()
    async with followed(books, tmp_path / "app.log*"):
        await books.have(*lines[:10])
    append(path, text(lines[10:20]))
    copy.write_bytes(path.read_bytes())
    cut(path)
    append(path, text(lines[20:]))
    async with followed(books, tmp_path / "app.log*"):
        await books.have(*lines)


async def test_two_files_of_equal_content_are_both_read(tmp_path: Path) -> None:
    """Nothing says that the second is a copy: the first is never cut."""
    books = Books()
    async with followed(books, tmp_path / "*.log*"):
        (tmp_path / "app.log").write_bytes(text(numbered(1, 10)))
        await books.have(*numbered(1, 10))
        (tmp_path / "app.log.1").write_bytes(text(numbered(1, 10)))
        (tmp_path / "other.log").write_bytes(text(numbered(1, 10)))
        await books.have(*[line for line in numbered(1, 10) for _ in range(3)])


async def test_a_file_of_equal_beginning_that_goes_on_otherwise_is_read_at_once(
    tmp_path: Path,
) -> None:
    head = text(numbered(1, 20, pad=100))
    books = Books()
    async with followed(books, tmp_path / "*.log*", copied=60.0):
        (tmp_path / "app.log").write_bytes(head)
        await books.until(lambda: len(books.lines) == 20)
        (tmp_path / "app.log.1").write_bytes(head + text(numbered(50, 5)))
        await books.until(lambda: len(books.lines) == 45)


async def test_a_file_of_equal_content_is_no_copy_where_its_name_is_no_rotated_one(
    tmp_path: Path,
) -> None:
    path, other = tmp_path / "orders1.log", tmp_path / "orders2.log"
    books = Books()
    async with followed(books, tmp_path / "*.log"):
        path.write_bytes(text(numbered(1, 10)))
        await books.have(*numbered(1, 10))
        cut(path)
        other.write_bytes(text(numbered(1, 12)))
        await books.have(*numbered(1, 10), *numbered(1, 12))


async def test_a_hole_left_by_a_writer_that_goes_on_where_it_was_is_passed_over(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.log"
    books = Books()
    with path.open("wb", buffering=0) as writer:
        writer.seek(3 << 30)  # a file of three gigabytes, of which nothing is there
        writer.write(text(numbered(1, 5)))
        async with followed(books, path):
            await books.have(*numbered(1, 5))
            cut(path)
            writer.write(text(numbered(10, 5)))
            await books.have(*numbered(1, 5), *numbered(10, 5))
    assert books.meters.file_skipped_bytes.value("files") > 6 << 30
    assert not any(stream.oversized for stream in books.streams)


async def test_nuls_where_lines_begin_are_passed_over_and_counted_others_are_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.log"
    content = b'{"n":1}\n' + b"\0" * 700 + b'{"n":2}\n\0\0{"n":3}\n{"n":"\0"}\n{"n":5}\n'
    path.write_bytes(content)
    books = Books()
    async with followed(books, path):
        await books.have(b'{"n":1}', b'{"n":2}', b'{"n":3}', b'{"n":"\0"}', b'{"n":5}')
    assert books.meters.file_skipped_bytes.value("files") == 702
    assert books.saved[str(path)].position.offset == len(content)
    assert books.saved[str(path)].position.line == 6


async def test_space_that_was_allocated_in_advance_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(text(numbered(1, 3)) + b"\0" * 100_000)
    end = len(text(numbered(1, 3)))
    books = Books()
    async with followed(books, path):
        await books.have(*numbered(1, 3))
        await asyncio.sleep(0.1)
        with path.open("r+b") as file:
            file.seek(end)
            file.write(text(numbered(4, 3)))
        await books.have(*numbered(1, 6))
    assert books.meters.file_skipped_bytes.value("files") == 0


async def test_a_cut_is_noticed_though_what_the_file_has_grown_to_ends_alike_at_the_place_reached(
    tmp_path: Path,
) -> None:
    """Lines of one length whose last 64 bytes never differ: only the first bytes tell."""
    path = tmp_path / "app.log"
    lines, others = numbered(100, 10, pad=100), numbered(200, 40, pad=100)
    path.write_bytes(text(lines))
    books = Books()
    async with followed(books, path, poll=0.3):
        await books.have(*lines)
        path.write_bytes(text(others))  # at once, so that nobody sees it shrink
        await books.have(*lines, *others)


async def test_a_file_that_was_seen_to_shrink_is_read_anew_though_all_its_lines_are_the_same(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.log"
    line = b'{"is":"up"}'
    append(path, text([line] * 10))
    books = Books()
    books.room.clear()
    async with followed(books, path) as tail:
        await books.until(lambda: tail.progress().read == len(text([line] * 10)))
        cut(path)
        await books.until(lambda: tail.progress().read == 0)
        append(path, text([line] * 30))
        books.room.set()
        await books.have(*[line] * 40)


async def test_a_file_that_was_cut_and_has_its_former_size_and_time_again_is_read_anew(
    tmp_path: Path,
) -> None:
    """As where both happens within a tick of the clock that the kernel stamps files with."""
    path = tmp_path / "app.log"
    path.write_bytes(text(numbered(10, 5)))
    books = Books()
    async with followed(books, path, poll=0.3):
        await books.have(*numbered(10, 5))
        before = path.stat()
        path.write_bytes(text(numbered(20, 5)))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        await books.have(*numbered(10, 5), *numbered(20, 5))
