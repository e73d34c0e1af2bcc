"""What does each page of a store's file hold, whatever else in the file is damaged?

Reads the file as its format is documented (sqlite.org/fileformat.html) and never writes to it. The
pages of the log are laid over those of the file. A pointer map says what each page is for; where
it is damaged, the pages that point to others and the list of free ones say the same again.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from struct import unpack_from

from agent.store import wal
from agent.store.layout import last_root
from agent.store.schema import PAGE_SIZE

LEAF, INDEX_LEAF, INDEX_INTERIOR, INTERIOR = 0x0D, 0x0A, 0x02, 0x05  # first byte of a tree's page
_ROOT, _FREE, _FIRST_OVERFLOW, _OVERFLOW, _TREE = 1, 2, 3, 4, 5  # what the pointer map says
_MAGIC = b"SQLite format 3\0"
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


class Pages:
    """The pages of one file, from 1 on, as of the last transaction in its log."""

    def __init__(self, path: Path, *, with_log: bool) -> None:
        """Raises OSError where a file cannot be opened; one that is not there has no pages."""
        self._file = OnDisk(path)
        self._log = OnDisk(log_of(path)) if with_log else None
        frames = wal.committed(self._log) if self._log else []
        self._logged = {frame.page: frame.content for frame in frames}
        in_file = range(1, -(-len(self._file) // PAGE_SIZE) + 1)
        # Where the file was cut short, the log may still have pages far behind its end.
        self.numbers = sorted({*in_file, *self._logged})
        self.last = self.numbers[-1] if self.numbers else 0
        self.page = lru_cache(64)(self._page)

    @property
    def has_log(self) -> bool:
        """Whether pages of a log are laid over those of the file."""
        return bool(self._logged)

    def has_whole_log(self) -> bool:
        """Whether all of the log that counts is as it was written."""
        log = self._log
        return log is not None and all(wal.is_whole(log, frame) for frame in wal.committed(log))

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
        pointed_to = self.pointed_to()[0]
        free, is_all = self._free()
        for number in self.numbers:
            mapped = self._mapped(number)
            if number == 1 or mapped in (_FIRST_OVERFLOW, _OVERFLOW):
                continue
            if self.page(number)[0] not in (LEAF, INDEX_LEAF, INDEX_INTERIOR):
                continue
            if mapped in (_ROOT, _TREE) or number in pointed_to:
                yield number, True
            elif mapped != _FREE and number not in free:
                yield number, is_all or number <= last_root()

    def in_tree(self, root: int) -> Iterator[int]:
        """The pages of the tree of that root, as far as it can be followed."""
        seen: set[int] = set()
        ahead = [root]
        while ahead:
            number = ahead.pop()
            if number in seen or not 2 < number <= self.last:
                continue
            seen.add(number)
            yield number
            page = self.page(number)
            if page[0] in (INTERIOR, INDEX_INTERIOR):
                ahead += children_of(page)

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
        for number in self.numbers:
            mapped = self._mapped(number)
            if number == 1 or mapped in (_FREE, _FIRST_OVERFLOW, _OVERFLOW):
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
        return not 2 < number <= self.last or self._mapped(number) == _FREE

    def _free(self) -> tuple[set[int], bool]:
        """The free pages, as far as their list can be followed; and whether those are all."""
        found: set[int] = set()
        first = self.page(1)
        trunk, expected = unpack_from(">II", first, 32)
        while 2 < trunk <= self.last and trunk not in found:
            found.add(trunk)
            page = self.page(trunk)
            following, count = unpack_from(">II", page)
            if count <= PAGE_SIZE // 4 - 2:
                found.update(unpack_from(f">{count}I", page, 8))
            trunk = following
        return found, first.startswith(_MAGIC) and len(found) == expected


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


def log_of(path: Path) -> Path:
    """Where SQLite keeps the log of a file."""
    return path.with_name(path.name + "-wal")
