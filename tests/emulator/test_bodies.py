import gzip

import pytest

from agent.emulator.bodies import BadGzip, TooLarge, gunzip, wire_limit

TEXT = b'{"messages":[{"a":1}]}' * 100


def test_gzip_comes_back_as_it_was() -> None:
    assert gunzip(gzip.compress(TEXT), len(TEXT)) == TEXT


def test_several_members_are_one_text() -> None:
    wire = gzip.compress(TEXT[:50]) + gzip.compress(b"") + gzip.compress(TEXT[50:])
    assert gunzip(wire, len(TEXT)) == TEXT


def test_one_byte_over_the_limit_is_too_large() -> None:
    with pytest.raises(TooLarge):
        gunzip(gzip.compress(TEXT), len(TEXT) - 1)


def test_a_bomb_is_not_inflated_further_than_the_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    with pytest.raises(TooLarge):
        gunzip(bomb, 1_000_000)
    with pytest.raises(TooLarge):
        gunzip(gzip.compress(b"x" * 600) * 2, 1_000)


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"garbage",
        TEXT,
        b"\x1f\x8bgarbage",
        gzip.compress(TEXT)[:-9],
        gzip.compress(TEXT)[:-1],
        gzip.compress(TEXT) + b"rest",
        gzip.compress(TEXT)[:-8] + b"\0\0\0\0" + gzip.compress(TEXT)[-4:],
        gzip.compress(b"") * 1001,
    ],
    ids=[
        "nothing",
        "garbage",
        "text",
        "head only",
        "without its end",
        "a byte short",
        "something behind it",
        "another checksum",
        "a thousand parts",
    ],
)
def test_what_is_not_whole_gzip_is_refused(wire: bytes) -> None:
    with pytest.raises(BadGzip):
        gunzip(wire, 1_000_000)


def test_the_longest_gzip_body_of_a_text_fits_on_the_wire() -> None:
    import random

    text = random.Random(1).randbytes(1_000_000)
    assert len(gzip.compress(text, 1)) <= wire_limit(len(text))
    assert len(gzip.compress(text, 0)) <= wire_limit(len(text))
