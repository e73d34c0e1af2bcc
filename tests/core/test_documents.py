"""Are JSON objects found wherever they end, and is everything else one thing that is no record?"""

import json
import re
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.core.documents import Documents
from agent.core.frames import Misframed
from agent.core.framing import Oversize
from agent.core.unwrapping import Unwrapped
from agent.record import Position
from core.odd_json import objects

MAX, HEAD = 100, 10
START = Position(5, 1000)


def blocks(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def unwrapped(data: bytes, size: int = 0, limit: int = MAX) -> list[Unwrapped]:
    documents = Documents(START, limit, HEAD)
    found = [each for block in blocks(data, size or len(data)) for each in documents.feed(block)]
    found += documents.end()
    assert documents.position.offset == START.offset + len(data)
    return found


def told(found: list[Unwrapped]) -> list[bytes | tuple[bytes, str]]:
    """Each record, and what is none with its reason; every one has a number of its own."""
    things: list[bytes | tuple[bytes, str]] = []
    for each in found:
        if isinstance(each.found, bytes):
            things += each.found.split(b"\n")[:-1]
        elif isinstance(each.found, Misframed):
            things.append((each.found.found, each.found.fault.reason))
        else:
            things.append((each.found.head, "too_large"))
        assert each.end.line == START.line + len(things)
    return things


def one_line(record: bytes) -> bytes:
    return record.strip(b" \t\r\n").replace(b"\n", b" ")


@given(
    st.lists(objects, min_size=1, max_size=5),
    st.sampled_from([b"", b"\n", b"\r\n", b"\n\n", b"  "]),
    st.integers(1, 40),
)
@example([b'{"a":"}{"}', b'{"a":"\\"{"}'], b"", 3)
@example([b'{"a":\n{}}', b'{"a":[\n{}\n]}'], b"\n", 100)
def test_sound_objects_come_out_one_a_line_however_they_are_cut(
    records: list[bytes], between: bytes, size: int
) -> None:
    data = between.join(records)

    for cut in (size, len(data)):
        found = unwrapped(data, cut, limit=10_000)
        assert told(found) == [one_line(record) for record in records]
        assert found[-1].end.offset == START.offset + len(data.rstrip(b" \t\r\n"))


@pytest.mark.parametrize("indent", [None, 0, 2])
@pytest.mark.parametrize("between", ["\n", ""])
def test_a_block_of_many_objects_is_taken_apart_at_once(indent: int | None, between: str) -> None:
    records = [json.dumps({"n": n, "items": [{}, {"t": "}{"}]}, indent=indent) for n in range(300)]
    data = between.join(records).encode()

    found = unwrapped(data, limit=10_000)

    assert told(found) == [one_line(record.encode()) for record in records]


PIECES = [
    b'{"a":1}',
    b'{"b":\n{"c":[]}}',
    b'{"x":1',
    b'{"s":"a\nb"}',
    b'{"s":"\\\n"}',
    b"garbage",
    b"}",
    b"[1,\n2]",
    b'"',
    b'{"a":1 {"b":2}}',
    b'{"a":',
    b'{"t":nil}',
    b'{"n":\n0x1}',
    b"\\",
    b"\xff\xfe",
    b"x" * (MAX + 5),
    b'{"long":"' + b"y" * MAX + b'"}',
    b'{"open":"' + b"z" * MAX,
]


@given(st.lists(st.sampled_from(PIECES), max_size=8), st.sampled_from([b"\n", b"\n\n", b" "]))
def test_nothing_is_lost_however_broken_the_input_is(pieces: list[bytes], between: bytes) -> None:
    data = between.join(pieces)
    for size in (1, 7, len(data) or 1):
        found = unwrapped(data, size)
        at = 0
        told(found)
        for each in found:
            end = each.end.offset - START.offset
            stretch, at = data[at:end], end
            if isinstance(each.found, Misframed):
                assert each.found.found in stretch
                assert stretch.replace(each.found.found, b"", 1).strip(b" \n") == b""
            elif isinstance(each.found, Oversize):
                assert each.found.head == stretch.strip(b" \n")[:HEAD] or at == len(data)
            else:
                squeezed = re.sub(rb"\s", b"", each.found)
                assert squeezed == re.sub(rb"\s", b"", stretch)
        assert data[at:].strip(b" \n") == b""


@given(st.lists(st.sampled_from(PIECES), max_size=5))
def test_after_whatever_comes_the_next_line_that_begins_an_object_is_one(
    pieces: list[bytes],
) -> None:
    data = b"\n".join([*pieces, b'{"found":"again"}', b'{"found":"twice"}'])
    for size in (1, 7, len(data)):
        assert told(unwrapped(data, size))[-2:] == [b'{"found":"again"}', b'{"found":"twice"}']


def test_what_is_broken_is_one_thing_with_its_bytes() -> None:
    data = (
        b'\n{"a":1}\nStarting\n  up ...\n{"b":"x\ny",\n  "c":2\n}\n{"d":1\n{"e":1}}\n{"f":1}\n{"g":'
    )

    assert told(unwrapped(data)) == [
        b'{"a":1}',
        (b"Starting\n  up ...", "invalid_json"),
        (b'{"b":"x\ny",\n  "c":2\n}', "invalid_json"),
        (b'{"d":1', "invalid_json"),
        b'{"e":1}',
        (b"}", "invalid_json"),
        b'{"f":1}',
        (b'{"g":', "invalid_json"),
    ]


def test_an_object_that_does_not_end_costs_no_more_than_the_limit() -> None:
    lost = b'{"a":[1,' + b"2," * MAX
    documents = Documents(START, MAX, HEAD)
    for block in blocks(lost, 10):
        assert not documents.feed(block)
        assert len(documents._held) <= MAX + 10

    found = [*documents.feed(b'\n{"b":1}\n'), *documents.end()]

    assert found[0].found == Oversize(lost[:HEAD], len(lost), sha256(lost).hexdigest())
    assert found[1].found == b'{"b":1}\n'


def test_what_does_not_end_at_all_is_told_by_its_length_and_hash() -> None:
    (one,) = unwrapped(b"x" * 5 * MAX, 10)

    assert one.found == Oversize(b"x" * HEAD, 5 * MAX, sha256(b"x" * 5 * MAX).hexdigest())
    assert one.end == Position(START.line + 1, START.offset + 5 * MAX)


def test_a_sound_object_of_any_length_is_found_where_it_came_in_one_piece() -> None:
    record = b'{"long":"' + b"y" * MAX + b'"}'

    assert told(unwrapped(record)) == [record]


def test_far_blanks_before_an_object_are_seen_through() -> None:
    sound, wrong = b'{"a":' + b" " * 99 + b"{}}", b'{"a":1' + b" " * 99 + b"{}}"

    assert told(unwrapped(sound, 20, limit=999)) == [sound]
    assert told(unwrapped(wrong, 20, limit=999)) == [(wrong, "invalid_json")]


def test_what_is_passed_over_has_a_number_and_ends_what_was_begun() -> None:
    documents = Documents(START, MAX, HEAD)
    assert not documents.feed(b'{"a":1')
    torn = Misframed(b"???", documents.end()[0].found.fault)  # type: ignore[union-attr]
    assert documents.unfinished_bytes == 0
    assert not documents.feed(b' {"b":2 ')
    assert documents.unfinished_bytes == len(b'{"b":2')
    assert documents.completes(b"}")
    assert not documents.completes(b",")

    _, passed = documents.pass_over(torn, Position(99, 2000))

    assert (passed.found, passed.end) == (torn, Position(8, 2000))
    documents.feed(b"{")
    documents.skip(Position(100, 5001))
    assert documents.feed(b"}")[0].end == Position(9, 5002)
