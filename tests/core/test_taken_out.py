"""Lines that were taken out of something else: their offsets do not follow from their lengths."""

from agent.core.batching import Run
from agent.core.chunks import read_chunk
from agent.core.identities import Identities
from agent.record import INEXACT, Chunk, Position, Span

END = Position(13, 900)


def taken_out(data: bytes) -> Chunk:
    return Chunk("in", 10, 500, data, 1000.0, END)


def test_lines_taken_out_of_something_else_stand_at_the_nearest_offset_that_is_known():
    contents = read_chunk(taken_out(b'{"a":1}\n{"b":2}\n{"c":3}\n'), 100)
    assert [run.span for run in contents.runs] == [Span("in", 10, 500, 3, INEXACT)]
    assert list(contents.runs[0].span.positions(contents.runs[0].records)) == [
        Position(10, 500),
        Position(11, 500),
        Position(12, 500),
    ]
    assert contents.end == END


def test_refused_lines_among_them_keep_their_own_lines_and_leave_the_end_where_it_is():
    contents = read_chunk(taken_out(b'{"a":1}\nnothing\r\n{"c":3}\n'), 100)
    assert [run.span.line for run in contents.runs] == [10, 12]
    assert [(line.line, line.position) for line in contents.refused] == [
        (b"nothing\r", Position(11, 500))
    ]
    assert contents.end == END


def test_a_run_of_them_is_cut_without_inventing_offsets():
    run = Run(Span("in", 10, 500, 3, INEXACT), [b"{}", b"{ }", b"{  }"], 9, 1000.0)
    first, rest = run.cut(2)
    assert first.span == Span("in", 10, 500, 2, INEXACT)
    assert rest.span == Span("in", 12, 500, 1, INEXACT)


def test_an_id_by_position_is_made_of_the_line_where_the_offset_depends_on_how_it_was_read():
    identities = Identities("position")
    records = [b'{"a":1}', b'{"a":1}', b'{"a":1}']
    together, _ = identities.add(records, [Span("in", 10, 500, 3, INEXACT)])
    apart, _ = identities.add(
        records, [Span("in", 10, 500, 1, INEXACT), Span("in", 11, 700, 2, INEXACT)]
    )
    assert together == apart
    assert len(set(together)) == 3
