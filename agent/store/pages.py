"""What does each page of a store's file hold, whatever else in the file is damaged?

Reads the file as its format is documented (sqlite.org/fileformat.html) and never writes to it. The
pages of the log are laid over those of the file. A pointer map says what each page is for; where
it is damaged, the pages that point to others and the list of free ones say the same again.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum
from functools import lru_cache
from pathlib import Path
from struct import unpack_from

from agent.store import wal
from agent.store.layout import last_root
from agent.store.schema import PAGE_SIZE

LEAF, INDEX_LEAF, INDEX_INTERIOR, INTERIOR = 0x0D, 0x0A, 0x02, 0x05  # first byte of a tree's page
_ROOT, _FREE, _FIRST_OVERFLOW, _OVERFLOW, _TREE = 1, 2, 3, 4, 5  # what the pointer map says
_MAP_ENTRY = 5  # bytes
_MAPPED = PAGE_SIZE // _MAP_ENTRY  # pages that one page of the map is about


class OnDisk:
    """A file's bytes by slices, with zeros for what cannot be read. No file: no bytes."""

    def __init__(self, path: Path) -> None:
        self._file: int | None = None
        self._size = 0
        with suppress(FileNotFoundError):
            self._file = os.open(path, os.O_RDONLY)
            self._size = os.fstat(self._file).st_size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(self._size)
        content = b""
        with suppress(OSError):  # a bad sector
            if self._file is not None and start < stop:
                content = os.pread(self._file, stop - start, start)
        return content.ljust(max(0, stop - start), b"\0")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Use(Enum):
    """Whether what a page holds counts."""

    LIVE = "live"
    FREE = "free"  # what it holds was removed
    UNSURE = "unsure"  # nothing that is left says so or so


class Pages:
    """The pages of one file, from 1 on, as of the last transaction in its log."""

    def __init__(self, path: Path, *, with_log: bool) -> None:
        """Raises OSError where a file cannot be opened; one that is not there has no pages."""
        self._file = OnDisk(path)
        self._log = OnDisk(log_of(path)) if with_log else None
        frames = wal.committed(self._log) if self._log else []
        self._logged = {frame.page: frame.content for frame in frames}
        in_file = -(-len(self._file) // PAGE_SIZE)
        self.count = max(in_file, frames[-1].pages_after if frames else 0)
        self.page = lru_cache(64)(self._page)

    @property
    def has_log(self) -> bool:
        """Whether pages of a log are laid over those of the file."""
        return bool(self._logged)

    def close(self) -> None:
        """Close the files."""
        for file in (self._file, self._log):
            if file is not None:
                file.close()

    def _page(self, number: int) -> bytes:
        """A page, with zeros where it cannot be read."""
        if self._log and number in self._logged:
            return self._log[self._logged[number]]
        content = self._file[(number - 1) * PAGE_SIZE : number * PAGE_SIZE] if number > 0 else b""
        return content.ljust(PAGE_SIZE, b"\0")

    def with_rows(self) -> Iterator[tuple[int, bool]]:
        """The number of each page that holds rows, and whether they are sure to count."""
        pointed_to, free = self.pointed_to()[0], self._free()
        for number in range(2, self.count + 1):
            mapped = self._mapped(number)
            if mapped in (_FIRST_OVERFLOW, _OVERFLOW):
                continue
            if self.page(number)[0] not in (LEAF, INDEX_LEAF, INDEX_INTERIOR):
                continue
            use = self._use(number, mapped, pointed_to, free)
            if use is not Use.FREE:
                yield number, use is Use.LIVE

    def _use(self, number: int, mapped: int, pointed_to: set[int], free: set[int]) -> Use:
        if mapped in (_ROOT, _TREE) or number in pointed_to:
            return Use.LIVE
        if mapped == _FREE or number in free:
            return Use.FREE
        return Use.LIVE if number <= last_root() else Use.UNSURE

    def _mapped(self, number: int) -> int:
        """What the pointer map says of a page: 0, or anything, where the map is damaged."""
        map_page = (number - 2) // (_MAPPED + 1) * (_MAPPED + 1) + 2
        return (
            0 if number == map_page else self.page(map_page)[(number - map_page - 1) * _MAP_ENTRY]
        )

    def pointed_to(self) -> tuple[set[int], int]:
        """The pages that inner pages of the trees point to, and how much of that cannot be."""
        found: set[int] = set()
        problems = 0
        for number in range(2, self.count + 1):
            mapped = self._mapped(number)
            if mapped in (_FREE, _FIRST_OVERFLOW, _OVERFLOW):
                continue
            page = self.page(number)
            if page[0] in (INTERIOR, INDEX_INTERIOR):
                children = {*children_of(page)}
                problems += len(children & found) + sum(map(self._is_no_child, children))
                found |= children
            elif mapped in (_ROOT, _TREE) and page[0] not in (LEAF, INDEX_LEAF):
                problems += 1
        return found, problems

    def _is_no_child(self, number: int) -> bool:
        return not 2 < number <= self.count or self._mapped(number) == _FREE

    def _free(self) -> set[int]:
        """The pages on the list of free ones, as far as it can be followed."""
        found: set[int] = set()
        (trunk,) = unpack_from(">I", self.page(1), 32)
        while 2 < trunk <= self.count and trunk not in found:
            found.add(trunk)
            page = self.page(trunk)
            following, count = unpack_from(">II", page)
            if count <= PAGE_SIZE // 4 - 2:
                found.update(unpack_from(f">{count}I", page, 8))
            trunk = following
        return found


def children_of(page: bytes) -> Iterator[int]:
    """The pages that an inner page points to."""
    for cell in cells_of(page):
        yield unpack_from(">I", page, cell)[0]
    yield unpack_from(">I", page, 8)[0]


def cells_of(page: bytes) -> Iterator[int]:
    """Where the cells of a tree's page begin, as far as that can be."""
    header = 8 if page[0] in (LEAF, INDEX_LEAF) else 12
    (count,) = unpack_from(">H", page, 3)
    for index in range(min(count, (PAGE_SIZE - header) // 2)):
        (cell,) = unpack_from(">H", page, header + 2 * index)
        if header + 2 * count <= cell <= PAGE_SIZE - 4:
            yield cell


def open_best(path: Path) -> Pages:
    """The file with its log, or without it where the two do not belong together.

    Raises OSError where a file cannot be opened.
    """
    both = Pages(path, with_log=True)
    if not both.has_log:
        return both
    alone = Pages(path, with_log=False)
    fits = both.pointed_to()[1] <= alone.pointed_to()[1]
    (alone if fits else both).close()
    return both if fits else alone


def log_of(path: Path) -> Path:
    """Where SQLite keeps the log of a file."""
    return path.with_name(path.name + "-wal")
