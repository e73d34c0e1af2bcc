"""An agent that listens, as `run` starts it, and the clients it listens to."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.agent import LIMIT, Finished, Running, eventually
from support.emulator import Remote
from support.watching import get


def configured(
    path: Path,
    emulator: Remote,
    data_dir: Path,
    *sources: Mapping[str, object],
    **settings: object,
) -> Path:
    """A configuration file for quick tests, with these sources."""
    whole: dict[str, Any] = {
        "data_dir": str(data_dir),
        "inlet": {"url": emulator.inlet_url, "flow_id": emulator.flow_id},
        "sources": list(sources),
        "batch": {"max_wait": "20ms"},
        "delivery": {"retry": {"initial": "10ms", "max": "100ms"}},
        "admin": {"listen": "127.0.0.1:0"},
        "shutdown": {"grace": "10s"},
        "log": {"format": "json", "repeat": "0s"},
        **settings,
    }
    path.write_text(json.dumps(whole))
    return path


class Listening:
    """An agent that runs. Its log is read all the time, so that it never waits for a reader."""

    def __init__(self, agent: Running, sources: int) -> None:
        self.agent = agent
        self.log: list[dict[str, Any]] = []
        self.besides: list[bytes] = []  # what it wrote there that is no line of its log
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        eventually(
            lambda: (
                agent.process.poll() is not None
                or (len(self.said("a source listens")) >= sources and self.said("admin listens"))
            )
        )

    @property
    def addresses(self) -> list[str]:
        """Where its sources listen, in the order of the configuration."""
        return [str(line["address"]) for line in self.said("a source listens")]

    def said(self, event: str) -> list[dict[str, Any]]:
        """The lines of its log with that event."""
        return [line for line in self.log if line["event"] == event]

    def connect(self, which: int = 0) -> socket.socket:
        """A client of one of its sources."""
        return connected(self.addresses[which])

    def send(self, content: bytes, which: int = 0) -> None:
        """Have a client send that and close, all of it read."""
        with self.connect(which) as peer:
            peer.sendall(content)

    def status(self) -> dict[str, Any]:
        """What /status says."""
        return dict(json.loads(self._get("/status")))

    def metrics(self) -> dict[str, float]:
        """The samples of /metrics, by name and labels as they are written."""
        samples = (line for line in self._get("/metrics").decode().splitlines() if line[0] != "#")
        return {name: float(value) for name, _, value in (each.rpartition(" ") for each in samples)}

    def finished(self) -> Finished:
        """Wait for its end."""
        code = self.agent.process.wait(LIMIT)
        self._reading.join(LIMIT)
        assert self.agent.process.stdout
        return Finished(code, self.agent.process.stdout.read(), b"")

    def _read(self) -> None:
        assert self.agent.process.stderr
        for line in self.agent.process.stderr:
            if line.startswith(b"{"):
                self.log.append(json.loads(line))
            else:
                self.besides.append(line)

    def _get(self, path: str) -> bytes:
        return get(str(self.said("admin listens")[0]["address"]), path)[1]


def connected(address: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """A client of an address as the log shows it."""
    if address.startswith(("/", "@")):
        peer = socket.socket(socket.AF_UNIX, kind)
        peer.connect("\0" + address[1:] if address.startswith("@") else address)
    else:
        host, _, port = address.rpartition(":")
        peer = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
        peer.connect((host.strip("[]"), int(port)))
    peer.settimeout(30)
    return peer


@contextmanager
def listening(
    arguments: Sequence[str | Path],
    sources: int = 1,
    stdin: Any = None,
    before: Sequence[str] = (),
    passed: Sequence[int] = (),
    limits: Mapping[int, int] | None = None,
) -> Iterator[Listening]:
    """`aep-agent run` with these arguments, once its sources listen; ended with the test.

    *before*, *passed* and *limits* as with `Running`; what stands before it may hold it back until
    it is needed.
    """
    running = Running([*map(str, arguments)], stdin, limits, before, passed)
    try:
        yield Listening(running, sources)
    finally:
        running.close()
