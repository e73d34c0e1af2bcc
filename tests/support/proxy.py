"""A network that fails: a TCP proxy that cuts connections in the middle of what they carry."""

import asyncio
import random
import socket
import struct
import threading
from concurrent.futures import Future
from types import TracebackType
from typing import Self

_RESET = struct.pack("ii", 1, 0)


class FlakyProxy:
    """`with FlakyProxy(port, seed) as proxy: ...`; `calm` lets everything through from then on.

    Of each connection it is drawn by lot after how many bytes it is cut, in which direction, and
    whether the ends are told so (FIN) or not (RST).
    """

    def __init__(self, port: int, seed: int, *, bytes_max: int) -> None:
        self.cuts = 0
        self._target = port
        self._dice = random.Random(seed)
        self._bytes_max = bytes_max
        self._calm = False
        self._ready: Future[asyncio.AbstractEventLoop] = Future()
        self._stop = asyncio.Event()
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
        """Cut nothing more."""
        self._calm = True

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = int(server.sockets[0].getsockname()[1])
        self._ready.set_result(asyncio.get_running_loop())
        await self._stop.wait()
        server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0.05)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward_reader, onward = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, onward}
        limits = [1 << 60, 1 << 60]
        limits[self._dice.randrange(2)] = self._dice.randrange(self._bytes_max)
        reset = self._dice.random() < 0.5
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, onward, limits[0]))
                group.create_task(self._carry(onward_reader, writer, limits[1]))
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
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int
    ) -> None:
        while block := await reader.read(4096):
            writer.write(block if self._calm else block[:limit])
            await writer.drain()
            limit -= len(block)
            if limit < 0 and not self._calm:
                raise _Cut
        writer.write_eof()


class _Cut(Exception):
    """The end of a connection, by lot."""
