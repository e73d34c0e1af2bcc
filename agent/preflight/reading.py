"""How do files and standard input become blocks of whole lines, each with the number of its first?

One block is read at a time, so that an input may be of any size; gzip is noticed by its beginning.
"""

import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import BinaryIO, cast

from agent.core.framing import LineFramer
from agent.errors import InputError
from agent.preflight.examining import Block

BLOCK_BYTES = 512 * 1024
_SAMPLE_BYTES = 2000  # kept of a line that is too long to be a record
_GZIP = b"\x1f\x8b"


def blocks(paths: Sequence[str], record_bytes_max: int, lines_max: int | None) -> Iterator[Block]:
    """The lines of these files, one after the other (`-`: standard input), in blocks.

    At most *lines_max* of all, where that is set. Raises InputError where one cannot be read.
    """
    left = lines_max
    for path in paths:
        with closing(_opened(path)) as file:
            for block in _blocks_of(path, file, record_bytes_max):
                kept = block if left is None else _cut(block, left)
                count = _lines(kept)
                yield kept
                if left is not None:
                    left -= count
                    if left <= 0:
                        return


def total_bytes(paths: Sequence[str]) -> int | None:
    """How many bytes there are to read; None where nobody knows before they are read."""
    sizes = 0
    for path in paths:
        if path == "-" or not os.path.isfile(path) or _is_gzip(path):  # noqa: PTH113
            return None
        sizes += os.path.getsize(path)  # noqa: PTH202
    return sizes


def _blocks_of(path: str, file: BinaryIO, record_bytes_max: int) -> Iterator[Block]:
    framer = LineFramer(record_bytes_max, _SAMPLE_BYTES)
    line = 1
    while True:
        try:
            read = file.read(BLOCK_BYTES)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{path}: {_why(error)}") from error
        size = len(read)
        for frame in framer.feed(read) if read else framer.end():
            block = Block(path, line, frame, size)
            yield block
            line += _lines(block)
            size = 0
        if not read:
            return


def _opened(path: str) -> BinaryIO:
    try:
        if path == "-":
            if sys.stdin is None:
                raise InputError("standard input is closed: pipe records into it, or name a file")
            # not to be closed: the stream is not ours
            file: BinaryIO = open(sys.stdin.fileno(), "rb", closefd=False)  # noqa: SIM115
        else:
            file = open(path, "rb")  # noqa: SIM115, PTH123
        buffered = cast("io.BufferedReader", file)
        if buffered.peek(2)[:2] == _GZIP:
            return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    except OSError as error:
        raise InputError(f"{path}: {_why(error)}") from error
    return file


def _is_gzip(path: str) -> bool:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(2) == _GZIP
    except OSError as error:
        raise InputError(f"{path}: {_why(error)}") from error


def _cut(block: Block, lines: int) -> Block:
    if not isinstance(block.content, bytes) or _lines(block) <= lines:
        return block
    end = 0
    for _ in range(lines):
        end = block.content.index(b"\n", end) + 1
    return Block(block.source, block.line, block.content[:end], block.read)


def _lines(block: Block) -> int:
    return block.content.count(b"\n") if isinstance(block.content, bytes) else 1


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"damaged: {error}"
