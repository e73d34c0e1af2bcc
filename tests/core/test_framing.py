from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.core.framing import LineFramer, Oversize

MAX, HEAD = 12, 5

STREAMS = st.lists(
    st.one_of(
        st.sampled_from([b"\n", b"\r\n", b"\r", b"\x00", b"{}", b"\xff"]),
        st.binary(max_size=20),
    ),
    max_size=12,
).map(b"".join)


def framed(blocks: list[bytes], line_bytes_max: int = MAX) -> list[bytes | Oversize]:
    framer = LineFramer(line_bytes_max, HEAD)
    frames = [frame for block in blocks for frame in framer.feed(block)]
    return frames + framer.end()


def described(line: bytes) -> Oversize:
    return Oversize(line[:HEAD], len(line), sha256(line).hexdigest())


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[start:end] for start, end in pairwise(places)]


def each_line(frames: list[bytes | Oversize]) -> list[bytes | Oversize]:
    """Every line by itself; those that certainly are too long in the one form both come in."""
    lines: list[bytes | Oversize] = []
    for frame in frames:
        if isinstance(frame, Oversize):
            lines.append(frame)
        else:
            assert frame.endswith(b"\n")
            lines += map(in_one_form, frame[:-1].split(b"\n"))
    return lines


def in_one_form(line: bytes) -> bytes | Oversize:
    return line if len(line) <= MAX + 1 else described(line)


def true_lines(stream: bytes) -> list[bytes | Oversize]:
    lines = stream.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [in_one_form(line) for line in lines]


@given(STREAMS, st.lists(st.integers(0, 200), max_size=12))
@example(b"a" * 30 + b"\r\n{}\n" + b"b" * 14, [3, 9, 31])
@example(b"a" * 12 + b"\r\n", [13])
def test_lines_are_the_same_however_the_stream_is_cut(stream: bytes, cuts: list[int]) -> None:
    assert each_line(framed(pieces(stream, cuts))) == true_lines(stream)


@given(STREAMS)
def test_lines_are_the_same_at_every_split_in_two_and_byte_by_byte(stream: bytes) -> None:
    expected = true_lines(stream)
    assert each_line(framed([stream])) == expected
    assert each_line(framed([stream[i : i + 1] for i in range(len(stream))])) == expected
    for cut in range(len(stream)):
        assert each_line(framed([stream[:cut], stream[cut:]])) == expected


@given(STREAMS, st.lists(st.integers(0, 200), max_size=12))
def test_no_line_that_may_be_a_record_is_called_oversize(stream: bytes, cuts: list[int]) -> None:
    frames = framed(pieces(stream, cuts))
    assert all(frame.length > MAX + 1 for frame in frames if isinstance(frame, Oversize))


@given(STREAMS, st.lists(st.integers(0, 200), max_size=12))
def test_never_more_is_held_than_the_longest_line(stream: bytes, cuts: list[int]) -> None:
    framer = LineFramer(MAX, HEAD)
    taken = given_out = 0
    for block in pieces(stream, cuts):
        taken += len(block)
        frames = framer.feed(block)
        given_out += sum(len(frame) for frame in frames if isinstance(frame, bytes))
        assert framer.unfinished_bytes <= min(MAX + 1, taken - given_out)


@pytest.mark.parametrize(
    ("blocks", "frames"),
    [
        ([], []),
        ([b""], []),
        ([b"\n"], [b"\n"]),
        ([b"{}"], [b"{}\n"]),
        ([b"{}\n"], [b"{}\n"]),
        ([b"{", b"}\n{}\n{"], [b"{}\n{}\n", b"{\n"]),
        ([b"{}\r\n{}\r\n"], [b"{}\r\n{}\r\n"]),
        ([b"{}\r", b"\n"], [b"{}\r\n"]),
        ([b"\x00", b"\x00\n"], [b"\x00\x00\n"]),
    ],
)
def test_whole_lines_leave_together_and_untouched(blocks: list[bytes], frames: list[bytes]) -> None:
    assert framed(blocks) == frames


def test_a_block_of_whole_lines_is_passed_on_without_a_copy() -> None:
    block = b'{"a":1}\n{"b":2}\n'
    assert LineFramer(MAX, HEAD).feed(block)[0] is block


def test_an_oversize_line_is_told_by_head_length_and_hash_of_the_whole() -> None:
    line = bytes(range(32, 127)) * 3
    [frame] = framed([line[:40], line[40:41], line[41:]])
    assert frame == Oversize(b' !"#$', 285, sha256(line).hexdigest())


def test_the_lines_round_an_oversize_line_are_whole() -> None:
    frames = framed([b'{"a":1}\n' + b"x" * 20, b"x" * 80, b'xx\n{"b":2}\n{"c"', b":3}\n"])
    assert frames == [b'{"a":1}\n', described(b"x" * 102), b'{"b":2}\n', b'{"c":3}\n']


def test_two_oversize_lines_in_a_row_do_not_run_into_each_other() -> None:
    assert framed([b"x" * 20, b"\n" + b"y" * 30, b"\n"]) == [
        described(b"x" * 20),
        described(b"y" * 30),
    ]


def test_a_stream_can_go_on_after_its_end_was_told() -> None:
    framer = LineFramer(MAX, HEAD)
    framer.feed(b"x" * 20)
    assert framer.end() == [described(b"x" * 20)]
    assert framer.feed(b"{}\n") + framer.end() == [b"{}\n"]


def test_a_hundred_megabytes_without_a_newline_are_not_kept() -> None:
    framer = LineFramer(1_000_000, 1000)
    block = b"x" * 65_536
    held = 0
    for _ in range(1600):
        assert framer.feed(block) == []
        held = max(held, framer.unfinished_bytes)
    assert held <= 1_000_000
    [line] = framer.end()
    assert isinstance(line, Oversize)
    assert (len(line.head), line.length) == (1000, 1600 * 65_536)


def test_a_line_that_comes_in_thousands_of_parts_is_joined() -> None:
    line = b"".join(b"%d," % number for number in range(5000)) + b"\n"
    framer = LineFramer(len(line), HEAD)
    frames = [frame for byte in line for frame in framer.feed(bytes([byte]))]
    assert frames == [line]
    assert len(framer.feed(b"{}\n")) == 1
    assert framer.unfinished_bytes == 0
