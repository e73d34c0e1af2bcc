"""Where one record ends and the next begins: newline-delimited framing of a byte stream.

Whole lines leave together and untouched; only the unfinished last line is kept. A line that grows
past the limit is swallowed as it comes, so that no input can make the framer hold more than
`line_bytes_max` plus one block.
"""

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Oversize:
    """A line too long to be a record: its first bytes, and length and SHA-256 of the whole.

    The whole is what stands before the newline, a carriage return included.
    """

    head: bytes
    length: int
    sha256: str


class Swallowed:
    """A line too long to keep, while its end has not been seen."""

    __slots__ = ("_hash", "_head", "_keep", "_length")

    def __init__(self, keep: int) -> None:
        """*keep* bytes of its beginning."""
        self._keep = keep
        self._head = bytearray()
        self._length = 0
        self._hash = sha256()

    def add(self, part: bytes) -> None:
        """Take its next bytes."""
        self._head += part[: max(0, self._keep - len(self._head))]
        self._length += len(part)
        self._hash.update(part)

    @property
    def kept(self) -> int:
        """Bytes of it that are held."""
        return len(self._head)

    def finished(self) -> Oversize:
        """What there is to say of it."""
        return Oversize(bytes(self._head), self._length, self._hash.hexdigest())


class LineFramer:
    """Cuts one stream of bytes into whole lines, or into what another separator ends."""

    __slots__ = ("_head_bytes", "_max", "_parts", "_separator", "_swallowed", "_unfinished")

    is_broken = False  # it finds its way again after whatever comes

    def __init__(self, line_bytes_max: int, head_bytes: int, separator: bytes = b"\n") -> None:
        self._max = line_bytes_max
        self._head_bytes = head_bytes
        self._separator = separator
        self._parts: list[bytes] = []  # of the unfinished line
        self._unfinished = 0  # bytes in _parts
        self._swallowed: Swallowed | None = None

    def feed(self, block: bytes) -> list[bytes | Oversize]:
        """Take the next bytes; return what is complete, in order: whole lines, oversize lines.

        Whole lines come as one bytes object that ends with a newline.
        """
        frames: list[bytes | Oversize] = []
        if self._swallowed:
            cut = block.find(self._separator)
            if cut < 0:
                self._swallowed.add(block)
                return frames
            self._swallowed.add(block[:cut])
            frames.append(self._swallowed.finished())
            self._swallowed = None
            block = block[cut + 1 :]
        cut = block.rfind(self._separator) + 1
        if cut:
            frames.append(self._complete(block, cut))
            block = block[cut:]
        if block:
            self._keep(block)
        return frames

    def end(self) -> list[bytes | Oversize]:
        """The stream has ended: a last line without a newline counts, and is given one."""
        if self._swallowed:
            frames: list[bytes | Oversize] = [self._swallowed.finished()]
            self._swallowed = None
            return frames
        return [self._complete(self._separator, 1)] if self._parts else []

    def unfinished(self) -> bytes:
        """What is there of a line whose end has not been seen, and which may become a record."""
        if len(self._parts) > 1:
            self._parts = [b"".join(self._parts)]
        return self._parts[0] if self._parts else b""

    def rest(self) -> bytes | Oversize | None:
        """Take out what is there of a line whose end has not been seen, as it is."""
        if self._swallowed:
            swallowed, self._swallowed = self._swallowed, None
            return swallowed.finished()
        rest = b"".join(self._parts)
        self._parts.clear()
        self._unfinished = 0
        return rest or None

    @property
    def unfinished_bytes(self) -> int:
        """Bytes held of a line whose end has not been seen, and which may become a record."""
        return self._unfinished

    @property
    def held_bytes(self) -> int:
        """Bytes held of a line whose end has not been seen."""
        return self._swallowed.kept if self._swallowed else self._unfinished

    def _complete(self, block: bytes, cut: int) -> bytes:
        if not self._parts:
            return block[:cut]  # all of it is the block itself, not a copy
        lines = b"".join((*self._parts, memoryview(block)[:cut]))
        self._parts.clear()
        self._unfinished = 0
        return lines

    def _keep(self, part: bytes) -> None:
        self._parts.append(part)
        self._unfinished += len(part)
        if self._unfinished > self._max + 1:  # one more may be the carriage return of its end
            self._swallowed = Swallowed(self._head_bytes)
            for kept in self._parts:
                self._swallowed.add(kept)
            self._parts.clear()
            self._unfinished = 0
        elif len(self._parts) > 1024:
            # a slow writer's many small parts, joined now and then to stay small in memory
            self._parts = [b"".join(self._parts)]
