"""Where a source may safely resume.

Chunks are read in order but their records settle in any order. Only the unbroken run of settled
chunks from the start is safe to forget: resuming past a gap would lose its records.
"""

from bisect import bisect_right
from dataclasses import dataclass

from agent.record import Position, Span


@dataclass(slots=True)
class _Mark:
    """Records read together that are not all settled, and the position after them."""

    end: Position
    unsettled: int
    identity: str | None


class Checkpoints:
    """The safe position of one source while its records are on their way."""

    def __init__(self, start: Position) -> None:
        self.safe = start
        self.identity: str | None = None  # of what was read, as it was known at the safe position
        self._end = start
        self._lines: list[int] = []  # first line of each mark, ascending
        self._marks: list[_Mark] = []

    def copy(self) -> "Checkpoints":
        """The same, to be tried out: what is settled there is not settled here."""
        other = Checkpoints(self.safe)
        other.identity = self.identity
        other._end = self._end
        other._lines = self._lines.copy()
        other._marks = [_Mark(mark.end, mark.unsettled, mark.identity) for mark in self._marks]
        return other

    @property
    def end(self) -> Position:
        """How far the source was read."""
        return self._end

    @property
    def identity_at_end(self) -> str | None:
        """What tells what was read from others, as far as it is known there."""
        known = (mark.identity for mark in reversed(self._marks) if mark.identity)
        return next(known, self.identity)

    @property
    def unsettled(self) -> int:
        """Records read and not settled."""
        return sum(mark.unsettled for mark in self._marks)

    def read(self, end: Position, count: int, identity: str | None = None) -> None:
        """Note that the source was read up to *end*, and that *count* records came of it.

        *identity* tells what was read from others, as far as it is known there.
        """
        assert end.line > self._end.line or (end.line == self._end.line and not count), (
            "a source is read forwards"
        )
        self._lines.append(self._end.line)
        self._marks.append(_Mark(end, count, identity))
        self._end = end
        self._advance()

    def settle(self, span: Span) -> None:
        """Note that the records of *span* need no more work; they were read in one go."""
        at = bisect_right(self._lines, span.line) - 1
        assert at >= 0, "a record settles once"
        mark = self._marks[at]
        mark.unsettled -= span.count
        assert mark.unsettled >= 0, "a record settles once"
        if not mark.unsettled:
            self._advance() if at == 0 else self._merge(at)

    def _advance(self) -> None:
        done = 0
        while done < len(self._marks) and not self._marks[done].unsettled:
            self.safe = self._marks[done].end
            self.identity = self._marks[done].identity or self.identity
            done += 1
        del self._marks[:done], self._lines[:done]

    def _merge(self, at: int) -> None:
        """Make one mark of neighbours that are settled: one record that nobody answers for must
        not make the marks of all that follow it pile up."""
        before, mark = self._marks[at - 1], self._marks[at]
        if at + 1 < len(self._marks) and not self._marks[at + 1].unsettled:
            mark.end = self._marks[at + 1].end
            mark.identity = self._marks[at + 1].identity or mark.identity
            del self._marks[at + 1], self._lines[at + 1]
        if not before.unsettled:
            before.end = mark.end
            before.identity = mark.identity or before.identity
            del self._marks[at], self._lines[at]
