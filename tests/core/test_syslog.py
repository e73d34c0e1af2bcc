import pytest

from agent.core.syslog import without_headers

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
