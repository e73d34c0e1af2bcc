"""What patterns may lead to besides plain files with plain names, and how many of them."""

import asyncio
import os
from pathlib import Path

import pytest

from agent.sources.tail import hints
from agent.sources.tail.walking import Walk
from sources.tail.following import Books, append, followed, numbered, text


def found(*patterns: Path | str, exclude: tuple[str, ...] = ()) -> list[str]:
    look = Walk([str(pattern) for pattern in patterns], exclude).look()
    return sorted(seen.path for seen in look.files.values())


async def test_a_fifo_a_socket_and_a_directory_are_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.log")
    (tmp_path / "directory.log").mkdir()
    (tmp_path / "app.log").write_bytes(b'{"n":1}\n')
    books = Books()
    async with followed(books, tmp_path / "*.log", tmp_path / "directory.log") as tail:
        await books.have(b'{"n":1}')
        assert tail.details()["not_read"] == {
            str(tmp_path / "fifo.log"): "is no regular file",
            str(
                tmp_path / "directory.log"
            ): f"is a directory; write {tmp_path}/directory.log/*.json",
        }


def test_directories_that_lead_back_to_themselves_are_searched_once(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "app.log").touch()
    (tmp_path / "top.log").touch()
    for name in ("one", "two", "three"):
        (deep / name).symlink_to(tmp_path)
        (tmp_path / name).symlink_to(".")
    assert found(tmp_path / "**" / "*.log") == [
        str(tmp_path / "a" / "b" / "app.log"),
        str(tmp_path / "top.log"),
    ]


def test_patterns_mean_what_they_mean_elsewhere(tmp_path: Path) -> None:
    for name in ("a.log", "b.log", ".hidden.log", "x/a.log", "x/y/b.log", "[1].log", "c.log.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()

    def names(pattern: str, **options: tuple[str, ...]) -> list[str]:
        return [path.removeprefix(f"{tmp_path}/") for path in found(tmp_path / pattern, **options)]

    assert names("*.log") == ["[1].log", "a.log", "b.log"]
    assert names("[ab].log") == ["a.log", "b.log"]
    assert names("[1].log") == ["[1].log"], "a name that is there is meant as it stands"
    assert names("?/*.log") == ["x/a.log"]
    assert names("**/*.log") == ["[1].log", "a.log", "b.log", "x/a.log", "x/y/b.log"]
    assert names("**") == names("**/*")
    assert names("x/../a.log") == ["x/../a.log"]
    assert names(".*.log") == [".hidden.log"]
    assert names("*", exclude=("*.gz", "b.*")) == ["[1].log", "a.log"]
    assert names("**/*.log", exclude=(f"{tmp_path}/x/*",)) == ["[1].log", "a.log", "b.log"]
    assert names("missing/*.log") == []


def test_a_file_of_several_names_is_found_once(tmp_path: Path) -> None:
    (tmp_path / "a.log").touch()
    (tmp_path / "b.log").symlink_to("a.log")
    os.link(tmp_path / "a.log", tmp_path / "c.log")
    assert found(tmp_path / "*.log") == [str(tmp_path / "a.log")]


async def test_relative_patterns_are_read_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("app.log").write_bytes(b'{"n":1}\n')  # noqa: ASYNC240
    books = Books()
    async with followed(books, "*.log", poll=60.0):
        await books.have(b'{"n":1}')
        append(Path("app.log"), b'{"n":2}\n')
        await books.have(b'{"n":1}', b'{"n":2}')
    assert list(books.by_stream) == ["app.log"]


async def test_names_that_are_no_utf_8_are_followed_and_resumed(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xfe.log"
    with open(path, "wb") as file:  # noqa: ASYNC230, PTH123
        file.write(text(numbered(1, 3)))
    books = Books()
    async with followed(books, tmp_path / "*.log"):
        await books.have(*numbered(1, 3))
    with open(path, "ab") as file:  # noqa: ASYNC230, PTH123
        file.write(text(numbered(4, 3)))
    async with followed(books, tmp_path / "*.log"):
        await books.have(*numbered(1, 6))
    assert list(books.by_stream) == [f"{tmp_path}/\\udcff\\udcfe.log"]


async def test_a_name_that_looks_like_a_later_file_of_another_has_a_stream_of_its_own(
    tmp_path: Path,
) -> None:
    path, odd = tmp_path / "app.log", tmp_path / "app.log#2"
    path.write_bytes(b'{"n":1}\n')
    books = Books()
    async with followed(books, path, odd):
        await books.have(b'{"n":1}')
        path.unlink()
        path.write_bytes(b'{"n":2}\n')
        await books.until(lambda: len(books.lines) == 2)
        odd.write_bytes(b'{"n":3}\n')
        await books.until(lambda: len(books.lines) == 3)
    assert books.by_stream[f"{odd}#2"] == [b'{"n":3}']


@pytest.mark.parametrize("without", ["no inotify at all", "no watches left"])
async def test_files_are_followed_where_the_kernel_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without: str
) -> None:
    if without == "no inotify at all":
        monkeypatch.setattr(hints.ctypes, "CDLL", lambda *_, **__: object())
    else:
        monkeypatch.setattr(hints, "_MOST_WATCHES", 0)
    path = tmp_path / "app.log"
    books = Books()
    async with followed(books, path):
        path.write_bytes(text(numbered(1, 3)))
        await books.have(*numbered(1, 3))
        path.rename(tmp_path / "old")
        path.write_bytes(text(numbered(4, 3)))
        await books.have(*numbered(1, 6))


async def test_f20_more_changes_than_the_kernel_can_tell_of_are_found_by_looking(
    tmp_path: Path,
) -> None:
    books = Books()
    (tmp_path / "0.log").write_bytes(text(numbered(0, 1)))
    async with followed(books, tmp_path / "*.log", poll=5.0):
        await books.have(*numbered(0, 1))
        for _ in range(9000):  # two for each, while nobody takes them
            (tmp_path / "noise").touch()
            (tmp_path / "noise").unlink()
        (tmp_path / "1.log").write_bytes(text(numbered(1, 1)))
        await books.have(*numbered(0, 2))


async def test_f19_more_files_than_may_be_open_are_all_read(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.log").write_bytes(text(numbered(number, 1)))
    books = Books()
    async with followed(books, tmp_path / "*.log", most_open=40) as tail:
        await books.have(*numbered(0, 300))
        assert tail.details()["open"] == 40
        for number in range(300):
            append(tmp_path / f"{number}.log", text(numbered(1000 + number, 1)))
        await books.have(*numbered(0, 300), *numbered(1000, 300))
        for number in range(0, 300, 2):
            (tmp_path / f"{number}.log").unlink()
        await books.until(lambda: tail.details()["files"] == 150)
    assert books.lost() == 0


async def test_a_file_that_was_closed_for_others_and_renamed_is_found_again(
    tmp_path: Path,
) -> None:
    for number in range(40):
        (tmp_path / f"{number}.log").write_bytes(text(numbered(number, 1)))
    books = Books()
    async with followed(books, tmp_path / "*.log", most_open=16):
        await books.have(*numbered(0, 40))
        for number in range(40):
            path = tmp_path / f"{number}.log"
            append(path, text(numbered(1000 + number, 1)))
            path.rename(tmp_path / f"{number}.old")
        await books.have(*numbered(0, 40), *numbered(1000, 40))
    assert books.lost() == 0


async def test_a_file_beyond_four_gigabytes_is_read_on(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    with path.open("wb") as file:
        file.seek(5 << 30)
        file.write(b"\n" + text(numbered(1, 2)))
    books = Books()
    async with followed(books, path, from_end=True):
        await asyncio.sleep(0.2)
        append(path, text(numbered(3, 2)))
        await books.have(*numbered(3, 2))
    async with followed(books, path):
        append(path, text(numbered(5, 2)))
        await books.have(*numbered(3, 4))
