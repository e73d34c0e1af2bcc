"""What is remembered of a file is what was read of it, though it is cut in that very moment."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.sources.tail.file import TailedFile
from agent.sources.tail.walking import Seen
from sources.tail.following import Books, numbered, text

LINE = len(text(numbered(10, 1, pad=100)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_bytes(text(numbered(10, 5, pad=100)))
    return path


@pytest.fixture
def file(path: Path) -> Iterator[TailedFile]:
    status = path.stat()
    seen = Seen(str(path), status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    file = TailedFile.found(seen, now=0.0)
    file.descriptor = os.open(path, os.O_RDONLY)
    yield file
    os.close(file.descriptor)


@pytest.mark.parametrize("lines_before", [0, 2])
def test_a_file_that_was_cut_after_a_block_was_read_does_not_begin_as_what_was_read(
    path: Path, file: TailedFile, lines_before: int
) -> None:
    read = text(numbered(10, 5, pad=100))
    if lines_before:
        file.advance(lines_before * LINE, read[: lines_before * LINE])
    assert file.begins_as_read()
    path.write_bytes(text(numbered(20, 5, pad=100)))  # whose lines end as the former did
    file.advance(5 * LINE, read[lines_before * LINE :])
    assert file.peek(file.offset - len(file.tail), len(file.tail)) == file.tail
    assert not file.begins_as_read()


def test_the_first_bytes_are_remembered_as_more_of_them_are_read(file: TailedFile) -> None:
    for lines in range(1, 6):
        file.advance(lines * LINE, text(numbered(9 + lines, 1, pad=100)))
        assert (file.head.size, file.begins_as_read()) == (lines * LINE, True)


def test_a_file_without_a_byte_begins_as_whatever_comes(path: Path, file: TailedFile) -> None:
    os.truncate(path, 0)
    assert file.begins_as_read()


def test_a_file_that_cannot_be_read_keeps_no_later_one_waiting(file: TailedFile) -> None:
    file.feed = Books().feed("app.log")
    assert not file.is_read_to(file.size)
    file.is_well = False
    assert file.is_read_to(file.size)
