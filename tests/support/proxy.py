"""A network that fails: a TCP proxy that cuts, delays, stalls and half-closes what it carries."""

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Self

_RESET = struct.pack("ii", 1, 0)
_FAR = 1 << 60  # bytes, or seconds

# What befalls a connection, by lot; each after some bytes in one direction, but for `slow`.
CUT, HALF_CLOSED, STALLED, SLOW, WELL = "cut", "half-closed", "stalled", "slow", "well"


class FlakyProxy:
    """`with FlakyProxy(port, seed) as proxy: ...`; `calm` lets everything through from then on.

    Of each connection it is drawn by lot after how many bytes it is cut, in which direction, and
    whether the ends are told so (FIN) or not (RST); or what else befalls it, where *fates* gives
    other chances. A stall ends after *stall_seconds* at most, or with the calm.
    """

    def __init__(
        self,
        port: int,
        seed: int,
        *,
        bytes_max: int,
        fates: Mapping[str, float] | None = None,
        stall_seconds: float = 1.0,
    ) -> None:
        self.cuts = 0
        self.befell: Counter[str] = Counter()  # fates that came true
        self.fates = fates or {CUT: 1.0}
        self._target = port
        self._dice = random.Random(seed)
        self._bytes_max = bytes_max
        self._stall_seconds = stall_seconds
        self._ready: Future[asyncio.AbstractEventLoop] = Future()
        self._stop = asyncio.Event()
        self._calm = asyncio.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),))
        self._writers: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._loop = self._ready.result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def calm(self) -> None:
        """Harm nothing more."""
        self._loop.call_soon_threadsafe(self._calm.set)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = int(server.sockets[0].getsockname()[1])
        self._ready.set_result(asyncio.get_running_loop())
        await self._stop.wait()
        self._calm.set()
        server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0.05)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            onward_reader, onward = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:  # nobody is there at the moment
            writer.transport.abort()
            return
        self._writers |= {writer, onward}
        limits = [_FAR, _FAR]
        limits[self._dice.randrange(2)] = self._dice.randrange(self._bytes_max)
        reset = self._dice.random() < 0.5
        fate = self._dice.choices(list(self.fates), list(self.fates.values()))[0]
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, onward, limits[0], fate))
                group.create_task(self._carry(onward_reader, writer, limits[1], fate))
        except* (_Cut, OSError):
            self.cuts += 1
        finally:
            self._writers -= {writer, onward}
            for end in (writer, onward):
                if reset and not end.is_closing():
                    end.get_extra_info("socket").setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, _RESET
                    )
                    end.transport.abort()
                end.close()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int, fate: str
    ) -> None:
        while block := await reader.read(4096):
            harmed = fate != WELL and not self._calm.is_set()
            if harmed and fate == SLOW:
                await self._pause(self._dice.uniform(0, 0.02))
            elif harmed and len(block) > limit:
                self.befell[fate] += 1
                writer.write(block[:limit])
                await writer.drain()
                if fate == CUT:
                    raise _Cut
                if fate == HALF_CLOSED:
                    break
                await self._pause(self._dice.uniform(0, self._stall_seconds))
                block, limit = block[limit:], _FAR
            writer.write(block)
            await writer.drain()
            limit -= len(block)
        writer.write_eof()

    async def _pause(self, seconds: float) -> None:
        """Carry nothing for a while, or until the calm."""
        try:
            async with asyncio.timeout(seconds):
                await self._calm.wait()
        except TimeoutError:
            pass


class _Cut(Exception):
    """The end of a connection, by lot."""
