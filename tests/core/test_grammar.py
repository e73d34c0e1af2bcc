import json
import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.grammar import object_fault

DEEP = 10_000

LEGAL = [
    b"{}",
    b" \t\r\n{ \t\r\n} \t\r\n",
    b'{"a":1,"b":[2,-2.5e-3,0,-0,0.0,1E+1],"c":{"d":null,"e":[],"":true}}',
    b'{"a":"\\u00e9\\n\\"\\\\\\/\\b\\f\\r\\t","b":false}',
    '{"é":"日本 \u2028"}'.encode(),
    b'{"lone":"\\ud800","pair":"\\ud83d\\ude00"}',
    b'{"a":1,"a":2}',
    b'{"a":18446744073709551616,"b":1e999,"c":' + b"9" * 5000 + b"}",
    b'{"a":' * DEEP + b"0" + b"}" * DEEP,
    b'{"a":' + b"[" * DEEP + b"]" * DEEP + b"}",
    b'{"a":"\x7f"}',
]

BROKEN = {
    b"": "the text ends at byte 0 where an object was expected",
    b"  ": "the text ends at byte 2 where an object was expected",
    b"[]": "expected an object at byte 0, found '['",
    b"7": "expected an object at byte 0, found '7'",
    b'{"a":1': "the text ends at byte 6 where a comma or } was expected",
    b'"b":2}': "expected an object at byte 0, found '\"'",
    b'{"a":1}{"b":2}': "the object ends, but more follows at byte 7: '{'",
    b'{"a":1} x': "the object ends, but more follows at byte 8: 'x'",
    b"{,}": "expected a key in double quotes or } at byte 1, found ','",
    b"{1:2}": "expected a key in double quotes or } at byte 1, found '1'",
    b'{"a" 1}': "expected a colon at byte 5, found '1'",
    b'{"a":}': "expected a value at byte 5, found '}'",
    b'{"a":1,}': "expected a key in double quotes at byte 7, found '}'",
    b'{"a":[,1]}': "expected a value or ] at byte 6, found ','",
    b'{"a":[1,]}': "expected another value at byte 8, found ']'",
    b'{"a":[1 2]}': "expected a comma or ] at byte 8, found '2'",
    b'{"a":[1}': "expected a comma or ] at byte 7, found '}'",
    b'{"a":1]': "expected a comma or } at byte 6, found ']'",
    b'{"a":01}': "expected a value at byte 5, found '0'",
    b'{"a":NaN}': "expected a value at byte 5, found 'N'",
    b'{"a":-Infinity}': "expected a value at byte 5, found '-'",
    b'{"a":trueish}': "expected a value at byte 5, found 't'",
    b'{"a":"\\x"}': "found a backslash at byte 6 before what JSON does not escape",
    b'{"a":"\\u12g4"}': "found a backslash at byte 6 before what JSON does not escape",
    b'{"a":"\x01"}': "found U+0001 in a string at byte 6, where it has to be escaped",
    b'{"a":"\t"}': "found U+0009 in a string at byte 6, where it has to be escaped",
    b'{"a":"\\n\x1f"}': "found U+001F in a string at byte 8, where it has to be escaped",
    b'{"a\x1f":1}': "found U+001F in a string at byte 3, where it has to be escaped",
    b'{"a":1,"b': "the string that begins at byte 7 is not closed",
    b'{"a" "': "expected a colon at byte 5, found '\"'",
    b"{'a':1}": 'expected a key in double quotes or } at byte 1, found "\'"',
    b'{"a":1}\x00': "the object ends, but more follows at byte 7: U+0000",
    b"\xef\xbb\xbf{}": "expected an object at byte 0, found U+FEFF",
    "{é:1}".encode(): "expected a key in double quotes or } at byte 1, found 'é'",
}


@pytest.mark.parametrize("text", LEGAL, ids=lambda text: text[:24].decode())
def test_whatever_the_grammar_allows_is_an_object(text: bytes) -> None:
    assert object_fault(text) is None


@pytest.mark.parametrize(("text", "said"), BROKEN.items())
def test_a_fault_says_what_was_expected_where(text: bytes, said: str) -> None:
    assert object_fault(text) == said


@pytest.mark.parametrize("number", ["1.", ".1", "-", "+1", "1e", "1e+", "1.2.3", "0x1", "1-2"])
def test_what_only_looks_like_a_number_is_none(number: str) -> None:
    assert object_fault(b'{"a":%b}' % number.encode()) is not None


def test_what_is_said_never_shows_more_of_a_record_than_one_character() -> None:
    said = object_fault(b'{"a":1} password')
    assert said is not None
    assert "pa" not in said


FRAGMENTS = [
    *(bytes([byte]) for byte in b"{}[]:,\"\\-+.eE019 \t\r\n\x00\x1f\x0b\x0c'/xu"),
    *(b'"a"', b'""', b"true", b"false", b"null", b"NaN", b"Infinity", b"-Infinity", b"tru"),
    *(b"\\u00e9", b"\\ud800", b"\\u12", b"\\n", b"\\x", "é".encode(), "\u2028".encode()),
    *(b"01", b"1.5e-3", b"1e999", b"18446744073709551616", b"\xef\xbb\xbf", b"{}", b'"k":1'),
]


@st.composite
def mutated_texts(draw: st.DrawFn) -> bytes:
    """JSON with a few places overwritten, mostly by what makes a difference."""
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
    value = draw(st.dictionaries(st.text(max_size=3), values, max_size=3))
    text = json.dumps(value, ensure_ascii=draw(st.booleans())).encode()
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        end = at + draw(st.integers(0, 3))
        text = text[:at] + draw(st.sampled_from(FRAGMENTS)) + text[end:]
    return text


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def is_object(text: bytes) -> bool:
    """The strict oracle: Python's own reader, without what it allows beyond the standard."""
    try:
        return isinstance(json.loads(text.decode(), parse_constant=refuse), dict)
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="module")
def numbers_of_any_length() -> Iterator[None]:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    yield
    sys.set_int_max_str_digits(before)


def test_the_oracle_agrees_on_the_tables() -> None:
    shallow = [text for text in LEGAL if len(text) < DEEP]
    assert len(shallow) == len(LEGAL) - 2
    assert all(is_object(text) for text in shallow)
    assert not any(is_object(text) for text in BROKEN)


@given(mutated_texts() | st.lists(st.sampled_from(FRAGMENTS), max_size=8).map(b"".join))
def test_it_agrees_with_another_reader_on_mutated_texts(text: bytes) -> None:
    try:
        text.decode()
    except UnicodeDecodeError:
        return  # a mutation cut a character in two: no text to ask about
    assert (object_fault(text) is None) == is_object(text)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":' + b"[" * 1_000_000,
        b'{"a":' * 170_000,
        b'{"a":[' + b"1," * 500_000,
        b'{"a":"' + b"\\\\" * 500_000,
        b'{"a":"' + b'\\"' * 500_000,
        b'{"a":' + b'"' * 1_000_000,
        b'{"a":' + b"1" * 1_000_000 + b"x",
        b'{"a":' + b"1." * 500_000,
        b'{"a":1e' + b"1" * 1_000_000 + b"e",
        b"{" + b" " * 1_000_000 + b"x",
        b'{"a":1}' + b" " * 1_000_000 + b"x",
        b'{"a"' + b" \t" * 500_000,
    ],
    ids=lambda text: repr(text[:14]),
)
def test_a_megabyte_made_to_be_slow_is_read_in_time(text: bytes) -> None:
    begun = time.process_time()
    assert object_fault(text) is not None
    assert time.process_time() - begun < 2
