"""How many megabytes does the agent move per second of CPU, and what part of the limit is that?

Every round measures each variant once, the agent beside the limit, so that a noisy neighbour
meets both; what counts are medians over rounds, and the median of the rounds' ratios.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.children import Child
from benchmarks.events import MEGABYTE, EventFile
from benchmarks.following import follow
from benchmarks.pipeline import Agent, Sent, send_file
from benchmarks.pushes import push
from benchmarks.sockets import pour

_STARTS = 3  # a round: what is subtracted from every run has to be known well
_SERVED = {
    "followed": "one_followed",
    "tcp": "one_poured",
    "unix": "one_poured",
    "http": "one_pushed",
}
_ON_DISK = ("--set", "buffer.type=disk")
_UNCOMPRESSED = ("--compression", "none")


@dataclass(frozen=True, slots=True)
class Round:
    """Every variant once. The limits are what `python -m benchmarks.limit` printed."""

    limit_gzip: dict[str, Any]
    limit_none: dict[str, Any]
    gzip: Sent
    none: Sent
    piped: Sent
    disk: Sent
    followed: Sent
    tcp: Sent
    unix: Sent
    http: Sent  # on disk before it is answered
    # of one record, the CPU is what starting and stopping costs: `send`, and `run` with a source
    one_record: tuple[Sent, ...]
    one_followed: tuple[Sent, ...]
    one_poured: tuple[Sent, ...]
    one_pushed: tuple[Sent, ...]


@dataclass(frozen=True, slots=True)
class Throughput:
    """All rounds over one file of `size` bytes."""

    size: int
    rounds: tuple[Round, ...]

    def start_up_cpu(self, variant: str = "gzip") -> float:
        """CPU seconds of an agent that gets one record that way, and sends it."""
        which = _SERVED.get(variant, "one_record")
        starts = (lone for each in self.rounds for lone in getattr(each, which))
        return float(median(lone.cpu_seconds for lone in starts))

    def limit(self, variant: str) -> float:
        """MB per CPU-second of the bare loop, start-up not included; variant: gzip or none."""
        return median(self._limits(variant))

    def per_cpu_second(self, variant: str, *, net: bool) -> float:
        """MB per CPU-second of the agent (gzip, none, piped …); `net` of its start-up or whole."""
        return median(self._agents(variant, net=net))

    def ratio(self, variant: str, *, net: bool) -> float:
        """The agent's part of the limit, 0 to 1 (the pipe's limit is the file's)."""
        pairs = zip(self._agents(variant, net=net), self._limits(variant), strict=True)
        return median(agent / limit for agent, limit in pairs)

    def of_file(self, variant: str) -> float:
        """Another way (disk, tcp …) as a part of a file by name, in MB per CPU-second."""
        others, file = self._agents(variant, net=True), self._agents("gzip", net=True)
        return median(one / other for one, other in zip(others, file, strict=True))

    def wall(self, variant: str) -> float:
        """MB per second of wall time, start-up included."""
        return median(self.size / MEGABYTE / sent.wall_seconds for sent in self._sent(variant))

    def peak_rss(self, variant: str) -> int:
        """The largest peak of all rounds, in bytes."""
        return max(sent.peak_rss for sent in self._sent(variant))

    def sink_share(self, variant: str) -> float:
        """The sink's CPU as a part of the agent's: below 1, the sink is not the bottleneck."""
        return median(sent.sink_cpu_seconds / sent.cpu_seconds for sent in self._sent(variant))

    def as_json(self) -> dict[str, Any]:
        """Every round as it was measured."""
        return asdict(self)

    def _sent(self, variant: str) -> Iterator[Sent]:
        return (getattr(each, variant) for each in self.rounds)

    def _agents(self, variant: str, *, net: bool) -> Iterator[float]:
        spared = self.start_up_cpu(variant) if net else 0.0
        return (self.size / MEGABYTE / (sent.cpu_seconds - spared) for sent in self._sent(variant))

    def _limits(self, variant: str) -> Iterator[float]:
        name = "limit_none" if variant == "none" else "limit_gzip"
        return (self.size / MEGABYTE / getattr(each, name)["cpu_seconds"] for each in self.rounds)


def measure(agent: Agent, file: EventFile, rounds: int) -> Iterator[Throughput]:
    """Yield what is known after each round; the last one yielded is the result."""
    lone = file.first()
    done: list[Round] = []
    try:
        for _ in range(rounds):
            done.append(
                Round(
                    limit_gzip=_limit(file.path, "gzip"),
                    gzip=send_file(agent, file.path, file.records),
                    limit_none=_limit(file.path, "none"),
                    none=send_file(agent, file.path, file.records, _UNCOMPRESSED),
                    piped=send_file(agent, file.path, file.records, piped=True),
                    disk=send_file(agent, file.path, file.records, _ON_DISK),
                    followed=follow(agent, file),
                    tcp=pour(agent, file, "tcp"),
                    unix=pour(agent, file, "unix"),
                    http=push(agent, file, "disk"),
                    one_record=tuple(send_file(agent, lone.path, 1) for _ in range(_STARTS)),
                    one_followed=tuple(follow(agent, lone) for _ in range(_STARTS)),
                    one_poured=tuple(pour(agent, lone, "tcp") for _ in range(_STARTS)),
                    one_pushed=tuple(push(agent, lone, "disk") for _ in range(_STARTS)),
                )
            )
            yield Throughput(file.size, tuple(done))
    finally:
        lone.path.unlink()


def _limit(path: Path, compression: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.limit", str(path), "--compression", compression]
    with Child(command) as child:
        answer: dict[str, Any] = json.loads(child.expect(120).stdout)
    return answer
