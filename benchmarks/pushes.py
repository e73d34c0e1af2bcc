"""What does a megabyte cost that is pushed over HTTP, and answered once it is safe?

A few clients post the lines of a file, half a megabyte a request, each on a connection that it
keeps; it is the same file, in the same round, as the one that is sent by name.
"""

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.children import BenchmarkError
from benchmarks.events import EventFile
from benchmarks.pipeline import Agent, Sent, sent
from benchmarks.sockets import connected, listening

CLIENTS = 8
BODY_BYTES = 500_000
_HEAD = (
    b"POST / HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-ndjson\r\n"
    b"Content-Length: %d\r\n\r\n"
)


def push(agent: Agent, file: EventFile, buffer: str) -> Sent:
    """Push the file to an agent with that buffer, memory or disk.

    Raises BenchmarkError unless each request is answered 200, and the sink was sent exactly the
    records of the file.
    """
    timeout = 30 + file.records / 2_000
    with listening(agent, "http", buffer) as (sink, child, address):
        before = sink.stats()
        begun = time.monotonic()
        with (
            file.path.open("rb") as lines,
            ThreadPoolExecutor(CLIENTS) as pool,
        ):
            bodies = _bodies(lines.fileno(), file.size)
            clients = [pool.submit(_post, address, lines.fileno(), bodies) for _ in range(CLIENTS)]
            for client in clients:
                client.result(timeout)
        sink.wait_for(file.records, timeout, child)
        wall = time.monotonic() - begun
        child.stop()
        finished = child.expect(timeout)
        counted = sink.stats()
    return sent(file.records, finished, wall, before, counted)


def _bodies(lines: int, size: int) -> list[tuple[int, int]]:
    """Where each body of whole lines begins and how long it is, the last one first."""
    bodies = []
    start = 0
    while start < size:
        length = os.pread(lines, BODY_BYTES, start).rfind(b"\n") + 1
        bodies.append((start, length))
        start += length
    return bodies[::-1]


def _post(address: str, lines: int, bodies: list[tuple[int, int]]) -> None:
    """Post one body after the other while there are any.

    Each is read when it is its turn: the agent's peak memory is never told as less than that of
    who started it, so the file must not be in ours.
    """
    with connected(address) as client:
        client.settimeout(60)
        while True:
            try:
                start, length = bodies.pop()
            except IndexError:
                return
            client.sendall(_HEAD % length)
            client.sendall(os.pread(lines, length, start))
            _expect_200(client)


def _expect_200(client: socket.socket) -> None:
    answer = b""
    while b"}" not in answer:
        part = client.recv(65536)
        if not part:
            raise BenchmarkError(f"the agent closed the connection: {answer!r}")
        answer += part
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise BenchmarkError(f"the agent answered {answer[:500]!r}")
