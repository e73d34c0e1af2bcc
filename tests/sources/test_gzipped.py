import asyncio
import gzip
import os
import tracemalloc
import zlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import InputError
from agent.sources.blocks import open_blocks
from agent.sources.gzipped import GzipBlocks

TEXT = b"".join(b'{"n":%d,"text":"caf\xc3\xa9 %d"}\n' % (n, n * 7919) for n in range(300))


class Pieces:
    """A source of bytes in the pieces it was given."""

    is_again_readable = True

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = [piece for piece in pieces if piece]
        self.stopped = self.closed = False

    async def read(self, size: int) -> bytes:
        return self._pieces.pop(0) if self._pieces and not self.stopped else b""

    def stop(self) -> None:
        self.stopped = True

    def close(self) -> None:
        self.closed = True

    def progress(self) -> tuple[int, int | None]:
        return 0, None


def cut(content: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(content)]
    return [content[start:end] for start, end in pairwise(edges)]


async def content_of(blocks: GzipBlocks, size: int = 1000) -> bytes:
    parts = []
    while part := await blocks.read(size):
        assert len(part) <= size
        parts.append(part)
    return b"".join(parts)


def text_of(pieces: list[bytes], size: int = 1000, first: bytes = b"") -> bytes:
    return asyncio.run(content_of(GzipBlocks(Pieces(*pieces), first), size))


@given(st.lists(st.integers(0, 1500), max_size=8), st.integers(1, 5000))
def test_a_file_is_the_same_however_it_is_cut_into_blocks(places: list[int], size: int) -> None:
    whole = gzip.compress(TEXT)
    first, *others = cut(whole, places)
    assert text_of(others, size, first) == TEXT


@given(
    st.lists(st.binary(max_size=300), min_size=1, max_size=5),
    st.lists(st.integers(0, 40), min_size=5, max_size=5),
    st.lists(st.integers(0, 1000), max_size=8),
)
def test_members_follow_each_other_with_or_without_padding(
    contents: list[bytes], padding: list[int], places: list[int]
) -> None:
    whole = b"".join(
        gzip.compress(content) + b"\0" * nuls
        for content, nuls in zip(contents, padding, strict=False)
    )
    assert text_of(cut(whole, places), 17) == b"".join(contents)


@given(st.integers(1, 400))
def test_a_file_that_is_cut_short_gives_what_it_holds_and_says_so(missing: int) -> None:
    whole = gzip.compress(TEXT)
    read = bytearray()

    async def read_all() -> None:
        blocks = GzipBlocks(Pieces(whole[:-missing]))
        while part := await blocks.read(500):
            read.extend(part)

    with pytest.raises(InputError, match="cut short"):
        asyncio.run(read_all())
    assert TEXT.startswith(read)
    assert missing > 8 or read == TEXT  # only the checksum and the length are missing


def test_a_wrong_checksum_is_noticed() -> None:
    whole = bytearray(gzip.compress(TEXT))
    whole[-8] ^= 1
    with pytest.raises(InputError, match="damaged"):
        text_of([bytes(whole)])


def test_a_wrong_length_is_noticed() -> None:
    whole = bytearray(gzip.compress(TEXT))
    whole[-1] ^= 1
    with pytest.raises(InputError, match="damaged"):
        text_of([bytes(whole)])


def test_what_is_damaged_inside_is_noticed() -> None:
    whole = gzip.compress(os.urandom(5000))
    with pytest.raises(InputError):
        text_of([whole[:1000] + os.urandom(1000) + whole[2000:]])


def test_garbage_after_a_member_is_noticed_once_the_member_was_given() -> None:
    read = bytearray()

    async def read_all() -> None:
        blocks = GzipBlocks(Pieces(gzip.compress(TEXT) + b"this is no gzip"))
        while part := await blocks.read(500):
            read.extend(part)

    with pytest.raises(InputError, match="damaged"):
        asyncio.run(read_all())
    assert read == TEXT


def test_an_empty_member_and_an_empty_file_hold_nothing() -> None:
    assert text_of([gzip.compress(b"")]) == b""
    assert text_of([gzip.compress(b"") + gzip.compress(TEXT)]) == TEXT
    assert text_of([]) == b""


FIELDS = {2: b"", 4: b"\x03\0abc", 8: b"name\0", 16: b"comment\0"}


@pytest.mark.parametrize("flags", range(0, 32, 2))
def test_every_optional_field_of_a_header_may_come_in_pieces(flags: int) -> None:
    header = b"\x1f\x8b\x08" + bytes([flags]) + b"\0" * 6
    header += b"".join(field for flag, field in FIELDS.items() if flags & flag)
    if flags & 2:
        header += (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little")
    whole = header + gzip.compress(b"content")[10:]
    for place in range(len(whole)):
        assert text_of(cut(gzip.compress(b"before ") + whole, [27 + place])) == b"before content"


def test_a_bomb_is_read_in_bounded_memory(tmp_path: Path) -> None:
    size = 64 * 2**20
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"\n" * size))
    assert path.stat().st_size < 100_000

    async def count() -> int:
        compressed = open_blocks(os.open(path, os.O_RDONLY))
        blocks = GzipBlocks(compressed)
        total = 0
        while part := await blocks.read(100_000):
            assert len(part) <= 100_000
            total += len(part)
        assert blocks.progress() == (path.stat().st_size,) * 2
        blocks.close()
        return total

    tracemalloc.start()
    try:
        assert asyncio.run(count()) == size
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


async def test_stop_ends_it_in_the_middle_of_a_member_without_complaint() -> None:
    pieces = Pieces(*cut(gzip.compress(TEXT), [200, 400]))
    blocks = GzipBlocks(pieces)
    assert await blocks.read(100) == TEXT[:100]
    blocks.stop()
    assert pieces.stopped
    assert await blocks.read(100) == b""
    blocks.close()
    assert pieces.closed
