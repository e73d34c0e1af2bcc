import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.core.chunks import Contents, read_chunk, too_large
from agent.core.validation import Fault
from agent.record import Chunk, Position, Span

MAX = 40

GOOD = [
    b'{"a":1}',
    b"{}",
    b' {"a":"x,y"} ',
    '{"é":"日本"}'.encode(),
    b'{"lone":"\\ud800"}',
    b'{"a":1e999}',
    b'{"a":18446744073709551616}',
    b'{"a":\r1}',
]
BAD = [
    b'{"a":1',
    b'"b":2}',
    b'{"c":1},{"d":2}',
    b'{"c":1}{"d":2}',
    b"]",
    b"[",
    b",",
    b"{",
    b"}",
    b"[1,2]",
    b'"text"',
    b'{"a":"\xc3',
    b'\xa9"}',
    b"\xff",
    b"\x00",
    b'{"a":NaN}',
    b"\xef\xbb\xbf{}",
]
BLANK = [b"", b" ", b"\t \t", b"\r"]
LONG = [b'{"a":"' + b"x" * MAX + b'"}', b"x" * (MAX + 1)]
ENDS = [b"\n", b"\r\n"]


def chunk(data: bytes, line: int = 1, offset: int = 0) -> Chunk:
    return Chunk("in", line, offset, data, 1000.0)


def refuse(constant: str) -> None:
    raise ValueError(constant)


def is_record(line: bytes) -> bool:
    """The oracle sees one line, and nothing of its neighbours."""
    try:
        return isinstance(json.loads(line.decode(), parse_constant=refuse), dict)
    except ValueError:
        return False


def records_of(contents: Contents) -> list[tuple[Position, bytes]]:
    return [
        (position, record)
        for run in contents.runs
        for position, record in zip(run.span.positions(run.records), run.records, strict=True)
    ]


LINES = st.lists(
    st.tuples(
        st.sampled_from(GOOD * 3 + BAD + BLANK + LONG) | st.binary(max_size=8),
        st.sampled_from([b"\n", b"\n", b"\r\n"]),
    ).map(lambda line: line[0].replace(b"\n", b"") + line[1]),
    min_size=1,
    max_size=8,
)
ALIKE = st.sampled_from(ENDS).flatmap(
    lambda end: st.lists(
        st.sampled_from(GOOD[:5]).map(lambda line: line + end), min_size=1, max_size=8
    )
)
STARTS = st.tuples(st.integers(1, 10**6), st.integers(0, 10**12))


@given(LINES | ALIKE, STARTS)
@example([b'{"a":1\n', b'"b":2}\n'], (1, 0))
@example([b'{"a":1\r\n', b'"b":2}\r\n'], (1, 0))
@example([b'{"c":1},{"d":2}\n', b'{"a":1}\n'], (1, 0))
@example([b"[\n", b'{"a":1},\n', b'{"b":2}\n', b"]\n"], (1, 0))
@example([b'{"a":1}\r\r\n', b'{"b":2}\r\n'], (1, 0))
@example([b'{"a":"\xc3\n', b'\xa9"}\n'], (1, 0))
def test_each_line_is_judged_alone_and_stands_where_it_stands(
    lines: list[bytes], start: tuple[int, int]
) -> None:
    first_line, first_offset = start
    accepted: list[tuple[Position, bytes]] = []
    refused: list[tuple[Position, bytes]] = []
    offset = first_offset
    for number, whole in enumerate(lines, first_line):
        line = whole[:-1].removesuffix(b"\r")
        position = Position(number, offset)
        offset += len(whole)
        if line.strip(b" \t\r"):
            fits = len(line) <= MAX
            (accepted if fits and is_record(line) else refused).append((position, line))

    contents = read_chunk(chunk(b"".join(lines), *start), MAX)

    assert records_of(contents) == accepted
    assert [(line.position, line.line) for line in contents.refused] == refused
    assert contents.end == Position(first_line + len(lines), offset)
    assert contents.count == len(accepted) + len(refused)


@given(LINES, STARTS)
def test_a_record_is_found_in_the_source_by_its_offset(
    lines: list[bytes], start: tuple[int, int]
) -> None:
    stream = b"".join(lines)
    contents = read_chunk(chunk(stream, *start), MAX)
    found = records_of(contents) + [(line.position, line.line) for line in contents.refused]
    for position, line in found:
        at = position.offset - start[1]
        assert stream[at : at + len(line)] == line
        assert stream[at + len(line) : at + len(line) + 2].lstrip(b"\r")[:1] == b"\n"
        assert stream[:at].count(b"\n") == position.line - start[0]


@given(LINES)
def test_runs_are_what_they_say(lines: list[bytes]) -> None:
    for run in read_chunk(chunk(b"".join(lines)), MAX).runs:
        assert run.span.count == len(run.records) > 0
        assert run.record_bytes == sum(map(len, run.records))
        assert (run.span.source, run.read_at) == ("in", 1000.0)


@pytest.mark.parametrize("end", ENDS)
def test_a_spotless_chunk_is_one_run(end: bytes) -> None:
    contents = read_chunk(chunk(b'{"a":1}' + end + b"{}" + end, 7, 100), MAX)
    [run] = contents.runs
    assert run.span == Span("in", 7, 100, 2, newline=len(end))
    assert run.records == [b'{"a":1}', b"{}"]
    assert contents.refused == []


def test_a_spotless_chunk_that_is_longer_than_a_record_may_be_is_one_run_too() -> None:
    data = b'{"a":1}\n' * 100
    [run] = read_chunk(chunk(data), MAX).runs
    assert run.span.count == 100


def test_neighbours_of_a_broken_line_make_two_runs() -> None:
    contents = read_chunk(chunk(b"{}\n{}\nbroken\n{}\n"), MAX)
    assert [run.span for run in contents.runs] == [Span("in", 1, 0, 2), Span("in", 4, 13, 1)]
    [refused] = contents.refused
    assert (refused.line, refused.position) == (b"broken", Position(3, 6))
    assert refused.fault.reason == "invalid_json"


def test_a_change_of_line_ends_begins_another_run() -> None:
    contents = read_chunk(chunk(b"{}\n{}\r\n{}\r\n{}\n"), MAX)
    assert [run.span for run in contents.runs] == [
        Span("in", 1, 0, 1),
        Span("in", 2, 3, 2, newline=2),
        Span("in", 4, 11, 1),
    ]


def test_blank_lines_are_neither_records_nor_refused() -> None:
    contents = read_chunk(chunk(b"\n \t\n{}\n\r\n"), MAX)
    assert contents.count == 1
    assert contents.refused == []
    assert contents.end == Position(5, 9)


def test_a_line_too_long_for_any_request_is_refused_whole() -> None:
    line = b'{"a":"' + b"x" * MAX + b'"}'
    contents = read_chunk(chunk(b"{}\n" + line + b"\n{}\n"), MAX)
    [refused] = contents.refused
    assert (refused.line, refused.fault) == (line, too_large(len(line), MAX))
    assert [run.span.line for run in contents.runs] == [1, 3]


def test_a_line_of_just_the_allowed_length_is_a_record() -> None:
    line = b'{"a":"' + b"x" * (MAX - 8) + b'"}'
    assert len(line) == MAX
    assert read_chunk(chunk(line + b"\r\n"), MAX).refused == []
    assert read_chunk(chunk(line + b"\r\n" + b"{}\n"), MAX).refused == []


def test_too_large_names_both_sizes() -> None:
    assert too_large(70, MAX) == Fault(
        "too_large", "70 bytes long; one request has room for 40 at most"
    )


def test_one_broken_line_among_very_many_costs_only_a_little_time() -> None:
    data = b"{}\n" * 100_000 + b"broken\n"
    begun = time.process_time()
    contents = read_chunk(chunk(data), 1_000_000)
    assert time.process_time() - begun < 3
    assert [run.span.count for run in contents.runs] == [100_000]
    assert len(contents.refused) == 1
