"""Files that grow and are renamed or removed while they are read."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from agent.record import Position
from sources.tail.following import Books, append, followed, numbered, text


async def test_a_file_is_read_and_what_is_added_to_it_too(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    lines = numbered(1, 500)
    path.write_bytes(text(lines[:200]))
    books = Books()
    async with followed(books, path):
        await books.have(*lines[:200])
        append(path, text(lines[200:]))
        await books.have(*lines)
    assert books.by_stream == {str(path): lines}


async def test_positions_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    lines = numbered(1, 50, pad=90)
    books = Books()
    async with followed(books, path):
        for line in lines:
            append(path, line + b"\n")
        await books.have(*lines)
    assert books.saved[str(path)].position == Position(51, path.stat().st_size)
    assert [place.line for place in books.streams[0].places] == [*range(1, 51)]


async def test_a_pattern_that_means_nothing_yet_is_no_error(tmp_path: Path) -> None:
    books = Books()
    async with followed(books, tmp_path / "later" / "*.log", tmp_path / "missing.log") as tail:
        await asyncio.sleep(0.1)
        assert tail.details()["not_read"] == {
            str(tmp_path / "missing.log"): "there is no such file yet"
        }
        (tmp_path / "later").mkdir()
        (tmp_path / "later" / "app.log").write_bytes(b'{"n":1}\n')
        await books.have(b'{"n":1}')
        (tmp_path / "missing.log").write_bytes(b'{"n":2}\n')
        await books.have(b'{"n":1}', b'{"n":2}')
        await books.until(lambda: tail.details()["not_read"] == {})


async def test_a_file_renamed_while_it_is_read_is_read_on_and_the_new_one_too(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.log"
    lines = numbered(1, 30)
    path.write_bytes(text(lines[:10]))
    books = Books()
    async with followed(books, path):
        await books.have(*lines[:10])
        rotated = path.rename(tmp_path / "app.log.1")
        path.write_bytes(text(lines[20:]))
        append(rotated, text(lines[10:20]))  # by a writer that has it open still
        await books.have(*lines)
        await books.until(lambda: books.streams[0].is_left is not None)
    assert books.by_stream == {str(path): lines[:20], f"{path}#2": lines[20:]}
    assert books.streams[0].is_left is False, "it is there: should a pattern mean it, it is known"
    assert books.lost() == 0


async def test_a_renamed_file_that_a_pattern_means_keeps_its_stream(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    lines = numbered(1, 40)
    path.write_bytes(text(lines[:10]))
    books = Books()
    async with followed(books, tmp_path / "app.log*"):
        await books.have(*lines[:10])
        path.rename(tmp_path / "app.log.1")
        path.write_bytes(text(lines[10:20]))
        await books.have(*lines[:20])
        (tmp_path / "app.log.1").rename(tmp_path / "app.log.2")
        path.rename(tmp_path / "app.log.1")
        path.write_bytes(text(lines[20:30]))
        append(tmp_path / "app.log.2", text(lines[30:]))
        await books.have(*lines)
    assert books.by_stream == {
        str(path): lines[:10] + lines[30:],
        f"{path}#2": lines[10:20],
        f"{path}#3": lines[20:30],
    }


async def test_f08_a_file_removed_before_it_was_read_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    lines = numbered(1, 300, pad=50)
    books = Books()
    books.room.clear()  # the reader is held up
    async with followed(books, path):
        path.write_bytes(text(lines))
        await asyncio.sleep(0.2)
        path.unlink()
        await asyncio.sleep(0.5)
        books.room.set()
        await books.have(*lines)
        await books.until(lambda: books.streams[0].is_left is not None)
    assert books.streams[0].is_left, "its position has no more use"
    assert books.lost() == 0


async def test_f01_a_file_that_gets_the_inode_of_a_removed_one_is_read_whole(
    tmp_path: Path,
) -> None:
    """The row of the old file says the same device and inode, and a place within the new one."""
    path = tmp_path / "app.log"
    path.write_bytes(text(numbered(1, 10)))
    books = Books()
    async with followed(books, path):
        await books.have(*numbered(1, 10))
    path.write_bytes(text(numbered(101, 90)))  # the same inode, other bytes
    async with followed(books, path):
        await books.have(*numbered(1, 10), *numbered(101, 90))
    assert books.by_stream[f"{path}#2"] == numbered(101, 90)


async def test_f01_removed_and_made_again_with_equal_content_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    books = Books()
    async with followed(books, path):
        for count in range(1, 4):
            path.write_bytes(b'{"n":1}\n')
            await books.until(lambda count=count: len(books.lines) == count)
            path.unlink()
            await books.until(lambda: books.streams[-1].is_left is not None)


async def test_f25_another_file_under_a_symlink_is_another_stream(tmp_path: Path) -> None:
    link = tmp_path / "current.log"
    lines = numbered(1, 20)
    (tmp_path / "a").write_bytes(text(lines[:5]))
    (tmp_path / "b").write_bytes(text(lines[10:]))
    link.symlink_to("a")
    books = Books()
    async with followed(books, link):
        await books.have(*lines[:5])
        (tmp_path / "next").symlink_to("b")
        (tmp_path / "next").rename(link)
        append(tmp_path / "a", text(lines[5:10]))
        await books.have(*lines)
    assert books.by_stream == {str(link): lines[:10], f"{link}#2": lines[10:]}


async def test_f25_a_writer_that_keeps_a_rotated_file_open_is_read_until_it_is_silent(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.log"
    lines = numbered(1, 30)
    books = Books()
    with path.open("ab", buffering=0) as writer:
        writer.write(text(lines[:1]))
        async with followed(books, path):
            await books.have(*lines[:1])
            path.rename(tmp_path / "gone")
            (tmp_path / "gone").unlink()
            path.write_bytes(b"")
            for line in lines[1:]:
                writer.write(line + b"\n")
                await asyncio.sleep(0.02)
            await books.have(*lines)
    assert books.lost() == 0


async def test_f25_a_file_that_may_not_be_read_for_a_while_is_read_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b'{"n":1}\n')
    opened, forbidden = os.open, [True]

    def refused(name: str, flags: int, *rest: int) -> int:
        if name == str(path) and forbidden[0]:
            raise PermissionError(13, "Permission denied")
        return opened(name, flags, *rest)

    monkeypatch.setattr("agent.sources.tail.keeping.os.open", refused)
    books = Books()
    async with followed(books, path) as tail:
        await books.until(lambda: tail.details()["not_read"] == {str(path): "Permission denied"})
        forbidden[0] = False
        await books.have(b'{"n":1}')
        append(path, b'{"n":2}\n')
        await books.have(b'{"n":1}', b'{"n":2}')
        await books.until(lambda: tail.details()["not_read"] == {})


async def test_f10_a_hundred_rotations_a_second_lose_nothing_while_names_are_kept(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.log"
    lines = numbered(1, 1500)
    books = Books()
    async with followed(books, tmp_path / "app.log*"):
        for at in range(0, 1500, 10):
            append(path, text(lines[at : at + 10]))
            if at:
                path.rename(tmp_path / f"app.log.{1500 - at}")
            await asyncio.sleep(0.01)
        await books.have(*lines)
    assert books.lost() == 0


async def test_f09_rotations_out_of_sight_lose_nothing_while_the_reader_is_held_up(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.log"
    lines = numbered(1, 600, pad=100)
    books = Books()
    async with followed(books, path) as tail:

        def is_followed() -> bool:
            status = path.stat()
            return (status.st_dev, status.st_ino) in tail._known.by_key

        for at in range(0, 600, 20):
            append(path, text(lines[at : at + 20]))
            await books.until(is_followed)
            if at % 100 == 0:
                books.room.clear() if at % 200 else books.room.set()
            path.rename(tmp_path / f"old-{at}")
        books.room.set()
        await books.have(*lines)
    assert books.lost() == 0


async def test_files_take_turns(tmp_path: Path) -> None:
    large, small = tmp_path / "large.log", tmp_path / "small.log"
    large.write_bytes(text(numbered(1, 3000, pad=100)))
    books = Books()
    books.room.clear()
    async with followed(books, tmp_path / "*.log"):
        await asyncio.sleep(0.1)
        small.write_bytes(text(numbered(1, 3)))
        await asyncio.sleep(0.1)
        books.room.set()
        await books.until(lambda: len(books.lines) == 3003)
    assert books.order.index(str(small)) < len(books.order) // 2


async def test_f26_what_is_not_read_yet_shows_for_each_source_and_for_the_files_furthest_behind(
    tmp_path: Path,
) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}.log").write_bytes(text(numbered(1, 20 + number, pad=100)))
    size = sum(path.stat().st_size for path in tmp_path.iterdir())  # noqa: ASYNC240
    books = Books()
    books.room.clear()
    async with followed(books, tmp_path / "*.log") as tail:
        await books.until(lambda: books.meters.files_followed.value("files") == 30)
        assert size / 2 < books.meters.file_lag_bytes.value("files") <= size
        behind = tail.details()["furthest_behind"]
        assert len(behind) == 20  # type: ignore[arg-type]
        assert next(iter(behind)) == str(tmp_path / "29.log")  # type: ignore[call-overload]
        books.room.set()
        await books.until(lambda: books.meters.file_lag_bytes.value("files") == 0)
        assert tail.details()["furthest_behind"] == {}


async def test_what_two_sources_without_names_both_mean_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b'{"n":1}\n')
    books = Books()
    async with followed(books, tmp_path / "*.log") as first:
        await books.have(b'{"n":1}')
        async with followed(books, tmp_path / "a.*", streams=first.streams) as second:
            await asyncio.sleep(0.2)
            told = second.details()["not_read"]
            assert told == {str(tmp_path / "a.log"): "another source reads it"}
    assert books.lines == [b'{"n":1}']


async def test_stopping_is_quick_however_far_it_is_from_the_next_look(tmp_path: Path) -> None:
    books = Books()
    begun = time.monotonic()
    async with followed(books, tmp_path / "*.log", poll=60.0):
        await asyncio.sleep(0.1)
    assert time.monotonic() - begun < 2.0
