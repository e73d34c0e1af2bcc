"""What a source needs: a loop of either kind, and a feed that takes what it reads."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

LoopFactories = dict[str, Callable[[], asyncio.AbstractEventLoop]]


def pytest_asyncio_loop_factories() -> LoopFactories:
    """Waiting for descriptors is the loop's work, and the agent runs on both of these."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Taken:
    """A feed that keeps what it is given; it takes nothing while `room` is not set."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        self.ends = 0
        self._came = asyncio.Event()
        self.room = asyncio.Event()
        self.room.set()

    async def put(self, block: bytes) -> None:
        await self.room.wait()
        self.blocks.append(block)
        self._came.set()

    async def end(self) -> None:
        self.ends += 1

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
