"""What does the buffer on disk cost, and does a megabyte of a large backlog cost more?

The inlet is silent until everything is spooled; then the agent is started anew and sends it all.
"""

import json
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from math import inf
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.children import BenchmarkError, Child, Finished
from benchmarks.events import MEGABYTE, EventFile
from benchmarks.pipeline import Agent, RunningSink

_STARTS = 5
_POLL = 0.05  # seconds


@dataclass(frozen=True, slots=True)
class Drained:
    """One backlog: its size before compression, and CPU seconds of filling and of draining it."""

    size: int
    records: int
    first_answer_seconds: float  # from starting the agent anew to the first answer it got
    fill_cpu_seconds: float
    drain_cpu_seconds: float
    peak_rss: int  # bytes, of either

    def drain_per_megabyte(self, start_up: float) -> float:
        """CPU seconds, net of start-up."""
        return max(0.0, self.drain_cpu_seconds - start_up) / (self.size / MEGABYTE)


@dataclass(frozen=True, slots=True)
class Backlog:
    """A small and a large one."""

    small: Drained
    large: Drained
    start_up: float  # CPU seconds

    def growth(self) -> float:
        """What draining the large one costs per megabyte, as a multiple of the small one."""
        small, large = (each.drain_per_megabyte(self.start_up) for each in (self.small, self.large))
        return large / small if small else inf  # too small to be told from starting

    def both_ways(self) -> float:
        """MB per CPU-second of filling and draining the large one: every batch is written."""
        cpu = self.large.fill_cpu_seconds + self.large.drain_cpu_seconds - 2 * self.start_up
        return self.large.size / MEGABYTE / cpu


def measure(agent: Agent, file: EventFile, copies: Sequence[int]) -> Backlog:
    """Spool and drain so many copies of the file, a few and many; and one record, to start up."""
    few, many = copies
    lone = file.first()
    try:
        start_up = median(_drained(agent, lone, 1).drain_cpu_seconds for _ in range(_STARTS))
    finally:
        lone.path.unlink()
    return Backlog(_drained(agent, file, few), _drained(agent, file, many), start_up)


def _drained(agent: Agent, file: EventFile, copies: int) -> Drained:
    records = file.records * copies
    with (
        RunningSink("--stall") as sink,
        TemporaryDirectory(prefix="aep-agent-bench-") as directory,
    ):
        config = Path(directory) / "agent.json"
        config.write_text(json.dumps(_config(sink, directory)))
        filled = _fill(agent, config, [str(file.path)] * copies, records, 30 + records / 5_000)
        before = sink.stats()["records"]
        sink.resume()
        with Child([*agent.command, "run", str(config)]) as child:
            drained = child.expect(30 + records / 5_000)
        stats = sink.stats()
    sent = stats["records"] - before
    if sent != records:
        raise BenchmarkError(f"the sink was sent {sent} records, the spool held {records}")
    peak = max(filled.peak_rss, drained.peak_rss)
    first = (stats["first_answer_ns"] - child.started_ns) / 1e9
    return Drained(
        file.size * copies, records, first, filled.cpu_seconds, drained.cpu_seconds, peak
    )


def _fill(agent: Agent, config: Path, files: list[str], records: int, timeout: float) -> Finished:
    reading, writing = os.pipe()
    with (
        Child(["cat", *files], stdout=writing),
        Child([*agent.command, "run", str(config)], stdin=reading) as child,
    ):
        os.close(writing)
        os.close(reading)
        deadline = time.monotonic() + timeout
        while _spooled(config.parent) < records:
            if not child.running():
                child.expect(0)
            if time.monotonic() > deadline:
                raise BenchmarkError(f"not everything was spooled in {timeout:.0f} s")
            time.sleep(_POLL)
        child.stop()
        return child.expect(30)


def _config(sink: RunningSink, directory: str) -> dict[str, object]:
    return {
        "data_dir": directory,
        "inlet": {
            "url": sink.inlet_url,
            "flow_id": sink.flow_id,
            "timeouts": {"answer": "5m", "total": "5m"},
        },
        "sources": [{"type": "stdin"}],
        "admin": {"listen": None},
        "shutdown": {"grace": "0s"},
    }


def _spooled(directory: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{directory}/store.db?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT records FROM spool_kept").fetchone()[0])
    except sqlite3.OperationalError:  # not made yet
        return 0
