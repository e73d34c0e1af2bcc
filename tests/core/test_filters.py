"""Do the right records go on, byte for byte, and is every other one accounted for?"""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.conditions import condition, path
from agent.core.changes import Hashing, Removing, Setting
from agent.core.chunks import Contents, read_chunk
from agent.core.filters import Conditional, Filter, Filters, Sample
from agent.record import Chunk, Position, Span

MAX = 200
DATA = b'{"n":0}\n{"n":1,"kind":"beat"}\nno\n\n{"n":2}\n{"n":3,"kind":"beat"}\n{"n":4}\n'


def contents(data: bytes, end: Position | None = None) -> Contents:
    return read_chunk(Chunk("in", 10, 500, data, 1000.0, end), MAX)


def keep(*texts: str) -> Filter:
    return Filter("keep-1", Conditional([condition(text) for text in texts], keep=True))


def drop(*texts: str) -> Filter:
    return Filter("drop-1", Conditional([condition(text) for text in texts], keep=False))


def test_what_is_kept_keeps_its_bytes_and_its_place() -> None:
    there = contents(DATA)
    kept, left_out = Filters([drop("kind = beat")], MAX).apply("in", there)

    found = {
        position: record
        for run in kept.runs
        for position, record in zip(run.span.positions(run.records), run.records, strict=True)
    }
    assert {p.line: r for p, r in found.items()} == {10: b'{"n":0}', 14: b'{"n":2}', 16: b'{"n":4}'}
    for position, record in found.items():
        assert DATA[position.offset - 500 :].startswith(record)
    assert [(span.line, span.count) for span in left_out.spans] == [(11, 1), (15, 1)]
    assert all(DATA[span.offset - 500 :].startswith(b'{"n"') for span in left_out.spans)
    assert left_out.counts == {"drop-1": 2}
    assert (kept.refused, kept.end) == (there.refused, there.end)
    assert all(run.record_bytes == sum(map(len, run.records)) for run in kept.runs)


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ([keep("n >= 1", "n < 4")], {1, 2, 3}),
        ([keep("n >= 1"), drop("n >= 3")], {1, 2}),
        ([drop("n >= 1", "kind exists")], {0, 2, 4}),
        ([keep("n > 9")], set()),
        ([drop("n > 9")], {0, 1, 2, 3, 4}),
        ([keep("kind = beat"), keep("n = 0")], set()),
        ([Filter("set", changes=(Setting(("kind",), "x"),)), keep("kind = x", "n = 3")], {3}),
        ([Filter("sample", Sample(0.0))], set()),
        ([Filter("sample", Sample(1.0))], {0, 1, 2, 3, 4}),
        ([Filter("sample", Sample(0.0, path("kind")))], {0, 2, 4}),
    ],
)
def test_filters_are_applied_in_order(filters: list[Filter], numbers: set[int]) -> None:
    kept, left_out = Filters(filters, MAX).apply("in", contents(DATA))

    assert {json.loads(record)["n"] for run in kept.runs for record in run.records} == numbers
    assert left_out.counts.total() == 5 - len(numbers)


def test_where_nothing_is_left_out_a_run_stays_the_run_it_was() -> None:
    there = contents(b'{"n":1}\n{"n":2}\n')

    kept, left_out = Filters([keep("n exists")], MAX).apply("in", there)

    assert kept.runs[0] is there.runs[0]
    assert left_out.counts == Counter()


def test_of_changed_records_no_place_in_bytes_is_told_even_where_nothing_changed() -> None:
    removing = Filter("remove-1", changes=(Removing(("kind",)), Hashing(("n",))))
    there = contents(b'{"x":0}\n{"n":1,"kind":"beat"}\n')
    kept, _ = Filters([removing], MAX).apply("in", there)

    assert [run.span for run in kept.runs] == [Span("in", 10, 500, 2, newline=0)]
    assert kept.runs[0].records[0] == b'{"x":0}'
    assert b"kind" not in kept.runs[0].records[1]
    assert kept.runs[0].record_bytes == sum(map(len, kept.runs[0].records))
    assert there.runs[0].records[1] == b'{"n":1,"kind":"beat"}', "what was read is not touched"


def test_what_cannot_be_changed_or_grows_too_large_is_refused_as_it_is_by_then() -> None:
    changing = Filter("set-1", changes=(Removing(("kind",)), Setting(("n", "m"), "x" * 50)))
    large = b'{"n":{},"kind":1,"text":"%b"}' % (b"x" * (MAX - 40))
    there = contents(b'{"a":1}\n{"n":1,"kind":2}\n{"n":2}\n%b\n{"n":{}}\n' % large)

    kept, left_out = Filters([changing], MAX).apply("in", there)

    assert [(run.span.line, run.span.count) for run in kept.runs] == [(10, 1), (14, 1)]
    assert [(r.position.line, r.fault.reason) for r in kept.refused] == [
        (11, "filter_failed"),
        (12, "filter_failed"),
        (13, "too_large"),
    ]
    assert kept.refused[0].line == b'{"n":1}'
    assert (
        kept.refused[0].fault.message
        == "filter set-1: n is no object, so that nothing can be set in it"
    )
    assert kept.refused[1].position.offset == 500 + len(b'{"a":1}\n{"n":1,"kind":2}\n')
    assert not left_out.counts


def test_lines_that_are_no_records_are_left_out_where_that_is_asked_for() -> None:
    kept, left_out = Filters([], MAX, drop_non_json=True).apply(
        "in", contents(DATA + b"[1]\n" + b"x" * (MAX + 1) + b"\n")
    )

    assert left_out.counts == {"non_json": 2}
    assert [span.line for span in left_out.spans] == [12, 17]
    assert [line.fault.reason for line in kept.refused] == ["too_large"]


RECORDS = st.lists(
    st.fixed_dictionaries({"n": st.integers(0, 3)}, optional={"kind": st.sampled_from("ab")}),
    min_size=1,
    max_size=30,
)


@given(RECORDS, st.booleans())
def test_no_line_is_lost_and_none_is_there_twice(records: list[Any], exact: bool) -> None:
    data = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    end = None if exact else Position(10 + len(records), 9999)
    filters = [drop("n = 0"), Filter("sample-2", Sample(0.5)), keep("kind exists")]
    kept, left_out = Filters(filters, MAX).apply("in", contents(data, end))

    spans = [*(run.span for run in kept.runs), *left_out.spans]
    lines = [line for span in spans for line in range(span.line, span.line + span.count)]
    assert sorted(lines) == list(range(10, 10 + len(records)))
    assert left_out.counts.total() == sum(span.count for span in left_out.spans)


def test_a_sample_is_about_its_share_and_the_same_ones_every_time() -> None:
    records = [b'{"n":%d,"user":"u%d"}' % (n, n % 100) for n in range(2000)]

    first, again = Sample(0.2).keeps(records), Sample(0.2).keeps(records[::-1])[::-1]
    assert first == again
    assert 300 < sum(first) < 500

    by_user = Sample(0.2, path("user")).keeps(records)
    fates = {(n % 100, kept) for n, kept in enumerate(by_user)}
    assert len(fates) == 100, "all records of a user go one way"
    assert 5 < len({user for user, kept in fates if kept}) < 40
