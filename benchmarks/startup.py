"""How soon can a user go on? The help on screen, the first read of stdin, the first answer.

Ready to read is seen from outside: the moment a record that was waiting in the pipe before the
agent started is no longer in the pipe.
"""

import os
import struct
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TypeVar

from benchmarks import events
from benchmarks.children import BenchmarkError, Child
from benchmarks.pipeline import Agent, RunningSink

_Measured = TypeVar("_Measured")
_POLL = 0.001  # seconds
_READY_WITHIN = 20.0  # seconds


@dataclass(frozen=True, slots=True)
class StartUp:
    """Seconds from starting the agent, medians of several starts."""

    help_seconds: float
    first_read_seconds: float
    first_answer_seconds: float


def measure(agent: Agent, times: int) -> StartUp:
    """Start the agent again and again; the very first start, which fills caches, is not counted."""
    help_walls = _counted(lambda: _help(agent), times)
    starts = _counted(lambda: _first_record(agent), max(3, times // 2))
    return StartUp(
        median(help_walls),
        median(read for read, _ in starts),
        median(answered for _, answered in starts),
    )


def _counted(once: Callable[[], _Measured], times: int) -> list[_Measured]:
    once()
    return [once() for _ in range(times)]


def _help(agent: Agent) -> float:
    with Child([*agent.command, "--help"]) as child:
        return child.expect(20).wall_seconds


def _first_record(agent: Agent) -> tuple[float, float]:
    """Seconds until the waiting record was read, and until it was answered."""
    reading, writing = os.pipe()
    os.write(writing, events.block(1))
    with RunningSink() as sink, TemporaryDirectory(prefix="aep-agent-bench-") as store:
        options = ("--set", "batch.max_wait=1ms")
        with agent.send(sink, Path(store), *options, "-", stdin=reading) as child:
            os.close(reading)
            try:
                _wait_until_read(writing, child)
                read_ns = time.monotonic_ns()
                sink.wait_for(1, _READY_WITHIN, child)
            finally:
                os.close(writing)
            child.expect(20)
        answered_ns = sink.stats()["first_answer_ns"]
    return (read_ns - child.started_ns) / 1e9, (answered_ns - child.started_ns) / 1e9


def _wait_until_read(pipe: int, child: Child) -> None:
    """Wait until nothing is left in the pipe."""
    deadline = time.monotonic() + _READY_WITHIN
    while struct.unpack("i", ioctl(pipe, termios.FIONREAD, bytes(4)))[0]:
        if not child.running():
            child.expect(0)
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{child} never read its stdin")
        time.sleep(_POLL)
