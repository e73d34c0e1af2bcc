"""A source of connections at work, and clients that connect to it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv4Network, IPv6Network

from agent.core.frames import Framer
from agent.core.framing import LineFramer
from agent.sources.connection import Connection, MakeConnection
from agent.sources.connections import ConnectionLimits
from agent.sources.listening import Listening
from agent.sources.receiving import ConnectionSource
from agent.sources.source import Doors
from agent.telemetry.meters import Meters

SOON = 10.0  # seconds that nothing here may take
MAX, HEAD = 1000, 100


class Serving:
    """What a test needs to know of a source that runs."""

    def __init__(
        self, source: ConnectionSource, meters: Meters, running: asyncio.Task[None]
    ) -> None:
        self.source = source
        self.meters = meters
        self.running = running
        addresses = source.details()["listen"]
        assert isinstance(addresses, list)
        self.address = str(addresses[0])

    @property
    def open(self) -> int:
        return int(self.meters.connections_open.value(self.source.name))

    def closed(self, reason: str) -> int:
        return int(self.meters.connections_closed.value(self.source.name, reason))

    def connect(self) -> socket.socket:
        """A blocking client; to connect takes no turn of the loop."""
        if self.address.startswith(("/", "@")):
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(self.address)
            return peer
        host, _, port = self.address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), SOON)

    async def stopped(self) -> None:
        self.source.stop()
        await asyncio.wait_for(self.running, SOON)


def newline() -> Framer:
    return LineFramer(MAX, HEAD)


@asynccontextmanager
async def serving(
    doors: Doors,
    listen: Listening | str = "127.0.0.1:0",
    framer: Callable[[], Framer] = newline,
    *,
    connections: int = 10_000,
    idle: float | None = None,
    unfinished: float = 300.0,
    unfinished_bytes: int = 2**26,
    connection: MakeConnection = Connection,
    networks: tuple[IPv4Network | IPv6Network, ...] = (),
    former: Serving | None = None,
) -> AsyncIterator[Serving]:
    """A source that has begun to listen; stopped at the end unless it was before.

    It takes the place of the *former* one, which ends before it begins to read.
    """
    meters = Meters()
    limits = ConnectionLimits(connections, idle, unfinished, unfinished_bytes, networks)
    listening = Listening(listen) if isinstance(listen, str) else listen
    source = ConnectionSource("clients", listening, framer, limits, 900_000, meters, connection)
    if former:
        assert source.follow(former.source)
    await source.claim()
    if former:
        source.succeed()
        await former.stopped()
    running = asyncio.ensure_future(source.run(doors))
    try:
        await asyncio.sleep(0)
        at_work = Serving(source, meters, running)
        yield at_work
        if not running.done():
            await at_work.stopped()
        running.result()
    finally:
        running.cancel()
        await asyncio.wait([running])  # as the agent does: sockets are closed once nobody watches
        await source.let_go()


async def until(truth: Callable[[], object]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(SOON):
        while not truth():  # noqa: ASYNC110 - it is about what others do
            await asyncio.sleep(0.005)
