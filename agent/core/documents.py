"""Where do JSON objects end that stand behind one another, over many lines or with none between?

The braces are counted, outside of strings: nothing is parsed. An object that is sound is found
whatever it looks like. One that is not is recognised by what no JSON has: a newline in a string, an
object where none can begin. Then, and where an object does not end within the limit, everything up
to the next line that begins with a brace is one thing that is no record, and objects are looked for
again from there.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby, islice

from agent.core.frames import Frame, Misframed, as_lines
from agent.core.framing import Oversize, Swallowed
from agent.core.unwrapping import Unwrapped
from agent.core.validation import Fault, are_records, fault
from agent.record import Position

_BLANK = re.compile(rb"[ \t\r\n]*+")
_STRING = rb'[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+'  # from behind its opening quote to what ends it
_IN_STRING = re.compile(_STRING)
_TO_BRACE = re.compile(rb'(?:[^"{}]++|"' + _STRING + rb'")*+')
_BEGINNING = b"\n{"
_BEFORE_OBJECT = b":,["
_QUOTE, _BACKSLASH, _OPENING = b'"\\{'
_SPACE = b" \t\r\n"
_NEAR = 64  # bytes before a brace in which there usually is something else than blanks
_SOUND, _UNFINISHED, _BROKEN = range(3)

# an object, many of them, or what is none; and the bytes of the source up to its end
_Found = tuple[bytes | list[bytes] | Oversize | Misframed, int]


class Documents:
    """Finds the JSON objects of one stream. `line` of a position is the number of an object."""

    def __init__(self, start: Position, record_bytes_max: int, head_bytes: int) -> None:
        self._line, self._offset = start.line, start.offset
        self._max = record_bytes_max
        self._head_bytes = head_bytes
        self._held = bytearray()  # from behind the last thing that came out
        self._at = 0  # in it, what was looked at
        self._depth = 0
        self._is_in_string = False
        self._is_broken = False  # looking for the beginning of another object
        self._swallowed: Swallowed | None = None

    @property
    def position(self) -> Position:
        """The number of the next object, and all bytes that came."""
        return Position(self._line, self._offset + len(self._held))

    @property
    def unfinished_bytes(self) -> int:
        """Bytes held of what is not complete."""
        return len(self._held.strip(_SPACE)) or int(self._swallowed is not None)

    def completes(self, line: bytes) -> bool:
        """Whether what is held is an object once *line* has come."""
        return not self._is_broken and fault(bytes(self._held) + line) is None

    def feed(self, data: bytes) -> list[Unwrapped]:
        """Take the next bytes."""
        self._held += data
        return self._numbered(self._found())

    def pass_over(self, found: Oversize | Misframed, end: Position) -> list[Unwrapped]:
        """Take what is no object; it has the number of one."""
        before = self.end()
        self._offset = end.offset
        return [*before, self._next(found, end.offset)]

    def skip(self, end: Position) -> None:
        """Nothing is up to *end*."""
        self._offset = end.offset - len(self._held)

    def end(self) -> list[Unwrapped]:
        """The source has ended."""
        found = list(self._found())
        while self._swallowed or self._held.strip(_SPACE):
            if self._is_broken:
                found.append(self._no_record(len(self._held.rstrip(b"\n"))))
            else:
                self._break()
            found += self._found()
        self._cut(len(self._held))
        return self._numbered(found)

    def _found(self) -> Iterator[_Found]:
        """What is complete."""
        is_new = True
        while True:
            if is_new and not self._is_broken and not self._depth:
                is_new = False
                if objects := self._many():
                    yield objects, self._offset
            if self._is_broken:
                beginning = self._held.find(_BEGINNING, self._at)
                if beginning < 0:
                    self._swallow_some()
                    return
                yield self._no_record(beginning)
                self._cut(1)
            elif (state := self._look()) == _SOUND:
                yield self._cut(self._at), self._offset
            elif state == _BROKEN or len(self._held) > self._max:
                self._break()
            else:
                return

    def _many(self) -> list[bytes]:
        """All but the last of many objects, in a few C calls: guess where they end, then check.

        If each piece is an object, there is no other way to read them.
        """
        self._cut(self._after(_BLANK))
        for end, between in ((b"", _BEGINNING), (b"}", b"}{")):
            whole = bytes(self._held[: max(self._held.rfind(between), 0)])
            if whole:
                first, *others = (whole + end).split(between)
                begin = between[-1:]
                objects = [first + end, *(begin + other + end for other in others)]
                objects[-1] = objects[-1].removesuffix(end)
                if are_records(whole, objects):
                    self._cut(len(whole + end))
                    return objects
        return []

    def _look(self) -> int:
        """Look on for the end of an object: it is there, it is not there yet, or none can come."""
        if not self._depth:
            self._cut(self._after(_BLANK))
            if not self._held.startswith(b"{"):
                return _BROKEN if self._held else _UNFINISHED
            self._at = self._depth = 1
        held, size = self._held, len(self._held)
        while self._depth:
            self._at = self._after(_IN_STRING if self._is_in_string else _TO_BRACE)
            if self._at == size or (held[self._at] == _BACKSLASH and self._at + 1 == size):
                return _UNFINISHED
            byte = held[self._at]
            if byte == _QUOTE:
                self._is_in_string = not self._is_in_string
            elif self._is_in_string or (byte == _OPENING and not self._may_begin_object()):
                return _BROKEN
            else:
                self._depth += 1 if byte == _OPENING else -1
            self._at += 1
        return _SOUND

    def _may_begin_object(self) -> bool:
        """Whether an object may begin at this place, within another one."""
        if self._held[self._at - 1] in _BEFORE_OBJECT:
            return True
        near = self._held[max(self._at - _NEAR, 0) : self._at].rstrip(_SPACE)
        return (near or self._held[: self._at].rstrip(_SPACE))[-1] in _BEFORE_OBJECT

    def _after(self, pattern: "re.Pattern[bytes]") -> int:
        found = pattern.match(self._held, self._at)
        assert found, "the patterns match anything"
        return found.end()

    def _break(self) -> None:
        """What is held begins with no sound object: look for the next one, from there on."""
        self._is_broken = True
        self._at = 0

    def _swallow_some(self) -> None:
        """Keep no more than is allowed of what is no record."""
        self._at = max(len(self._held) - 1, 0)
        if self._swallowed is None and len(self._held) > self._max:
            self._swallowed = Swallowed(self._head_bytes)
        if self._swallowed:
            self._swallowed.add(self._cut(self._at))

    def _no_record(self, size: int) -> _Found:
        """What is held up to *size*; then the next object may begin."""
        text, self._is_broken = self._cut(size), False
        if self._swallowed is None:
            wrong = fault(text) or Fault("invalid_json", "not valid JSON where it stands")
            return Misframed(text, wrong), self._offset
        self._swallowed.add(text)
        oversize, self._swallowed = self._swallowed.finished(), None
        return oversize, self._offset

    def _cut(self, size: int) -> bytes:
        """Take so many bytes out, and begin anew behind them."""
        taken = bytes(self._held[:size])
        del self._held[:size]
        self._offset += size
        self._at = self._depth = 0
        self._is_in_string = False
        return taken

    def _numbered(self, found: Iterable[_Found]) -> list[Unwrapped]:
        """Objects behind one another as lines, each thing with the number after it."""
        unwrapped: list[Unwrapped] = []
        for is_object, group in groupby(found, key=lambda each: isinstance(each[0], bytes)):
            things = list(group)
            if is_object:
                frames = as_lines([thing for thing, _ in things if isinstance(thing, bytes)])
                ends = iter([end for _, end in things])
                unwrapped += [self._next(frame, *islice(ends, _lines(frame))) for frame in frames]
            else:
                unwrapped += [self._next(_as_frame(thing), end) for thing, end in things]
        return unwrapped

    def _next(self, frame: Frame, *ends: int) -> Unwrapped:
        self._line += _lines(frame)
        return Unwrapped(frame, Position(self._line, ends[-1]))


def _as_frame(thing: bytes | list[bytes] | Oversize | Misframed) -> Frame:
    """Objects that are known to be sound as lines; others as they are."""
    if isinstance(thing, list):
        return b"\n".join(text.rstrip(_SPACE).replace(b"\n", b" ") for text in thing) + b"\n"
    return thing


def _lines(frame: Frame) -> int:
    return frame.count(b"\n") if isinstance(frame, bytes) else 1
