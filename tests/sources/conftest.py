"""What a source needs: a loop of either kind, and a feed that takes what it reads."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

from agent.core.framing import Oversize
from agent.core.validation import Fault
from agent.record import BEGINNING, Position

LoopFactories = dict[str, Callable[[], asyncio.AbstractEventLoop]]


def pytest_asyncio_loop_factories() -> LoopFactories:
    """Waiting for descriptors is the loop's work, and the agent runs on both of these."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Taken:
    """A feed that keeps what it is given; it takes nothing while `room` is not set.

    It is also the door to itself, for sources that read one stream.
    """

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        self.ends = 0
        self.position = BEGINNING
        self.name = self.label = ""
        self.identity: str | None = None
        self.refused: list[tuple[bytes, Fault]] = []
        self.oversized: list[Oversize] = []
        self.left: list[bool] = []
        self._came = asyncio.Event()
        self.room = asyncio.Event()
        self.room.set()

    async def put(self, block: bytes) -> None:
        await self.room.wait()
        self.blocks.append(block)
        self._came.set()

    async def end(self) -> None:
        self.ends += 1

    def feed(
        self,
        source: str,
        start: Position = BEGINNING,
        identity: str | None = None,
        label: str | None = None,
    ) -> "Taken":
        self.name, self.position, self.identity = source, start, identity
        self.label = label or source
        return self

    async def lines(
        self,
        data: bytes,
        end: Position | None = None,
        on_taken: Callable[[range], None] | None = None,
    ) -> None:
        await self.put(data)
        first = self.position.line
        after = Position(first + data.count(b"\n"), self.position.offset + len(data))
        self.position = end or after
        if on_taken:
            on_taken(range(first, self.position.line))

    async def refuse(
        self,
        line: bytes,
        fault: Fault,
        end: Position | None = None,
        on_taken: Callable[[range], None] | None = None,
    ) -> None:
        self.refused.append((line, fault))
        after = Position(self.position.line + 1, self.position.offset + len(line))
        self.position = end or after

    async def oversize(self, line: Oversize, end: Position | None = None) -> None:
        self.oversized.append(line)
        after = Position(self.position.line + 1, self.position.offset + line.length + 1)
        self.position = end or after

    def skip(self, end: Position) -> None:
        self.position = end

    def leave(self, *, forget: bool = False) -> None:
        self.left.append(forget)

    async def has_some(self) -> None:
        """Wait until anything came."""
        async with asyncio.timeout(5.0):
            await self._came.wait()

    @property
    def bytes(self) -> bytes:
        return b"".join(self.blocks)


@pytest.fixture
async def taken() -> Taken:
    return Taken()
