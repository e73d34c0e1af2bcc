"""How long after it was written to the agent's stdin is a record answered, at 1,000 a second?

The writer stamps each record; the sink takes the stamp's age once the answer is on the wire. That
counts the pipe and loopback too, so it is never less than what the agent adds.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from benchmarks import events
from benchmarks.children import BenchmarkError
from benchmarks.pipeline import Agent, RunningSink, check_counted

RATE = 1_000  # records per second
_TICK = 0.005  # seconds between two writes
_DISTINCT = 1_000  # events the writer repeats under new ids


@dataclass(frozen=True, slots=True)
class Latency:
    """Age of records when answered, in milliseconds, under one max_wait (milliseconds)."""

    max_wait: float
    p50: float
    p99: float
    worst: float
    records: int

    @property
    def added(self) -> float:
        """What the 99th percentile waits beyond max_wait, in milliseconds."""
        return self.p99 - self.max_wait


def measure(agent: Agent, *, seconds: float, max_wait_ms: int) -> Latency:
    """Feed the agent's stdin at a steady rate; raises BenchmarkError if records are missing."""
    reading, writing = os.pipe()
    lines = _lines()
    os.write(writing, next(lines))
    with RunningSink("--latency") as sink, TemporaryDirectory(prefix="aep-agent-bench-") as store:
        options = ("--set", f"batch.max_wait={max_wait_ms}ms")
        with agent.send(sink, Path(store), *options, "-", stdin=reading) as child:
            os.close(reading)
            try:
                # An agent that is still starting would count as lateness: wait for one answer.
                sink.wait_for(1, 20, child)
                # An agent that stopped reading says why when it ends.
                with suppress(BrokenPipeError):
                    _feed(writing, lines, seconds)
            finally:
                os.close(writing)
            child.expect(30)
        counted = sink.stats()
    fed = round(seconds / _TICK) * round(RATE * _TICK)
    check_counted(counted, 1 + fed, gzipped=True)
    return _latency(counted["lateness_ms"], fed, max_wait_ms)


def _lines() -> Iterator[bytes]:
    """Events that never end, each with its newline."""
    for block in events.numbered(events.block(_DISTINCT)):
        yield from block.splitlines(keepends=True)


def stamped(line: bytes, now_ns: int) -> bytes:
    """The event with the time in it where the sink looks for it."""
    return b'{"sent_ns":%d,%b' % (now_ns, line[1:])


def _feed(writing: int, lines: Iterator[bytes], seconds: float) -> None:
    """Write RATE records a second on an even beat for so many seconds."""
    ticks, each = round(seconds / _TICK), round(RATE * _TICK)
    start = time.monotonic()
    for tick in range(ticks):
        time.sleep(max(0.0, start + tick * _TICK - time.monotonic()))
        now = time.monotonic_ns()
        _write_all(writing, b"".join(stamped(line, now) for line in islice(lines, each)))


def _write_all(writing: int, piece: bytes) -> None:
    while piece:
        piece = piece[os.write(writing, piece) :]


def _latency(ages: list[float], stamped_records: int, max_wait_ms: int) -> Latency:
    if len(ages) != stamped_records:
        raise BenchmarkError(f"{len(ages)} of {stamped_records} stamps came back")
    cuts = quantiles(ages, n=100, method="inclusive")
    return Latency(max_wait_ms, cuts[49], cuts[98], max(ages), len(ages))
