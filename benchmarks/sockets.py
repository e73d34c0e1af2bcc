"""What does a megabyte cost that comes over a connection, and what does an idle connection cost?

The client pours a file in with sendfile(2), so that what is measured is the agent; it is the same
file, in the same round, as the one that is sent by name.
"""

import json
import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.children import BenchmarkError, Child
from benchmarks.events import EventFile
from benchmarks.pipeline import Agent, RunningSink, Sent, sent

_LISTENS_WITHIN = 20.0  # seconds
_POLL = 0.02  # seconds
IDLE = 10_000  # connections
_DESCRIPTORS = 200  # that a process needs besides


@dataclass(frozen=True, slots=True)
class Idle:
    """So many connections that were opened, and what the agent took while they said nothing."""

    connections: int
    rss: int  # bytes
    rss_without: int  # bytes, before there was any


def pour(agent: Agent, file: EventFile, kind: str) -> Sent:
    """Send the file over one connection, of kind tcp or unix.

    Raises BenchmarkError unless the sink was sent exactly the records of the file.
    """
    timeout = 30 + file.records / 2_000
    with listening(agent, kind) as (sink, child, address):
        before = sink.stats()
        with connected(address) as peer, file.path.open("rb") as lines:
            begun = time.monotonic()
            peer.settimeout(timeout)
            peer.sendfile(lines)
            peer.shutdown(socket.SHUT_WR)
            sink.wait_for(file.records, timeout, child)
            wall = time.monotonic() - begun
        child.stop()
        finished = child.expect(timeout)
        counted = sink.stats()
    return sent(file.records, finished, wall, before, counted)


def idle(agent: Agent, connections: int = IDLE) -> Idle:
    """Open so many connections, as far as this machine allows, each of which sends one record."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    connections = min(connections, hard - _DESCRIPTORS)
    with listening(agent, "tcp") as (sink, child, address), ExitStack() as peers:
        without = _rss(child.pid)
        opened = [peers.enter_context(connected(address)) for _ in range(connections)]
        for peer in opened:
            peer.sendall(b"{}\n")
        sink.wait_for(connections, 60, child)
        rss = _rss(child.pid)
    return Idle(connections, rss, without)


@contextmanager
def listening(
    agent: Agent, kind: str, buffer: str = "memory"
) -> Iterator[tuple[RunningSink, Child, str]]:
    """A sink, an agent that listens with a source of that kind, and where.

    The buffer is in memory, as `send` has it, or on disk.
    """
    with RunningSink() as sink, TemporaryDirectory(prefix="aep-agent-bench-") as directory:
        address = f"{directory}/socket" if kind == "unix" else f"127.0.0.1:{free_port()}"
        config = Path(directory) / "agent.json"
        config.write_text(json.dumps(_config(sink, directory, kind, address, buffer)))
        with Child([*agent.command, "run", str(config)]) as child:
            deadline = time.monotonic() + _LISTENS_WITHIN
            while not is_listening(address):
                if not child.running():
                    child.expect(0)
                if time.monotonic() > deadline:
                    raise BenchmarkError(f"{child} does not listen")
                time.sleep(_POLL)
            yield sink, child, address


def _config(
    sink: RunningSink, directory: str, kind: str, address: str, buffer: str
) -> dict[str, Any]:
    return {
        "data_dir": directory,
        "inlet": {"url": sink.inlet_url, "flow_id": sink.flow_id},
        "sources": [{"type": kind, "listen": address}],
        "buffer": {"type": buffer},
        "admin": {"listen": None},
    }


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def is_listening(address: str) -> bool:
    """Whether a connection can be made."""
    try:
        connected(address).close()
    except OSError:
        return False
    return True


def connected(address: str) -> socket.socket:
    """A connection to a host:port, or to the path of a Unix socket."""
    if "/" in address:
        peer = socket.socket(socket.AF_UNIX)
        try:
            peer.connect(address)
        except OSError:
            peer.close()
            raise
        return peer
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=30)


def _rss(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
