import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.validation import Fault, are_records, fault

DEEP = 10_000

RECORDS = [
    b"{}",
    b'{"a":1}',
    b' \t{"a":1}\r',
    '{"é":"日本"}'.encode(),
    b'{"lone":"\\ud800"}',
    b'{"a":1,"a":2}',
    b'{"a":18446744073709551616}',
    b'{"a":' + b"7" * 5000 + b"}",
    b'{"a":1e999}',
    b'{"a":' * DEEP + b"0" + b"}" * DEEP,
    b'{"type":"x","":null}',
]

FAULTS = {
    b'{"a":1': "invalid_json",
    b'"b":2}': "invalid_json",
    b'{"a":1}{"b":2}': "invalid_json",
    b'{"a":1},{"b":2}': "invalid_json",
    b'{"a":1},"b":2': "invalid_json",
    b'1,"b":2': "invalid_json",
    b'1],"b":[2': "invalid_json",
    b"1,2": "invalid_json",
    b'{"a":NaN}': "invalid_json",
    b"NaN": "invalid_json",
    b'{"a":01}': "invalid_json",
    b"\x00": "invalid_json",
    b'{"a":"\x00"}': "invalid_json",
    b'\xef\xbb\xbf{"a":1}': "invalid_json",
    b"": "invalid_json",
    b"[1,2": "invalid_json",
    b"[]": "not_an_object",
    b'[{"a":1}]': "not_an_object",
    b'"text"': "not_an_object",
    b" 7 ": "not_an_object",
    b"null": "not_an_object",
    b"[" * DEEP + b"]" * DEEP: "not_an_object",
    b'{"a":"\xff"}': "invalid_utf8",
    b'{"a":"\xed\xa0\x80"}': "invalid_utf8",
    b'{"a":"\xc0\xaf"}': "invalid_utf8",
    b"\xff\xfe{": "invalid_utf8",
}


@pytest.mark.parametrize("line", RECORDS, ids=lambda line: line[:20].decode())
def test_legal_json_objects_are_records(line: bytes) -> None:
    assert fault(line) is None


@pytest.mark.parametrize(("line", "reason"), FAULTS.items(), ids=lambda value: repr(value)[:24])
def test_every_other_line_has_a_reason(line: bytes, reason: str) -> None:
    found = fault(line)
    assert found is not None
    assert found.reason == reason
    assert not are_records(line, [line])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"a":"\xff"}', Fault("invalid_utf8", "not valid UTF-8 at byte 6: invalid start byte")),
        (
            b"\xef\xbb\xbf{}",
            Fault("invalid_json", "begins with a byte order mark (BOM), which JSON does not allow"),
        ),
        (
            b"[1]",
            Fault(
                "not_an_object",
                "a record must be a JSON object: expected an object at byte 0, found '['",
            ),
        ),
        (
            b'{"a":1',
            Fault(
                "invalid_json",
                "not valid JSON: the text ends at byte 6 where a comma or } was expected",
            ),
        ),
    ],
)
def test_the_message_is_for_people(line: bytes, said: Fault) -> None:
    assert fault(line) == said


@pytest.mark.parametrize(
    "lines",
    [
        [b'{"a":1', b'"b":2}'],
        [b'{"a":1}', b""],
        [b'{"c":1},{"d":2}'],
        [b'{"c":1}{"d":2}'],
        [b'{"a":"\xc3', b'\xa9"}'],
        [b'{"a":1}', b'{"b":"\xff"}'],
    ],
)
def test_lines_are_never_taken_together(lines: list[bytes]) -> None:
    assert not are_records(b"\n".join(lines) + b"\n", lines)


def test_many_spotless_lines_are_records_at_once() -> None:
    lines = [b'{"a":1}', '{"é":2}'.encode()]
    assert are_records(b"\n".join(lines) + b"\n", lines)


def refuse(constant: str) -> None:
    raise ValueError(constant)


def kind(line: bytes) -> str | None:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return "invalid_utf8"
    try:
        value = json.loads(text, parse_constant=refuse)
    except ValueError:
        return "invalid_json"
    return None if isinstance(value, dict) else "not_an_object"


PARTS = st.sampled_from(
    [*b'{}[]:,"', b'"a"', b"1", b"-", b"null", b"NaN", b" ", b"\\", b"\xff", "é".encode()]
).map(lambda part: bytes([part]) if isinstance(part, int) else part)


@given(st.lists(PARTS | st.binary(max_size=2), max_size=9).map(b"".join))
def test_reasons_agree_with_another_reader(line: bytes) -> None:
    found = fault(line)
    assert (found.reason if found else None) == kind(line)
