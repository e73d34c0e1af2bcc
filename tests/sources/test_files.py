import os
from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.sources.files import files


def names(paths: list[str | Path], name: str | None = None) -> list[str]:
    return [source.name for source in files([str(path) for path in paths], name, 1000)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.json", "a.json", "c.txt"):
        (tmp_path / name).write_bytes(b"{}\n")
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "deeper" / "d.json").write_bytes(b"{}\n")
    return tmp_path


def test_files_come_in_the_order_given(folder: Path) -> None:
    assert names([folder / "c.txt", folder / "a.json"]) == [
        str(folder / "c.txt"),
        str(folder / "a.json"),
    ]


def test_the_files_of_a_pattern_are_sorted_and_directories_left_out(folder: Path) -> None:
    assert names([folder / "*"]) == [str(folder / name) for name in ("a.json", "b.json", "c.txt")]


def test_two_stars_reach_every_depth(folder: Path) -> None:
    assert names([folder / "**" / "*.json"]) == [
        str(folder / name) for name in ("a.json", "b.json", "deep/deeper/d.json")
    ]


def test_a_name_that_looks_like_a_pattern_but_exists_is_that_file(folder: Path) -> None:
    (folder / "log[1].json").write_bytes(b"{}\n")
    (folder / "log1.json").write_bytes(b"{}\n")
    assert names([folder / "log[1].json"]) == [str(folder / "log[1].json")]


def test_a_file_named_twice_is_read_once_under_its_first_name(folder: Path) -> None:
    (folder / "link.json").symlink_to(folder / "a.json")
    os.link(folder / "a.json", folder / "hard.json")
    chosen = [folder / "link.json", folder / "a.json", folder / "hard.json", folder / "a*"]
    assert names(chosen) == [str(folder / "link.json")]


def test_a_source_with_a_name_of_its_own_puts_it_before_each_path(folder: Path) -> None:
    assert names([folder / "a.json"], "shop") == [f"shop:{folder / 'a.json'}"]


def test_the_sizes_of_files_are_known_before_they_are_read(folder: Path) -> None:
    os.mkfifo(folder / "fifo")
    file, fifo = files([str(folder / "a.json"), str(folder / "fifo")], None, 1000)
    assert file.progress().total == 3
    assert fifo.progress().total is None


def test_every_path_that_leads_nowhere_is_named_at_once(folder: Path) -> None:
    missing, pattern = folder / "missing.json", folder / "*.gz"
    (folder / "dangling").symlink_to(missing)
    paths = [missing, pattern, folder / "deep", folder / "a.json", folder / "dangling"]
    with pytest.raises(ConfigError) as raised:
        names(paths)
    assert str(raised.value).splitlines() == [
        f"{missing}: No such file or directory",
        f"{pattern}: no file matches this pattern",
        f"{folder / 'deep'}: is a directory; write {folder / 'deep'}/*.json",
        f"{folder / 'dangling'}: No such file or directory",
    ]


def test_a_pattern_that_matches_only_directories_is_a_problem(folder: Path) -> None:
    with pytest.raises(ConfigError, match="no file matches this pattern"):
        names([folder / "dee*"])


def test_a_path_through_a_file_is_a_problem_in_words(folder: Path) -> None:
    with pytest.raises(ConfigError, match="Not a directory"):
        names([folder / "a.json" / "b.json"])
