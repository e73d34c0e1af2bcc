"""When is it worth looking at files again? As soon as the kernel says that something changed.

Only a hint: where inotify is missing, tells nothing (NFS) or has no room for more (its limits are
those of the whole machine), files are found and read all the same, when they are looked for next.
"""

import asyncio
import ctypes
import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

_MODIFY, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x2, 0x40, 0x80, 0x100, 0x200
_GONE = 0x400 | 0x800 | 0x2000  # DELETE_SELF, MOVE_SELF, UNMOUNT
_OVERFLOW, _IGNORED = 0x4000, 0x8000
_WATCHED = _MODIFY | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | 0x400 | 0x800
_ONLY_DIRECTORY = 0x1000000
_HEADER = struct.Struct("iIII")
_READ_BYTES = 64 * 1024
_MOST_WATCHES = 1000


@dataclass(slots=True)
class Hint:
    """What changed: `written` are paths of files, `moved` says that names came or went."""

    written: set[str] = field(default_factory=set)
    moved: bool = False


class Hints:
    """Watches directories; wakes who waits for a change in one of them."""

    def __init__(self) -> None:
        self._descriptor = -1
        self._add: ctypes._NamedFuncPointer | None = None
        self._directories: dict[int, str] = {}
        self._watched: dict[str, int] = {}
        self._woken = asyncio.Event()
        with suppress(OSError, AttributeError):  # no libc, or none that knows of it
            libc = ctypes.CDLL(None, use_errno=True)
            flags = os.O_NONBLOCK | os.O_CLOEXEC
            self._descriptor = libc.inotify_init1(flags)
            self._add = libc.inotify_add_watch
        self._listen()

    def watch(self, directories: Iterable[str]) -> None:
        """Watch these, as far as there is room; those watched already cost nothing."""
        if self._descriptor < 0 or self._add is None:
            return
        for directory in directories:
            if directory in self._watched or len(self._watched) >= _MOST_WATCHES:
                continue
            path = os.fsencode(directory)
            number = self._add(self._descriptor, path, _WATCHED | _ONLY_DIRECTORY)
            if number >= 0:
                self._watched[directory] = number
                self._directories[number] = directory

    def wake(self) -> None:
        """Have whoever waits look at once."""
        self._woken.set()

    async def wait(self, seconds: float) -> Hint:
        """Wait for a change, so long at most; tells what changed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()
        return self._read()

    def close(self) -> None:
        """Watch no more."""
        if self._descriptor >= 0:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _listen(self) -> None:
        """Be woken once: the loop would come back at once while there is something to read."""
        if self._descriptor >= 0:
            asyncio.get_running_loop().add_reader(self._descriptor, self._wake)

    def _wake(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        self._woken.set()

    def _read(self) -> Hint:
        hint = Hint()
        if self._descriptor < 0:
            return hint
        with suppress(BlockingIOError):
            told = os.read(self._descriptor, _READ_BYTES)
            at = 0
            while at < len(told):
                number, mask, _, size = _HEADER.unpack_from(told, at)
                at += _HEADER.size + size
                self._note(hint, number, mask, told[at - size : at].rstrip(b"\0"))
        self._listen()
        return hint

    def _note(self, hint: Hint, number: int, mask: int, name: bytes) -> None:
        directory = self._directories.get(number, "")
        if mask & _MODIFY:
            path = os.fsdecode(name)
            hint.written.add(path if directory == "." else f"{directory.rstrip('/')}/{path}")
            return
        hint.moved = True  # or too much happened to be told
        if mask & (_GONE | _IGNORED):
            self._directories.pop(number, None)
            if self._watched.get(directory) == number:
                del self._watched[directory]
