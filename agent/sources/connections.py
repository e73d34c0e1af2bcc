"""Which connections are open, what is read of each when its turn comes, and when does one end?

Whatever its client does to it, nobody else's records are touched: it is closed alone, what it had
begun becomes a record or a dead letter, and the reason is counted.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from mmap import mmap

from agent.core.frames import Frame, Framer, Misframed, last_frame
from agent.core.framing import Oversize
from agent.sources.connection import (
    ENDINGS,
    Connection,
    MakeConnection,
    Unsecured,
    keep_alive,
    tell_refused,
)
from agent.sources.networks import Networks, comes_from
from agent.sources.readiness import Readiness
from agent.telemetry.logs import get_logger
from agent.telemetry.meters import Meters

log = get_logger("source")

TURN_BYTES = 2**20  # read in one round of all connections
_LEAST_TURN = 4096
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What clients may take up: a count, seconds, and bytes of unfinished records of them all.

    *networks* are where they may come from; none: from everywhere.
    """

    connections: int
    idle: float | None
    unfinished: float
    unfinished_bytes: int
    networks: Networks = ()


class Connections:
    """The open connections of one source. *clock* gives seconds that never go back."""

    def __init__(
        self,
        source: str,
        framer: Callable[[], Framer],
        limits: ConnectionLimits,
        meters: Meters,
        clock: Callable[[], float],
        connection: MakeConnection = Connection,
    ) -> None:
        self.readiness: Readiness[Connection] = Readiness()
        self.frames: list[Frame] = []  # what was read and not handed over
        self.frames_bytes = 0
        self._source = source
        self._framer = framer
        self._limits = limits
        self._meters = meters
        self._clock = clock
        self._connection = connection
        self._again: dict[Connection, None] = {}
        self._open: dict[int, Connection] = {}
        self._held = 0
        # memory that nothing was read into is not taken
        self._buffer = memoryview(mmap(-1, TURN_BYTES))
        meters.connections_open.read_from(lambda: len(self._open), source)

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._open.values()))

    def admit(self, listener: socket.socket) -> bool:
        """Accept one connection; False where there is none. Raises OSError without descriptors."""
        try:
            opened, peer = listener.accept()
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _NO_DESCRIPTORS:
                raise
            return True  # one that broke off before its turn
        if not comes_from(peer, self._limits.networks):
            self._refuse(opened, "not_allowed")
            return True
        if len(self._open) >= self._limits.connections:
            self._refuse(opened, "max_connections")
            return True
        opened.setblocking(False)
        self._meters.connections_accepted.add(1, self._source)
        keep_alive(opened)
        connection = self._connection(opened, peer, self._framer(), self._clock())
        descriptor = connection.socket.fileno()
        self._open[descriptor] = connection
        self.readiness.add(descriptor, connection)
        return True

    def _refuse(self, opened: socket.socket, reason: str) -> None:
        opened.close()
        tell_refused(self._source, reason, len(self._open), self._meters)

    async def ready(self, within: float | None = None) -> list[Connection]:
        """Those with something to read, as soon as there are any; perhaps none when woken.

        Waits *within* seconds at most, or until it is time to look for what has expired.
        """
        if not self._again:
            patience = self.patience if self._open else None
            return await self.readiness.wait(patience if within is None else within)
        await asyncio.sleep(0)
        again, self._again = self._again, {}
        return list(again | dict.fromkeys(self.readiness.now()))

    def share(self, ready: int) -> int:
        """Bytes that each of so many connections may be read for in one round."""
        return max(_LEAST_TURN, TURN_BYTES // max(1, ready))

    def read(self, connection: Connection, size: int) -> int:
        """Read what is there of it, *size* bytes at most, into `frames`; how many there were."""
        try:
            count = connection.receive(self._buffer[:size])
        except OSError as error:
            log.debug("a connection broke off", source=self._source, reason=error.strerror)
            self.end(connection, "reset")
            return 0
        except Unsecured as error:
            log.warning(
                "a client cannot be secured by TLS",
                once_per=("source", "reason"),
                source=self._source,
                reason=error.reason,
                client=str(connection),
                next_step=error.next_step,
            )
            self.end(connection, "tls")
            return 0
        if connection.again:
            self._again[connection] = None
        if count is None:
            return 0
        if not count:
            self.end(connection, "peer")
            return 0
        connection.heard = self._clock()
        frames = connection.framer.feed(bytes(self._buffer[:count]))
        self._note_held(connection, anew=bool(frames))
        for frame in frames:
            self._take(frame)
        if connection.framer.is_broken:
            self.end(connection, "framing")
        if self._held > self._limits.unfinished_bytes:
            self.end(max(self._open.values(), key=lambda each: each.held), "memory")
        return count

    def end(self, connection: Connection, reason: str) -> None:
        """Close it; what it had begun is a record, if it is a whole one, or a dead letter."""
        descriptor = connection.socket.fileno()
        if self._open.pop(descriptor, None) is None:
            return
        self.readiness.remove(descriptor)
        how = f"from {connection} {ENDINGS[reason]}"
        if frame := last_frame(connection.framer.rest(), how):
            self._take(frame)
        self._held -= connection.held
        self._again.pop(connection, None)
        connection.close()
        self._meters.connections_closed.add(1, self._source, reason)

    def expire(self) -> None:
        """End what has been silent, or unfinished, for too long."""
        now = self._clock()
        idle, unfinished = self._limits.idle, self._limits.unfinished
        # What waits to be read may have come in time, and waited for us: that is nobody's fault.
        waiting = {*self.readiness.now(), *self._again}
        for connection in self:
            since = connection.unfinished_since
            if connection in waiting:
                continue
            if since is not None and now - since > unfinished:
                self.end(connection, "unfinished")
            elif idle is not None and now - connection.heard > idle:
                self.end(connection, "idle")

    @property
    def patience(self) -> float:
        """How often to look whether something has expired, in seconds."""
        shortest = min(self._limits.unfinished, self._limits.idle or self._limits.unfinished)
        return min(5.0, max(0.05, shortest / 8))

    def close(self) -> None:
        """Let go of everything, wherever it is."""
        for connection in self:
            self.end(connection, "stop")
        self.readiness.close()

    def _note_held(self, connection: Connection, *, anew: bool) -> None:
        held = connection.framer.held_bytes
        self._held += held - connection.held
        connection.held = held
        if not held:
            connection.unfinished_since = None
        elif anew or connection.unfinished_since is None:
            connection.unfinished_since = connection.heard

    def _take(self, frame: Frame) -> None:
        self.frames.append(frame)
        self.frames_bytes += _size(frame)


def _size(frame: Frame) -> int:
    if isinstance(frame, Misframed):
        return len(frame.found)
    return len(frame.head) if isinstance(frame, Oversize) else len(frame)
