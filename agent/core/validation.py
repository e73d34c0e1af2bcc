"""Which lines are records: one JSON object each, in valid UTF-8.

Whole chunks are judged by C code in one go; only when a chunk is not spotless is each of its lines
looked at, so that one broken line costs its neighbours nothing but time.
"""

from collections import deque
from dataclasses import dataclass

import msgspec

from agent.core.grammar import object_fault

FILTER_FAILED = "filter_failed"  # the reason of a record that could not be changed
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _Object(msgspec.Struct, gc=False):
    """An object of any shape. Without fields the decoder checks and skips, and builds nothing."""


_decode = msgspec.json.Decoder(_Object).decode


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line is not a record: a reason for machines, a sentence for people."""

    reason: str
    message: str


def are_records(data: bytes, lines: list[bytes]) -> bool:
    """Whether every line is certainly a record. *data* is the lines with what separates them.

    False is no verdict: some legal JSON is beyond this decoder. Ask `fault` about each line then.
    """
    try:
        deque(map(_decode, lines), maxlen=0)
        # The decoder does not look at the bytes inside the strings it skips. Line by line, since
        # the text of a whole chunk is large enough to cost a mapping of fresh memory each time.
        if not data.isascii():
            deque(map(bytes.decode, lines), maxlen=0)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def fault(line: bytes) -> Fault | None:
    """What keeps this line from being a record; None where nothing does."""
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return Fault("invalid_utf8", f"not valid UTF-8 at byte {error.start}: {error.reason}")
    if are_records(line, [line]):
        return None
    problem = object_fault(line)
    if problem is None:
        return None
    if line.startswith(_BYTE_ORDER_MARK):
        return Fault(
            "invalid_json", "begins with a byte order mark (BOM), which JSON does not allow"
        )
    if _is_json(line):
        return Fault("not_an_object", f"a record must be a JSON object: {problem}")
    return Fault("invalid_json", f"not valid JSON: {problem}")


def _is_json(line: bytes) -> bool:
    """Whether the line is one JSON value of any kind: it can stand where one may stand."""
    # `1,"b":2` would pass for the value of a member and `1],"b":[2` for an element, none for both
    return all(object_fault(place % line) is None for place in (b'{"":%b}', b'{"":[%b]}'))
