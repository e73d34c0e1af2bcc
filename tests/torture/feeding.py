"""What has the agent been given, and what of it must be given again?

A file is there to be read again: its bytes are the obligation. What goes through pipes and sockets
is written again where it is not known to be safe.
"""

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from agent.record import Position
from torture.minting import Mint
from torture.script import Life
from torture.streams import Pushed, Stream


class Upstream:
    """Files in a directory, and lines for pipe and sockets."""

    def __init__(self, mint: Mint, directory: Path) -> None:
        self.mint = mint
        self.pipe = Stream("stdin")
        self.tcp, self.unix = Stream("tcp", numbers_on=True), Stream("unix", numbers_on=True)
        self.pushed = Pushed("http")
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
    def numbered(self) -> tuple[Stream, ...]:
        """The streams whose positions tell what is safe."""
        return self.pipe, self.tcp, self.unix

    @property
    def streams(self) -> tuple[Stream, ...]:
        """What is written by all doors that are not files."""
        return *self.numbered, self.pushed

    @property
    def fed_again(self) -> int:
        """How often a line was written for another time."""
        return sum(stream.fed_again for stream in self.streams)

    @property
    def cut(self) -> frozenset[bytes]:
        """Lines that were read in part."""
        return frozenset().union(*(stream.cut for stream in self.streams))

    @property
    def offered_again(self) -> frozenset[bytes]:
        """Lines that were written more than once, or read again although they were durable."""
        fed_again = {
            line for stream in self.streams for line, times in stream.offered.items() if times > 1
        }
        return frozenset(fed_again | self.read_again.keys())

    def is_safe(self, safe_lines: Mapping[str, int]) -> bool:
        """Whether all of it is, if each source's lines are safe up to these."""
        ends = {stream.name: stream.last_line() for stream in self.numbered if stream.pending}
        ends |= {name: content.count(b"\n") + 1 for name, content in self._contents.items()}
        return all(safe_lines.get(name, 0) >= end for name, end in ends.items())

    def provide(self, life: Life) -> None:
        """The input of one life; files appear whole."""
        for stream, count in zip(self.streams, life.stream_lines, strict=True):
            stream.pending += self.mint.lines(count)
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
