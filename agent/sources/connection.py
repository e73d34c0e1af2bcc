"""What is one client's connection: how is it read, and how does it end?"""

import socket
from collections.abc import Callable
from contextlib import suppress

from agent.core.frames import Framer
from agent.telemetry.logs import get_logger
from agent.telemetry.meters import Meters

log = get_logger("source")

_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 20), ("TCP_KEEPCNT", 4))

# How a connection ended, completing "the connection …", by the reason it is counted under.
ENDINGS = {
    "peer": "was closed",
    "reset": "was broken off",
    "idle": "was idle for longer than idle_timeout, and closed,",
    "unfinished": "took longer than unfinished_timeout, and was closed,",
    "memory": "held most of max_unfinished_bytes, and was closed,",
    "framing": "was closed",
    "tls": "was closed",
    "stop": "was closed, as the agent stopped,",
}


class Unsecured(Exception):
    """A client that did not get as far as being secured; why, and what can be done."""

    def __init__(self, reason: str, next_step: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.next_step = next_step


class Connection:
    """One client's. `receive` fills a buffer; None where there is nothing yet."""

    __slots__ = (
        "again",
        "framer",
        "heard",
        "held",
        "is_ready",
        "peer",
        "socket",
        "unfinished_since",
    )

    def __init__(self, opened: socket.socket, peer: object, framer: Framer, now: float) -> None:
        self.socket = opened
        self.peer = peer
        self.framer = framer
        self.heard = now
        self.unfinished_since: float | None = None
        self.held = 0  # bytes of an unfinished frame
        self.is_ready = True  # for records: what comes before them is done
        self.again = False  # there may be more to read, of which the kernel does not know

    def receive(self, buffer: memoryview) -> int | None:
        """Bytes read, 0 at the end. Raises OSError where the connection is broken."""
        try:
            return self.socket.recv_into(buffer)
        except (BlockingIOError, InterruptedError):
            return None

    def close(self) -> None:
        """Close it, as politely as it can be done without waiting."""
        self.socket.close()

    def __str__(self) -> str:
        if isinstance(self.peer, tuple):
            return f"{self.peer[0]}:{self.peer[1]}"
        return "a local client"


MakeConnection = Callable[[socket.socket, object, Framer, float], Connection]


def tell_refused(source: str, reason: str, connections: int, meters: Meters) -> None:
    """Count a client that is turned away while there are so many others, and say so."""
    meters.connections_refused.add(1, source, reason)
    log.warning(
        "a connection is refused",
        once_per=("source", "reason"),
        source=source,
        reason=reason,
        connections=connections,
    )


def keep_alive(opened: socket.socket) -> None:
    """Have the kernel ask a silent client now and then whether it is still there."""
    if opened.family == socket.AF_UNIX:
        return
    with suppress(OSError):
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            if hasattr(socket, name):
                opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
