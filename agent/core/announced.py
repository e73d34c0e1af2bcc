"""Where one record ends and the next begins: as many bytes further as was announced before it."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass

from agent.core.frames import FRAMING, Frame, Misframed, as_lines
from agent.core.framing import LineFramer, Oversize, Swallowed
from agent.core.validation import Fault

_ABSURD = 2**28  # bytes that no client announces who means them
_MANY_PARTS = 1024
_PREFIX_BYTES = 4
_MOST_DIGITS = 9
_BETWEEN = re.compile(rb"[\r\n \t\0]*+")


@dataclass(frozen=True, slots=True)
class Announced:
    """Where a record begins in a block, and how many bytes it has."""

    start: int
    length: int


class _Wrong(Exception):
    """What stands where an announcement should."""


class AnnouncedFramer(ABC):
    """Cuts out as many bytes as are announced, again and again.

    What is announced as longer than a record can be is swallowed as it comes. After an
    announcement that is none, nothing tells where the next one is: the framer is broken.
    """

    __slots__ = (
        "_head_bytes",
        "_header",
        "_max",
        "_missing",
        "_parts",
        "_swallowed",
        "_unfinished",
        "is_broken",
    )

    def __init__(self, record_bytes_max: int, head_bytes: int) -> None:
        self._max = record_bytes_max
        self._head_bytes = head_bytes
        self._header = b""  # an announcement that is not whole
        self._missing = 0  # bytes of the record that are still to come
        self._parts: list[bytes] = []
        self._unfinished = 0  # bytes in _parts
        self._swallowed: Swallowed | None = None
        self.is_broken = False

    @property
    def held_bytes(self) -> int:
        """Bytes held of a frame whose end has not been seen."""
        kept = self._swallowed.kept if self._swallowed else self._unfinished
        return kept + len(self._header)

    def feed(self, block: bytes) -> list[Frame]:
        """Take the next bytes; return what is complete, in order."""
        frames: list[Frame] = []
        at = 0
        if self._missing:
            at = min(self._missing, len(block))
            frames += self._go_on(block[:at])
        elif self._header:
            block = self._header + block
            self._header = b""
        found: list[bytes] = []
        try:
            while at < len(block):
                announced = self._announced(block, at)
                if announced is None:
                    self._header = block[at:]
                    break
                at = announced.start + announced.length
                if at > len(block):
                    self._begin(block[announced.start :], announced.length)
                    break
                if announced.length:
                    found.append(block[announced.start : at])
        except _Wrong as wrong:
            self.is_broken = True
            frames += as_lines(found) if found else []
            return [*frames, Misframed(block[at:], Fault(FRAMING, str(wrong)))]
        return frames + as_lines(found) if found else frames

    def rest(self) -> bytes | Oversize | None:
        """Take out what is there of a frame whose end has not been seen, as it is."""
        rest = self._header + b"".join(self._parts)
        swallowed, self._swallowed = self._swallowed, None
        self._header, self._missing, self._unfinished = b"", 0, 0
        self._parts.clear()
        return swallowed.finished() if swallowed else rest or None

    @abstractmethod
    def _announced(self, block: bytes, at: int) -> Announced | None:
        """What is announced there; None where that has not come whole. Raises _Wrong."""

    def _begin(self, part: bytes, length: int) -> None:
        """Keep the beginning of a record."""
        self._missing = length
        if length > self._max:
            self._swallowed = Swallowed(self._head_bytes)
        self._go_on(part)

    def _go_on(self, part: bytes) -> list[Frame]:
        """Take more of a record; return it once it is whole."""
        self._missing -= len(part)
        if self._swallowed:
            self._swallowed.add(part)
        else:
            self._parts.append(part)
            self._unfinished += len(part)
        if self._missing:
            if len(self._parts) > _MANY_PARTS:
                # a slow writer's many small parts, joined now and then to stay small in memory
                self._parts = [b"".join(self._parts)]
            return []
        whole = self.rest()
        return as_lines([whole]) if isinstance(whole, bytes) else [whole] if whole else []


class LengthPrefixedFramer(AnnouncedFramer):
    """Records after their length in bytes: four bytes, the highest first."""

    __slots__ = ()

    def _announced(self, block: bytes, at: int) -> Announced | None:
        start = at + _PREFIX_BYTES
        if start > len(block):
            return None
        length = int.from_bytes(block[at:start], "big")
        if length > _ABSURD:
            raise _Wrong("what stands where a frame begins is no length that a record can have")
        return Announced(start, length)


class OctetCountedFramer(AnnouncedFramer):
    """Records after their length in digits and a space (RFC 6587), and lines between them.

    Senders of syslog change from one to the other, or end a line within or behind the frame. So
    what begins with a brace instead of a digit is a record up to the end of its line.
    """

    __slots__ = ("_is_in_line", "_lines")

    def __init__(self, record_bytes_max: int, head_bytes: int) -> None:
        super().__init__(record_bytes_max, head_bytes)
        self._lines = LineFramer(record_bytes_max, head_bytes)
        self._is_in_line = False

    @property
    def held_bytes(self) -> int:
        """Bytes held of a frame whose end has not been seen."""
        return super().held_bytes + self._lines.held_bytes

    def feed(self, block: bytes) -> list[Frame]:
        """Take the next bytes; return what is complete, in order."""
        if not self._is_in_line:
            return super().feed(block)
        cut = block.find(b"\n") + 1
        frames: list[Frame] = [*self._lines.feed(block[:cut] if cut else block)]
        if not cut:
            return frames
        self._is_in_line = False
        return frames + super().feed(block[cut:])

    def rest(self) -> bytes | Oversize | None:
        """Take out what is there of a frame whose end has not been seen, as it is."""
        self._is_in_line = False
        return self._lines.rest() or super().rest()

    def _announced(self, block: bytes, at: int) -> Announced | None:
        at = _BETWEEN.match(block, at).end()  # type: ignore[union-attr]  # always matches
        if at == len(block):
            return Announced(at, 0)
        if block[at] == ord("{"):
            return self._line(block, at)
        space = block.find(b" ", at, at + _MOST_DIGITS + 1)
        digits = block[at:space] if space > 0 else block[at : at + _MOST_DIGITS + 1]
        if not digits.isdigit() or digits.startswith(b"0"):
            raise _Wrong("neither the length of a record nor a record stands where a frame begins")
        if space < 0:
            if len(digits) > _MOST_DIGITS:
                raise _Wrong("the length that is announced has no end")
            return None
        length = int(digits)
        if length > _ABSURD:
            raise _Wrong("the length that is announced is none that a record can have")
        return Announced(space + 1, length)

    def _line(self, block: bytes, at: int) -> Announced:
        end = block.find(b"\n", at)
        if end >= 0:
            return Announced(at, end - at)
        self._lines.feed(block[at:])
        self._is_in_line = True
        return Announced(len(block), 0)
