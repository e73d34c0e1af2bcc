"""An agent that takes records over HTTP, and clients that push to it."""

import http.client
import json
import signal
import socket
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from support.agent import LIMIT, Running
from support.emulator import Remote, RunningEmulator

NAME = "web"
Start = Callable[..., Running]
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> dict[str, Any]:
        """The answer itself."""
        return dict(json.loads(self.body))

    @property
    def detail(self) -> str:
        """Why not."""
        return str(self.json["detail"])


class Door:
    """Where an agent takes records."""

    def __init__(self, address: str, inlet_id: str = "") -> None:
        host, _, port = address.rpartition(":")
        self.address = host, int(port)
        self.single, self.batch = f"/collection/{inlet_id}", f"/collection/batch/{inlet_id}"

    def post(self, body: Any, path: str = "/", method: str = "POST", **headers: str) -> Reply:
        """The answer to one request on a connection of its own; `content_type="…"`."""
        client = http.client.HTTPConnection(*self.address, timeout=LIMIT)
        try:
            return self.asked(client, body, path, method, **headers)
        finally:
            client.close()

    def asked(
        self,
        client: http.client.HTTPConnection,
        body: Any,
        path: str = "/",
        method: str = "POST",
        **headers: str,
    ) -> Reply:
        """The answer to one more request on a connection."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        client.request(method, path, body, named)
        answer = client.getresponse()
        return Reply(answer.status, answer.read(), dict(answer.headers))

    def connected(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(self.address, timeout=LIMIT)

    def said(self, request: bytes) -> bytes:
        """All that is answered to these very bytes, until the agent closes the connection."""
        with self.connected() as client:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR) if not request else None
            return whole(client)


def whole(client: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


def reset(client: socket.socket) -> None:
    """Close the connection the hard way."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def read_soon() -> None:
    """Let the agent get to what was sent."""
    time.sleep(0.3)


def configuration(
    emulator: Remote, data_dir: Path, push: Mapping[str, object] = {}, **settings: object
) -> dict[str, Any]:
    """A configuration with one source, quick in everything."""
    return {
        "data_dir": str(data_dir),
        "inlet": {"url": emulator.inlet_url, "flow_id": emulator.flow_id},
        "sources": [{"type": "http", "listen": "127.0.0.1:0", "name": NAME, **push}],
        "batch": {"max_wait": "200ms"},
        "delivery": {"retry": {"initial": "10ms", "max": "100ms"}},
        "admin": {"listen": None},
        "log": {"format": "json"},
        "shutdown": {"grace": "5s"},
        **settings,
    }


def door_of(agent: Running, emulator: Remote) -> Door:
    """Where the agent listens, once it does."""
    assert agent.process.stderr
    for line in agent.process.stderr:
        said = json.loads(line)
        if said["event"] == "a source listens":
            inlet_id = urlsplit(emulator.inlet_url).path.rpartition("/")[2]
            return Door(said["address"], inlet_id)
    raise AssertionError("it never listened")


class Pushing:
    """Starts agents with one http source, one after the other in the same directory."""

    def __init__(self, start: Start, data_dir: Path, tmp_path: Path) -> None:
        self._start = start
        self.data_dir = data_dir
        self.config = tmp_path / "agent.json"
        self.agent: Running

    def __call__(self, emulator: RunningEmulator, push: Any = None, **settings: Any) -> Door:
        """An agent that listens; the last one is in `agent`."""
        self.config.write_text(
            json.dumps(configuration(emulator, self.data_dir, push or {}, **settings))
        )
        self.agent = self._start("run", self.config)
        return door_of(self.agent, emulator)

    def stopped(self) -> int:
        """Stop it; its exit status."""
        self.agent.signal(signal.SIGTERM)
        return self.agent.finished().code

    def killed(self) -> None:
        """End it without a warning."""
        self.agent.signal(signal.SIGKILL)
        self.agent.process.wait(10)
