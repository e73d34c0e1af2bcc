"""What a journey needs: an inlet that listens, input, and an agent that is sent on its way."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.agent import Finished, Running, aep_agent, send_arguments
from support.emulator import Remote, RunningEmulator


@pytest.fixture
def inlet() -> Iterator[Callable[..., RunningEmulator]]:
    """Starts emulators: `inlet(faults=[...], dialect="observed")`."""
    with ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(RunningEmulator(*args, **options))


@pytest.fixture
def emulator(inlet: Callable[..., RunningEmulator]) -> RunningEmulator:
    """An emulator without faults."""
    return inlet()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Where the agent keeps its store."""
    return tmp_path / "data"


@pytest.fixture
def send(data_dir: Path) -> Callable[..., Finished]:
    """Runs `send` to its end: `send(emulator, "-", stdin=b"{}", batch__max_bytes="2KB")`."""

    def run(emulator: Remote, *files: str | Path, stdin: Any = b"", **settings: object) -> Finished:
        return aep_agent(*send_arguments(emulator, data_dir, *files, **settings), stdin=stdin)

    return run


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts the agent and returns at once: `start(*send_arguments(...))`."""
    with ExitStack() as stack:

        def started(*arguments: str | Path, stdin: Any = subprocess.PIPE) -> Running:
            running = Running([*map(str, arguments)], stdin)
            stack.callback(running.close)
            return running

        yield started
