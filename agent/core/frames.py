"""What comes out of a connection, whichever way its records are framed?

Every framer gives whole lines, for one record a line is what all that follows works on. A record
in another frame than a line may hold newlines, as pretty-printed JSON does. They can only be white
space there, for inside a string JSON has none, so they become spaces: as many bytes, the same
record. This is the one place where bytes out are not the bytes in. What is no record stays as it
came, for its dead letter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.core.framing import Oversize
from agent.core.validation import Fault, fault

TORN, FRAMING = "torn", "framing"


@dataclass(frozen=True, slots=True)
class Misframed:
    """Bytes that are no record, and why: where a frame was wrong, or broke off."""

    found: bytes
    fault: Fault


Frame = bytes | Oversize | Misframed  # bytes: whole lines, a newline behind each


class Framer(Protocol):
    """Cuts the bytes of one connection into frames."""

    @property
    def is_broken(self) -> bool:
        """Whether nothing can be made of what follows."""
        ...

    @property
    def held_bytes(self) -> int:
        """Bytes held of a frame whose end has not been seen."""
        ...

    def feed(self, block: bytes) -> Sequence[Frame]:
        """Take the next bytes; return what is complete, in order."""
        ...

    def rest(self) -> bytes | Oversize | None:
        """Take out what is there of a frame whose end has not been seen, as it is."""
        ...


def last_frame(rest: bytes | Oversize | None, how: str) -> Frame | None:
    """What becomes of the rest when a connection ends: a record, if it is a whole one.

    *how* it ended, completing "the connection …".
    """
    if not isinstance(rest, bytes):
        return rest
    if not rest.strip(b" \t\r\n"):
        return None
    wrong = fault(rest)
    if wrong is None:
        return as_line(rest)
    return Misframed(rest, Fault(TORN, f"the connection {how} within a record: {wrong.message}"))


def as_line(record: bytes) -> bytes:
    """A record as one line: any newlines in it are white space between its tokens."""
    return record.replace(b"\n", b" ") + b"\n"


def as_lines(found: list[bytes]) -> list[Frame]:
    """What frames held, as whole lines; whatever has a newline and is no record by itself."""
    lines = b"\n".join(found) + b"\n"
    if lines.count(b"\n") == len(found):
        return [lines]
    frames: list[Frame] = []
    whole: list[bytes] = []
    for text in found:
        bare = text.rstrip(b"\r\n")  # many senders end a line within the frame
        if b"\n" in bare and (wrong := fault(text)):
            if whole:
                frames.append(b"".join(whole))
                whole.clear()
            frames.append(Misframed(text, wrong))
        else:
            whole.append(as_line(bare))
    if whole:
        frames.append(b"".join(whole))
    return frames
