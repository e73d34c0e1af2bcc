"""Was each target met? The figures of one run as a table for people and as JSON for machines."""

import json
import os
import platform
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.backlog import Backlog
from benchmarks.events import MEGABYTE, EventFile
from benchmarks.footprint import LITTLE, Footprint
from benchmarks.judging import Judging
from benchmarks.latency import Latency
from benchmarks.memory import BUDGET, Stalled
from benchmarks.sockets import Idle
from benchmarks.startup import StartUp
from benchmarks.throughput import Throughput


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; with a target, it was met or it was not."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    of_limit: float | None = None  # the value as a part of the limit's, where there is one

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None without a target."""
        if self.at_least is not None:
            return self.value >= self.at_least
        if self.at_most is not None:
            return self.value <= self.at_most
        return None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one run measured."""

    file: EventFile
    throughput: Throughput
    latencies: tuple[Latency, ...]
    start_up: StartUp
    stalled: Stalled
    backlog: Backlog
    idle: Idle
    judged: Judging
    service: Footprint
    limited: Footprint | None  # None where no cgroup can be made

    def figures(self) -> list[Figure]:
        """The figures in the order of the table."""
        return [
            *_throughput(self.throughput),
            *_latency(self.latencies),
            *_start_up(self.start_up),
            *_memory(self.throughput, self.stalled),
            *_disk(self.throughput, self.backlog),
            *_sockets(self.throughput, self.idle),
            Figure(
                "mapped and validated, as `preflight` and the emulator do",
                self.judged.per_cpu_second,
                "records per CPU-second",
                at_least=3_000,
            ),
            *_footprint(self.service, self.limited),
        ]

    def missed(self) -> list[str]:
        """The names of the figures that miss their target."""
        return [figure.name for figure in self.figures() if figure.met is False]

    def as_json(self) -> dict[str, Any]:
        """The figures, and every measurement behind them."""
        return {
            "command": command(),
            "machine": machine(),
            "file": {"records": self.file.records, "bytes": self.file.size},
            "figures": [asdict(figure) | {"met": figure.met} for figure in self.figures()],
            "measured": {
                "rounds": self.throughput.as_json()["rounds"],
                "latencies": [asdict(latency) for latency in self.latencies],
                "start_up": asdict(self.start_up),
                "stalled": asdict(self.stalled),
                "backlog": asdict(self.backlog),
                "idle": asdict(self.idle),
                "judged": asdict(self.judged),
                "service": asdict(self.service),
                "limited": asdict(self.limited) if self.limited else None,
            },
        }

    def write(self, path: Path) -> None:
        """Write the JSON form to `path`, making its folder."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_json(), indent=2, ensure_ascii=False) + "\n")

    def show(self) -> None:
        """Print the table to stdout."""
        # Imported this late because a child's peak memory is never below its parent's.
        from rich.console import Console
        from rich.table import Table

        table = Table(title="aep-agent benchmarks", caption=self._caption(), caption_justify="left")
        table.add_column("measured")
        for heading in ("value", "of the limit", "target"):
            table.add_column(heading, justify="right")
        table.add_column("")
        for figure in self.figures():
            table.add_row(*_cells(figure))
        Console(width=None if sys.stdout.isatty() else 110, highlight=False).print(table)

    def _caption(self) -> str:
        on = machine()
        return (
            f"{command()}\n{on['cpus']} CPUs, {on['cpu']}, Python {on['python']}, {on['system']}; "
            f"{self.file.records:,} records, {self.file.size / MEGABYTE:,.0f} MB, "
            f"{len(self.throughput.rounds)} rounds, medians; 1 MB = 1,000,000 bytes"
        )


def command() -> str:
    """The command line as one would type it again."""
    return shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "cpu": models[0] if models else platform.machine(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "load": os.getloadavg()[0],
    }


def _throughput(made: Throughput) -> Iterator[Figure]:
    rate = "MB per CPU-second"
    for variant, name in (("gzip", "with gzip"), ("none", "without gzip")):
        yield Figure(f"limit {name}", made.limit(variant), rate)
    for variant, name in (("gzip", "file, gzip"), ("none", "file, plain"), ("piped", "pipe, gzip")):
        for net, scope in ((True, "net of start-up"), (False, "whole run")):
            yield Figure(
                f"{name}: {scope}",
                made.per_cpu_second(variant, net=net),
                rate,
                of_limit=made.ratio(variant, net=net),
            )
        yield Figure(f"{name}: wall", made.wall(variant), "MB/s")
    yield Figure("CPU to start and stop", made.start_up_cpu(), "s")
    yield Figure("CPU to start and stop: run", made.start_up_cpu("followed"), "s")
    yield Figure(
        "part of the limit, gzip, net of start-up", made.ratio("gzip", net=True), "", at_least=0.75
    )
    share = max(made.sink_share(variant) for variant in ("gzip", "none", "piped"))
    yield Figure("sink's CPU per agent's", share, "", at_most=1.0)


def _latency(measured: Sequence[Latency]) -> Iterator[Figure]:
    for latency in measured:
        name = f"answered after, max_wait {latency.max_wait:.0f} ms"
        yield Figure(f"{name}: p50", latency.p50, "ms")
        yield Figure(f"{name}: p99", latency.p99, "ms", at_most=latency.max_wait + 50)


def _start_up(measured: StartUp) -> Iterator[Figure]:
    yield Figure("--help", measured.help_seconds, "s", at_most=0.3)
    yield Figure("ready to read", measured.first_read_seconds, "s", at_most=0.6)
    yield Figure("first record answered", measured.first_answer_seconds, "s")


def _memory(made: Throughput, stalled: Stalled) -> Iterator[Figure]:
    yield Figure("peak RSS: file, gzip", made.peak_rss("gzip") / MEGABYTE, "MB", at_most=96)
    yield Figure(
        "peak RSS: inlet stalled, firehose",
        stalled.peak_rss / MEGABYTE,
        "MB",
        at_most=BUDGET / MEGABYTE + 80,
    )


def _disk(made: Throughput, backlog: Backlog) -> Iterator[Figure]:
    memory, rate = made.per_cpu_second("gzip", net=True), "MB per CPU-second"
    yield Figure("buffer on disk, of the one in memory", made.of_file("disk"), "", at_least=0.7)
    every = backlog.both_ways()
    yield Figure("spooled and drained: net of start-up", every, rate)
    yield Figure("the same, of the buffer in memory", every / memory, "")
    small, large = (each.size / MEGABYTE for each in (backlog.small, backlog.large))
    name = f"draining a MB of {large:,.0f} MB, of a MB of {small:,.0f} MB"
    yield Figure(name, backlog.growth(), "", at_most=1.2)
    name = f"first answer, {backlog.large.records:,} records spooled"
    yield Figure(name, backlog.large.first_answer_seconds, "s", at_most=2.0)
    peak = max(backlog.small.peak_rss, backlog.large.peak_rss)
    yield Figure("peak RSS: backlog", peak / MEGABYTE, "MB", at_most=160)


def _sockets(made: Throughput, idle: Idle) -> Iterator[Figure]:
    for variant, least in (("followed", 0.85), ("tcp", 0.6), ("unix", 0.6), ("http", 0.6)):
        rate = made.per_cpu_second(variant, net=True)
        yield Figure(f"{variant}, gzip: net of start-up", rate, "MB per CPU-second")
        yield Figure(f"{variant}, of a file by name", made.of_file(variant), "", at_least=least)
    name = f"RSS: {idle.connections:,} open connections"
    yield Figure(name, idle.rss / MEGABYTE, "MB", at_most=200)
    each = (idle.rss - idle.rss_without) / idle.connections
    yield Figure("the same, each", each, "bytes")


def _footprint(service: Footprint, limited: Footprint | None) -> Iterator[Figure]:
    yield Figure("RSS: service, idle", service.idle_rss / MEGABYTE, "MB", at_most=48)
    yield Figure("peak RSS: service, full load", service.peak_rss / MEGABYTE, "MB", at_most=96)
    if limited:
        name = f"records through {LITTLE >> 20} MiB, inlet stalled at first"
        yield Figure(name, limited.records, "", at_least=1)


def _cells(figure: Figure) -> tuple[str, ...]:
    verdict = {None: "", True: "[green]ok[/]", False: "[bold red]NOT MET[/]"}[figure.met]
    target = ""
    if figure.at_least is not None:
        target = f"≥ {figure.at_least:g}"
    elif figure.at_most is not None:
        target = f"≤ {figure.at_most:.4g} {figure.unit}"
    of_limit = "" if figure.of_limit is None else f"{figure.of_limit:.2f}"
    return figure.name, f"{_rounded(figure.value)} {figure.unit}", of_limit, target, verdict


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
