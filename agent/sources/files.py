"""Which files do the paths and patterns of a configuration mean, and how is each read once?"""

import os
import stat
from collections.abc import Iterator, Sequence
from functools import partial
from glob import glob, has_magic
from pathlib import Path

from agent.errors import ConfigError
from agent.sources.once import ReadOnce
from agent.sources.resuming import identity_of


def files(
    paths: Sequence[str], name: str | None, block_bytes: int, *, by_line: bool = True
) -> list[ReadOnce]:
    """A source for every file, in the order given and sorted within a pattern; each file once.

    Unless *by_line*, records may end anywhere in them.
    Raises ConfigError, naming every path that leads to nothing readable.
    """
    problems: list[str] = []
    chosen: dict[tuple[int, int], ReadOnce] = {}
    for path in _expanded(paths, problems):
        try:
            found = Path(path).stat()
        except OSError as error:
            problems.append(f"{path}: {error.strerror}")
            continue
        if stat.S_ISDIR(found.st_mode):
            problems.append(f"{path}: is a directory; write {path.rstrip('/')}/*.json")
        elif not os.access(path, os.R_OK):
            problems.append(f"{path}: this user may not read it")
        else:
            source = _source(path, found, name, block_bytes, by_line=by_line)
            chosen.setdefault((found.st_dev, found.st_ino), source)
    if problems:
        raise ConfigError("\n".join(problems))
    return list(chosen.values())


def _expanded(paths: Sequence[str], problems: list[str]) -> Iterator[str]:
    for path in paths:
        if not has_magic(path) or Path(path).exists():
            yield path
        elif matches := _matches(path):
            yield from matches
        else:
            problems.append(f"{path}: no file matches this pattern")


def _matches(pattern: str) -> list[str]:
    found = glob(pattern, recursive=True)  # noqa: PTH207  # keeps names as they were written
    return sorted(path for path in found if not Path(path).is_dir())


def _source(
    path: str, found: os.stat_result, name: str | None, block_bytes: int, *, by_line: bool
) -> ReadOnce:
    # without O_NONBLOCK, opening a FIFO would stop everything until somebody writes to it
    return ReadOnce(
        name=f"{name}:{path}" if name else path,
        path=path,
        identity=identity_of(path),
        open=partial(os.open, path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK),
        block_bytes=block_bytes,
        by_line=by_line,
        size=found.st_size if stat.S_ISREG(found.st_mode) else None,
    )
