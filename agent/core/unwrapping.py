"""How do records come out of what a source holds instead of one record a line?

Whatever it is, each record gets a line number of its own, in the order of the source, and the
source's position moves only past what has come out whole. So what is read again after a crash
begins where a record begins, and a record has the same number then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from agent.core.frames import Misframed
from agent.core.framing import Oversize
from agent.record import Position


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """What came out of a stretch of the source, and where the source stands after it.

    `found` are whole lines, one for each line number of the stretch, blank where no record begins;
    or one thing that is no record.
    """

    found: bytes | Oversize | Misframed
    end: Position
    left_out: int = 0  # records that nobody asked for: of another stream


class Unwrapper(Protocol):
    """Takes what is read of one stream, in order, and says what comes out as soon as it does.

    Of the ends it is given, those that number lines in another way than it does count in bytes.
    """

    @property
    def position(self) -> Position:
        """Behind all that came, what is unfinished included."""
        ...

    @property
    def unfinished_bytes(self) -> int:
        """Bytes held of records that are not complete."""
        ...

    def completes(self, line: bytes) -> bool:
        """Whether a line without an end completes a record."""
        ...

    def feed(self, data: bytes) -> Iterable[Unwrapped]:
        """Take the next bytes."""
        ...

    def pass_over(self, found: Oversize | Misframed, end: Position) -> Iterable[Unwrapped]:
        """Take what is no record whatever comes; what is unfinished before it, ends there."""
        ...

    def skip(self, end: Position) -> None:
        """Nothing is up to *end*; what is unfinished goes on behind it."""
        ...

    def end(self) -> Iterable[Unwrapped]:
        """The source has ended: what is unfinished comes out as it is."""
        ...
