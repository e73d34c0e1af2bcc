"""What is in a compressed body, and how little a bomb costs."""

import gzip
import random
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from importlib import import_module

import pytest

from agent.sources.push.decoding import decoder_of
from agent.sources.push.refusing import Refused

TEXT = b'{"a":"\xc3\xa9"}\n' * 500
NOISE = random.Random(3).randbytes(5000)


def zstd(text: bytes) -> bytes:
    """Compressed by whichever library this Python has."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return bytes(import_module(name).compress(text))
        except ImportError:
            continue
    raise AssertionError("the tests need a library for zstd")


def raw_deflate(text: bytes) -> bytes:
    """Without the header that it should have."""
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(text) + stream.flush()


WAYS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("zstd", zstd),
]


def decoded(encoding: str, body: bytes, limit: int = 10**6) -> bytes:
    """What is in it."""
    decode = decoder_of(encoding)
    assert decode
    return decode(body, limit)


def refused(encoding: str, body: bytes, limit: int = 10**6) -> Refused:
    """Why it is not taken."""
    with pytest.raises(Refused) as caught:
        decoded(encoding, body, limit)
    return caught.value


@pytest.mark.parametrize(("encoding", "compress"), WAYS)
@pytest.mark.parametrize("text", [b"", TEXT, NOISE])
def test_what_was_compressed_comes_out(
    encoding: str, compress: Callable[[bytes], bytes], text: bytes
) -> None:
    assert decoded(f" {encoding.upper()} ", compress(text), len(text)) == text
    if text:
        assert refused(encoding, compress(text), len(text) - 1).status == 413


@pytest.mark.parametrize(("encoding", "compress"), WAYS)
def test_half_of_it_is_nothing(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    body = compress(NOISE)
    for cut in (1, 5, len(body) // 2, len(body) - 1):
        assert refused(encoding, body[:cut]).status == 400


@pytest.mark.parametrize(("encoding", "compress"), WAYS)
def test_what_follows_is_another_part_or_an_error(
    encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    body = compress(TEXT)
    assert refused(encoding, body + b"garbage!").status == 400
    if encoding != "deflate":
        assert decoded(encoding, body + compress(NOISE)) == TEXT + NOISE
        assert refused(encoding, body * 3, 2 * len(TEXT)).status == 413
        assert "more than 1000" in refused(encoding, compress(b"") * 1001).message


@pytest.mark.parametrize(("encoding", "compress"), WAYS)
def test_a_bomb_is_refused_before_it_costs_memory(
    encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    bomb = compress(b"0" * 10**8)
    tracemalloc.start()
    assert refused(encoding, bomb, 10**6).status == 413
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10**7


def test_a_window_that_is_too_large_for_anybody_is_refused() -> None:
    library = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    options = {
        library.CompressionParameter.window_log: 27,
        library.CompressionParameter.enable_long_distance_matching: 1,
        library.CompressionParameter.content_size_flag: 0,
    }
    stream = library.ZstdCompressor(options=options)
    body = stream.compress(NOISE) + stream.flush()
    assert "16 MiB" in refused("zstd", body).message


def test_plain_bodies_need_no_decoder_and_others_are_told_what_to_send(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert decoder_of("") is decoder_of("identity") is None
    for encoding in ("br", "gzip, gzip", "x" * 1000):
        with pytest.raises(Refused, match="send gzip, deflate, zstd or none") as caught:
            decoder_of(encoding)
        assert caught.value.status == 415
        assert len(caught.value.message) < 150
    for name in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    missing = refused("zstd", b"")
    assert (missing.status, "pip install 'aep-agent[zstd]'" in missing.message) == (415, True)
