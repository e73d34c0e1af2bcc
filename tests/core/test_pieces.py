"""Very many short lines are cut into pieces of whole lines, of not too many."""

from hypothesis import given
from hypothesis import strategies as st

from agent.core.pieces import LINES_AT_ONCE, may_be_many_lines, pieces

LENGTHS = st.lists(st.sampled_from([0, 1, 100, 20_000]), max_size=60)


@given(LENGTHS, st.integers(0, 3 * LINES_AT_ONCE))
def test_pieces_are_whole_lines_of_not_too_many_and_together_all_of_them(
    lengths: list[int], blank: int
) -> None:
    data = b"".join(b"x" * length + b"\n" for length in lengths) + b"\n" * blank
    cut = list(pieces(data))
    assert b"".join(cut) == data
    assert all(piece.endswith(b"\n") and piece.count(b"\n") <= LINES_AT_ONCE for piece in cut[:-1])
    assert cut[-1].count(b"\n") <= LINES_AT_ONCE


def test_short_lines_seem_many_and_long_ones_do_not() -> None:
    assert may_be_many_lines(b"{}\n" * 2 * LINES_AT_ONCE)
    assert not may_be_many_lines((b"x" * 1000 + b"\n") * 1000)
    assert not may_be_many_lines(b"\n" * LINES_AT_ONCE)
