import pytest
from hypothesis import given
from hypothesis import settings as searching
from hypothesis import strategies as st

from agent.record import Batch, Chunk, Position, Receipt, Span, XactionIds, select


def batch() -> Batch:
    return Batch(b"", gzipped=False, count=1, plain_bytes=0, spans=(), read_at=0.0)


def test_positions_count_the_line_ends_too() -> None:
    span = Span("in", 5, 100, 3, newline=2)
    assert list(span.positions([b"{}", b'{"a":1}', b"{}"])) == [
        Position(5, 100),
        Position(6, 104),
        Position(7, 113),
    ]


def test_batches_are_numbered_in_the_order_they_are_made() -> None:
    first, second = batch(), batch()
    assert first.number < second.number


@pytest.mark.parametrize("noun", [Position(1, 0), Span("in", 1, 0, 1), Chunk("in", 1, 0, b"", 0.0)])
def test_nouns_cannot_be_changed(noun: object) -> None:
    with pytest.raises(AttributeError):
        noun.line = 7  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("ids", "listed"),
    [
        (XactionIds(), []),
        (XactionIds(listed=("p", "q")), ["p", "q"]),
        (XactionIds("b:", (range(2), range(5, 7))), ["b:0", "b:1", "b:5", "b:6"]),
        (XactionIds("u-", (range(9, 11),)), ["u-9", "u-10"]),
    ],
)
def test_ids_are_counted_and_told_one_by_one(ids: XactionIds, listed: list[str]) -> None:
    assert list(ids) == listed
    assert len(ids) == len(listed)


def test_a_receipt_counts_the_records_of_its_spans() -> None:
    spans = (Span("a", 1, 0, 3), Span("b", 7, 70, 4))
    receipt = Receipt(1.0, None, "b", XactionIds("b:", (range(7),)), spans, 1)
    assert receipt.count == len(receipt.ids) == 7


@searching(deadline=None, max_examples=100)
@given(st.data())
def test_selected_spans_stand_for_just_the_selected_records(choices: st.DataObject) -> None:
    spans: list[Span] = []
    records: list[bytes] = []
    places: list[tuple[str, Position]] = []
    for number in range(choices.draw(st.integers(0, 4))):
        lengths = choices.draw(st.lists(st.integers(0, 9), min_size=1, max_size=5))
        span = Span(f"s{number}", 10 * number + 1, 7 * number, len(lengths), number % 2 + 1)
        own = [b"x" * length for length in lengths]
        spans.append(span)
        records += own
        places += [(span.source, position) for position in span.positions(own)]
    keep = [index for index in range(len(records)) if choices.draw(st.booleans())]

    chosen = select(spans, records, keep)

    kept = [records[index] for index in keep]
    found: list[tuple[str, Position]] = []
    for span in chosen:
        start = len(found)
        own = kept[start : start + span.count]
        found += [(span.source, position) for position in span.positions(own)]
    assert found == [places[index] for index in keep]


def test_records_that_stay_together_stay_one_span() -> None:
    spans = [Span("in", 1, 0, 4), Span("in", 9, 80, 1)]
    records = [b"{}"] * 5
    assert select(spans, records, range(5)) == tuple(spans)
    assert select(spans, records, [0, 2, 3, 4]) == (
        Span("in", 1, 0, 1),
        Span("in", 3, 6, 2),
        Span("in", 9, 80, 1),
    )
    assert select(spans, records, []) == ()


@pytest.mark.parametrize(
    "ids",
    [XactionIds(listed=tuple("abcdefg")), XactionIds("p:", (range(3), range(7, 8), range(9, 12)))],
)
def test_a_part_of_the_ids_is_that_of_all_of_them(ids: XactionIds) -> None:
    whole = list(ids)
    for start in range(len(whole) + 1):
        for stop in range(start, len(whole) + 1):
            assert list(ids.part(start, stop)) == whole[start:stop]
