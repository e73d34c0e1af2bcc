"""What has the agent been given, and what of it must be given again?

A file is there to be read again: its bytes are the obligation. Of a pipe, only what the store's
position has passed is the agent's; the rest is fed to the next agent, as its owner would.
"""

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.record import Position
from torture.minting import Mint
from torture.script import Life

_BEGINNING = Position(1, 0)


class Upstream:
    """Files in a directory, and lines for the pipe."""

    def __init__(self, mint: Mint, directory: Path) -> None:
        self.mint = mint
        self.pending: list[bytes] = []  # lines of the pipe that are not known to be safe
        self.offered: Counter[bytes] = Counter()  # lines of the pipe, by how often they were fed
        self.cut: set[bytes] = set()  # lines of the pipe that were read in part
        self.read_again: Counter[bytes] = Counter()  # lines of files that were durable already
        self._directory = directory
        self._contents: dict[str, bytes] = {}  # of files, decompressed, by path
        self._growing: Path | None = None
        directory.mkdir()

    @property
    def pattern(self) -> str:
        """What the agent is to read."""
        return str(self._directory / "*.ndjson*")

    @property
    def fed_again(self) -> int:
        """How often a line of the pipe was fed for another time."""
        return sum(times - 1 for times in self.offered.values())

    @property
    def offered_again(self) -> frozenset[bytes]:
        """Lines that were fed more than once, or read again although they were durable."""
        fed_again = {line for line, times in self.offered.items() if times > 1}
        return frozenset(fed_again | self.read_again.keys())

    def provide(self, life: Life) -> None:
        """The input of one life; files appear whole."""
        self.pending += self.mint.lines(life.pipe_lines)
        lines = self.mint.lines(life.file_lines or 1)
        content = b"".join(line + b"\n" for line in lines)
        if life.file_kind == "grown" and self._growing:
            with self._growing.open("ab") as file:
                file.write(content)
            self._contents[str(self._growing)] += content
            return
        is_gzip = life.file_kind == "gzip"
        path = self._directory / f"{len(self._contents):03}.ndjson{'.gz' if is_gzip else ''}"
        self._contents[str(path)] = content
        hidden = self._directory / "hidden"
        hidden.write_bytes(gzip.compress(content, 1) if is_gzip else content)
        hidden.rename(path)
        if not is_gzip:
            self._growing = path

    def note(self, written: int, position: Position | None, *, stopped: bool) -> Iterator[str]:
        """A life is over: so many lines were fed, and what lies before *position* is safe."""
        self.offered.update(self.pending[:written])
        offset = (position or _BEGINNING).offset
        at = line = 0
        while at < offset and line < len(self.pending):
            at += len(self.pending[line]) + 1
            line += 1
        if at > offset:  # the agent was told to stop in the middle of a line
            line -= 1
            self.cut.add(self.pending[line])
        if (at != offset and not stopped) or line > written:
            yield f"the position of the pipe is wrong: offset {offset}, {written} lines were fed"
        if position and position.line != line + 1 + (at > offset):
            yield f"the position of the pipe is wrong: line {position.line} for {line + 1}"
        self.pending = self.pending[line:]

    def expect_again(self, ahead: Iterable[tuple[str, int, int]]) -> None:
        """These lines of files are durable, and the next agent will read them again."""
        for name, line, count in ahead:
            if (content := self._contents.get(name)) is not None:
                self.read_again.update(content.split(b"\n")[line - 1 : line - 1 + count])

    def check(self, positions: dict[str, tuple[Position, int]]) -> Iterator[str]:
        """Positions in files are where lines begin."""
        for name, (position, _) in positions.items():
            if (content := self._contents.get(name)) is None:
                continue
            before = content[: position.offset]
            is_start = not before or before.endswith(b"\n")
            if not is_start or before.count(b"\n") != position.line - 1:
                yield f"the position of {name} is wrong: {position}"
