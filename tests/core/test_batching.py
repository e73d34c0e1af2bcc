from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.batching import Batching, BatchLimits, Draft, Run
from agent.core.encoding import Envelope, raw, xdm
from agent.record import Span

ENVELOPES = [
    raw(),
    xdm(
        schema_id="https://ns.example/s",
        content_type="application/json",
        dataset_id="d",
        flow_id="f",
        ims_org_id=None,
        source_name=None,
    ),
]


def run(
    records: list[bytes], line: int = 1, offset: int = 0, newline: int = 1, read_at: float = 1.0
) -> Run:
    span = Span("in", line, offset, len(records), newline)
    return Run(span, records, sum(map(len, records)), read_at)


def runs_of(groups: list[tuple[list[int], int]]) -> list[Run]:
    """Runs of records of these lengths, one after the other in one source, all different."""
    runs: list[Run] = []
    line, offset = 1, 0
    for lengths, newline in groups:
        records = [b"%d" % (line + number) + b"x" * length for number, length in enumerate(lengths)]
        runs.append(run(records, line, offset, newline))
        line += len(records) + 1  # a blank line between
        offset += sum(map(len, records)) + newline * len(records) + 1
    return runs


def all_drafts(batching: Batching, runs: list[Run]) -> list[Draft]:
    drafts = [draft for each in runs for draft in batching.add(each, now=0.0)]
    last = batching.flush()
    return drafts + ([last] if last else [])


GROUPS = st.lists(
    st.tuples(st.lists(st.integers(0, 60), min_size=1, max_size=12), st.sampled_from([1, 2])),
    max_size=6,
)
ROOM = st.integers(10, 200)


@given(GROUPS, ROOM, st.integers(1, 8), st.sampled_from(ENVELOPES))
def test_drafts_keep_limits_order_and_positions(
    groups: list[tuple[list[int], int]], room: int, max_records: int, envelope: Envelope
) -> None:
    limits = BatchLimits(envelope.body_bytes(1, 0) + room, max_records, 1.0)
    runs = runs_of(groups)
    records = [record for each in runs for record in each.records]
    places = {
        (position, record)
        for each in runs
        for position, record in zip(each.span.positions(each.records), each.records, strict=True)
    }
    drafts = all_drafts(Batching(limits, envelope), runs)

    assert [record for draft in drafts for record in draft.records] == records
    for draft in drafts:
        assert 1 <= len(draft.records) <= max_records
        assert draft.record_bytes == sum(map(len, draft.records))
        body = envelope.body(draft.records)
        assert len(body) <= limits.max_bytes or len(draft.records) == 1
        assert sum(span.count for span in draft.spans) == len(draft.records)
        start = 0
        for span in draft.spans:
            records = draft.records[start : start + span.count]
            found = set(zip(span.positions(records), records, strict=True))
            assert len(found) == span.count
            assert found <= places
            start += span.count


@given(GROUPS, ROOM, st.integers(1, 8))
def test_no_draft_leaves_before_it_is_nearly_full_or_the_next_record_would_not_fit(
    groups: list[tuple[list[int], int]], room: int, max_records: int
) -> None:
    envelope = raw()
    limits = BatchLimits(envelope.body_bytes(1, 0) + room, max_records, 1.0)
    for draft, following in pairwise(all_drafts(Batching(limits, envelope), runs_of(groups))):
        nearly_full = len(envelope.body(draft.records)) > limits.max_bytes * 0.65
        longer = [*draft.records, following.records[0]]
        fits = len(longer) <= max_records and len(envelope.body(longer)) <= limits.max_bytes
        assert nearly_full or not fits


def test_a_draft_that_is_just_full_leaves_at_once() -> None:
    batching = Batching(BatchLimits(raw().body_bytes(2, 14), 100, 1.0), raw())
    [draft] = batching.add(run([b'{"a":1}', b'{"b":2}']), now=0.0)
    assert draft.records == [b'{"a":1}', b'{"b":2}']
    assert batching.flush() is None


@pytest.mark.parametrize(("filled", "counts"), [(1020, [7, 1]), (1060, [1, 8])])
def test_no_run_is_cut_to_fill_the_last_third_of_a_draft(filled: int, counts: list[int]) -> None:
    batching = Batching(BatchLimits(1600, 100, 1.0), raw())
    assert batching.add(run([b"x" * filled]), now=0.0) == []
    drafts = all_drafts(batching, [run([b"y" * 80] * (sum(counts) - 1), line=2)])
    assert [len(draft.records) for draft in drafts] == counts


def test_a_short_run_still_fills_a_draft_that_is_nearly_full() -> None:
    batching = Batching(BatchLimits(1600, 100, 1.0), raw())
    batching.add(run([b"x" * 1420]), now=0.0)
    [draft] = all_drafts(batching, [run([b"y" * 60], line=2)])
    assert len(draft.records) == 2


def test_a_draft_with_as_many_records_as_allowed_leaves_at_once() -> None:
    batching = Batching(BatchLimits(1000, 2, 1.0), raw())
    drafts = batching.add(run([b"{}"] * 5), now=0.0)
    assert [len(draft.records) for draft in drafts] == [2, 2]
    last = batching.flush()
    assert last is not None
    assert last.spans == [Span("in", 5, 12, 1)]


def test_a_record_above_the_batch_size_travels_alone() -> None:
    batching = Batching(BatchLimits(60, 100, 1.0), raw())
    records = [b"{}", b'{"a":"' + b"x" * 90 + b'"}', b"{}"]
    drafts = all_drafts(batching, [run(records)])
    assert [draft.records for draft in drafts] == [[record] for record in records]


def test_a_draft_is_ripe_a_while_after_its_first_record() -> None:
    batching = Batching(BatchLimits(1000, 100, 2.5), raw())
    assert batching.ripe_at is None
    batching.add(run([b"{}"], read_at=7.0), now=10.0)
    batching.add(run([b"{}"], line=2, read_at=9.0), now=12.0)
    assert batching.ripe_at == 12.5
    draft = batching.flush()
    assert draft is not None
    assert (draft.read_at, draft.ripe_at, len(draft.records)) == (7.0, 12.5, 2)
    assert batching.ripe_at is None


def test_what_the_inlet_refused_bounds_what_comes_and_is_never_forgotten() -> None:
    batching = Batching(BatchLimits(1000, 100, 1.0), raw())
    batching.add(run([b"x" * 100] * 4), now=0.0)
    batching.refused(600)
    batching.refused(1000)
    drafts = all_drafts(batching, [run([b"y" * 100] * 4, line=5)])
    assert [len(draft.records) for draft in drafts] == [4, 2, 2]
    assert all(len(raw().body(draft.records)) <= 300 for draft in drafts[1:])


@pytest.mark.parametrize(
    ("taken", "refused", "limit"),
    [(0, 900, 450), (700, 900, 700), (950, 900, 899), (300, 900, 450)],
)
def test_a_refused_size_lowers_the_limit_no_further_than_what_was_taken(
    taken: int, refused: int, limit: int
) -> None:
    batching = Batching(BatchLimits(1000, 100, 1.0), raw())
    batching.took(taken)
    batching.refused(refused)
    assert batching.limits.max_bytes == limit


def test_a_cut_run_is_two_runs_of_the_same_lines() -> None:
    first, rest = run([b"{}", b'{"a":1}', b"{}"], 5, 50, newline=2).cut(2)
    assert (first.span, first.records, first.record_bytes) == (
        Span("in", 5, 50, 2, 2),
        [b"{}", b'{"a":1}'],
        9,
    )
    assert (rest.span, rest.records, rest.record_bytes) == (Span("in", 7, 63, 1, 2), [b"{}"], 2)


def test_a_draft_that_is_waited_for_is_ripe_sooner_and_never_later() -> None:
    batching = Batching(BatchLimits(1000, 10, 1.0), raw())
    batching.hasten(0.5, is_awaited=True)
    assert batching.ripe_at is None

    batching.add(run([b"{}"]), now=0.0)
    batching.hasten(0.2, is_awaited=False)
    assert batching.ripe_at == 0.2
    batching.hasten(0.4, is_awaited=True)
    assert batching.ripe_at == 0.2
    first = batching.flush()
    batching.add(run([b"{}"]), now=0.0)
    second = batching.flush()
    assert first
    assert second
    assert (first.is_awaited, second.is_awaited) == (True, False)


def test_other_limits_hold_for_the_draft_that_is_being_filled() -> None:
    batching = Batching(BatchLimits(1000, 10, 50.0), raw())
    batching.add(run([b"{}"] * 6), now=1.0)
    batching.limit(BatchLimits(1000, 5, 2.0), now=3.0)
    assert batching.ripe_at == 5.0
    drafts = batching.add(run([b"[]"] * 7, line=7), now=3.5)
    assert [len(draft.records) for draft in drafts] == [6, 5]
    batching.limit(BatchLimits(1000, 2, 2.0), now=4.0)
    assert [len(draft.records) for draft in batching.add(run([b"{}"], line=14), now=4.0)] == [2]
    assert batching.flush()
    batching.limit(BatchLimits(1000, 2, 2.0), now=4.0)
    assert batching.ripe_at is None


def test_what_the_inlet_found_too_large_stays_so_under_other_limits() -> None:
    batching = Batching(BatchLimits(1000, 10, 1.0), raw())
    batching.refused(800)
    batching.limit(BatchLimits(2000, 10, 1.0), now=1.0)
    assert batching.limits.max_bytes == 400
    batching.limit(BatchLimits(300, 10, 1.0), now=1.0)
    assert batching.limits.max_bytes == 300
