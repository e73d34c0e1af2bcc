"""Are the lines of a container's log what its program wrote, however its runtime parted them?"""

import json
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.containers import READERS, Piece, cri, docker
from agent.core.frames import Misframed
from agent.core.framing import Oversize
from agent.core.joining import Joining
from agent.core.unwrapping import Unwrapped
from agent.core.validation import Fault
from agent.record import Position
from core.odd_json import objects

MAX, HEAD = 2000, 10
START = Position(5, 1000)


def as_docker(stream: str, text: str, is_last: bool) -> bytes:
    log = text + ("\n" if is_last else "")
    return json.dumps({"log": log, "stream": stream, "time": "2026-01-31T00:00:00Z"}).encode()


def as_cri(stream: str, text: str, is_last: bool) -> bytes:
    return f"2026-01-31T00:00:00.1Z {stream} {'F' if is_last else 'P'} {text}".encode()


WRITERS = {"docker": as_docker, "cri": as_cri}
formats = pytest.mark.parametrize("format_", ["docker", "cri"])


def lines_of(found: list[Unwrapped]) -> dict[int, bytes | Oversize | Misframed]:
    """What is on each line number, blank ones left out."""
    there: dict[int, bytes | Oversize | Misframed] = {}
    line = START.line
    for each in found:
        parts = each.found.split(b"\n")[:-1] if isinstance(each.found, bytes) else [each.found]
        there |= {line + n: part for n, part in enumerate(parts) if part}
        line += len(parts)
        assert each.end.line == line
    return there


def joined(format_: str, data: bytes, size: int = 0, only: str | None = None) -> list[Unwrapped]:
    """Everything, given so many lines at a time."""
    joining = Joining(READERS[format_], START, MAX, HEAD, only)
    lines = data.split(b"\n")[:-1]
    found = []
    for first in range(0, len(lines), size or len(lines) or 1):
        block = b"".join(line + b"\n" for line in lines[first : first + (size or len(lines))])
        found += joining.feed(block)
    found += joining.end()
    assert joining.position == Position(START.line + len(lines), START.offset + len(data))
    return found


@given(
    st.sampled_from(["docker", "cri"]),
    st.lists(
        st.tuples(
            st.sampled_from(["stdout", "stderr"]),
            objects.map(lambda record: record.replace(b"\n", b" ").strip().decode()),
            st.lists(st.integers(0, 30), max_size=3).map(sorted),
        ),
        max_size=6,
    ),
    st.randoms(use_true_random=False),
    st.integers(1, 9),
)
def test_lines_in_parts_come_out_whole_at_the_number_of_their_first_part(
    format_: str, written: list[tuple[str, str, list[int]]], chance, size: int
) -> None:
    """The oracle: each stream's lines in order, its parts put in between those of the other."""
    waiting: dict[str, list[list[tuple[str, bool]]]] = {"stdout": [], "stderr": []}
    for stream, text, cuts in written:
        at = [0, *(min(cut, len(text)) for cut in cuts), len(text)]
        parts = [text[a:b] for a, b in pairwise(at)]
        waiting[stream].append([(part, n == len(parts) - 1) for n, part in enumerate(parts)])
    data, expected, number = b"", {}, START.line
    begun: dict[str, int] = {}
    while any(waiting.values()):
        stream = chance.choice([name for name, lines in waiting.items() if lines])
        part, is_last = waiting[stream][0].pop(0)
        data += WRITERS[format_](stream, part, is_last) + b"\n"
        first = begun.setdefault(stream, number)
        expected[first] = expected.get(first, b"") + part.encode()
        if is_last:
            waiting[stream].pop(0)
            del begun[stream]
        number += 1

    for step in (size, 0):
        found = joined(format_, data, step)
        assert lines_of(found) == {n: text for n, text in expected.items() if text}
        for each in found:
            before = data[: each.end.offset - START.offset]
            assert before.count(b"\n") == each.end.line - START.line


@formats
def test_nothing_moves_past_a_line_that_is_still_in_parts(format_: str) -> None:
    write = WRITERS[format_]
    joining = Joining(READERS[format_], START, MAX, HEAD)
    first, part = write("stderr", "{}", True) + b"\n", write("stdout", '{"a":', False) + b"\n"

    (ready,) = joining.feed(first + part + write("stderr", '{"e":1}', True) + b"\n")
    assert (ready.found, ready.end) == (b"{}\n", Position(6, START.offset + len(first)))
    assert joining.feed(write("stdout", "[1", False) + b"\n") == []
    (rest,) = joining.feed(write("stdout", "]}", True) + b"\n")
    assert rest.found == b'{"a":[1]}\n{"e":1}\n\n\n'
    assert rest.end.line == 10


@formats
def test_what_waits_is_bounded_and_what_is_given_up_is_told_as_such(format_: str) -> None:
    write = WRITERS[format_]
    data = write("stdout", "begun", False) + b"\n"
    data += (write("stderr", '{"e":1}', True) + b"\n") * 40
    data += write("stdout", '{"n":1}', True) + b"\n"

    there = lines_of(joined(format_, data, 1))

    assert there.pop(5) == Misframed(
        b"begun", Fault("unfinished", f"its end did not come within {MAX} bytes of other lines")
    )
    assert list(there.values()) == [b'{"e":1}'] * 40 + [b'{"n":1}']

    long = "x" * (MAX + 1)
    there = lines_of(joined(format_, data.replace(b"begun", long.encode()), 1))
    assert there[5] == Oversize(b"x" * HEAD, MAX + 1, sha256(long.encode()).hexdigest())
    assert there[46] == b'{"n":1}'


@formats
def test_a_line_in_too_many_parts_is_told_by_length_and_hash(format_: str) -> None:
    write = WRITERS[format_]
    text = "".join(f"part {n} " for n in range(MAX // 7))
    cuts = range(0, len(text), 100)
    parts = [write("stdout", text[at : at + 100], at == cuts[-1]) for at in cuts]
    data = b"".join(part + b"\n" for part in parts)

    one, blank = joined(format_, data)

    whole = text.encode()
    assert one.found == Oversize(whole[:HEAD], len(whole), sha256(whole).hexdigest())
    assert blank.found == b"\n" * (len(parts) - 1)


@formats
def test_one_stream_may_be_all_that_is_asked_for(format_: str) -> None:
    write = WRITERS[format_]
    data = write("stdout", "{}", True) + b"\n" + write("stderr", "oh", False) + b"\n"
    data += write("stderr", " no", True) + b"\n" + write("stdout", '{"n":1}', True) + b"\n"

    found = joined(format_, data, only="stdout")

    assert lines_of(found) == {5: b"{}", 8: b'{"n":1}'}
    assert sum(each.left_out for each in found) == 1


@formats
def test_what_no_runtime_wrote_is_refused_as_it_is(format_: str) -> None:
    write = WRITERS[format_]
    good = write("stdout", "{}", True)
    data = good + b'\n{"n":1}\n\n  \nnot a line\n' + write("stdout", "begun", False) + b"\n"

    there = lines_of(joined(format_, data))

    reason = f"not_{format_}"
    assert {
        n: (each.found, each.fault.reason)
        for n, each in there.items()
        if isinstance(each, Misframed)
    } == {6: (b'{"n":1}', reason), 9: (b"not a line", reason)}
    assert there[5] == b"{}"
    assert there[10] == b"begun", "at its end, a log may have no last part"


@pytest.mark.parametrize(
    ("line", "piece"),
    [
        (b"2026-01-31T00:00:00Z stdout F {}", Piece("stdout", b"{}", True)),
        (b"2026-01-31T00:00:00Z stderr P:x  a b", Piece("stderr", b" a b", False)),
        (b"2026-01-31T00:00:00Z stdout F:P {}\r", Piece("stdout", b"{}", True)),
        (b"2026-01-31T00:00:00Z stdout F ", Piece("stdout", b"", True)),
        (b"2026-01-31T00:00:00Z stdout F", Piece("stdout", b"", True)),
    ],
)
def test_a_cri_line_is_read(line: bytes, piece: Piece) -> None:
    assert cri(line) == piece


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"x stdout F {}",
        b"2026 stdin F {}",
        b"2026 stdout X {}",
        b"2026 stdout",
        b'{"log":"x"}',
    ],
)
def test_what_is_no_cri_line_is_told(line: bytes) -> None:
    assert isinstance(cri(line), Fault)


@pytest.mark.parametrize(
    ("line", "piece"),
    [
        (b'{"log":"{}\\n","stream":"stderr","time":"x"}', Piece("stderr", b"{}", True)),
        (b'{"log":"a\\r\\n"}', Piece("stdout", b"a", True)),
        (b'{"log":"a","attrs":{"tag":"b"}}', Piece("stdout", b"a", False)),
        ('{"log":"\\u00e9ü\\n"}'.encode(), Piece("stdout", "éü".encode(), True)),
    ],
)
def test_a_docker_line_is_read(line: bytes, piece: Piece) -> None:
    assert docker(line) == piece


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b'{"log":1}',
        b'{"log":"a","stream":"x"}',
        b'{"log":"\\ud800"}',
        b'{"log":"\xff"}',
    ],
)
def test_what_is_no_docker_line_is_told(line: bytes) -> None:
    assert isinstance(docker(line), Fault)


def test_a_text_of_several_lines_is_one_record_or_none() -> None:
    """No runtime writes it, and yet nothing is lost."""
    lines = [as_docker("stdout", '{"a":\n1}', True), as_docker("stdout", "a\nb", True)]

    there = lines_of(joined("docker", b"\n".join(lines) + b"\n"))

    assert there[5] == b'{"a": 1}'
    assert isinstance(there[6], Misframed)
    assert there[6].found == b"a\nb"


@formats
def test_what_is_passed_over_ends_what_is_in_parts_and_a_gap_does_not(format_: str) -> None:
    write = WRITERS[format_]
    joining = Joining(READERS[format_], START, MAX, HEAD)
    part = write("stdout", '{"a":', False) + b"\n"
    assert joining.feed(part) == []
    joining.skip(Position(8, 3000))
    (ready,) = joining.feed(write("stdout", "1}", True) + b"\n")
    assert (ready.found, ready.end.line) == (b'{"a":1}\n\n\n\n', 9)

    assert joining.feed(part) == []
    passed = Oversize(b"x", 900, "abc")
    begun, found = joining.pass_over(passed, Position(11, 9000))
    assert (begun.found, begun.end.line) == (b'{"a":\n', 10)
    assert found == Unwrapped(passed, Position(11, 9000))
    assert joining.position == Position(11, 9000)


@formats
def test_a_line_without_an_end_completes_a_record_only_where_that_is_certain(format_: str) -> None:
    write = WRITERS[format_]
    joining = Joining(READERS[format_], START, MAX, HEAD)
    whole = write("stdout", '{"a":1}', True)

    assert joining.completes(whole)
    assert not joining.completes(whole[:-3])
    assert not joining.completes(write("stdout", '{"a":', True))
    assert not joining.completes(write("stdout", '{"a":1}', False))
    joining.feed(write("stdout", '{"b":', False) + b"\n")
    assert not joining.completes(whole), "it is the end of what came before"
    assert joining.completes(write("stderr", '{"a":1}', True))


@formats
def test_what_waits_for_a_line_in_parts_is_counted_until_it_goes_on(format_: str) -> None:
    write = WRITERS[format_]
    joining = Joining(READERS[format_], START, MAX, HEAD)
    assert joining.unfinished_bytes == 0

    joining.feed(write("stdout", '{"a":', False) + b"\n")
    alone = joining.unfinished_bytes
    joining.feed(write("stderr", "x" * 500, True) + b"\n")
    assert 0 < alone < 500 < joining.unfinished_bytes
    joining.feed(write("stdout", "1}", True) + b"\n")
    assert joining.unfinished_bytes == 0
