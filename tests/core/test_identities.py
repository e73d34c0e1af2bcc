import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.identities import Identities, chosen, without
from agent.record import Span

BLANK = st.sampled_from(["", "", "", " ", "\t \r"])
KEYS = st.sampled_from(
    [
        '"_id"',
        '"\\u005fid"',
        '"_\\u0069\\u0064"',
        '"\\\\u005fid"',
        '"_ID"',
        '"_id "',
        '"{_id"',
        '"a"',
        '"é"',
        '""',
        '"\\ud800"',
        '"key"',
    ]
)
PLAIN = ["0", "null", "-1.5e3", '""', '"_id"', '"{\\"_id\\":1}"', '"日本"', '"\\udfff"', "{}", "[]"]
DEEP = 3000


def objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """JSON objects with blanks anywhere, and keys of any spelling, some of them twice."""
    member = st.tuples(BLANK, KEYS, BLANK, BLANK, values, BLANK).map(
        lambda parts: "{}{}{}:{}{}{}".format(*parts)
    )
    members = st.lists(member, max_size=4).map(",".join)
    return st.tuples(BLANK, members).map(lambda parts: "{" + "".join(parts) + "}")


VALUES = st.recursive(
    st.sampled_from(PLAIN),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]") | objects(inner)
    ),
    max_leaves=5,
)
RECORDS = st.lists(
    st.tuples(BLANK, objects(VALUES), BLANK).map(lambda parts: "".join(parts).encode()),
    min_size=1,
    max_size=6,
)
MADE_OF: list[Literal["position", "content"]] = ["position", "content"]
FIELDS = ["_id", "key"]


def members(record: bytes) -> list[tuple[str, Any]]:
    """The members at the top of a record, in order, each as often as it is there."""
    tops: list[list[tuple[str, Any]]] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        tops.append(pairs)
        return dict(pairs)

    json.loads(record, object_pairs_hook=note)
    return tops[-1]


def one_span(records: Sequence[bytes], source: str = "in", offset: int = 0) -> list[Span]:
    return [Span(source, 1, offset, len(records))]


def id_of(record: bytes, by: Literal["position", "content"], **place: Any) -> str:
    """The id that this record gets at some place."""
    [given], _ = Identities(by).add([record], one_span([record], **place))
    return str(json.loads(given)["_id"])


@given(RECORDS, st.sampled_from(MADE_OF), st.sampled_from(FIELDS))
def test_just_the_records_that_lack_the_field_get_it_in_front(
    records: list[bytes], by: Literal["position", "content"], field: str
) -> None:
    identities = Identities(by, field)
    sent, added = identities.add(records, one_span(records))
    assert len(sent) == len(records)
    for record, longer in zip(records, sent, strict=True):
        if field in dict(members(record)):
            assert longer == record
            continue
        (name, id_), *others = members(longer)
        assert name == field
        assert len(bytes.fromhex(id_)) == 16
        assert others == members(record)
        assert len(longer) == len(record) + identities.added_bytes
    assert bool(added) == (list(sent) != records)


@given(RECORDS, st.sampled_from(MADE_OF), st.sampled_from(FIELDS))
def test_without_its_ids_every_record_has_its_bytes_back(
    records: list[bytes], by: Literal["position", "content"], field: str
) -> None:
    assert without(*Identities(by, field).add(records, one_span(records))) == records


@given(RECORDS, st.data())
def test_the_bits_of_some_records_say_which_of_those_got_an_id(
    records: list[bytes], chance: st.DataObject
) -> None:
    sent, added = Identities("content").add(records, one_span(records))
    indexes = chance.draw(st.lists(st.sampled_from(range(len(records))), unique=True).map(sorted))
    some = [sent[index] for index in indexes]
    bits = chosen(added, len(records), indexes)
    assert without(some, bits) == [records[index] for index in indexes]


@given(RECORDS, st.sampled_from(MADE_OF), st.sampled_from([1, 2]), st.data())
def test_records_get_the_same_ids_however_they_are_read_and_batched(
    records: list[bytes],
    by: Literal["position", "content"],
    newline: int,
    chance: st.DataObject,
) -> None:
    whole = Span("in", 5, 700, len(records), newline)
    sent, added = Identities(by).add(records, [whole])
    cut = chance.draw(st.integers(0, len(records)))
    after = whole.offset + sum(len(record) + newline for record in records[:cut])
    spans = [replace(whole, count=cut), Span("in", 5 + cut, after, len(records) - cut, newline)]
    assert Identities(by).add(records, spans) == (sent, added)
    apart = [Identities(by).add(records[cut:], spans[1:]), Identities(by).add(records[:cut], spans)]
    assert [*apart[1][0], *apart[0][0]] == sent


def test_an_id_made_of_the_position_tells_equal_records_and_equal_places_apart() -> None:
    ids = [
        id_of(b'{"a":1}', "position"),
        id_of(b'{"a":2}', "position"),  # as after a rotation: another record in the same place
        id_of(b'{"a":1}', "position", offset=8),
        id_of(b'{"a":1}', "position", source="other"),
        id_of(b'{"a":1}', "position", source="in:0"),
        id_of(b'{"a":1}', "position", source="odd \udcff name"),
        id_of(b'{"a":1}', "content"),
    ]
    assert len(set(ids)) == len(ids)


def test_a_source_with_an_odd_name_keeps_its_ids_under_the_name_the_store_knows_it_by() -> None:
    assert id_of(b"{}", "position", source="\udcff") == id_of(b"{}", "position", source=r"\udcff")


def test_an_id_made_of_the_content_is_the_same_wherever_the_record_stands() -> None:
    assert id_of(b'{"a":1}', "content") == id_of(b'{"a":1}', "content", source="x", offset=9)
    assert id_of(b'{"a":1}', "content") != id_of(b'{"a": 1}', "content")


@pytest.mark.parametrize(
    ("by", "id_"),
    [
        ("content", "015abd7f5cc57a2dd94b7590f04ad808"),
        ("position", "bcf23391625c7762132e573019768965"),
    ],
)
def test_ids_stay_what_they_are_from_version_to_version(
    by: Literal["position", "content"], id_: str
) -> None:
    assert id_of(b'{"a":1}', by, source="orders.ndjson", offset=4711) == id_


@pytest.mark.parametrize(
    ("record", "lacks"),
    [
        (b'{"a":%b0%b}' % (b"[" * DEEP, b"]" * DEEP), True),
        (b'{"_id":1,"a":%b0%b}' % (b"[" * DEEP, b"]" * DEEP), False),
        (b'{"a":%b0%b,"\\u005fid":1}' % (b'{"_id":' * DEEP, b"}" * DEEP), False),
        (b'{"a":"\\ud800","b":[{"_id":1}]}', True),
        (b'{"a":"\\ud800", "_id" :1}', False),
        (b'{"\\ud800":1,"b":"_id"}', True),
    ],
)
def test_what_the_fast_decoder_gives_up_on_is_looked_at_by_its_grammar(
    record: bytes, lacks: bool
) -> None:
    records = [b'{"_id":7}', record, b'{"b":2}']
    sent, added = Identities("content").add(records, one_span(records))
    assert [one == other for one, other in zip(sent, records, strict=True)] == [
        True,
        not lacks,
        False,
    ]
    assert without(sent, added) == records


def test_records_that_all_have_ids_are_left_as_they_are() -> None:
    records = [b'{"_id":1}', b'{"a":{},"_id":null}']
    assert Identities("position").add(records, one_span(records)) == (records, b"")
    assert without(records, b"") == records
    assert chosen(b"", 2, [1]) == b""


def test_bits_go_from_the_lowest_on() -> None:
    records = [b"{}" if index in (0, 9) else b'{"_id":1}' for index in range(10)]
    _, added = Identities("content").add(records, one_span(records))
    assert added == bytes([0b00000001, 0b00000010])
