import os
from pathlib import Path

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
        append(rotated, text(lines[10:20]))
        await books.have(*lines)
        await books.until(lambda: books.streams[0].is_left is not None)
    assert books.by_stream == {str(path): lines[:20], f"{path}#2": lines[20:]}
    assert books.lost() == 0


async def test_a_file_that_was_cut_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    lines = numbered(1, 30)
    path.write_bytes(text(lines[:20]))
    books = Books()
    async with followed(books, path):
        await books.have(*lines[:20])
        os.truncate(path, 0)
        append(path, text(lines[20:]))
        await books.have(*lines)
    assert books.lost() == 0


async def test_a_copy_of_a_file_that_was_cut_is_read_on_from_where_the_file_was(
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
        os.truncate(path, 0)
        append(path, text(lines[20:]))
        books.room.set()
        await books.have(*lines)
    assert books.lost() == 0


async def test_files_rotated_while_nobody_looked_are_all_read_in_order(tmp_path: Path) -> None:
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
    async with followed(books, tmp_path / "app.log*"):
        await books.until(lambda: len(books.lines) == 400)
    assert books.lines == lines
