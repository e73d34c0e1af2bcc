"""How do the lines of a container's log become records, and parts of lines one of them again?

A record has the number of the line in which it begins. What follows a line that is still in parts
waits for it, so that the source's position can move past both: only so far as may be held.
"""

from collections.abc import Callable, Iterator

from agent.core.containers import Piece
from agent.core.frames import Misframed, as_line
from agent.core.framing import Oversize, Swallowed
from agent.core.unwrapping import Unwrapped
from agent.core.validation import Fault, fault
from agent.record import Position

_LINE_BYTES = 64  # what a line that waits costs besides its text, roughly


class _InParts:
    """A line of which the end has not come."""

    def __init__(self, bytes_max: int, head_bytes: int) -> None:
        self._max = bytes_max
        self._head_bytes = head_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._swallowed: Swallowed | None = None

    def add(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)
        if self._swallowed is None and self._size > self._max:
            self._swallowed = Swallowed(self._head_bytes)
        if self._swallowed:
            for each in self._parts:
                self._swallowed.add(each)
            self._parts.clear()

    def joined(self) -> bytes | Oversize:
        """All of it, or what is kept of it."""
        return self._swallowed.finished() if self._swallowed else b"".join(self._parts)


_Line = bytes | Oversize | Misframed | _InParts | None  # None: of a stream that nobody asked for


class Joining:
    """Unwraps the lines of one container's log."""

    def __init__(
        self,
        read: Callable[[bytes], Piece | Fault],
        start: Position,
        record_bytes_max: int,
        head_bytes: int,
        only: str | None = None,
    ) -> None:
        """*only* is a stream: stdout or stderr; None takes both."""
        self._read = read
        self._only = only
        self._max = record_bytes_max
        self._head_bytes = head_bytes
        self._position = start
        self._lines: list[_Line] = []  # that came and have not gone on
        self._ends: list[Position] = []  # where the source stands behind each of them
        self._in_parts: dict[str, int] = {}  # by stream, the line that is still in parts
        self._held = 0  # bytes that wait for a line in parts, those of its own not counted

    @property
    def position(self) -> Position:
        """Behind all lines that came."""
        return self._position

    @property
    def unfinished_bytes(self) -> int:
        """Bytes of lines that have not gone on, roughly."""
        return len(self._lines) and self._held + _LINE_BYTES

    def completes(self, line: bytes) -> bool:
        """Whether a line of the log, without its end, is a whole one: of some it is certain."""
        piece = self._read(line)
        if isinstance(piece, Fault) or not piece.is_last:
            return False
        return piece.stream not in self._in_parts and fault(piece.text) is None

    def feed(self, data: bytes) -> list[Unwrapped]:
        """Take whole lines, a newline behind each."""
        lines = data.split(b"\n")
        lines.pop()
        for line in lines:
            before = self._position
            self._position = Position(before.line + 1, before.offset + len(line) + 1)
            self._ends.append(self._position)
            self._add(line)
        return self._ready()

    def pass_over(self, found: Oversize | Misframed, end: Position) -> list[Unwrapped]:
        """Take something that is no line of the log; what is in parts ends there."""
        before = self.end()
        self._position = end
        return [*before, Unwrapped(found, end)]

    def skip(self, end: Position) -> None:
        """Nothing is up to *end*, on the lines before it."""
        for _ in range(self._position.line, end.line):
            self._lines.append(b"")
            self._ends.append(end)
        self._position = end

    def end(self) -> list[Unwrapped]:
        """The log has ended: a line without its last part counts."""
        for stream in list(self._in_parts):
            self._finish(stream)
        return self._ready()

    def _add(self, line: bytes) -> None:
        piece = self._read(line)
        if isinstance(piece, Fault):
            self._lines.append(Misframed(line, piece) if line.strip(b" \t\r") else b"")
        elif self._only and piece.stream != self._only:
            self._lines.append(None if piece.is_last else b"")
        elif piece.stream in self._in_parts or not piece.is_last:
            self._add_part(piece)
        else:
            self._lines.append(_as_record(piece.text))
            self._held += len(piece.text)
        self._held = self._held + _LINE_BYTES if self._in_parts else 0
        if self._held > self._max:
            self._give_up()

    def _add_part(self, piece: Piece) -> None:
        at = self._in_parts.setdefault(piece.stream, len(self._lines))
        if at == len(self._lines):
            self._lines.append(_InParts(self._max, self._head_bytes))
        else:
            self._lines.append(b"")  # it has no record of its own
        begun = self._lines[at]
        assert isinstance(begun, _InParts)
        begun.add(piece.text)
        if piece.is_last:
            self._finish(piece.stream)

    def _finish(self, stream: str) -> bytes | Oversize:
        at = self._in_parts.pop(stream)
        begun = self._lines[at]
        assert isinstance(begun, _InParts)
        joined = begun.joined()
        self._lines[at] = _as_record(joined) if isinstance(joined, bytes) else joined
        return joined

    def _give_up(self) -> None:
        """Too much waits for the line that is in parts for longest: it ends here."""
        stream, at = min(self._in_parts.items(), key=lambda item: item[1])
        joined, self._held = self._finish(stream), 0
        if isinstance(joined, bytes):
            why = f"its end did not come within {self._max} bytes of other lines"
            self._lines[at] = Misframed(joined, Fault("unfinished", why))

    def _ready(self) -> list[Unwrapped]:
        """All lines before the first that is still in parts."""
        count = min(self._in_parts.values(), default=len(self._lines))
        ready = list(_grouped(self._lines[:count], self._ends[:count]))
        del self._lines[:count], self._ends[:count]
        self._in_parts = {stream: at - count for stream, at in self._in_parts.items()}
        return ready


def _as_record(text: bytes) -> bytes | Misframed:
    """The text on one line: what no runtime writes, newlines within, is no record by itself."""
    if b"\n" not in text:
        return text
    wrong = fault(text)
    return Misframed(text, wrong) if wrong else as_line(text)[:-1]


def _grouped(lines: list[_Line], ends: list[Position]) -> Iterator[Unwrapped]:
    """Lines that follow one another together, anything else by itself."""
    texts: list[bytes] = []
    left_out = 0
    for line, end in zip(lines, ends, strict=True):
        if line is None or isinstance(line, bytes):
            texts.append(line or b"")
            left_out += line is None
            last = end
            continue
        if texts:
            yield Unwrapped(b"\n".join(texts) + b"\n", last, left_out)
            texts, left_out = [], 0
        assert not isinstance(line, _InParts), "it is not ready"
        yield Unwrapped(line, end)
    if texts:
        yield Unwrapped(b"\n".join(texts) + b"\n", last, left_out)
