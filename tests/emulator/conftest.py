"""A running emulator on a free port, and a client that sends it whatever it is told to."""

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import aiohttp
import pytest

from agent.emulator.options import EmulatorOptions
from agent.emulator.rules import parse_script
from agent.emulator.server import Emulator
from support.platform import Calls


class Client:
    """Sends bodies to one emulator; `records` in and (status, parsed answer) out."""

    def __init__(self, emulator: Emulator, session: aiohttp.ClientSession) -> None:
        self.emulator = emulator
        self.session = session
        self.single_url = emulator.inlet_url
        self.batch_url = emulator.inlet_url.replace("/collection/", "/collection/batch/")

    async def post(
        self, url: str, body: bytes, *, headers: dict[str, str] | None = None, **query: str
    ) -> tuple[int, bytes]:
        sent = {"Content-Type": "application/json", "x-adobe-flow-id": self.emulator.flow_id}
        sent |= headers or {}
        sent = {name: value for name, value in sent.items() if value}
        async with self.session.post(
            url, data=io.BytesIO(body), headers=sent, params=query
        ) as answer:
            return answer.status, await answer.read()

    async def batch(self, records: Sequence[bytes], **how: Any) -> tuple[int, Any]:
        body = b'{"messages":[' + b",\n".join(records) + b"]}"
        status, answer = await self.post(self.batch_url, body, **how)
        return status, json.loads(answer)

    async def single(self, record: bytes, **how: Any) -> tuple[int, Any]:
        status, answer = await self.post(self.single_url, record, **how)
        return status, json.loads(answer)

    async def ask(self, path: str, method: str = "GET", body: bytes = b"") -> tuple[int, bytes]:
        url = f"{self.emulator.listening}/_emulator/{path}"
        async with self.session.request(method, url, data=body) as answer:
            return answer.status, await answer.read()

    async def until(self, is_so: Callable[[dict[str, Any]], bool], seconds: float = 5) -> None:
        """Wait until the statistics are as wanted."""
        for _ in range(int(seconds / 0.005)):
            if is_so(self.emulator.stats()):
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"not so after {seconds} s: {self.emulator.stats()}")

    async def stats(self) -> dict[str, Any]:
        return dict(json.loads((await self.ask("stats"))[1]))


Start = Callable[..., Awaitable[Client]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start an emulator: `client = await start(faults=[...], dialect="observed")`."""
    async with contextlib.AsyncExitStack() as stack:

        async def started(faults: Any = (), **options: Any) -> Client:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            script = parse_script(faults or [])
            emulator = Emulator(EmulatorOptions(**options), script)
            return Client(await stack.enter_async_context(emulator), session)

        yield started


@pytest.fixture
async def client(start: Start) -> Client:
    """A client of an emulator with default options."""
    return await start()


@pytest.fixture
def calls(client: Client) -> Calls:
    """Calls of its platform."""
    return Calls(client.emulator.listening, client.session)
