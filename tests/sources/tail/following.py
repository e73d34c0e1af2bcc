"""Files that are followed: what came of them, line by line, and where a later run would go on."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.core.framing import Oversize
from agent.core.validation import Fault, fault
from agent.record import BEGINNING, Position
from agent.sources.tail.lines import LineLimits
from agent.sources.tail.settings import TailSettings
from agent.sources.tail.streams import Streams
from agent.sources.tail.tail import Tail
from agent.store.positions import SavedPosition
from agent.telemetry.meters import Meters

SOON = 10.0
LIMITS = LineLimits(block_bytes=1000, line_bytes_max=2000, head_bytes=100)
QUICK = TailSettings((), LIMITS, poll=0.02, unfinished=0.15, let_go=0.2, copied=0.3)


@dataclass
class Stream:
    """What one feed was given. Everything is safe as soon as it is taken."""

    name: str
    position: Position
    identity: str | None
    doors: "Books"
    label: str = ""
    lines_taken: list[bytes] = field(default_factory=list)
    places: list[Position] = field(default_factory=list)
    oversized: list[Oversize] = field(default_factory=list)
    has_ended: bool = False
    is_left: bool | None = None  # or whether its position is to be forgotten

    async def lines(
        self,
        data: bytes,
        end: Position | None = None,
        on_taken: Callable[[range], None] | None = None,
    ) -> None:
        assert data.endswith(b"\n")
        await self.doors.room.wait()
        self.doors.order.append(self.name)
        for number, line in enumerate(data.split(b"\n")[:-1]):
            self.lines_taken.append(line)
            self.places.append(Position(self.position.line + number, self.position.offset))
        count = data.count(b"\n")
        after = Position(self.position.line + count, self.position.offset + len(data))
        self._move(end or after)

    async def oversize(self, line: Oversize, end: Position | None = None) -> None:
        await self.doors.room.wait()
        self.oversized.append(line)
        after = Position(self.position.line + 1, self.position.offset + line.length + 1)
        self._move(end or after)

    async def refuse(self, *_: object) -> None:
        raise AssertionError("a file's lines are refused by who takes them")

    async def put(self, block: bytes) -> None:
        raise AssertionError("lines are made from files where they are read")

    unfinished_bytes = 0  # each line is a whole one

    def completes(self, line: bytes) -> bool:
        return fault(line) is None

    async def end(self) -> None:
        self.has_ended = True

    def skip(self, end: Position) -> None:
        assert end.offset >= self.position.offset
        self._move(end)

    def leave(self, *, forget: bool = False) -> None:
        assert self.is_left is None
        self.is_left = forget
        if forget:
            self.doors.saved.pop(self.name, None)

    def _move(self, end: Position) -> None:
        assert self.is_left is None, "nothing comes after the end"
        self.position = end
        self.doors.saved[self.name] = SavedPosition(end, self.identity)
        self.doors.changed.set()


class Books:
    """Doors that keep what they are given, over several runs; they take nothing without `room`."""

    def __init__(self) -> None:
        self.streams: list[Stream] = []
        self.saved: dict[str, SavedPosition] = {}
        self.names: set[str] = set()
        self.order: list[str] = []  # whose lines came when
        self.meters = Meters()
        self.room = asyncio.Event()
        self.room.set()
        self.changed = asyncio.Event()

    def feed(
        self,
        source: str,
        start: Position = BEGINNING,
        identity: str | None = None,
        label: str | None = None,
    ) -> Stream:
        assert all(each.name != source or each.is_left is not None for each in self.streams)
        self.names.add(source)
        self.saved[source] = SavedPosition(start, identity)
        stream = Stream(source, start, identity, self, label or source)
        self.streams.append(stream)
        return stream

    def abandon(self) -> None:
        """A run is over: another one may open the same streams."""
        for stream in self.streams:
            stream.is_left = stream.is_left or False

    @property
    def lines(self) -> list[bytes]:
        """All lines, in the order of streams."""
        return [line for stream in self.streams for line in stream.lines_taken]

    @property
    def by_stream(self) -> dict[str, list[bytes]]:
        """The lines of each stream."""
        found: dict[str, list[bytes]] = defaultdict(list)
        for stream in self.streams:
            if stream.lines_taken:
                found[stream.name] += stream.lines_taken
        return dict(found)

    def lost(self, cause: str | None = None) -> float:
        """Bytes suspected to be lost."""
        return sum(
            count
            for (_, why), count in self.meters.file_lost_bytes.series()
            if cause is None or why == cause
        )

    async def have(self, *lines: bytes) -> None:
        """Wait until these lines came, in any order, and nothing else did."""
        await self.until(lambda: len(self.lines) >= len(lines))
        assert sorted(self.lines) == sorted(lines)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        try:
            async with asyncio.timeout(SOON):
                while not is_so():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(
                f"in vain; {len(self.lines)} lines came: {self.lines[-5:]}"
            ) from None


@asynccontextmanager
async def followed(
    books: Books, *patterns: Path | str, streams: Streams | None = None, **changes: object
) -> AsyncIterator[Tail]:
    """A run that follows the files of some patterns, in the ways of `QUICK` but for *changes*."""
    settings = replace(QUICK, patterns=tuple(map(str, patterns)), **changes)  # type: ignore[arg-type]
    streams = streams or Streams()
    streams.learn(books.names)
    tail = Tail("files", settings, streams, books.meters)
    tail.resume(dict(books.saved))
    running = asyncio.ensure_future(tail.run(books))
    try:
        yield tail
    finally:
        tail.stop()
        await asyncio.wait_for(running, SOON)
        books.abandon()


def numbered(first: int, count: int, pad: int = 0) -> list[bytes]:
    """Records that differ."""
    return [b'{"n":%d,"pad":"%s"}' % (n, b"x" * pad) for n in range(first, first + count)]


def text(lines: list[bytes]) -> bytes:
    """As they stand in a file."""
    return b"".join(line + b"\n" for line in lines)


def append(path: Path, data: bytes) -> None:
    """As a program writes that logs."""
    with path.open("ab") as file:
        file.write(data)


def are_records(lines: list[bytes]) -> Iterator[Fault | None]:
    """What is wrong with each."""
    return map(fault, lines)
