import pytest

from agent.core.frames import Misframed
from agent.core.syslog import SyslogMessages, without_headers
from agent.core.unwrapping import Unwrapped
from agent.core.validation import Fault
from agent.record import Position

RECORD = '{"city":"Zürich","inner":{"a":"<14>1 x {"}}'.encode()

HEADERS = [
    b"<190>Nov 23 14:47:20 host nginx: ",
    b"<190>Nov 23 14:47:20 nginx: ",
    b"<14>Mar  1 12:00:00 host shop[71]: @cee: ",
    b"<13>",
    b"<14>1 2026-03-01T12:00:00.123+01:00 host shop 71 - - ",
    b"<14>1 2026-03-01T12:00:00Z host shop - ID47 - \xef\xbb\xbf",
    b'<165>1 2026-03-01T12:00:00Z - - - - [a@1 x="{" y="\\"]{"][b c="d"] ',
    b'<165>1 2026-03-01T12:00:00Z - - - - [a@1 x="{" y="\\"]{"] @cee: ',
]

CARRYING_NOTHING = [
    b"<190>Nov 23 14:47:20 host nginx: no record here",
    b"<14>1 2026-03-01T12:00:00Z host shop 71 - - plain words",
    b"<14>1 cut {",
    b"just words",
    b"",
    b"<",
    b"<>{}",
    b"<99999>x {}",
]


@pytest.mark.parametrize("header", HEADERS)
def test_the_record_behind_a_header_is_what_is_left(header: bytes) -> None:
    assert without_headers(header + RECORD + b"\n") == RECORD + b"\n"


@pytest.mark.parametrize("line", [*CARRYING_NOTHING, RECORD])
def test_a_line_that_is_no_message_with_a_record_stays_as_it_is(line: bytes) -> None:
    assert without_headers(line + b"\n") == line + b"\n"


def test_each_line_of_many_stays_a_line_of_its_own() -> None:
    lines = [header + RECORD for header in HEADERS] + CARRYING_NOTHING
    left = without_headers(b"".join(line + b"\n" for line in lines)).split(b"\n")
    assert left[:-1] == [RECORD] * len(HEADERS) + CARRYING_NOTHING


def test_a_long_line_of_braces_costs_no_more_than_its_length() -> None:
    line = b'<14>1 a b c d e [x y="' + b'\\"{' * 100_000 + b"\n"
    assert without_headers(line) == line


def test_messages_keep_their_lines_and_say_where_their_source_stands() -> None:
    messages = SyslogMessages(Position(5, 100))
    lines = HEADERS[0] + b"{}\n" + CARRYING_NOTHING[0] + b"\n"
    (came,) = messages.feed(lines)
    assert came == Unwrapped(b"{}\n" + CARRYING_NOTHING[0] + b"\n", Position(7, 100 + len(lines)))
    torn = Misframed(b"x", Fault("torn", "it broke"))
    assert [*messages.pass_over(torn, Position(8, 400))] == [Unwrapped(torn, Position(8, 400))]
    messages.skip(Position(9, 500))
    assert messages.position == Position(9, 500)
    assert ([*messages.end()], messages.unfinished_bytes) == ([], 0)


@pytest.mark.parametrize(
    ("message", "record"),
    [
        (HEADERS[0] + b'{"a":1}', b'{"a":1}\n'),
        (HEADERS[4] + b'{\n "a": 1\n}\r', b'{  "a": 1 }\r\n'),
    ],
)
def test_a_message_that_is_no_line_is_one_all_the_same(message: bytes, record: bytes) -> None:
    messages, end = SyslogMessages(Position(5, 100)), Position(6, 100 + len(message))
    broke_off = Misframed(message, Fault("torn", "the connection was closed"))
    assert [*messages.pass_over(broke_off, end)] == [Unwrapped(record, end)]
    misframed = Misframed(message, Fault("framing", "no length stands before it"))
    assert [*messages.pass_over(misframed, end)] == [Unwrapped(misframed, end)]


@pytest.mark.parametrize(
    ("line", "is_whole"),
    [(HEADERS[0] + b'{"a":1}', True), (HEADERS[4] + b'{"a":', False), (b"<14>words", False)],
)
def test_a_line_without_an_end_is_whole_where_its_record_is(line: bytes, is_whole: bool) -> None:
    assert SyslogMessages(Position(1, 0)).completes(line) is is_whole
