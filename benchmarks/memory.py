"""How much memory does the agent take when the inlet stops answering and input keeps coming?"""

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import events
from benchmarks.pipeline import Agent, RunningSink, check_counted

BUDGET = 32 * 1024 * 1024  # bytes; set on the command line, so that the target follows it
_DISTINCT = 2_000  # events the writer repeats under new ids


@dataclass(frozen=True, slots=True)
class Stalled:
    """One stall: the agent's peak, what it had taken by then, and what it delivered in the end."""

    peak_rss: int  # bytes
    taken: int  # bytes written into its stdin while the inlet was silent
    records: int  # delivered once the inlet answered again


class Firehose(threading.Thread):
    """Writes whole events to a descriptor as fast as it takes them, until told to stop."""

    def __init__(self, pipe: int, pause: float = 0.0) -> None:
        """*pause*: seconds after each block, for a file, which takes everything."""
        super().__init__(name="firehose", daemon=True)
        self._pipe = pipe
        self._pause = pause
        self._stopping = threading.Event()
        self.records = 0
        self.written = 0  # bytes

    def run(self) -> None:
        # An agent that stopped reading says why when it ends.
        with suppress(BrokenPipeError, ConnectionError):
            self._write()

    def _write(self) -> None:
        for block in events.numbered(events.block(_DISTINCT)):
            rest = memoryview(block)
            while rest:
                count = os.write(self._pipe, rest)
                self.written += count
                rest = rest[count:]
            self.records += _DISTINCT
            time.sleep(self._pause)
            if self._stopping.is_set():
                return

    def stop(self) -> None:
        """Finish the block being written, then end; waits for that."""
        self._stopping.set()
        self.join(60)


def measure(agent: Agent, seconds: float) -> Stalled:
    """Stall the inlet for so many seconds under a firehose, then let everything arrive.

    Raises BenchmarkError unless every record written was delivered once the inlet answered.
    """
    reading, writing = os.pipe()
    with (
        RunningSink("--stall") as sink,
        TemporaryDirectory(prefix="aep-agent-bench-") as store,
        agent.send(
            sink, Path(store), "--set", f"buffer.max_bytes={BUDGET}", "-", stdin=reading
        ) as child,
    ):
        os.close(reading)
        firehose = Firehose(writing)
        firehose.start()
        time.sleep(seconds)
        taken = firehose.written
        sink.resume()
        firehose.stop()
        os.close(writing)
        finished = child.expect(60)
        counted = sink.stats()
    check_counted(counted, firehose.records, gzipped=True)
    return Stalled(finished.peak_rss, taken, firehose.records)
