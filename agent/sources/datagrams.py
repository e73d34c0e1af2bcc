"""How are records received that come in datagrams, and what is known of those that got lost?

While there is no room nothing is read. Senders to a Unix socket wait then; UDP has no way to tell
them, and the kernel drops what does not fit its buffer. Nobody can say what that was, so it is
counted by itself and not in the books of records.
"""

import asyncio
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256

from agent.core.framing import Oversize
from agent.sources.listening import Listening
from agent.sources.readiness import Readiness
from agent.sources.receiver import Receiver
from agent.sources.source import Doors, Feed
from agent.telemetry.logs import get_logger
from agent.telemetry.meters import Meters

log = get_logger("source")

_LONGEST = 2**20  # bytes of a datagram; UDP has 65,507 at most
_AT_ONCE = 512  # datagrams of one socket
_LARGEST_BUFFER = 2**23
_FEW_BYTES, _GATHERING = 65_536, 0.001  # the smallest buffers hold what comes in that time
_SO_RCVBUFFORCE = 33  # Linux: beyond net.core.rmem_max, for who may
_SO_MEMINFO, _MEMINFO = 55, struct.Struct("9I")  # Linux: the last number counts drops


class DatagramSource(Receiver):
    """Records from one address, one or several lines in each datagram."""

    def __init__(
        self,
        name: str,
        listening: Listening,
        block_bytes: int,
        meters: Meters,
        *,
        head_bytes: int,
        receive_buffer: int | None = None,
    ) -> None:
        """*receive_buffer*: bytes the kernel keeps; by default as many as it allows, up to 8 MiB.

        *head_bytes* are kept of a datagram that is too long.
        """
        super().__init__(name, listening, block_bytes, meters)
        self._head_bytes = head_bytes
        self._receive_buffer = receive_buffer
        self._buffer = memoryview(bytearray(_LONGEST))
        self._readiness: Readiness[socket.socket] | None = None
        self._lines: list[bytes] = []
        self._lines_bytes = 0
        self._too_long: list[Oversize] = []
        self._drops: dict[socket.socket, int] = {}

    async def claim(self) -> None:
        """Listen: datagrams are queued from now on. Raises ConfigError."""
        await super().claim()
        for each in self._listeners.sockets:
            self._drops[each] = 0
            if each.family != socket.AF_UNIX:
                self._enlarge(each)
        self._meters.datagrams_dropped.add(0, self.name)

    async def run(self, doors: Doors) -> None:
        """Receive until stopped; then what had come until that moment."""
        if self._stopped:
            return
        feed = doors.feed(self.name, self._start)
        readiness = self._readiness = Readiness()
        try:
            for each in self._listeners.sockets:
                readiness.add(each.fileno(), each)
            while not self._stopped:
                before = self._read
                for each in await readiness.wait(None):
                    self._receive(each)
                    self._note_drops(each)
                await self._hand_over(feed)
                if self._read - before < _FEW_BYTES and not self._stopped:
                    await asyncio.sleep(_GATHERING)  # to go on for each of them costs much more
            for each in self._listeners.sockets:
                waiting = each.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
                while waiting > 0 and (count := self._receive(each)):
                    waiting -= count
                    await self._hand_over(feed)
                self._note_drops(each)
        finally:
            self._drops.clear()
            readiness.close()
            self._listeners.close()

    def stop(self) -> None:
        """Read what has come, and nothing more."""
        self._stopped = True
        if self._readiness is not None:
            self._readiness.wake()

    def details(self) -> Mapping[str, object]:
        """Where it listens, and how many datagrams the kernel dropped."""
        for each in self._drops:
            self._note_drops(each)
        dropped = int(self._meters.datagrams_dropped.value(self.name))
        return {**super().details(), "dropped_datagrams": dropped}

    def _receive(self, opened: socket.socket) -> int:
        """Take some datagrams; how many bytes they had."""
        taken = 0
        for _ in range(_AT_ONCE):
            try:
                count = opened.recv_into(self._buffer, 0, socket.MSG_TRUNC)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:  # a report about something we sent: we send nothing
                continue
            taken += count or 1
            if count > _LONGEST:
                self._too_long.append(self._described(count))
            elif lines := bytes(self._buffer[:count]).rstrip(b"\r\n"):
                self._lines.append(lines)
                self._lines_bytes += count
            if self._lines_bytes >= self._block_bytes:
                break
        self._read += taken
        return taken

    def _described(self, length: int) -> Oversize:
        """A datagram of which only the first part was there to be read."""
        head = bytes(self._buffer[: self._head_bytes])
        return Oversize(head, length, sha256(self._buffer).hexdigest())

    async def _hand_over(self, feed: Feed) -> None:
        lines, self._lines, self._lines_bytes = self._lines, [], 0
        too_long, self._too_long = self._too_long, []
        if lines:
            await feed.lines(b"\n".join(lines) + b"\n")
        for each in too_long:
            await feed.oversize(each)

    def _note_drops(self, opened: socket.socket) -> None:
        with suppress(OSError, struct.error):  # another system, or an old one
            counted = opened.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
            drops: int = _MEMINFO.unpack(counted)[-1]
            fresh = (drops - self._drops[opened]) % 2**32
            self._drops[opened] = drops
            if fresh:
                self._meters.datagrams_dropped.add(fresh, self.name)
                log.warning(
                    "the kernel dropped datagrams, and whatever records were in them",
                    source=self.name,
                    datagrams=fresh,
                    next_step="raise receive_buffer and net.core.rmem_max, or send over tcp",
                )

    def _enlarge(self, opened: socket.socket) -> None:
        wanted = self._receive_buffer or _LARGEST_BUFFER
        try:
            opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, wanted)
        except OSError:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, wanted)
        got = opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2  # it counts double
        if self._receive_buffer and got < wanted:
            log.warning(
                "the system allows a smaller receive buffer than was asked for",
                source=self.name,
                bytes=got,
                next_step=f"sysctl net.core.rmem_max={wanted}",
            )
