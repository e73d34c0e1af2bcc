"""Lines whose end is not there yet, or never comes."""

import asyncio
import gzip
from pathlib import Path

import pytest

from agent.record import Position
from sources.tail.following import LIMITS, Books, append, followed, numbered, text


@pytest.mark.parametrize("content", [b"{}", b'{"n":1234}', b'{"a":"' + b"x" * 1100 + b'"}'])
async def test_f15_f16_a_file_of_any_size_is_read_without_its_last_newline(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "app.log").write_bytes(content)
    books = Books()
    async with followed(books, tmp_path / "app.log"):
        await books.have(content)


async def test_f15_a_file_of_one_byte_that_grows_is_read_when_it_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    books = Books()
    async with followed(books, path):
        for byte in b'{"n":1}':
            append(path, bytes([byte]))
            await asyncio.sleep(0.03)
        await books.have(b'{"n":1}')
        append(path, b"\n")
        append(path, b'{"n":2}\n')
        await books.have(b'{"n":1}', b'{"n":2}')
    assert books.saved[str(path)].position == Position(3, 16)


async def test_an_empty_file_is_nothing_until_it_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.touch()
    books = Books()
    async with followed(books, path):
        await asyncio.sleep(0.1)
        assert books.streams == []
        append(path, b'{"n":1}\n')
        await books.have(b'{"n":1}')


async def test_half_a_record_waits_for_the_rest_of_it(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b'{"n":1}\n{"n":')
    books = Books()
    async with followed(books, path):
        await books.have(b'{"n":1}')
        await asyncio.sleep(0.4)
        append(path, b"2}\n")
        await books.have(b'{"n":1}', b'{"n":2}')
    assert books.saved[str(path)].position == Position(3, 16)


@pytest.mark.parametrize(
    ("rest", "lines", "end"),
    [
        (b'\n{"n":2}\n', [b'{"n":2}'], Position(3, 16)),
        (b'\r\n{"n":2}\r\n', [b'{"n":2}\r'], Position(3, 18)),
        (b'{"n":2}\n', [b'{"n":2}'], Position(3, 15)),
        (b" \n", [b" "], Position(3, 9)),
        (b'x\n{"n":2}\n', [b"x", b'{"n":2}'], Position(4, 17)),
        (b'{"n":2}', [b'{"n":2}'], Position(3, 15)),
    ],
)
@pytest.mark.parametrize("restarted", [False, True])
async def test_whatever_follows_a_record_taken_without_its_newline_is_read_once(
    tmp_path: Path, rest: bytes, lines: list[bytes], end: Position, restarted: bool
) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b'{"n":1}')
    books = Books()
    async with followed(books, path):
        await books.have(b'{"n":1}')
        if not restarted:
            append(path, rest)
            await books.have(b'{"n":1}', *lines)
    if restarted:
        append(path, rest)
        async with followed(books, path):
            await books.have(b'{"n":1}', *lines)
    assert books.saved[str(path)].position == end


async def test_f13_half_a_line_is_left_in_its_file_when_the_agent_stops(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b'{"n":1}\n{"n":')
    books = Books()
    async with followed(books, path):
        await books.have(b'{"n":1}')
    assert books.saved[str(path)].position == Position(2, 8)
    append(path, b"2}\n")
    async with followed(books, path):
        await books.have(b'{"n":1}', b'{"n":2}')


async def test_half_a_line_of_a_removed_file_is_taken_when_nothing_more_can_come(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b'{"n":1}\n{"n":')
    books = Books()
    async with followed(books, path):
        await books.have(b'{"n":1}')
        path.unlink()
        await books.have(b'{"n":1}', b'{"n":')
        await books.until(lambda: books.streams[0].is_left is True)
    assert books.streams[0].has_ended


@pytest.mark.parametrize("has_end", [True, False])
async def test_a_line_that_is_too_long_is_kept_by_length_and_hash(
    tmp_path: Path, has_end: bool
) -> None:
    path = tmp_path / "app.log"
    long = b'{"n":"' + b"y" * 50_000 + b'"}'
    path.write_bytes(b'{"n":1}\n' + long[:20_000])
    books = Books()
    async with followed(books, path):
        await books.have(b'{"n":1}')
        append(path, long[20_000:])
        if has_end:
            append(path, b'\n{"n":2}\n')
            await books.have(b'{"n":1}', b'{"n":2}')
        else:
            path.unlink()
            await books.until(lambda: books.streams[0].is_left is True)
    (line,) = books.streams[0].oversized
    assert line.length == len(long)
    assert line.head == long[: LIMITS.head_bytes]
    assert books.streams[0].position == Position(
        4 if has_end else 3, 8 + len(long) + 1 + 8 * has_end
    )


@pytest.mark.parametrize("length", [900, 999, 1000, 1001, 1500, 1999, 2000, 2001])
async def test_lines_about_as_long_as_a_block_are_whole(tmp_path: Path, length: int) -> None:
    path = tmp_path / "app.log"
    line = b'{"n":"' + b"z" * (length - 8) + b'"}'
    path.write_bytes(text([line] * 5))
    books = Books()
    async with followed(books, path):
        if length <= LIMITS.line_bytes_max:
            await books.have(*[line] * 5)
        else:
            await books.until(lambda: sum(len(each.oversized) for each in books.streams) == 5)
    assert books.saved[str(path)].position == Position(6, 5 * (length + 1))


async def test_f23_an_archive_is_read_once_and_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "app.log.1.gz"
    lines = numbered(1, 300, pad=30)
    path.write_bytes(gzip.compress(text(lines[:200])) + gzip.compress(text(lines[200:])))
    books = Books()
    async with followed(books, path):
        books.room.clear()
        await asyncio.sleep(0.1)
        books.room.set()
        await books.until(lambda: len(books.lines) > 20)
    async with followed(books, path):
        await books.have(*lines)
    async with followed(books, path):
        await asyncio.sleep(0.1)
    assert books.lines == lines
    assert books.saved[str(path)].position == Position(301, len(text(lines)))


async def test_an_archive_that_is_still_written_is_read_as_far_as_it_is_there(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.log.gz"
    lines = numbered(1, 2000, pad=30)
    data = gzip.compress(text(lines), 1)
    path.write_bytes(data[:1])
    books = Books()
    async with followed(books, path) as tail:
        for at in range(1, len(data), len(data) // 4):
            append(path, data[at : at + len(data) // 4])
            await asyncio.sleep(0.1)
        await books.have(*lines)
        await books.until(lambda: not tail.details()["not_read"])
    assert books.lines == lines
