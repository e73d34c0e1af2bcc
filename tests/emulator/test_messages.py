import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.emulator import grammar
from agent.emulator.messages import BadBody, batch_records, event_ids, object_members, single_record

ODD_RECORDS = [
    b'{"a" : 1}',
    '{"city":"Zürich 東京"}'.encode(),
    b'{"lone":"\\ud800 \\udc00"}',
    b'{"n":123456789012345678901234567890.10e+400}',
    b'{"a":1,"a":2}',
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b"7",
    b"null",
    b'"text"',
    b"[1, 2]",
    b'{"pretty":\n  1}',
]


@pytest.mark.parametrize("record", ODD_RECORDS)
def test_a_record_keeps_its_bytes_among_its_neighbours(record: bytes) -> None:
    records = [b'{"before":1}', record, b'{"after":2}']
    assert batch_records(b'{"messages":[' + b",\n ".join(records) + b"]}") == records


@pytest.mark.parametrize("record", ODD_RECORDS)
def test_a_single_record_loses_only_the_blanks_round_it(record: bytes) -> None:
    assert single_record(b" \n" + record + b"\r\n") == record


def test_the_last_of_equal_keys_counts_with_either_parser() -> None:
    assert batch_records(b'{"messages":[1],"messages":[{}]}') == [b"{}"]
    assert batch_records(b'{"messages":["\\ud800"],"messages":[{}]}') == [b"{}"]


def test_the_id_of_a_record_is_found_where_it_belongs_and_nowhere_else() -> None:
    deep = b'{"_id":"deep","a":' + b"[" * 3000 + b"]" * 3000 + b"}"
    records = [b'{"_id": "1"}', b'{"a":{"_id":"2"}}', b'["_id"]', b"{}", b'{"_id":4,"a":[]}', deep]
    assert event_ids(records, ["_id"]) == [b'"1"', b"4", b'"deep"']
    assert event_ids(records, ["a", "_id"]) == [b'"2"']


def test_other_members_beside_the_messages_do_not_matter() -> None:
    assert batch_records(b'{"x":"\\ud800","mess\\u0061ges":[{}],"y":[[]]}') == [b"{}"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b'{"messages":[{"a":1}', "not JSON"),
        (b'{"messages":[{"a":NaN}]}', "not JSON"),
        (b'{"messages":[{"a":1}{"b":2}]}', "not JSON"),
        (b'{"messages":1', "not JSON"),
        (b'\xef\xbb\xbf{"messages":[]}', "not JSON"),
        (b'{"messages":["\xff"]}', "not UTF-8"),
        (b'{"messages":["\xed\xa0\x80"]}', "not UTF-8"),
        (b'{"messages":{}}', "array 'messages'"),
        (b'{"messages":null}', "array 'messages'"),
        (b"{}", "array 'messages'"),
        (b"[{}]", "array 'messages'"),
        (b'["\\ud800"]', "array 'messages'"),
        (b'{"messages":"\\ud800"}', "array 'messages'"),
    ],
)
def test_a_body_that_is_no_batch_is_refused_with_the_reason(body: bytes, why: str) -> None:
    with pytest.raises(BadBody, match=why):
        batch_records(body)


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":1}{', b'"\xff"', b"nul"])
def test_a_single_body_that_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadBody):
        single_record(body)


@pytest.mark.parametrize("record", [b'{"a":1,"b":"x"}', b'{"a":1,"b":"\\ud800"}'])
def test_members_are_raw(record: bytes) -> None:
    members = object_members(record)
    assert members is not None
    assert members["a"] == b"1"
    assert members["b"].startswith(b'"')


@pytest.mark.parametrize("record", [b"[]", b"1", b'"{}"', b""])
def test_what_is_no_object_has_no_members(record: bytes) -> None:
    assert object_members(record) is None


@given(st.binary(max_size=40), st.integers(0, 40))
def test_the_fast_parser_takes_nothing_that_the_grammar_refuses(junk: bytes, at: int) -> None:
    body = b'{"messages":[{"a":[1.5e3,"x\\u0041"]},{"b":null}]}'
    body = body[:at] + junk + body[at:]
    try:
        records = batch_records(body)
    except BadBody:
        return
    members = {json.loads(key): value for key, value in grammar.members(body)}
    assert grammar.elements(members["messages"]) == records
