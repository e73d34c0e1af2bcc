"""How are blocks of many files read without ever stopping the event loop?"""

import asyncio
import os
from contextlib import suppress

_ONLY_CACHED = getattr(os, "RWF_NOWAIT", None)  # Linux


class SharedBlocks:
    """Blocks of any file: from the page cache, and by a thread only where they are not in it.

    Shared by those who read, for no block outlives the next one.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    async def read(self, descriptor: int, offset: int, size: int) -> memoryview:
        """Up to *size* bytes; less only at the end of the file. Good until the next read."""
        if _ONLY_CACHED is not None:
            if len(self._buffer) < size:
                self._buffer = bytearray(size)
            view = memoryview(self._buffer)[:size]
            with suppress(OSError):  # not cached, or this file system cannot tell
                count = os.preadv(descriptor, [view], offset, _ONLY_CACHED)
                if count == size or offset + count >= os.fstat(descriptor).st_size:
                    return view[:count]
        return memoryview(await asyncio.to_thread(os.pread, descriptor, size, offset))
