"""What does a syslog message carry? The JSON record behind its header, untouched.

Both formats there are: RFC 5424 (`<14>1 2026-03-01T12:00:00Z host app 71 - - {…}`) and the older
one of RFC 3164 (`<190>Mar  1 12:00:00 host nginx: {…}`), whose header is whatever stands before the
first brace. A cookie (`@cee:`) before the record is part of the header.
"""

import re

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
