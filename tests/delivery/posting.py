"""One request to an inlet that is written in the test, byte by byte where need be."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agent.aep.tokens import Tokens
from agent.aep.transport import Route
from agent.delivery.inlet import Answer, Inlet, InletAddress, InletLimits
from agent.errors import Unavailable
from delivery.rig import SOON, Talk, body_of, talking

LIMITS = InletLimits(
    connect=2.0,
    answer=2.0,
    total=5.0,
    connection_age=60.0,
    max_in_flight=4,
    answer_bytes=16 * 2**20,
)
FLOW = {"x-adobe-flow-id": "flow"}
BODY = b'{"messages":[{}]}'


@asynccontextmanager
async def client(
    url: str,
    limits: InletLimits = LIMITS,
    *,
    headers: dict[str, str] = FLOW,
    tokens: Tokens | None = None,
    **route: Any,
) -> AsyncIterator[Inlet]:
    inlet = Inlet(InletAddress(url, headers, Route(**route)), limits, tokens)
    try:
        yield inlet
    finally:
        await inlet.close()


async def post_to(
    talk: Talk, *, body: bytes = BODY, limits: InletLimits = LIMITS, **address: object
) -> Answer:
    async with talking(talk) as place, client(f"http://{place}/x", limits, **address) as inlet:
        return await asyncio.wait_for(inlet.post(body, gzipped=False), SOON)


async def failure_of(talk: Talk, **how: object) -> str:
    with pytest.raises(Unavailable) as raised:
        await post_to(talk, **how)
    return str(raised.value)


def saying(answer: bytes) -> Talk:
    async def talk(head: bytes, reader, writer) -> None:
        await body_of(head, reader)
        writer.write(answer)

    return talk


def answer_of(body: bytes, status: str = "207 Multi-Status", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def resetting(after: bytes) -> Talk:
    """Read a request, answer this much, and reset the connection."""

    async def talk(head: bytes, reader, writer) -> None:
        await body_of(head, reader)
        writer.write(after)
        await writer.drain()
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return talk


def closing(after: bytes) -> Talk:
    """Read a request, answer this much, and close."""

    async def talk(head: bytes, reader, writer) -> None:
        await body_of(head, reader)
        writer.write(after)
        await writer.drain()
        writer.close()

    return talk
