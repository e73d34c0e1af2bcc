"""What was written into a pipe or a connection, and what of it has to be written again?

What the store's position has passed is the agent's; the rest is written to the next agent, as its
owner would. Over HTTP the answers tell instead: what was answered is never posted again.
"""

from collections import Counter
from collections.abc import Iterator

from agent.record import Position

_BEGINNING = Position(1, 0)


class Stream:
    """Lines for one pipe or connection."""

    def __init__(self, name: str, *, numbers_on: bool = False) -> None:
        """*numbers_on*: its lines are numbered over all agents, not anew by each."""
        self.name = name
        self.pending: list[bytes] = []  # lines that are not known to be safe
        self.offered: Counter[bytes] = Counter()  # lines, by how often they were written
        self.cut: set[bytes] = set()  # lines that were read in part
        self._numbers_on = numbers_on
        self._base = _BEGINNING  # where the numbering of this life begins

    @property
    def fed_again(self) -> int:
        """How often a line was written for another time."""
        return sum(times - 1 for times in self.offered.values())

    def first_line(self) -> int:
        """The number of the first line that is pending."""
        return self._base.line

    def last_line(self) -> int:
        """The number of the line after all that are pending."""
        return self._base.line + len(self.pending)

    def number_on(self, position: Position) -> None:
        """The next life numbers its lines from there, where it does not begin anew."""
        if self._numbers_on:
            self._base = position

    def note(self, written: int, position: Position | None, *, stopped: bool) -> Iterator[str]:
        """A life is over: so many lines were written, and what lies before *position* is safe."""
        self.offered.update(self.pending[:written])
        base, position = self._base, position or self._base
        offset = position.offset - base.offset
        at = line = 0
        while at < offset and line < len(self.pending):
            at += len(self.pending[line]) + 1
            line += 1
        was_cut = at > offset
        if was_cut:  # the agent was told to stop in the middle of a line
            line -= 1
            self.cut.add(self.pending[line])
        if (at != offset and not stopped) or line > written:
            yield f"the position of {self.name} is wrong: offset {offset}, {written} lines written"
        if position.line != base.line + line + was_cut:
            yield f"the position of {self.name} is wrong: line {position.line} for {line + 1}"
        self.pending = self.pending[line:]


class Pushed(Stream):
    """Lines that are posted, in blocks; those that were answered are safe."""

    def note_answered(self, written: int, answered: int) -> None:
        """A life is over: so many lines were posted, and the first of them answered."""
        self.offered.update(self.pending[:written])
        self.pending = self.pending[answered:]
