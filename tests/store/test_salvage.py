"""Damage of every kind, and what must be there after the next start.

The oracle knows nothing of the format: a row is lost only if some of its bytes were on a page that
was damaged.
"""

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.store.database import suspect
from store.filled import PAGE, Opened, is_sound, make_filled, rows

Damage = Callable[[bytearray, random.Random], set[int]]  # gives the pages it touched, from 0 on


class Whole:
    """A store's file, closed in order, and which of its pages hold what."""

    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        with closing(sqlite3.connect(path)) as connection:
            self.rows = rows(connection)
        letters, receipts = self.rows["dead_letter_records"], self.rows["receipts"]
        self._places = {
            "spool": {row[-1]: self._pages(row[-1]) for row in self.rows["spool"]},
            "records": {row[1]: self._pages(row[1]) for row in letters},
            "receipts": {row[3]: self._pages(f"{row[3]}:".encode()) for row in receipts},
        }

    def _pages(self, part: bytes) -> set[int]:
        pages = set()
        for start in range(0, len(part), 1000):
            piece = part[start : start + 40]
            at = self.content.find(piece)
            while at >= 0:
                pages |= {at // PAGE, (at + len(piece) - 1) // PAGE}
                at = self.content.find(piece, at + 1)
        return pages

    def survivors(self, damaged: set[int]) -> dict[str, set[object]]:
        """What must be there, by a column that tells it apart, though these pages are not."""
        return {
            table: {each for each, pages in places.items() if not pages & damaged}
            for table, places in self._places.items()
        }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    data_dir = tmp_path_factory.mktemp("whole")
    return Whole(make_filled(data_dir, batches=24, letters=36, receipts=900))


def open_or_refusal(data_dir: Path) -> Opened | str:
    try:
        return Opened(data_dir)
    except StoreError as error:
        return str(error)


def flip(first: int, last: int | None = None) -> Damage:
    def damage(content: bytearray, dice: random.Random) -> set[int]:
        at = dice.randrange(first, len(content) if last is None else last)
        content[at] ^= 1 << dice.randrange(8)
        return {at // PAGE}

    return damage


def overwrite(first: int, last: int | None, fill: bytes, count: int = 1) -> Damage:
    def damage(content: bytearray, dice: random.Random) -> set[int]:
        pages = range(first, last if last is not None else len(content) // PAGE)
        chosen = {*dice.sample(pages, count)}
        for page in chosen:
            content[page * PAGE : (page + 1) * PAGE] = (fill * PAGE)[:PAGE]
        return chosen

    return damage


def zero_what_points(content: bytearray, dice: random.Random) -> set[int]:
    """Zero the first page, which begins the list of free ones, and every inner page of a tree."""
    inner = {at // PAGE for at in range(0, len(content), PAGE) if content[at] in (2, 5)}
    for page in {0, *inner}:
        content[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)
    return {0, *inner}


def noise(content: bytearray, dice: random.Random) -> set[int]:
    page = dice.randrange(len(content) // PAGE)
    content[page * PAGE : (page + 1) * PAGE] = dice.randbytes(PAGE)
    return {page}


def swap(content: bytearray, dice: random.Random) -> set[int]:
    one, other = dice.sample(range(2, len(content) // PAGE), 2)
    pages = [bytes(content[page * PAGE : (page + 1) * PAGE]) for page in (one, other)]
    content[one * PAGE : (one + 1) * PAGE] = pages[1]
    content[other * PAGE : (other + 1) * PAGE] = pages[0]
    return {one, other}


def cut(content: bytearray, dice: random.Random) -> set[int]:
    size, whole = dice.randrange(1, len(content)), len(content)
    del content[size:]
    return {*range(size // PAGE, whole // PAGE + 1)}


DAMAGES: dict[str, tuple[Damage, int]] = {
    "a flip in the header": (flip(0, 100), 12),
    "a flip in the schema": (flip(100, PAGE), 4),
    "a flip in the pointer map": (flip(PAGE, 2 * PAGE), 4),
    "a flip in a root": (flip(2 * PAGE, 24 * PAGE), 6),
    "a flip anywhere": (flip(0), 10),
    "the first page zeroed": (overwrite(0, 1, b"\0"), 1),
    "the first page noise": (overwrite(0, 1, b"\xa5"), 1),
    "the first three pages zeroed": (overwrite(0, 3, b"\0", 3), 1),
    "the pointer map zeroed": (overwrite(1, 2, b"\0"), 1),
    "a root zeroed": (overwrite(2, 24, b"\0"), 10),
    "all roots zeroed": (overwrite(2, 24, b"\0", 22), 1),
    "all but the pointer map and rows zeroed": (zero_what_points, 1),
    "a page zeroed": (overwrite(24, None, b"\0"), 8),
    "ten pages zeroed": (overwrite(0, None, b"\0", 10), 4),
    "a page of noise": (noise, 6),
    "two pages swapped": (swap, 8),
    "cut short": (cut, 10),
}
CASES = [(name, seed) for name, (_, seeds) in DAMAGES.items() for seed in range(seeds)]


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_rows_on_pages_that_can_be_read_survive(tmp_path, whole, name, seed):
    content = bytearray(whole.content)
    damaged = DAMAGES[name][0](content, random.Random(f"{name} {seed}"))
    path = tmp_path / "store.db"
    path.write_bytes(content)
    suspect(tmp_path)
    opened = open_or_refusal(tmp_path)
    if isinstance(opened, str):  # what the header says is that it is newer
        assert damaged == {0}
        assert "--data-dir" in opened
        assert path.read_bytes() == content
        return
    is_sound(opened)
    expected = whole.survivors(damaged)
    assert expected["spool"] <= {*opened.batches.values()}
    assert expected["records"] <= {row[1] for row in opened.rows["dead_letter_records"]}
    assert expected["receipts"] <= {row[3] for row in opened.rows["receipts"]}
    for salvaged in opened.salvaged:
        assert salvaged.set_aside.read_bytes() == content
    again = Opened(tmp_path)
    assert not again.salvaged
    assert again.rows == opened.rows
    if name == "two pages swapped":
        return  # a free page in the place of another looks as good as that one
    assert opened.batches.keys() <= {row[0] for row in whole.rows["spool"]}
    if not damaged >= {0, 1}:  # else nothing tells any more which pages are free
        for table in ("spool", "receipts", "dead_letters"):
            assert {row[0] for row in opened.rows[table]} <= {row[0] for row in whole.rows[table]}
