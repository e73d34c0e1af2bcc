"""Is a file, by its bytes, still the one that was read?

Names are given to other files, numbers of inodes are used again, and a file that was cut may have
grown past the place where reading had got to. So its first bytes count, which tell it from others,
and those right before that place, which tell whether it was cut in between.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b

HEAD_BYTES = 1024
TAIL_BYTES = 64

Read = Callable[[int, int], bytes]  # (offset, size) -> what stands there


@dataclass(frozen=True, slots=True)
class Stretch:
    """The *size* bytes before *end*, as a hash."""

    end: int
    size: int
    digest: str

    def agrees(self, read: Read) -> bool:
        """Whether the same bytes stand there now."""
        return stretch(read(self.end - self.size, self.size), self.end) == self


def stretch(data: bytes, end: int) -> Stretch:
    """The stretch that *data* is, which ends before *end*."""
    return Stretch(end, len(data), blake2b(data, digest_size=8).hexdigest())


NOTHING = stretch(b"", 0)


@dataclass(frozen=True, slots=True)
class Likeness:
    """What tells a file from others. `tail` is what stood right before the place reached."""

    device: int
    inode: int
    head: Stretch = NOTHING
    tail: Stretch | None = None

    def agrees(self, read: Read) -> bool:
        """Whether a file with these bytes can be it, whichever inode it has."""
        return self.head.agrees(read) and (self.tail is None or self.tail.agrees(read))

    def __str__(self) -> str:
        """As it is kept."""
        text = f"{self.device}:{self.inode}:{self.head.size}:{self.head.digest}"
        if self.tail is None:
            return text
        return f"{text}:{self.tail.end}:{self.tail.size}:{self.tail.digest}"


def likeness(text: str | None) -> Likeness | None:
    """What was kept; None where that is none, or of a kind not known here."""
    with suppress(AttributeError, ValueError, TypeError):
        device, inode, size, digest, *tail = text.split(":")  # type: ignore[union-attr]
        head = Stretch(int(size), int(size), digest)
        before = Stretch(int(tail[0]), int(tail[1]), *tail[2:]) if tail else None
        return Likeness(int(device), int(inode), head, before)
    return None
