"""Which files do patterns mean at this moment?

Looked up anew each time, for that is the truth wherever files are; what the kernel tells of changes
(`agent.sources.tail.hints`) only says when it is worth looking.
"""

import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import translate
from glob import has_magic
from typing import NamedTuple

_ANY_DEPTH = "**"


class Seen(NamedTuple):
    """A regular file under one of its names."""

    path: str
    device: int
    inode: int
    size: int
    mtime_ns: int

    @property
    def key(self) -> tuple[int, int]:
        """What no other file has at the same time."""
        return self.device, self.inode


@dataclass(slots=True)
class Found:
    """What one look found. Each file once, under the first of its names."""

    files: dict[tuple[int, int], Seen] = field(default_factory=dict)
    others: dict[tuple[int, int], list[str]] = field(default_factory=dict)  # further names
    problems: dict[str, str] = field(default_factory=dict)  # path -> why it is not read
    directories: set[str] = field(default_factory=set)  # where files may come and go
    seconds: float = 0.0  # of CPU that it took


class Walk:
    """Looks for the files of some patterns, but for those that are excluded."""

    def __init__(self, patterns: Sequence[str], excluded: Sequence[str] = ()) -> None:
        self._patterns = patterns
        self._excluded = [re.compile(translate(pattern)) for pattern in excluded]

    def look(self) -> Found:
        """Look now. Costs about 5 µs a file; to be done in a thread, for disks may be slow."""
        found, begun = Found(), time.thread_time()
        for pattern in self._patterns:
            is_named = not has_magic(pattern)
            for path in sorted(self._paths(pattern, found.directories)):
                if not self._is_excluded(path):
                    _note(path, found, is_named=is_named)
        found.seconds = time.thread_time() - begun
        return found

    def _paths(self, pattern: str, directories: set[str]) -> Iterator[str]:
        if not has_magic(pattern) or os.path.lexists(pattern):
            directories.add(pattern.rpartition("/")[0] or ("/" if pattern[:1] == "/" else "."))
            return iter((pattern,))
        first, *parts = pattern.split("/")
        if first == "":
            return _walk("/", parts, directories, ())
        return _walk("", [first, *parts], directories, ())

    def _is_excluded(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        return any(each.match(path) or each.match(name) for each in self._excluded)


def _walk(
    directory: str, parts: Sequence[str], directories: set[str], above: tuple[tuple[int, int], ...]
) -> Iterator[str]:
    """The paths below *directory* that fit the parts of a pattern.

    *above* are the directories on the way here: whoever leads back to one of them is a loop.
    """
    part, rest = parts[0], parts[1:]
    if part in ("", ".", "..") or (part != _ANY_DEPTH and not has_magic(part)):
        path = _joined(directory, part)
        if rest:
            yield from _walk(path, rest, directories, above)
        elif os.path.lexists(path):
            yield path
        return
    with suppress(OSError):
        here = os.stat(directory or ".")  # noqa: PTH116
        key = here.st_dev, here.st_ino
        directories.add(directory or ".")
        if part != _ANY_DEPTH:
            yield from _fitting(directory, parts, directories, above)
        elif key not in above:
            yield from _deeper(directory, parts, directories, (*above, key))


def _deeper(
    directory: str, parts: Sequence[str], directories: set[str], above: tuple[tuple[int, int], ...]
) -> Iterator[str]:
    """For `**`: what fits the other parts, here and in all directories below."""
    yield from _walk(directory, parts[1:] or ("*",), directories, above[:-1])
    for name, may_be_directory in _names(directory):
        if may_be_directory and not name.startswith("."):
            yield from _walk(_joined(directory, name), parts, directories, above)


def _fitting(
    directory: str, parts: Sequence[str], directories: set[str], above: tuple[tuple[int, int], ...]
) -> Iterator[str]:
    part, rest = parts[0], parts[1:]
    fits = re.compile(translate(part)).match
    for name, may_be_directory in _names(directory):
        if fits(name) and (not name.startswith(".") or part.startswith(".")):
            path = _joined(directory, name)
            if not rest:
                yield path
            elif may_be_directory:
                yield from _walk(path, rest, directories, above)


def _names(directory: str) -> list[tuple[str, bool]]:
    with os.scandir(directory or ".") as entries:
        return [(entry.name, entry.is_dir() or entry.is_symlink()) for entry in entries]


def _joined(directory: str, name: str) -> str:
    return f"{directory}{name}" if directory in ("", "/") else f"{directory}/{name}"


def _note(path: str, found: Found, *, is_named: bool) -> None:
    try:
        status = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        if is_named:
            found.problems[path] = "there is no such file yet"
        return
    except OSError as error:
        found.problems[path] = error.strerror or str(error)
        return
    if stat.S_ISREG(status.st_mode):
        key = status.st_dev, status.st_ino
        if key in found.files:
            found.others.setdefault(key, []).append(path)
        else:
            found.files[key] = Seen(path, *key, status.st_size, status.st_mtime_ns)
    elif not stat.S_ISDIR(status.st_mode):
        found.problems[path] = "is no regular file"
    elif is_named:
        found.problems[path] = f"is a directory; write {path.rstrip('/')}/*.json"
