"""Every way to frame records, against what was framed: whole, cut anywhere, too long, wrong."""

from collections.abc import Callable
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.core.announced import LengthPrefixedFramer, OctetCountedFramer
from agent.core.frames import Frame, Framer, Misframed, last_frame
from agent.core.framing import LineFramer, Oversize
from agent.core.separated import JsonSequenceFramer, NulFramer

MAX, HEAD = 40, 5

Framers = type[NulFramer | JsonSequenceFramer | LengthPrefixedFramer | OctetCountedFramer]

FRAMED: dict[Framers, Callable[[bytes], bytes]] = {
    NulFramer: lambda record: record + b"\0",
    JsonSequenceFramer: lambda record: b"\x1e" + record + b"\n",
    LengthPrefixedFramer: lambda record: len(record).to_bytes(4, "big") + record,
    OctetCountedFramer: lambda record: b"%d %b" % (len(record), record),
}
EVERY = pytest.mark.parametrize("kind", FRAMED, ids=lambda kind: kind.__name__)

RECORDS = st.lists(
    st.sampled_from(
        [
            b"{}",
            b'{"a":1}',
            b'{"text":"Z\xc3\xbcrich } {"}',
            b'{\n  "pretty": [\n    1\n  ]\n}',
            b'{"a":"no\nrecord"}',
            b"1\n2",
            b"\xff\xfe",
            b"x" * 41,
            b"y\n" * 30,
            b"1" * 12,
        ]
    ),
    max_size=6,
)
CUTS = st.lists(st.integers(0, 300), max_size=8)


def fed(framer: Framer, blocks: list[bytes]) -> list[Frame]:
    return [frame for block in blocks for frame in framer.feed(block)]


def cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(stream), *(each for each in cuts if each < len(stream))})
    return [stream[a:b] for a, b in pairwise(places)]


def told(frames: list[Frame]) -> list[object]:
    """Frame by frame, the one form that does not depend on how the stream was cut."""
    one_by_one: list[object] = []
    for frame in frames:
        if isinstance(frame, Misframed):
            one_by_one.append(frame.found if len(frame.found) <= MAX else described(frame.found))
        elif isinstance(frame, Oversize):
            one_by_one.append(frame)
        else:
            assert frame.endswith(b"\n")
            lines = frame[:-1].split(b"\n")
            one_by_one += [each if len(each) <= MAX else described(each) for each in lines]
    return one_by_one


def described(record: bytes) -> Oversize:
    return Oversize(record[:HEAD], len(record), sha256(record).hexdigest())


def expected(record: bytes) -> object:
    if len(record) > MAX:
        return described(record)
    is_pretty = record.startswith(b"{\n")
    return record.replace(b"\n", b" ") if is_pretty else record


def held_to(frames: list[Frame], records: list[bytes], kind: Framers) -> None:
    found = told(frames)
    wanted = [expected(record) for record in records]
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        if isinstance(other, Oversize) and isinstance(one, Oversize):
            # the newline behind a text of a sequence counts while it is swallowed
            slack = 1 if kind is JsonSequenceFramer else 0
            assert one.head == other.head
            assert one.length - other.length in (0, slack)
        elif kind is JsonSequenceFramer and isinstance(one, bytes) and isinstance(other, bytes):
            assert one.rstrip(b"\n") == other.rstrip(b"\n")
        else:
            assert one == other


@EVERY
@given(RECORDS, CUTS)
def test_records_come_out_as_they_went_in_however_the_stream_is_cut(
    kind: Framers, records: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(map(FRAMED[kind], records))
    framer = kind(MAX, HEAD)
    frames = fed(framer, cut(stream, cuts))
    if (rest := framer.rest()) is not None:
        assert kind is JsonSequenceFramer, "only there the last one waits for the next"
        frames.append(last_frame(rest, "") or b"\n")
    held_to(frames, records, kind)
    assert not framer.is_broken
    assert framer.held_bytes == 0


@EVERY
@settings(max_examples=30)
@given(RECORDS)
@example([b"{}", b'{\n  "pretty": [\n    1\n  ]\n}', b"x" * 41])
def test_the_same_comes_out_at_every_split_in_two_and_byte_by_byte(
    kind: Framers, records: list[bytes]
) -> None:
    stream = b"".join(map(FRAMED[kind], records))
    splits = [[stream[:at], stream[at:]] for at in range(len(stream))]
    for blocks in [*splits, [bytes([byte]) for byte in stream]]:
        framer = kind(MAX, HEAD)
        frames = fed(framer, blocks)
        if (rest := framer.rest()) is not None:
            frames.append(last_frame(rest, "") or b"\n")
        held_to(frames, records, kind)


@EVERY
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_whatever_comes_nothing_is_lost_and_no_more_is_held_than_a_record(
    kind: Framers, blocks: list[bytes]
) -> None:
    framer = kind(MAX, HEAD)
    for block in blocks:
        if framer.is_broken:
            break
        framer.feed(block)
        assert framer.held_bytes <= max(MAX + 1, HEAD) + 10
    framer.rest()
    assert framer.held_bytes == 0


@EVERY
def test_many_records_in_one_block_leave_together(kind: Framers) -> None:
    record = b'{"a":1}'
    framer = kind(MAX, HEAD)
    frames = framer.feed(FRAMED[kind](record) * 1000)
    last = [framer.feed(FRAMED[kind](record))[0]] if kind is JsonSequenceFramer else []
    assert frames[0] == (record + b"\n") * (999 if last else 1000)
    assert len(frames) == (2 if last else 1)


def test_a_record_with_newlines_in_it_becomes_one_line_of_the_same_length() -> None:
    pretty = b'{\n\t"a": 1,\n\t"b": "x"\n}'
    assert NulFramer(MAX, HEAD).feed(pretty + b"\0{}\0") == [b'{ \t"a": 1, \t"b": "x" }\n{}\n']


def test_a_newline_within_a_string_is_no_white_space_and_stays_for_the_dead_letter() -> None:
    wrong = b'{"a":"1\n2"}'
    first, second, third = NulFramer(MAX, HEAD).feed(b"{}\0" + wrong + b"\0{}\0")
    assert (first, third) == (b"{}\n", b"{}\n")
    assert isinstance(second, Misframed)
    assert (second.found, second.fault.reason) == (wrong, "invalid_json")


def test_a_line_end_within_the_frame_is_taken_for_one() -> None:
    assert NulFramer(MAX, HEAD).feed(b"{}\n\0{}\r\n\0") == [b"{}\n{}\n"]
    assert OctetCountedFramer(MAX, HEAD).feed(b"3 {}\n4 {}\r\n") == [b"{}\n{}\n"]


def test_a_record_of_a_sequence_does_not_wait_for_the_next_one() -> None:
    framer = JsonSequenceFramer(MAX, HEAD)
    assert framer.feed(b'\x1e{"a":\n') == []
    assert framer.feed(b'{"b":{}\n') == [], "a brace and a newline are not always the end"
    assert framer.feed(b'}\n}\n\x1e{"c"') == [b'{"a": {"b":{} } }\n']
    assert framer.feed(b":1}\n") == [b'{"c":1}\n']
    assert framer.feed(b'\x1e{"d":2}\n') == [b'{"d":2}\n']


def test_a_sequence_is_not_looked_at_again_and_again() -> None:
    framer = JsonSequenceFramer(100_000, HEAD)
    framer.feed(b'\x1e{"a":"')
    for _ in range(20_000):
        framer.feed(b"}\n")
    assert isinstance(framer.rest(), bytes)


def test_a_sequence_that_begins_without_its_mark_is_broken() -> None:
    framer = JsonSequenceFramer(MAX, HEAD)
    assert framer.feed(b"\n ") == []
    [wrong] = framer.feed(b' {"a":1}\n')
    assert framer.is_broken
    assert isinstance(wrong, Misframed)
    assert (wrong.found, wrong.fault.reason) == (b'{"a":1}\n', "framing")


@pytest.mark.parametrize(
    ("kind", "stream", "found", "words"),
    [
        (LengthPrefixedFramer, b'{"a":1}\n', b'{"a":1}\n', "is no length"),
        (OctetCountedFramer, b"hello\n", b"hello\n", "neither the length of a record nor a"),
        (OctetCountedFramer, b"<34>1 2026", b"<34>1 2026", "neither the length"),
        (OctetCountedFramer, b"012 {}", b"012 {}", "neither the length"),
        (OctetCountedFramer, b"12a {}", b"12a {}", "neither the length"),
        (OctetCountedFramer, b"1234567890123 {}", b"1234567890123 {}", "has no end"),
        (OctetCountedFramer, b"999999999 {}", b"999999999 {}", "none that a record can have"),
    ],
)
def test_a_wrong_frame_breaks_off_with_what_is_there(
    kind: Framers, stream: bytes, found: bytes, words: str
) -> None:
    for before in (b"", FRAMED[kind](b"{}")):
        framer = kind(MAX, HEAD)
        *good, wrong = framer.feed(before + stream)
        assert good == ([b"{}\n"] if before else [])
        assert framer.is_broken
        assert isinstance(wrong, Misframed)
        assert (wrong.found, wrong.fault.reason) == (found, "framing")
        assert words in wrong.fault.message
        assert framer.rest() is None


def test_a_frame_shorter_than_announced_shows_at_the_next_one() -> None:
    framer = OctetCountedFramer(MAX, HEAD)
    whole, wrong = framer.feed(b'6 {"a":1}2 {}')
    assert whole == b'{"a":1\n'
    assert isinstance(wrong, Misframed)
    assert wrong.found == b"}2 {}"


def test_lines_among_counted_frames_are_records_too() -> None:
    framer = OctetCountedFramer(MAX, HEAD)
    frames = fed(framer, [b'2 {}\n{"line":1}\r\n', b'7 {"a":1}{"l', b'ine"', b':2}\n2 {}\n{"li'])
    assert b"".join(frame for frame in frames if isinstance(frame, bytes)) == (
        b'{}\n{"line":1}\r\n{"a":1}\n{"line":2}\n{}\n'
    )
    assert framer.held_bytes == 4
    assert framer.rest() == b'{"li'


@pytest.mark.parametrize(
    ("kind", "stream", "rest"),
    [
        (NulFramer, b'{"a"', b'{"a"'),
        (LengthPrefixedFramer, b"\0\0", b"\0\0"),
        (LengthPrefixedFramer, b'\0\0\0\x08{"a"', b'{"a"'),
        (OctetCountedFramer, b"12", b"12"),
        (OctetCountedFramer, b'12 {"a"', b'{"a"'),
        (JsonSequenceFramer, b'\x1e{"a"', b'{"a"'),
    ],
)
def test_the_rest_of_a_frame_is_what_came_of_it(kind: Framers, stream: bytes, rest: bytes) -> None:
    framer = kind(MAX, HEAD)
    framer.feed(stream)
    assert framer.rest() == rest
    assert framer.rest() is None


@pytest.mark.parametrize("kind", [LengthPrefixedFramer, OctetCountedFramer])
def test_a_record_that_comes_in_thousands_of_parts_is_joined(kind: Framers) -> None:
    record = b"%b" % (b'{"a":"' + b"x" * 5000 + b'"}')
    framer = kind(10_000, HEAD)
    frames = fed(framer, [bytes([byte]) for byte in FRAMED[kind](record)])
    assert frames == [record + b"\n"]


def test_lines_are_framed_by_any_separator() -> None:
    framer = LineFramer(MAX, HEAD, b"\0")
    assert framer.feed(b"a\nb\0c") == [b"a\nb\0"]
    assert framer.unfinished() == b"c"
    assert framer.feed(b"d") == []
    assert framer.unfinished() == b"cd"
    assert framer.end() == [b"cd\0"]
    assert framer.unfinished() == b""
