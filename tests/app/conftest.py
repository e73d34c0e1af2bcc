"""An agent, the platform it delivers to, and the files and pipes it reads."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import uvloop

from agent.app.lifecycle import Agent
from agent.config import load
from agent.config.model import Config
from agent.emulator.options import EmulatorOptions
from agent.emulator.server import Emulator


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """What the agent runs on, and what it runs on where that is not to be had."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator(EmulatorOptions(listen="127.0.0.1:0")) as emulator:
        yield emulator


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def configured(emulator: Emulator, data_dir: Path) -> Callable[..., Config]:
    """A configuration that reads these paths; `delivery__max_in_flight=1` sets a key."""

    def configured(*paths: Path, **settings: object) -> Config:
        overrides: dict[str, object] = {
            "inlet.url": emulator.inlet_url,
            "inlet.flow_id": emulator.flow_id,
            "data_dir": data_dir,
            "sources": [{"type": "file", "paths": [str(path)], "follow": False} for path in paths],
            "batch.max_wait": "10ms",
            "buffer.type": "memory",
            "delivery.max_in_flight": 2,
            "delivery.retry.initial": "5ms",
            "delivery.retry.max": "50ms",
            "admin.listen": "null",
        }
        overrides |= {name.replace("__", "."): value for name, value in settings.items()}
        return load(None, overrides=overrides, environ={})

    return configured


@pytest.fixture
async def agent(configured: Callable[..., Config]) -> Callable[..., Agent]:
    """Makes agents, as `configured` makes configurations."""
    return lambda *paths, **settings: Agent(configured(*paths, **settings))


class Pipe:
    """A FIFO in the place of a file, open for writing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def write(self, content: bytes) -> int:
        """Write as much as there is room for; how much that was."""
        try:
            return os.write(self._descriptor, content)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Write no more; may come twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Pipe]:
    pipe = Pipe(tmp_path / "pipe")
    yield pipe
    pipe.close()
