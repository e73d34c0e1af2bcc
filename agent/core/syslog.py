"""What does a syslog message carry? The JSON record behind its header, untouched.

Both formats there are: RFC 5424 (`<14>1 2026-03-01T12:00:00Z host app 71 - - {…}`) and the older
one of RFC 3164 (`<190>Mar  1 12:00:00 host nginx: {…}`), whose header is whatever stands before the
first brace. A cookie (`@cee:`) before the record is part of the header.
"""

import re
from collections.abc import Iterator

from agent.core.frames import FRAMING, Misframed, as_line
from agent.core.framing import Oversize
from agent.core.unwrapping import Unwrapped
from agent.core.validation import fault
from agent.record import Position

# A line that begins as neither of the two stays as it is. The header of RFC 5424 is read word by
# word, for its structured data may hold braces; structured data is the last of its seven parts.
_HEADERS = re.compile(
    rb"""^<\d{1,3}>
    (?:
        1(?:\ [^\s\[{]+){5}\ (?:-|(?:\[(?:[^\]"\\\n]|\\.|"(?:[^"\\\n]|\\.)*")*\])+)
        \ *(?:\xef\xbb\xbf)?\ *(?:@cee:\ *)?
    |
        (?!1\ )[^\n{]*
    )
    (?=\{)""",
    re.MULTILINE | re.VERBOSE,
)


def without_headers(lines: bytes) -> bytes:
    """Lines, each ended by a newline, with what stands before their records taken off.

    There are as many lines as before. What carries no record keeps its header.
    """
    return _HEADERS.sub(b"", lines)


class SyslogMessages:
    """Unwraps messages, one a line: each line keeps its number."""

    def __init__(self, start: Position) -> None:
        self._position = start

    @property
    def position(self) -> Position:
        """Behind all lines that came."""
        return self._position

    @property
    def unfinished_bytes(self) -> int:
        """None: what came goes on at once."""
        return 0

    def completes(self, line: bytes) -> bool:
        """Whether a line without an end carries a whole record."""
        return fault(without_headers(line)) is None

    def feed(self, data: bytes) -> Iterator[Unwrapped]:
        """Take whole lines, a newline behind each."""
        before = self._position
        self._position = Position(before.line + data.count(b"\n"), before.offset + len(data))
        yield Unwrapped(without_headers(data), self._position)

    def pass_over(self, found: Oversize | Misframed, end: Position) -> Iterator[Unwrapped]:
        """Take what is no line: a message all the same, where it carries a whole record.

        It has newlines in its record then, or its connection was closed without a newline behind.
        """
        self._position = end
        if isinstance(found, Misframed) and found.fault.reason != FRAMING:
            record = without_headers(found.found)
            if fault(record) is None:
                yield Unwrapped(as_line(record), end)
                return
        yield Unwrapped(found, end)

    def skip(self, end: Position) -> None:
        """Nothing is up to *end*."""
        self._position = end

    def end(self) -> Iterator[Unwrapped]:
        """Nothing is ever left."""
        return iter(())
