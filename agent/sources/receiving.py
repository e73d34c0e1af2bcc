"""How are the records of many connections received, in turn, and no faster than they can go on?

One task reads all connections of a source: in each round every connection that has something is
read once, for an equal share of a megabyte, and what came goes on together. While there is no room
nothing is read: the kernel's buffers fill, and TCP tells the clients to wait. So a firehose delays
a quiet client by one round at most, and ten thousand idle clients cost no task and no buffer.
"""

import asyncio
import fcntl
import socket
import struct
import termios
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from agent.core.frames import Framer, Misframed
from agent.core.framing import Oversize
from agent.sources.connection import Connection, MakeConnection
from agent.sources.connections import TURN_BYTES, ConnectionLimits, Connections
from agent.sources.listening import BACKLOG, Listening
from agent.sources.receiver import Receiver
from agent.sources.source import Doors, Feed
from agent.telemetry.logs import get_logger
from agent.telemetry.meters import Meters

log = get_logger("source")

_ACCEPTED_AT_ONCE = 64
_LONGEST_TURN = 0.02  # seconds until others get theirs
# Many senders write a line at a time. To go on for each of them costs five times the CPU of taking
# what comes within a moment together. The first line after a silence does not wait.
_FEW_BYTES, _GATHERING = 65_536, 0.005
_LAST_WORDS = 0.1  # seconds for what is on its way when the agent stops
_ACCEPT_AGAIN = 1.0  # seconds after there was no descriptor for a connection


class ConnectionSource(Receiver):
    """Records from the connections to one address."""

    def __init__(
        self,
        name: str,
        listening: Listening,
        framer: Callable[[], Framer],
        limits: ConnectionLimits,
        block_bytes: int,
        meters: Meters,
        connection: MakeConnection = Connection,
        renew: Callable[[], None] = lambda: None,
    ) -> None:
        """*block_bytes* go on together, where there are so many.

        *renew* has connections secured by the certificates as they are now.
        """
        super().__init__(name, listening, block_bytes, meters)
        self._renew = renew
        self._connection = connection
        self._framer = framer
        self._limits = limits
        self._connections: Connections | None = None
        self._paused: dict[socket.socket, asyncio.TimerHandle] = {}

    async def run(self, doors: Doors) -> None:
        """Receive until stopped; then what had come until that moment."""
        if self._stopped:
            return
        feed = doors.feed(self.name, self._start)
        connections = self._connections = Connections(
            self.name,
            self._framer,
            self._limits,
            self._meters,
            time.monotonic,
            self._connection,
        )
        try:
            self._accept_whenever(True)
            await self._receive(connections, feed)
            await self._receive_last(connections, feed)
        finally:
            self._accept_whenever(False)
            connections.close()
            if connections.frames_bytes:
                log.error(
                    "what was received last is lost, as the agent had no more time to stop",
                    source=self.name,
                    bytes=connections.frames_bytes,
                    next_step="raise shutdown.grace",
                )

    def stop(self) -> None:
        """Accept nothing more, and read what has come."""
        self._stopped = True
        if self._connections is not None:
            self._connections.readiness.wake()

    def renew(self) -> None:
        """Take up a renewed certificate."""
        self._renew()

    def details(self) -> Mapping[str, object]:
        """How many clients there are, and where."""
        open_now = 0 if self._connections is None else len(self._connections)
        return {**super().details(), "connections": open_now}

    async def _receive(self, connections: Connections, feed: Feed) -> None:
        look_at = time.monotonic() + connections.patience
        while not self._stopped:
            before = self._read
            await self._read_round(await connections.ready(), connections, feed)
            if time.monotonic() >= look_at:
                connections.expire()
                look_at = time.monotonic() + connections.patience
            await self._hand_over(connections, feed)
            if self._read - before < _FEW_BYTES and not self._stopped:
                await asyncio.sleep(_GATHERING)

    async def _read_round(
        self, ready: list[Connection], connections: Connections, feed: Feed
    ) -> None:
        """Read each of these once."""
        # not much more than goes on together: small batches are for where memory is scarce
        share = min(connections.share(len(ready)), self._block_bytes + self._block_bytes // 4)
        begun = time.monotonic()
        for connection in ready:
            self._read += connections.read(connection, share)
            if connections.frames_bytes >= self._block_bytes:
                await self._hand_over(connections, feed)
            if time.monotonic() - begun > _LONGEST_TURN:  # many handshakes
                await asyncio.sleep(0)
                begun = time.monotonic()

    async def _receive_last(self, connections: Connections, feed: Feed) -> None:
        """Read what clients wrote before they could know: they believe that it arrived."""
        for listener in self._listeners.sockets:
            if not self._listeners.stay_open:
                with suppress(OSError):
                    any(not connections.admit(listener) for _ in range(BACKLOG))
        self._accept_whenever(False)
        self._listeners.close()
        until = time.monotonic() + _LAST_WORDS
        while len(connections) and (wait := until - time.monotonic()) > 0:
            await self._read_round(await connections.ready(wait), connections, feed)
            await self._hand_over(connections, feed)
        for connection in connections:
            waiting = _waiting_bytes(connection)
            while waiting > 0 and (count := connections.read(connection, TURN_BYTES)):
                waiting -= count
                self._read += count
                if connections.frames_bytes >= self._block_bytes:
                    await self._hand_over(connections, feed)
            connections.end(connection, "stop")
        await self._hand_over(connections, feed)

    async def _hand_over(self, connections: Connections, feed: Feed) -> None:
        frames, connections.frames = connections.frames, []
        lines: list[bytes] = []
        for frame in frames:
            if isinstance(frame, bytes):
                lines.append(frame)
                continue
            await _put_lines(lines, feed)
            lines.clear()
            await _put_other(frame, feed)
        await _put_lines(lines, feed)
        connections.frames_bytes = 0  # not before: what is cancelled on its way is told

    def _accept_whenever(self, wanted: bool) -> None:
        loop = asyncio.get_running_loop()
        for listener in self._listeners.sockets:
            if wanted:
                loop.add_reader(listener.fileno(), self._accept, listener)
            else:
                loop.remove_reader(listener.fileno())
        if not wanted:
            for timer in self._paused.values():
                timer.cancel()
            self._paused.clear()

    def _accept(self, listener: socket.socket) -> None:
        if self._stopped and self._listeners.stay_open:
            return  # whoever goes on to listen serves them; here they would only be closed
        connections = self._connections
        assert connections is not None, "it accepts while it runs"
        is_first = not connections
        try:
            for _ in range(_ACCEPTED_AT_ONCE):
                if not connections.admit(listener):
                    break
        except OSError as error:
            log.error(
                "no connection can be accepted",
                source=self.name,
                reason=error.strerror,
                next_step="raise LimitNOFILE=, or ulimit -n",
            )
            self._pause(listener)
        if is_first:
            connections.readiness.wake()  # there is something to expire from now on

    def _pause(self, listener: socket.socket) -> None:
        """Accept nothing for a moment: what waits would be reported again at once."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener.fileno())
        self._paused[listener] = loop.call_later(_ACCEPT_AGAIN, self._go_on, listener)

    def _go_on(self, listener: socket.socket) -> None:
        del self._paused[listener]
        asyncio.get_running_loop().add_reader(listener.fileno(), self._accept, listener)


async def _put_lines(lines: list[bytes], feed: Feed) -> None:
    if lines:
        await feed.lines(lines[0] if len(lines) == 1 else b"".join(lines))


async def _put_other(frame: Oversize | Misframed, feed: Feed) -> None:
    if isinstance(frame, Oversize):
        await feed.oversize(frame)
    else:
        await feed.refuse(frame.found, frame.fault)


def _waiting_bytes(connection: Connection) -> int:
    """What the kernel holds of a connection."""
    answer = struct.pack("i", 0)
    with suppress(OSError):
        answer = fcntl.ioctl(connection.socket.fileno(), termios.FIONREAD, answer)
    return int(struct.unpack("i", answer)[0])
