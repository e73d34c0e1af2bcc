"""Which records does a body hold? Compared with json.loads, however it is written."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core import pushed
from agent.core.pushed import BadBody, Lines, TooMany, Unwrap, array, by_look, messages, ndjson
from agent.core.pushed import single as one

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.text(max_size=5), VALUES, max_size=4)
SPACE = st.sampled_from(["", " ", "\n", "\r\n", "\t", " \n  "])


def records(lines: Lines) -> list[bytes]:
    """What was found."""
    found = lines.data.split(b"\n")
    assert found.pop() == b""
    assert lines.is_empty == (not found)
    return [line for line in found if line.strip()]


def refusal(find: Any, body: bytes) -> str:
    """Why a body is none."""
    with pytest.raises(BadBody) as caught:
        find(body)
    return str(caught.value)


@st.composite
def arrays(draw: st.DrawFn) -> tuple[str, list[Any]]:
    """A JSON array of objects, written with blanks wherever they may stand."""
    values = draw(st.lists(OBJECTS, min_size=1, max_size=6))
    indent = draw(st.sampled_from([None, 1]))
    ascii_only = draw(st.booleans())
    parts = [json.dumps(value, indent=indent, ensure_ascii=ascii_only) for value in values]
    between = (draw(SPACE) + "," + draw(SPACE) for _ in parts)
    text = draw(SPACE) + "[" + draw(SPACE)
    for part, comma in zip(parts, between, strict=True):
        text += part + comma
    return text.rstrip().rstrip(",") + draw(SPACE) + "]" + draw(SPACE), values


@given(arrays())
def test_an_array_is_its_elements_however_it_is_written(written: tuple[str, list[Any]]) -> None:
    text, values = written
    body = text.encode("utf-8", "surrogatepass")

    assert [json.loads(record) for record in records(by_look(body))] == values
    batch = b'{ "messages" :' + body + b"}"
    assert [json.loads(record) for record in records(messages(batch))] == values


@given(st.lists(OBJECTS, min_size=1, max_size=6), st.data())
def test_lines_are_records_and_blank_ones_are_nothing(
    values: list[Any], data: st.DataObject
) -> None:
    body = b""
    for value in values:
        body += data.draw(st.sampled_from([b"", b"\n", b" \t\r\n"]))
        body += json.dumps(value).encode() + data.draw(st.sampled_from([b"\n", b"\r\n"]))
    if data.draw(st.booleans()):
        body = body.rstrip(b"\r\n")

    for find in (by_look, ndjson):
        assert [json.loads(record) for record in records(find(body))] == values


@given(OBJECTS, st.sampled_from([None, 2]), SPACE, SPACE)
def test_a_single_object_may_be_written_over_several_lines(
    value: Any, indent: int | None, before: str, after: str
) -> None:
    body = (before + json.dumps(value, indent=indent) + after).encode()

    for find in (by_look, one):
        (record,) = records(find(body))
        assert json.loads(record) == value
        assert len(record) == len(body.strip())


def test_the_bytes_of_a_record_are_those_of_the_body() -> None:
    record = '{ "a" : 1.0e2,"a":"\\u0041 é" }'.encode()

    assert records(array(b"[" + record + b" , " + record + b"]")) == [record, record]
    assert records(ndjson(record)) == [record]
    assert records(one(b" " + record + b"\n")) == [record]


@pytest.mark.parametrize("escape", [rb"\ud800", rb"\uDFFF", rb"\\ud800", rb"\ud83d\ude00", rb"A"])
def test_half_a_surrogate_pair_is_legal_and_kept(escape: bytes) -> None:
    first, second = b'{"a":"%b"}' % escape, b'{ "b":2 }'
    body = b" [%b , %b]" % (first, second)

    assert records(array(body)) == [first, second]
    assert records(messages(b'{"messages":%b}' % body)) == [first, second]


def test_half_a_surrogate_pair_is_refused_where_its_place_cannot_be_told() -> None:
    record = rb'{"a":"\ud800"}'
    body = b'{"x":[1],"messages":[%b]}' % record
    twice = b'{"messages":[%b],"messages":[%b,{}]}' % (record, b'{"b":2}')

    for each in (body, twice):
        assert "half of a surrogate pair: send such records one a line" in refusal(messages, each)
    assert "not valid JSON" in refusal(array, b"[%b;]" % record)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the body is empty"),
        (b" \r\n", "the body is empty"),
        (b"hello", "expected { or [ at byte 0"),
        (b"  7", "expected { or [ at byte 2"),
        (b"\xef\xbb\xbf{}", "at byte 0 after a byte order mark"),
        (b'{"a":1}{"b":2}', "the object ends, but more follows at byte 7"),
        (b'{"a":1,}', "expected a key in double quotes at byte 7"),
        (b'{"a":\n1\n', "ends at byte 7 where"),
        (b'{"a":"\n"}', "found U+000A in a string at byte 6"),
        (b'{"a":"\xff"}', "not valid UTF-8 at byte 6"),
        (b'[{"a":1},]', "trailing comma in array (byte 9)"),
        (b'[{"a":1}', "it ends at byte 8, before it is complete"),
        (b'[{"a":1}] x', "trailing characters (byte 11)"),
        (b'[{"a":"x\ny"}]', "invalid character (byte 8)"),
        (b"[1,2]", "the first elements are no records: a record must be"),
        (b"[[]]", "the only element is"),
        (b"[" * 5000 + b"]" * 5000, "nested too deeply"),
    ],
)
def test_a_body_that_is_none_is_refused_with_the_place(body: bytes, words: str) -> None:
    assert words in refusal(by_look, body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[]", "expected `object`, got `array`"),
        (b'{"messages":3}', "expected `array`, got `int`"),
        (b"{}", "missing required field `messages`"),
        (b'{"messages":[{]}', "not valid JSON"),
    ],
)
def test_a_batch_of_messages_has_an_array_of_them(body: bytes, words: str) -> None:
    assert words in refusal(messages, body)


def test_lines_are_taken_as_they_are_for_a_shipper_gives_up_what_is_refused() -> None:
    assert records(ndjson(b'nonsense\n{"a":1}\n')) == [b"nonsense", b'{"a":1}']
    assert records(ndjson(b"<html>\n7")) == [b"<html>", b"7"]
    assert "the body is empty" in refusal(ndjson, b"\n \n")
    assert "the body is empty" in refusal(one, b" ")


def test_messages_are_judged_one_by_one_later() -> None:
    assert records(messages(b'{"messages":[1,{"a":2}]}')) == [b"1", b'{"a":2}']
    assert messages(b'{"messages":[]}') == array(b"[]") == Lines(b"", is_empty=True)


def test_too_many_records_are_refused_before_they_cost_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pushed, "MOST_RECORDS", 3)
    monkeypatch.setattr(pushed, "_MOST_VALUES", 20)

    assert len(records(array(b"[{},{},{}]"))) == 3
    for find, body in (
        (array, b"[{},{},{},{}]"),
        (array, b'[{"a":[' + b"1," * 21 + b"1]}]"),
    ):
        with pytest.raises(TooMany, match="more than 3 records in one request"):
            find(body)


ENTITY = b'{"_id":\n"1"}'
HEADER = b'{"flowId":"F","datasetId":"D","schemaRef":{"id":"S"}}'
MESSAGE = b'{"header":%b,"body":{"xdmMeta":{},"xdmEntity":%%b}}' % HEADER
OURS = Unwrap({"flowId": "F", "datasetId": "D", "schemaRef.id": "S"})


def test_the_record_is_taken_out_of_a_whole_xdm_message() -> None:
    whole = MESSAGE % ENTITY
    body = b'{"messages":[%b,{"b":2},%b]}' % (whole, whole)
    flat = ENTITY.replace(b"\n", b" ")

    assert records(messages(body, OURS)) == [flat, b'{"b":2}', flat]
    assert records(one(whole, OURS)) == [flat]
    assert records(one(b'{"header":{},"body":{"xdmEntity":{}}}', OURS)) == [b"{}"]


@pytest.mark.parametrize(
    ("mine", "theirs", "key"), [("F", "G", "flowId"), ("D", "E", "datasetId"), ("S", "T", "schema")]
)
def test_a_message_for_something_else_is_refused(mine: str, theirs: str, key: str) -> None:
    whole = re.sub(f'"{mine}"'.encode(), f'"{theirs}"'.encode(), MESSAGE % ENTITY)

    with pytest.raises(BadBody, match=f"another {key}"):
        one(whole, OURS)
    assert len(records(one(whole, Unwrap({})))) == 1


def test_a_header_that_is_none_is_refused() -> None:
    with pytest.raises(BadBody, match=r"the header of a message: .*expected `str \| null`"):
        one(b'{"header":{"flowId":3},"body":{"xdmEntity":{}}}', OURS)
