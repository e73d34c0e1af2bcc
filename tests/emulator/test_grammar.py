import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.emulator import grammar

LEGAL = [
    b"{}",
    b"[]",
    b' \r\n\t{"a" : [1 , 2.5e-3, -0, true,false , null, "x"]} ',
    b'{"lone":"\\ud800"}',
    b'{"big":123456789012345678901234567890, "huge":1e999}',
    b'{"a":1,"a":2}',
    b'"text"',
    b"12",
    '{"é":"日本語"}'.encode(),
    b'{"a":"\\u0000\\"\\\\\\/\\b\\f\\n\\r\\t"}',
]
ILLEGAL = [
    b"",
    b" ",
    b"{",
    b"}",
    b"[1,]",
    b'{"a":1,}',
    b"{,}",
    b'{"a"}',
    b'{"a":}',
    b'{"a":1 "b":2}',
    b"{a:1}",
    b"[1 2]",
    b"[}",
    b'{"a":1}{"b":2}',
    b'{"a":1}\x00',
    b"\xef\xbb\xbf{}",
    b"NaN",
    b"-Infinity",
    b"+1",
    b"01",
    b"-",
    b"1.",
    b".5",
    b"1e",
    b"tru",
    b"'a'",
    b'"a\nb"',
    b'"\x00"',
    b'"\\x41"',
    b'"\\u12g4"',
    b'"open',
    b'{"a":[1,2}',
]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("text", LEGAL)
def test_legal_json_is_returned_without_the_blanks_round_it(text: bytes) -> None:
    assert grammar.whole(text) == text.strip()


@pytest.mark.parametrize("text", ILLEGAL)
def test_illegal_json_is_refused(text: bytes) -> None:
    with pytest.raises(grammar.NotJson, match="at byte"):
        grammar.whole(text)


@pytest.mark.parametrize("text", ILLEGAL)
def test_illegal_json_is_refused_inside_an_array_and_an_object(text: bytes) -> None:
    if text.strip():
        with pytest.raises(grammar.NotJson):
            grammar.elements(b"[1," + text + b"]")
        with pytest.raises(grammar.NotJson):
            grammar.members(b'{"k":' + text + b"}")


def test_ten_thousand_levels_are_legal() -> None:
    deep = b'{"a":[' * 5000 + b"1" + b"]}" * 5000
    assert grammar.elements(b"[" + deep + b"]") == [deep]
    with pytest.raises(grammar.NotJson):
        grammar.whole(deep[:-1])


@pytest.mark.parametrize("text", [b"{}", b"1", b"[1]x", b"[1", b""])
def test_elements_are_those_of_an_array_only(text: bytes) -> None:
    with pytest.raises(grammar.NotJson):
        grammar.elements(text)


@pytest.mark.parametrize("text", [b"[]", b"1", b"{}x", b'{"a":1', b""])
def test_members_are_those_of_an_object_only(text: bytes) -> None:
    with pytest.raises(grammar.NotJson):
        grammar.members(text)


@given(st.lists(json_values), st.sampled_from([",", " , ", ",\n"]), st.booleans())
def test_the_elements_of_an_array_come_back_byte_for_byte(
    values: list[object], separator: str, ascii_only: bool
) -> None:
    raw = [json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "ignore") for value in values]
    array = b"[ " + separator.encode().join(raw) + b" ]"
    assert grammar.elements(array) == raw


@given(st.dictionaries(st.text(), json_values))
def test_the_members_of_an_object_come_back_byte_for_byte(values: dict[str, object]) -> None:
    members = grammar.members(json.dumps(values).encode())
    assert {json.loads(key): json.loads(value) for key, value in members} == values


@given(st.text(alphabet='{}[]",:01e.-+ \\ntruefalsu"', max_size=30))
def test_it_agrees_with_the_standard_library_on_what_is_json(text: str) -> None:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(text, parse_constant=refuse)
        expected = True
    except ValueError:
        expected = False
    try:
        grammar.whole(text.encode())
        found = True
    except grammar.NotJson:
        found = False
    assert found == expected
