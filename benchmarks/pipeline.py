"""How is one run set up? A sink that counts, the agent that sends to it, and the proof that the
sink was sent exactly the records of the source.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from benchmarks.children import BenchmarkError, Child, Finished

_LISTENS_WITHIN = 10.0  # seconds
_POLL = 0.01  # seconds


class RunningSink:
    """A sink in a child of its own; a context manager."""

    module = "benchmarks.sink"

    def __init__(self, *options: str) -> None:
        self._child = Child([sys.executable, "-m", self.module, *options])

    def __enter__(self) -> Self:
        deadline = time.monotonic() + _LISTENS_WITHIN
        while not (line := self._child.output()).endswith(b"\n"):
            if not self._child.running():
                self._child.expect(0)
            if time.monotonic() > deadline:
                raise BenchmarkError(f"{self._child} does not listen")
            time.sleep(_POLL)
        said = json.loads(line)
        self.inlet_url: str = said["inlet_url"]
        self.flow_id: str = said["flow_id"]
        self.listening: str = said["listening"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._child.__exit__(kind, error, trace)

    def stats(self) -> dict[str, Any]:
        """What it counted so far, see benchmarks.sink.Counts."""
        return self.ask("GET", "/stats")

    def resume(self) -> None:
        """End the stall it was started with."""
        self.ask("POST", "/resume")

    def lateness(self) -> list[float]:
        """Ages of the stamped records, in milliseconds, since this was asked last."""
        ages: list[float] = self.ask("GET", "/lateness")["lateness_ms"]
        return ages

    def wait_for(self, records: int, timeout: float, sender: Child) -> None:
        """Wait until it was sent `records`.

        Raises BenchmarkError after `timeout` seconds, or at once if the sender ended in failure.
        """
        deadline = time.monotonic() + timeout
        while (seen := self.stats()["records"]) < records:
            if not sender.running():
                sender.expect(0)
            if time.monotonic() > deadline:
                raise BenchmarkError(
                    f"the sink was sent {seen} of {records} records in {timeout} s"
                )
            time.sleep(_POLL)

    def ask(self, method: str, path: str) -> dict[str, Any]:
        """What it answers, as JSON."""
        connection = HTTPConnection(urlsplit(self.listening).netloc, timeout=10)
        try:
            connection.request(method, path, headers={"Content-Length": "0"})
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
            return answer
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class Agent:
    """The agent under measurement: the command that starts it."""

    command: tuple[str, ...] = (sys.executable, "-m", "agent")

    def send(
        self, sink: RunningSink, store: Path, *arguments: str, stdin: int | None = None
    ) -> Child:
        """Start `send` to the sink, its store in the folder `store`."""
        return Child(
            [
                *self.command,
                "send",
                *("--inlet-url", sink.inlet_url, "--flow-id", sink.flow_id),
                *("--data-dir", str(store), "--json", *arguments),
            ],
            stdin=stdin,
        )


@dataclass(frozen=True, slots=True)
class Sent:
    """One file sent: what the agent used, and what the sink counted (with its own CPU)."""

    cpu_seconds: float
    wall_seconds: float
    peak_rss: int  # bytes
    sink_cpu_seconds: float
    requests: int
    bytes_wire: int


def send_file(
    agent: Agent, path: Path, records: int, options: Sequence[str] = (), *, piped: bool = False
) -> Sent:
    """Send a file as a user would, by name or through `cat FILE |`, into a sink of its own.

    Raises BenchmarkError unless the sink was sent exactly `records` records, gzipped unless
    `options` say otherwise.
    """
    timeout = 30 + records / 2_000
    with (
        RunningSink() as sink,
        TemporaryDirectory(prefix="aep-agent-bench-") as store,
        ExitStack() as children,
    ):
        before = sink.stats()
        if piped:
            reading, writing = os.pipe()
            # The CPU of cat is not the agent's and is not counted.
            children.enter_context(Child(["cat", str(path)], stdout=writing))
            child = agent.send(sink, Path(store), *options, "-", stdin=reading)
            os.close(writing)
            os.close(reading)
        else:
            child = agent.send(sink, Path(store), *options, str(path))
        finished = children.enter_context(child).expect(timeout)
        counted = sink.stats()
    gzipped = not {"none", "--compression=none"} & {*options}
    return sent(records, finished, finished.wall_seconds, before, counted, gzipped=gzipped)


def sent(
    records: int,
    finished: Finished,
    wall_seconds: float,
    before: dict[str, Any],
    counted: dict[str, Any],
    *,
    gzipped: bool = True,
) -> Sent:
    """What it cost, from what the sink had counted before and has counted now.

    Raises BenchmarkError unless it was sent exactly `records` records, all of them (un)gzipped.
    """
    check_counted(counted, records, gzipped=gzipped)
    return Sent(
        cpu_seconds=finished.cpu_seconds,
        wall_seconds=wall_seconds,
        peak_rss=finished.peak_rss,
        sink_cpu_seconds=counted["cpu_seconds"] - before["cpu_seconds"],
        requests=counted["requests"],
        bytes_wire=counted["bytes_wire"],
    )


def check_counted(counted: dict[str, Any], records: int, *, gzipped: bool) -> None:
    if counted["records"] != records:
        raise BenchmarkError(
            f"the sink was sent {counted['records']} records, the source held {records}"
        )
    if counted["gzipped"] != (counted["requests"] if gzipped else 0):
        raise BenchmarkError(f"{counted['gzipped']} of {counted['requests']} requests were gzipped")
