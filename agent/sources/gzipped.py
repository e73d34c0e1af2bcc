"""How is a gzip file read as the bytes it holds, member after member?"""

import zlib
from contextlib import suppress
from types import ModuleType
from typing import Any

from agent.errors import InputError
from agent.sources.blocks import Blocks

decoder: ModuleType = zlib
with suppress(ImportError):  # no wheel for this machine: slower, the same format
    from isal import isal_zlib as decoder

MAGIC = b"\x1f\x8b"
_GZIP = 31  # window bits that mean: a gzip header, its checksum verified
_COMPRESSED_BYTES = 64 * 1024
_FAILURES = (zlib.error, getattr(decoder, "error", zlib.error))


class GzipBlocks:
    """The decompressed bytes of another source of bytes. At most `size` at a time, bomb or not."""

    def __init__(self, compressed: Blocks, first: bytes = b"") -> None:
        """*first* is what was already read of it."""
        self._compressed = compressed
        self._input = first
        self._member: Any = None
        self._ended = False

    async def read(self, size: int) -> bytes:
        """The next bytes. Raises InputError where the file is damaged or cut short."""
        while True:
            if not self._input and not self._ended:
                self._input = await self._compressed.read(_COMPRESSED_BYTES)
                self._ended = not self._input
            if self._member is None:
                self._input = self._input.lstrip(b"\0")  # padding between or after members
                if not self._input:
                    if self._ended:
                        return b""
                    continue
                self._member = decoder.decompressobj(_GZIP)
            block = self._decompressed(size)
            if block:
                return block
            if self._ended and self._member is not None and not self._input:
                raise InputError("the gzip file is cut short: its last member has no end")

    def stop(self) -> None:
        """Read no more."""
        self._ended, self._input, self._member = True, b"", None
        self._compressed.stop()

    def close(self) -> None:
        """Let go of the compressed source."""
        self._compressed.close()

    def progress(self) -> tuple[int, int | None]:
        """In compressed bytes: only of those is it known how many there are."""
        return self._compressed.progress()

    def _decompressed(self, size: int) -> bytes:
        try:
            block: bytes = self._member.decompress(self._input, size)
        except _FAILURES as error:
            raise InputError(f"the gzip file is damaged: {error}") from error
        if self._member.eof:
            self._input = self._member.unused_data
            self._member = None
        else:
            self._input = self._member.unconsumed_tail
        return block
