"""How much memory does the agent take as a service: idle, under full load, and where little is?

It runs with its default settings, a TCP source, a followed file and the buffer on disk. Where there
is a memory limit, it is a cgroup's, as of a container: who takes more is killed.
"""

import json
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.children import BenchmarkError, Child
from benchmarks.memory import Firehose
from benchmarks.pipeline import Agent, RunningSink, check_counted
from benchmarks.sockets import free_port, is_listening

LITTLE = 64 << 20  # bytes; what the agent promises to make do with
_SETTLES_WITHIN = 60.0  # seconds
_IDLE = 2.0  # seconds after it listens
_PAUSE = 0.05  # seconds between blocks of the file, 1.7 MB each
_GROUPS = (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup"))
_LIMITS = ("memory.limit_in_bytes", "memory.max")


@dataclass(frozen=True, slots=True)
class Footprint:
    """One agent: what it took before anything came, its peak, and what it delivered."""

    idle_rss: int  # bytes
    peak_rss: int  # bytes
    records: int
    log: str


def measure(agent: Agent, seconds: float, *, limit: int = 0, stalled: bool = False) -> Footprint:
    """Send as much as the agent takes for so many seconds; *stalled*: unanswered until their end.

    Raises BenchmarkError unless every record written was delivered, or where it was killed.
    """
    with ExitStack() as stack:
        sink = stack.enter_context(RunningSink(*(("--stall",) if stalled else ())))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="aep-agent-bench-")))
        address = f"127.0.0.1:{free_port()}"
        config = folder / "agent.json"
        config.write_text(json.dumps(service(sink, folder, address)))
        within = stack.enter_context(_group(limit)) if limit else ()
        child = stack.enter_context(Child([*within, *agent.command, "run", str(config)]))
        wait_until_listening(address, child)
        time.sleep(_IDLE)
        idle = _status(child.pid, "VmRSS")
        records = _pour(address, folder / "events.ndjson", seconds, sink if stalled else None)
        sink.wait_for(records, 60 + seconds * 10, child)
        peak = _status(child.pid, "VmHWM")
        child.stop()
        finished = child.expect(30)
        check_counted(sink.stats(), records, gzipped=True)
    return Footprint(idle, peak, records, finished.stderr.decode())


def service(sink: RunningSink, folder: Path, address: str) -> dict[str, object]:
    """The configuration of a service that says only what it must."""
    return {
        "data_dir": str(folder / "data"),
        "inlet": {"url": sink.inlet_url, "flow_id": sink.flow_id},
        "sources": [
            {"type": "tcp", "listen": address},
            {"type": "file", "paths": [str(folder / "*.ndjson*")]},
        ],
        "admin": {"listen": f"127.0.0.1:{free_port()}"},
    }


def wait_until_listening(address: str, child: Child) -> None:
    """Wait until it listens; raises BenchmarkError where it ends before, or never does."""
    deadline = time.monotonic() + _SETTLES_WITHIN
    while not is_listening(address):
        if not child.running():
            child.expect(0)
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{child} does not listen")
        time.sleep(0.05)


def can_limit() -> bool:
    """Whether cgroups with a memory limit can be made here: it takes a superuser and a mount."""
    first, second = _GROUPS
    return os.access(first / "cgroup.procs", os.W_OK) or (
        "memory" in _read(second / "cgroup.subtree_control")
        and os.access(second / "cgroup.procs", os.W_OK)
    )


def _pour(address: str, file: Path, seconds: float, sink: RunningSink | None) -> int:
    """Write to both sources; how many records. A *sink* is resumed while more is coming."""
    host, _, port = address.rpartition(":")
    with (
        socket.create_connection((host, int(port)), timeout=None) as peer,
        file.open("wb", buffering=0) as followed,
    ):
        hoses = [Firehose(peer.fileno()), Firehose(followed.fileno(), _PAUSE)]
        for hose in hoses:
            hose.start()
        time.sleep(seconds)
        if sink:
            sink.resume()
        for hose in hoses:
            hose.stop()
        return sum(hose.records for hose in hoses)


@contextmanager
def _group(limit: int) -> Iterator[tuple[str, ...]]:
    """A cgroup with that limit, and the command line that starts another within it."""
    root = next(group for group in _GROUPS if (group / "cgroup.procs").exists())
    group = root / f"aep-agent-bench-{os.getpid()}"
    group.mkdir()
    try:
        next(group / name for name in _LIMITS if (group / name).exists()).write_text(str(limit))
        yield "sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "within"
    finally:
        _remove(group)


def _remove(group: Path) -> None:
    """Remove it once the kernel has noticed that nobody is left in it."""
    deadline = time.monotonic() + 5
    while True:
        try:
            group.rmdir()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _status(pid: int, key: str) -> int:
    found = re.search(rf"^{key}:\s+(\d+) kB", _read(Path(f"/proc/{pid}/status")), re.M)
    if not found:
        raise BenchmarkError(f"the agent has ended: no {key} of process {pid}")
    return int(found[1]) * 1024


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
