import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.checkpoints import Checkpoints
from agent.record import Position, Span

START = Position(1, 0)


def span(line: int, count: int = 1) -> Span:
    return Span("in", line, 0, count)


def test_nothing_read_leaves_the_position_where_it_was() -> None:
    assert Checkpoints(Position(9, 900)).safe == Position(9, 900)


def test_the_position_moves_when_all_records_of_a_chunk_are_settled() -> None:
    checkpoints = Checkpoints(START)
    checkpoints.read(Position(4, 300), 3)
    checkpoints.settle(span(1, 2))
    assert checkpoints.safe == START
    checkpoints.settle(span(3))
    assert checkpoints.safe == Position(4, 300)


def test_a_later_chunk_waits_for_an_earlier_one() -> None:
    checkpoints = Checkpoints(START)
    checkpoints.read(Position(2, 100), 1)
    checkpoints.read(Position(3, 200), 1)
    checkpoints.settle(span(2))
    assert (checkpoints.safe, checkpoints.unsettled) == (START, 1)
    checkpoints.settle(span(1))
    assert (checkpoints.safe, checkpoints.unsettled) == (Position(3, 200), 0)


def test_blank_lines_move_the_position_by_themselves() -> None:
    checkpoints = Checkpoints(START)
    checkpoints.read(Position(5, 4), 0)
    assert checkpoints.safe == Position(5, 4)


def test_blank_lines_behind_unsettled_records_wait_with_them() -> None:
    checkpoints = Checkpoints(START)
    checkpoints.read(Position(2, 100), 1)
    checkpoints.read(Position(5, 103), 0)
    assert (checkpoints.safe, checkpoints.end) == (START, Position(5, 103))
    checkpoints.settle(span(1))
    assert checkpoints.safe == Position(5, 103)


@pytest.mark.parametrize("twice", [1, 2, 3])
def test_a_record_settles_only_once(twice: int) -> None:
    checkpoints = Checkpoints(START)
    checkpoints.read(Position(2, 100), 1)
    checkpoints.read(Position(3, 200), 1)
    checkpoints.read(Position(4, 300), 1)
    checkpoints.read(Position(5, 400), 1)
    for line in (1, 2, 3):
        checkpoints.settle(span(line))
    with pytest.raises(AssertionError, match="settles once"):
        checkpoints.settle(span(twice))
    assert checkpoints.safe == Position(4, 300)


def test_more_records_cannot_settle_than_were_read() -> None:
    checkpoints = Checkpoints(START)
    checkpoints.read(Position(3, 200), 2)
    with pytest.raises(AssertionError, match="settles once"):
        checkpoints.settle(span(1, 3))


@pytest.mark.parametrize("end", [Position(1, 0), Position(1, 10)])
def test_a_source_is_read_forwards(end: Position) -> None:
    with pytest.raises(AssertionError, match="forwards"):
        Checkpoints(START).read(end, 1)


@given(st.data())
def test_the_position_is_the_end_of_the_longest_settled_prefix(choices: st.DataObject) -> None:
    """The model looks at every line: unsettled, settled, or blank."""
    unsettled: set[int] = set()
    ends = [START]
    checkpoints = Checkpoints(START)
    for _ in range(choices.draw(st.integers(1, 25))):
        if not unsettled or choices.draw(st.booleans()):
            first = ends[-1].line
            meant = choices.draw(st.lists(st.booleans(), min_size=1, max_size=6))
            end = Position(first + len(meant), ends[-1].offset + 10 * len(meant))
            checkpoints.read(end, sum(meant))
            unsettled |= {first + number for number, is_record in enumerate(meant) if is_record}
            ends.append(end)
        else:
            line = choices.draw(st.sampled_from(sorted(unsettled)))
            chunk_end = next(end.line for end in ends if end.line > line)
            count = 1
            while line + count in unsettled and line + count < chunk_end:
                count += 1
            count = choices.draw(st.integers(1, count))
            checkpoints.settle(span(line, count))
            unsettled -= set(range(line, line + count))
        lowest = min(unsettled, default=ends[-1].line)
        assert checkpoints.safe == max(
            (end for end in ends if end.line <= lowest), key=lambda end: end.line
        )
        assert checkpoints.unsettled == len(unsettled)


def test_one_record_without_an_answer_does_not_pile_up_what_follows_it() -> None:
    checkpoints = Checkpoints(Position(1, 0))
    for line in range(1, 2001):
        checkpoints.read(Position(line + 1, line * 10), 1)
        if line > 1:
            checkpoints.settle(Span("s", line, (line - 1) * 10, 1))
        assert len(checkpoints._marks) <= 3
    assert (checkpoints.safe, checkpoints.unsettled) == (Position(1, 0), 1)
    checkpoints.settle(Span("s", 1, 0, 1))
    assert checkpoints.safe == Position(2001, 20000)


def test_neighbours_settled_in_any_order_become_one() -> None:
    checkpoints = Checkpoints(Position(1, 0))
    for line in range(1, 6):
        checkpoints.read(Position(line + 1, line * 10), 1)
    for line in (3, 5, 4, 2):
        checkpoints.settle(Span("s", line, (line - 1) * 10, 1))
    assert len(checkpoints._marks) == 2
    checkpoints.settle(Span("s", 1, 0, 1))
    assert (checkpoints.safe, checkpoints._marks) == (Position(6, 50), [])


def test_what_was_read_is_known_by_what_it_was_when_the_safe_position_was_reached() -> None:
    checkpoints = Checkpoints(START)
    checkpoints.read(Position(2, 10), 1, "as of 10")
    checkpoints.read(Position(3, 20), 1, "as of 20")
    checkpoints.read(Position(4, 30), 1, "as of 30")
    assert checkpoints.identity is None
    checkpoints.settle(Span("s", 3, 20, 1))
    checkpoints.settle(Span("s", 2, 10, 1))
    assert checkpoints.identity is None
    checkpoints.settle(Span("s", 1, 0, 1))
    assert (checkpoints.safe, checkpoints.identity) == (Position(4, 30), "as of 30")
    assert checkpoints.copy().identity == "as of 30"


def test_bytes_that_are_no_line_are_passed_over_within_a_line() -> None:
    checkpoints = Checkpoints(START)
    checkpoints.read(Position(2, 10), 1)
    checkpoints.read(Position(2, 500), 0)
    checkpoints.read(Position(3, 510), 1)
    checkpoints.settle(Span("s", 2, 500, 1))
    assert checkpoints.safe == START
    checkpoints.settle(Span("s", 1, 0, 1))
    assert checkpoints.safe == Position(3, 510)


def test_the_identity_at_the_end_is_the_last_that_was_known_whatever_is_safe() -> None:
    checkpoints = Checkpoints(START)
    assert checkpoints.identity_at_end is None
    checkpoints.read(Position(2, 100), 1, "a")
    checkpoints.read(Position(3, 200), 1, "b")
    checkpoints.read(Position(3, 210), 0)
    assert (checkpoints.identity, checkpoints.identity_at_end) == (None, "b")
    checkpoints.settle(span(1))
    checkpoints.settle(span(2))
    assert (checkpoints.identity, checkpoints.identity_at_end) == ("b", "b")
