"""Datagrams: records that nobody can send again."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from agent.sources.datagrams import DatagramSource
from agent.sources.listening import Listening
from agent.telemetry.meters import Meters
from sources.conftest import Taken
from sources.serving import SOON, until

DGRAM = socket.SOCK_DGRAM


class Serving:
    def __init__(self, source: DatagramSource, meters: Meters, running: asyncio.Task[None]) -> None:
        self.source, self.meters, self.running = source, meters, running
        addresses = source.details()["listen"]
        assert isinstance(addresses, list)
        self.address = str(addresses[0])

    @property
    def dropped(self) -> int:
        self.source.details()
        return int(self.meters.datagrams_dropped.value("clients"))

    def sender(self) -> socket.socket:
        if self.address.startswith("/"):
            peer = socket.socket(socket.AF_UNIX, DGRAM)
            peer.connect(self.address)
            return peer
        host, _, port = self.address.rpartition(":")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        peer = socket.socket(family, DGRAM)
        peer.connect((host.strip("[]"), int(port)))
        return peer

    async def stopped(self) -> None:
        self.source.stop()
        await asyncio.wait_for(self.running, SOON)


@asynccontextmanager
async def serving(
    taken: Taken, listen: str = "127.0.0.1:0", receive_buffer: int | None = None
) -> AsyncIterator[Serving]:
    meters = Meters()
    source = DatagramSource(
        "clients",
        Listening(listen, DGRAM),
        900_000,
        meters,
        head_bytes=100,
        receive_buffer=receive_buffer,
    )
    await source.claim()
    running = asyncio.ensure_future(source.run(taken))
    try:
        await asyncio.sleep(0)
        at_work = Serving(source, meters, running)
        yield at_work
        await at_work.stopped()
    finally:
        running.cancel()
        await source.let_go()


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0", "unix"])
async def test_a_datagram_holds_one_line_or_several(
    taken: Taken, listen: str, tmp_path: Path
) -> None:
    async with serving(taken, str(tmp_path / "s") if listen == "unix" else listen) as at_work:
        with at_work.sender() as peer:
            for datagram in (b'{"a":1}', b'{"b":2}\n', b"", b'{"c":3}\n{"d":4}\r\n', b"\n"):
                peer.send(datagram)
            await until(lambda: taken.bytes.count(b"\n") == 4)
    assert taken.bytes == b'{"a":1}\n{"b":2}\n{"c":3}\n{"d":4}\n'


async def test_the_longest_datagram_comes_whole(taken: Taken) -> None:
    longest = b'{"x":"%s"}' % (b"y" * (65_507 - 8))
    async with serving(taken) as at_work:
        with at_work.sender() as peer:
            assert peer.send(longest) == 65_507
            await until(lambda: taken.bytes == longest + b"\n")


async def test_a_datagram_too_long_even_to_be_read_is_told_by_what_there_is_of_it(
    taken: Taken, tmp_path: Path
) -> None:
    async with serving(taken, str(tmp_path / "s")) as at_work:
        with at_work.sender() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 3_000_000)
            try:
                peer.send(b"x" * 1_200_000)
            except OSError:  # this system allows no buffer of that size
                peer.send(b"{}")
                await until(lambda: taken.bytes == b"{}\n")
                return
            await until(lambda: taken.oversized)
    [line] = taken.oversized
    assert (line.head, line.length) == (b"x" * 100, 1_200_000)
    assert line.sha256 == sha256(b"x" * 2**20).hexdigest()


async def test_what_the_kernel_drops_while_there_is_no_room_is_counted(taken: Taken) -> None:
    taken.room.clear()
    async with serving(taken, receive_buffer=8192) as at_work:
        with at_work.sender() as peer:
            peer.send(b'{"first":1}')
            await asyncio.sleep(0.05)
            for number in range(500):
                peer.send(b'{"number":%d,"x":"%s"}' % (number, b"y" * 200))
            await until(lambda: at_work.dropped > 0)
            taken.room.set()
            await until(lambda: taken.bytes.count(b"\n") + at_work.dropped == 501)
        assert taken.bytes.startswith(b'{"first":1}\n')


async def test_senders_to_a_unix_socket_wait_and_lose_nothing(taken: Taken, tmp_path: Path) -> None:
    taken.room.clear()
    sent = 0

    def send(peer: socket.socket) -> None:
        nonlocal sent
        for number in range(3000):
            peer.send(b'{"number":%d}' % number)
            sent += 1

    async with serving(taken, str(tmp_path / "s")) as at_work:
        with at_work.sender() as peer:
            sender = threading.Thread(target=send, args=(peer,))
            sender.start()
            await asyncio.sleep(0.3)
            assert sent < 3000, "the sender was not made to wait"
            taken.room.set()
            await until(lambda: taken.bytes.count(b"\n") == 3000)
            sender.join()
        assert at_work.dropped == 0


async def test_what_came_before_the_stop_is_read(taken: Taken) -> None:
    async with serving(taken) as at_work:
        with at_work.sender() as peer:
            for _ in range(600):
                peer.send(b"{}")
            await at_work.stopped()
    assert taken.bytes == b"{}\n" * 600
