"""More is pushed than the platform takes: everybody is answered, and memory stays where it is."""

import asyncio
import random
import resource
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from support.agent import eventually
from support.emulator import RunningEmulator
from support.pushing import Door, Pushing
from support.records import lines, orders

pytestmark = pytest.mark.alone

POSTS = 5000
DOWN = [{"status": 503}]
SMALL = {
    "batch": {"max_bytes": "100KB", "max_wait": "200ms"},
    "buffer": {"type": "disk", "max_bytes": "1MiB", "memory_bytes": "1MiB"},
}


@pytest.fixture(autouse=True)
def _descriptors() -> None:
    """As many as there may be."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _post(door: Door, body: bytes) -> tuple[int, bytes]:
    """Status and head of the answer to one request on a connection of its own."""
    reader, writer = await asyncio.open_connection(*door.address)
    try:
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        head = await reader.readuntil(b"\r\n\r\n")
        return int(head.split()[1]), head.lower()
    finally:
        writer.transport.abort()


async def _posts(door: Door, bodies: list[bytes]) -> list[tuple[int, bytes]]:
    """All of them at the same time."""
    async with asyncio.timeout(60):
        return await asyncio.gather(*(_post(door, body) for body in bodies))


def test_five_thousand_posts_at_once_are_answered_and_memory_is_bounded(
    pushing: Pushing, inlet: Callable[..., RunningEmulator]
) -> None:
    emulator = inlet(faults=DOWN)
    push = {
        "max_connections": 10_000,
        "max_waiting_requests": 500,
        "max_waiting_bytes": "4MiB",
        "max_body_bytes": "1MiB",
    }
    door = pushing(emulator, push, **SMALL)
    idle_bytes = pushing.agent.peak_bytes()
    bodies = [lines(orders(150, first=1000 * n)) for n in range(POSTS)]  # 85 MB
    answers = asyncio.run(_posts(door, bodies))
    statuses = Counter(status for status, _ in answers)

    assert set(statuses) <= {200, 429, 503}
    assert statuses[429] + statuses[503] > POSTS / 2
    assert all(b"\r\nretry-after: " in head for status, head in answers if status != 200)
    assert pushing.agent.peak_bytes() - idle_bytes < 150_000_000
    emulator.set_faults()
    taken = sum(150 for status, _ in answers if status == 200)
    eventually(lambda: len(emulator.records()) >= taken, within=40)
    assert door.post(b'{"a":1}').status == 200
    assert pushing.stopped() == 0
    landed = set(emulator.records())
    for (status, _), body in zip(answers, bodies, strict=True):
        if status == 200:
            assert landed >= set(body.splitlines())
        elif status == 429:
            assert not landed & set(body.splitlines())


def test_a_connection_too_many_is_told_so_and_the_others_go_on(
    pushing: Pushing, emulator: RunningEmulator
) -> None:
    door = pushing(emulator, {"max_connections": 3})
    with ExitStack() as clients:
        held = [clients.enter_context(door.connected()) for _ in range(3)]
        _push_on(held[0])
        turned_away = door.post(b'{"a":1}')
        assert (turned_away.status, turned_away.headers["Retry-After"]) == (503, "1")
        assert "too many connections" in turned_away.detail
        _push_on(held[0])
    eventually(lambda: door.post(b'{"a":1}').status == 200)
    assert pushing.stopped() == 0


def _push_on(client: socket.socket) -> None:
    """One more request on a connection."""
    client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
    assert client.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_bodies_that_wait_are_bounded_in_bytes(pushing: Pushing, emulator: RunningEmulator) -> None:
    door = pushing(emulator, {"max_body_bytes": "10KB", "max_waiting_bytes": "10KB"})
    with door.connected() as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n" + b" " * 8000)
        eventually(lambda: door.post(b"{}" + b" " * 5000).status == 429)
        refused = door.post(b"{}" + b" " * 5000)
        assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
        assert door.post(b"{}").status == 200
    eventually(lambda: door.post(b"{}" + b" " * 5000).status == 200)
    assert pushing.stopped() == 0


def test_what_is_dropped_is_not_acknowledged(
    pushing: Pushing, inlet: Callable[..., RunningEmulator]
) -> None:
    emulator = inlet(faults=DOWN)
    buffer = {**SMALL["buffer"], "max_bytes": "200KB", "when_full": "drop_newest"}
    door = pushing(emulator, {}, **{**SMALL, "buffer": buffer})
    noise = random.Random(7)
    bodies = [b'{"n":"%b"}\n' % noise.randbytes(30_000).hex().encode() for _ in range(30)]
    answers = [door.post(body) for body in bodies]

    assert {answer.status for answer in answers} == {200, 503}
    assert any("dropped" in answer.detail for answer in answers if answer.status == 503)
    emulator.set_faults()
    kept = [body for body, answer in zip(bodies, answers, strict=True) if answer.status == 200]
    eventually(lambda: len(emulator.records()) == len(kept))
    assert pushing.stopped() == 0
    assert sorted(emulator.records()) == sorted(body.strip() for body in kept)
