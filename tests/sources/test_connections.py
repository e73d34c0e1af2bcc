"""Single steps of connections, with a clock that a test moves."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.core.frames import Misframed
from agent.core.framing import LineFramer
from agent.sources.connection import Connection, MakeConnection
from agent.sources.connections import ConnectionLimits, Connections
from agent.sources.encryption import Certificates, Encryption
from agent.telemetry.meters import Meters
from sources.serving import HEAD, MAX, SOON

FILES = Path(__file__).parents[1] / "delivery" / "certificates"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def one_connection(
    clock: Callable[[], float], make: MakeConnection = Connection, idle: float | None = None
) -> Iterator[tuple[Connections, Connection, socket.socket]]:
    """The connections of a source, the one there is, and its client."""
    limits = ConnectionLimits(10, idle, 60.0, 10_000)
    connections = Connections(
        "clients", lambda: LineFramer(MAX, HEAD), limits, Meters(), clock, make
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = socket.create_connection(listener.getsockname(), SOON)
        assert connections.admit(listener)
        [connection] = connections
        try:
            yield connections, connection, peer
        finally:
            connections.close()
            peer.close()


async def come(connections: Connections) -> list[Connection]:
    return await asyncio.wait_for(connections.ready(), SOON)


@pytest.mark.parametrize("idle", [None, 30.0])
async def test_what_came_in_time_and_waited_for_us_is_not_late(idle: float | None) -> None:
    clock = Clock()
    with one_connection(clock, idle=idle) as (connections, connection, peer):
        peer.sendall(b'{"a":')
        assert await come(connections) == [connection]
        connections.read(connection, 100)
        peer.sendall(b"1")
        await come(connections)
        clock.now += 100  # in which we were busy with others
        connections.expire()
        assert len(connections) == 1
        connections.read(connection, 100)
        connections.expire()
        assert len(connections) == 0, "the record itself began too long ago"
        [frame] = connections.frames
        assert isinstance(frame, Misframed)
        assert frame.found == b'{"a":1'


async def test_a_client_is_given_its_time_anew_with_every_record() -> None:
    clock = Clock()
    with one_connection(clock) as (connections, connection, peer):
        for _ in range(5):
            peer.sendall(b'}\n{"a":')
            await come(connections)
            connections.read(connection, 100)
            connections.expire()
            clock.now += 59
            connections.expire()
            assert len(connections) == 1


async def test_what_is_deciphered_already_is_read_although_the_kernel_has_nothing() -> None:
    encryption = Encryption(Certificates(FILES / "localhost.pem"))
    trust = ssl.create_default_context(cafile=FILES / "ca.pem")
    with one_connection(Clock(), encryption.connection) as (connections, connection, plain):
        shaking = asyncio.ensure_future(
            asyncio.to_thread(trust.wrap_socket, plain, server_hostname="localhost")
        )
        while not connection.is_ready:
            for each in await come(connections):
                connections.read(each, 100)
        peer = await shaking
        await asyncio.to_thread(peer.sendall, b'{"a":1}\n' * 100)
        while sum(map(len, connections.frames)) < 800:  # type: ignore[arg-type]
            assert await come(connections) == [connection]
            connections.read(connection, 64)
        peer.close()
