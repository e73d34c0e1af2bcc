"""Under which name does a file keep its positions, and which of those kept is whose?

A stream is named by the path where its file was first found. A later file of that path is another
stream, `app.log#2`, so that no two files share a name in receipts and dead letters; a file that is
renamed keeps the name of its stream.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.core.likeness import Likeness, likeness
from agent.record import Position
from agent.store.positions import SavedPosition
from agent.store.source_ids import storable

_NUMBERED = re.compile(r"(.+)#(\d{1,9})", re.DOTALL)
_BEGUN = "#0"


@dataclass(frozen=True, slots=True)
class Past:
    """A stream that an earlier run read, up to a place in a file like this."""

    stream: str
    path: str  # where the file was when it was first found
    position: Position
    likeness: Likeness
    text: str  # the likeness as it is kept
    saved_at: float  # wall clock; 0 where that is not known

    @property
    def key(self) -> tuple[int, int]:
        """Device and inode of the file."""
        return self.likeness.device, self.likeness.inode

    @property
    def offset(self) -> int:
        """The byte of the file to read next.

        The position counts a byte more where the last line was taken before it had an end.
        """
        tail = self.likeness.tail
        has_no_end = tail is not None and tail.end == self.position.offset - 1
        return self.position.offset - has_no_end


class Streams:
    """The names of one source's streams: those of earlier runs, and new ones.

    Sources without a name share one of these, since their streams are named by path alone.
    """

    def __init__(self, name: str | None = None) -> None:
        self._prefix = f"{storable(name)}:" if name else ""
        self._highest: dict[str, int] = {}
        self.followed: dict[tuple[int, int], object] = {}  # device and inode -> who reads it

    def learn(self, names: Iterable[str]) -> None:
        """These are given to others already."""
        for name in names:
            self._note(name, 1)
            if numbered := _NUMBERED.fullmatch(name):
                self._note(numbered[1], int(numbered[2]))

    def new(self, path: str) -> str:
        """A name for a file that was never read, found there now."""
        base = self._prefix + storable(path)
        number = self._highest.get(base, 0) + 1
        name = base if number == 1 else f"{base}#{number}"
        self.learn([name])
        return name

    def begun(self, label: str) -> str:
        """The name under which it is kept that a source has begun."""
        return f"{storable(label)}{_BEGUN}"

    def past(self, saved: Mapping[str, SavedPosition]) -> list[Past]:
        """Those of the saved positions that are of streams of this kind."""
        found = []
        for stream, before in saved.items():
            known, path = likeness(before.identity), self._path(stream)
            if known is not None and path is not None:
                text = before.identity or ""
                found.append(Past(stream, path, before.position, known, text, before.saved_at))
        return found

    def _path(self, stream: str) -> str | None:
        numbered = _NUMBERED.fullmatch(stream)
        base = numbered[1] if numbered else stream
        if self._prefix:
            return base.removeprefix(self._prefix) if base.startswith(self._prefix) else None
        return None if ":" in base.partition("/")[0] else base

    def _note(self, base: str, number: int) -> None:
        self._highest[base] = max(number, self._highest.get(base, 0))
