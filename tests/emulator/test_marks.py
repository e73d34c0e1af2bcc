from itertools import pairwise

import pytest

from agent.emulator.marks import Marks


@pytest.fixture
def marks() -> Marks:
    """Two things in each line of ten bytes; a mark every 30 bytes."""
    marks = Marks(spacing=30)
    for line in range(20):
        marks.add(2, line * 10)
    return marks


@pytest.mark.parametrize("number", range(41))
def test_a_mark_lies_before_the_thing_and_not_far_from_it(marks: Marks, number: int) -> None:
    before, offset = marks.before(number)

    assert before == offset // 10 * 2 <= number
    assert number - before <= 6 or number == 40


def test_there_are_marks_only_so_often(marks: Marks) -> None:
    offsets = sorted({marks.before(number)[1] for number in range(40)})

    assert {later - earlier for earlier, later in pairwise(offsets)} == {30}
    assert marks.total == 40


def test_after_clearing_it_begins_anew(marks: Marks) -> None:
    marks.clear()

    assert (marks.total, marks.before(39)) == (0, (0, 0))
