"""Does the agent stay as it is, for as long as it runs? A steady load, and samples on the way.

Half of the records come over a connection, half by a file that is rotated now and then, and so is
the connection. Exit 1 where something grows, or where not every record arrived.
"""

import argparse
import json
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from benchmarks import events
from benchmarks.children import BenchmarkError, Child
from benchmarks.events import MEGABYTE
from benchmarks.footprint import service, wait_until_listening
from benchmarks.pipeline import Agent, RunningSink
from benchmarks.sockets import free_port
from benchmarks.steadiness import Column, chart, grows, growth

COLUMNS = (
    Column("rss", "MB", 6),
    Column("descriptors", "", 5),
    Column("threads", "", 2),
    Column("tasks", "", 5),
    Column("loop_lag", "ms", 250, 1.0),
    Column("lag_p50", "ms", 100, 0.5),
    Column("lag_p99", "ms", 500, 1.0),
    Column("spooled", "MB", 8),
)
_TICK = 0.02  # seconds between two writes
_ROTATE_EVERY = 30.0  # seconds
_STAMP = b"@@@@@@@@@@@@@@@@@@@"  # as long as a time in nanoseconds


@dataclass(frozen=True, slots=True)
class Sample:
    """What the agent took at one moment, and how late records were since the one before."""

    at: float  # seconds since the load began
    rate: float  # records accepted a second since the one before
    rss: float  # MB
    descriptors: float
    threads: float
    tasks: float
    loop_lag: float  # ms, the worst of the last 15 seconds
    lag_p50: float  # ms from being written to being answered
    lag_p99: float
    spooled: float  # MB


class Writer(threading.Thread):
    """Writes stamped records on an even beat, into something else now and then."""

    def __init__(self, rate: float, opened: Callable[[], tuple[int, Callable[[], None]]]) -> None:
        """*opened* gives a descriptor and what closes it."""
        super().__init__(name="writer", daemon=True)
        self._each = round(rate * _TICK)
        self._opened = opened
        self._stopping = threading.Event()
        self.records = 0

    def run(self) -> None:
        lines = _stamped(self._each)
        begun = turn = time.monotonic()
        descriptor, close = self._opened()
        while not self._stopping.is_set():
            if time.monotonic() - turn > _ROTATE_EVERY:
                close()
                turn = time.monotonic()
                descriptor, close = self._opened()
            piece = next(lines)
            while piece:
                piece = piece[os.write(descriptor, piece) :]
            self.records += self._each
            ahead = begun + self.records / self._each * _TICK - time.monotonic()
            time.sleep(max(0.0, ahead))
        close()

    def stop(self) -> None:
        """Write no more; waits until that is so."""
        self._stopping.set()
        self.join(30)


def soak(
    agent: Agent, seconds: float, rate: float, every: float, told: Callable[[Sample], None]
) -> list[Sample]:
    """Run for so long with so many records a second; each sample is *told* as it is taken.

    Raises BenchmarkError where the agent ends, or a record does not arrive.
    """
    samples: list[Sample] = []
    with ExitStack() as stack:
        sink = stack.enter_context(RunningSink("--latency"))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="aep-agent-soak-")))
        address = f"127.0.0.1:{free_port()}"
        config = service(sink, folder, address)
        (folder / "agent.json").write_text(json.dumps(config))
        child = stack.enter_context(Child([*agent.command, "run", str(folder / "agent.json")]))
        wait_until_listening(address, child)
        writers = [
            Writer(rate / 2, lambda: _connected(address)),
            Writer(rate / 2, _Rotated(folder / "events.ndjson").opened),
        ]
        for writer in writers:
            writer.start()
        begun = time.monotonic()
        accepted = 0
        for number in range(1, int(seconds / every) + 1):
            time.sleep(max(0.0, begun + number * every - time.monotonic()))
            if not child.running():
                child.expect(0)
            ages = sink.lateness()  # first: what is forgotten need not be told by the next question
            before, accepted = accepted, sink.stats()["records"]
            at = time.monotonic() - begun
            done = (accepted - before) / (at - (samples[-1].at if samples else 0.0))
            samples.append(_sample(at, done, child.pid, config, ages))
            told(samples[-1])
        for writer in writers:
            writer.stop()
        sink.wait_for(sum(writer.records for writer in writers), 60, child)
        child.stop()
        child.expect(30)
    return samples


def growing(samples: Sequence[Sample]) -> dict[str, float]:
    """What grows, and by how much."""
    found: dict[str, float] = {}
    for column in COLUMNS:
        course = _course(column, samples)
        if grows(column, course):
            found[column.name] = growth(course)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Soak as the command line says; the exit code is 1 where something grows or is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=10_000, help="records a second (10000)")
    parser.add_argument("--every", type=float, default=10, help="seconds between samples (10)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there, too")
    args = parser.parse_args(argv)
    _row("seconds", "records/s", *(f"{each.name} {each.unit}".strip() for each in COLUMNS))
    try:
        samples = soak(Agent(), args.minutes * 60, args.rate, args.every, _show)
    except BenchmarkError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    found = growing(samples)
    if args.json:
        whole = {"samples": [asdict(each) for each in samples], "growing": found}
        args.json.write_text(json.dumps(whole, indent=2) + "\n")
    print()
    for column in COLUMNS:
        course = _course(column, samples)
        values = [value for _, value in course]
        rise = f"{growth(course):+.3g} {column.unit}".strip()
        verdict = "GROWS" if column.name in found else "flat"
        print(f"{column.name:12} {chart(values)} {min(values):.4g} to {max(values):.4g}, ", end="")
        print(f"{rise}: {verdict}")
    print(f"every record arrived; {'something grows' if found else 'nothing grows'}")
    return 1 if found else 0


class _Rotated:
    """A file that is renamed whenever it is opened anew; of the old ones the last is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def opened(self) -> tuple[int, Callable[[], None]]:
        """A new file under the old name, and what closes it."""
        if self._path.exists():
            self._path.rename(self._path.with_suffix(".ndjson.1"))
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return descriptor, lambda: os.close(descriptor)


def _connected(address: str) -> tuple[int, Callable[[], None]]:
    host, _, port = address.rpartition(":")
    peer = socket.create_connection((host, int(port)), timeout=30)
    peer.settimeout(None)
    return peer.fileno(), peer.close


def _stamped(count: int) -> Iterator[bytes]:
    """Blocks of so many events, each with the time it is asked for in it; never ends."""
    for block in events.numbered(
        b"".join(
            b'{"sent_ns":%b,%b' % (_STAMP, line[1:])
            for line in events.block(count).splitlines(keepends=True)
        )
    ):
        yield block.replace(_STAMP, b"%d" % time.monotonic_ns())


def _sample(
    at: float, rate: float, pid: int, config: dict[str, object], ages: list[float]
) -> Sample:
    metrics = _asked(config, "metrics")
    status = Path(f"/proc/{pid}/status").read_text()
    cuts = quantiles(ages, n=100, method="inclusive") if len(ages) > 1 else [0.0] * 99
    return Sample(
        at=at,
        rate=rate,
        rss=_first(r"VmRSS:\s+(\d+)", status) * 1024 / MEGABYTE,
        descriptors=sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
        threads=_first(r"Threads:\s+(\d+)", status),
        tasks=_first(r"\naep_agent_loop_tasks (\S+)", metrics),
        loop_lag=_first(r"\naep_agent_loop_lag_seconds (\S+)", metrics) * 1000,
        lag_p50=cuts[49],
        lag_p99=cuts[98],
        spooled=_first(r'"spooled_bytes": ?(\d+)', _asked(config, "status")) / MEGABYTE,
    )


def _first(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if not found:
        raise BenchmarkError(f"nothing matches {pattern}")
    return float(found[1])


def _asked(config: dict[str, object], route: str) -> str:
    admin = config["admin"]
    assert isinstance(admin, dict)
    with urlopen(f"http://{admin['listen']}/{route}", timeout=10) as answer:
        return str(answer.read(), "utf-8")


def _course(column: Column, samples: Sequence[Sample]) -> list[tuple[float, float]]:
    return [(each.at, getattr(each, column.name)) for each in samples]


def _show(sample: Sample) -> None:
    values = (getattr(sample, column.name) for column in COLUMNS)
    _row(f"{sample.at:.0f}", f"{sample.rate:,.0f}", *(f"{value:.4g}" for value in values))


def _row(*cells: str) -> None:
    print(" ".join(f"{cell:>12}" for cell in cells), flush=True)


if __name__ == "__main__":
    sys.exit(main())
