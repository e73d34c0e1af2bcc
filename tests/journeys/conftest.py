"""What a journey needs: an inlet that listens, input, and an agent that is sent on its way."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.agent import Finished, Running, aep_agent, send_arguments
from support.emulator import Remote, RunningEmulator
from support.pushing import Pushing


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
def configured(tmp_path: Path, data_dir: Path) -> Callable[..., Path]:
    """Writes a configuration for `run`: a file where one is named, standard input otherwise."""

    def write(emulator: Remote, *files: Path, **settings: Any) -> Path:
        sources: list[dict[str, Any]] = [
            {"type": "file", "paths": [str(file)], "follow": False} for file in files
        ]
        whole = {
            "data_dir": str(data_dir),
            "inlet": {"url": emulator.inlet_url, "flow_id": emulator.flow_id},
            "sources": sources or [{"type": "stdin"}],
            "batch": {"max_wait": "20ms", "max_bytes": "20KB"},
            "delivery": {"retry": {"initial": "10ms", "max": "100ms"}},
            "admin": {"listen": None},
            "log": {"format": "json"},
            "shutdown": {"grace": "1s"},
            **settings,
        }
        path = tmp_path / "agent.json"
        path.write_text(json.dumps(whole))
        return path

    return write


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts the agent and returns at once: `start(*send_arguments(...))`."""
    with ExitStack() as stack:

        def started(
            *arguments: str | Path,
            stdin: Any = subprocess.PIPE,
            limits: Mapping[int, int] | None = None,
            before: Sequence[str] = (),
        ) -> Running:
            running = Running([*map(str, arguments)], stdin, limits, before)
            stack.callback(running.close)
            return running

        yield started


@pytest.fixture
def pushing(start: Callable[..., Running], data_dir: Path, tmp_path: Path) -> Pushing:
    """Starts agents with one http source, one after the other in the same directory."""
    return Pushing(start, data_dir, tmp_path)
