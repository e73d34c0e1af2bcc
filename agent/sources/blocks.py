"""How are bytes read from a descriptor without ever stopping the event loop?

Regular files are read straight from the page cache, and by a thread only where they are not in it.
Pipes, terminals and sockets are read when they are ready. Their descriptors stay as they were
found: making a shared standard input non-blocking would surprise the programs that share it.
"""

import asyncio
import errno
import fcntl
import os
import select
import stat
from contextlib import suppress
from typing import Protocol

from agent.sources.turn import Turn

_PIPE_BYTES = 2**20  # what a pipe is asked to hold, so that a busy writer waits less often
_ONLY_CACHED = getattr(os, "RWF_NOWAIT", None)  # Linux


class Blocks(Protocol):
    """Bytes in order, block by block."""

    is_again_readable: bool  # whether what was read once is still there for the next run

    async def read(self, size: int) -> bytes:
        """The next bytes, *size* at most; none at the end, or once stopped."""
        ...

    def stop(self) -> None:
        """End a read that waits, and all later ones."""
        ...

    def close(self) -> None:
        """Let go of the descriptor."""
        ...

    def progress(self) -> tuple[int, int | None]:
        """Bytes read so far, and how many there are where that is known."""
        ...


def open_blocks(descriptor: int) -> Blocks:
    """The right way to read this descriptor, which then belongs to the blocks."""
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return FileBlocks(descriptor)
    return PipeBlocks(descriptor)


class FileBlocks:
    """A regular file, from the descriptor's position on."""

    is_again_readable = True

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._offset = self._start = os.lseek(descriptor, 0, os.SEEK_CUR)
        self._size = os.fstat(descriptor).st_size
        self._buffer = bytearray()
        self._turn = Turn()
        self._stopped = False
        with suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)

    async def read(self, size: int) -> bytes:
        """The next bytes; lets other tasks run now and then, for a file is always ready."""
        if self._stopped:
            return b""
        await self._turn.over()
        block = self._cached(size)
        if block is None:
            block = await asyncio.to_thread(os.pread, self._descriptor, size, self._offset)
        self._offset += len(block)
        return block

    def stop(self) -> None:
        """Read no more."""
        self._stopped = True

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def progress(self) -> tuple[int, int | None]:
        """Bytes read so far, and the size of the rest of the file when it was opened."""
        return self._offset - self._start, max(self._size, self._offset) - self._start

    def _cached(self, size: int) -> bytes | None:
        """What the page cache holds of the next bytes; None where it has to be read from disk.

        Whole lines where there are any: to read the start of a line twice is cheaper than to put
        the line together from two blocks, which copies all the others with it.
        """
        if _ONLY_CACHED is None:
            return None
        if len(self._buffer) < size:
            self._buffer = bytearray(size)
        view = memoryview(self._buffer)[:size]
        try:
            count = os.preadv(self._descriptor, [view], self._offset, _ONLY_CACHED)
        except OSError:  # not cached, or this file system cannot tell
            return None
        whole_lines = self._buffer.rfind(b"\n", 0, count) + 1
        return bytes(view[: whole_lines or count])


class PipeBlocks:
    """A pipe, terminal, socket or character device."""

    is_again_readable = False

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._read = 0
        self._stopped = False
        self._ready: asyncio.Future[None] | None = None
        self._watched, self._is_always_ready = _watched(descriptor)
        self._is_terminal = os.isatty(descriptor)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with suppress(OSError):  # not a pipe, or more than this user may have
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    async def read(self, size: int) -> bytes:
        """The next bytes, as soon as there are any."""
        while not self._stopped:
            if not await self._is_ready():
                break
            try:
                block = os.read(self._descriptor, size)
            except BlockingIOError:
                continue  # somebody else who shares the descriptor was faster
            except InterruptedError:
                continue
            except OSError as error:
                if self._is_terminal and error.errno == errno.EIO:
                    break  # it was hung up, which is its end
                raise
            self._read += len(block)
            return block
        return b""

    def stop(self) -> None:
        """End a read that waits; what is still in the pipe stays there."""
        self._stopped = True
        if self._ready and not self._ready.done():
            self._ready.set_result(None)

    def close(self) -> None:
        """Close the descriptor."""
        if self._watched:
            self._watched.close()
        os.close(self._descriptor)

    def progress(self) -> tuple[int, int | None]:
        """Bytes read so far; how many will come is not known."""
        return self._read, None

    async def _is_ready(self) -> bool:
        """Wait until a read will not block; False once stopped."""
        if self._is_always_ready:
            await asyncio.sleep(0)
            return not self._stopped
        loop = asyncio.get_running_loop()
        self._ready = ready = loop.create_future()
        watched = self._watched or self._descriptor
        loop.add_reader(watched, _set, ready)
        try:
            await ready
        finally:
            loop.remove_reader(watched)
        return not self._stopped


def _watched(descriptor: int) -> tuple["select.epoll | None", bool]:
    """What the loop is to watch in the descriptor's place, and whether there is no need to.

    Some loops make what they watch non-blocking, as uvloop does; an epoll of our own shares
    that with nobody.
    """
    if not hasattr(select, "epoll"):
        return None, False
    watched = select.epoll()
    try:
        watched.register(descriptor, select.EPOLLIN)
    except PermissionError:  # epoll knows no such thing as waiting for /dev/null
        watched.close()
        return None, True
    return watched, False


def _set(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
