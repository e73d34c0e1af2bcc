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
_FLAGS_AT = 3  # in the header of a member: which optional fields follow
_ONE_FIELD_AT_MOST = frozenset((0, 4, 8, 16))  # none, or extra, name or comment


class GzipBlocks:
    """The decompressed bytes of another source of bytes. At most `size` at a time, bomb or not."""

    def __init__(self, compressed: Blocks, first: bytes = b"") -> None:
        """*first* is what was already read of it."""
        self.is_again_readable = compressed.is_again_readable
        self._compressed = compressed
        self._input = first
        self._member: Any = None
        self._ended = False
        self._stopped = False

    async def read(self, size: int) -> bytes:
        """The next bytes. Raises InputError where the file is damaged or cut short."""
        while not self._stopped:
            if self._member is None:
                self._input = self._input.lstrip(b"\0")  # padding between or after members
            if len(self._input) <= (_FLAGS_AT if self._member is None else 0) and not self._ended:
                more = await self._compressed.read(_COMPRESSED_BYTES)
                self._input += more
                self._ended = not more
                continue
            if self._member is None:
                if not self._input:
                    break
                self._member = _decoder_of(self._input).decompressobj(_GZIP)
            if block := self._decompressed(size):
                return block
            if self._ended and self._member is not None and not self._input:
                raise InputError("the gzip file is cut short: its last member has no end")
        return b""

    def stop(self) -> None:
        """Read no more."""
        self._stopped = True
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


def _decoder_of(member: bytes) -> ModuleType:
    """The fast one, unless it would lose its way: in several optional fields that come in pieces.

    It is also wrong about the checksum of such a header. Both are rare.
    """
    return decoder if {*member[_FLAGS_AT : _FLAGS_AT + 1]} <= _ONE_FIELD_AT_MOST else zlib
